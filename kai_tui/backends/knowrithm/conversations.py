"""Conversations and their messages on the server: list, read, make, delete, restore (knowrithm.md §7, §8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from kai_tui.backends.base import (
    CHAT_GONE,
    BackendError,
    Chat,
    ChatSummary,
    NotAllowed,
    NotFound,
    Page,
    Refused,
    UnexpectedAnswer,
)
from kai_tui.backends.http import Answer, segment
from kai_tui.backends.knowrithm.access import KnowrithmAccess, said_by_knowrithm
from kai_tui.backends.knowrithm.messages import message_of
from kai_tui.backends.knowrithm.names import Names
from kai_tui.backends.knowrithm.tasks import ack_of
from kai_tui.backends.knowrithm.wire import (
    ConversationRow,
    MessageRow,
    chronological,
    further_page,
    one_of,
    pagination,
    rows_of,
)
from kai_tui.backends.refusals import not_what_was_asked, one_line
from kai_tui.backends.tolerant import whole
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message

PER_PAGE: Final = 100
"""The most a page may have (§6)."""
_MAX_PAGES: Final = 100
_TITLE: Final = 60
_MINE: Final = "/v1/conversation/entity"
_COMPANY: Final = "/v1/conversation"


def title_of(text: str) -> str:
    """A name for a new conversation, from its first message: nothing names it later (§7)."""
    return one_line(whole(text), _TITLE) or "New conversation"


class Conversations:
    """What the server keeps. Chats and the user's messages go by our ids where they have one (`Names`)."""

    def __init__(self, access: KnowrithmAccess, names: Names) -> None:
        self._access = access
        self._names = names
        self._list_path = _MINE
        self._titles: dict[str, ConversationRow] = {}
        self._seen: dict[str, set[str]] = {}
        self._doubted: dict[str, list[tuple[str, str, frozenset[str]]]] = {}
        """Per conversation: our id and text of a message that may have arrived, and what was there before."""

    def path(self, chat_id: str, rest: str = "") -> str:
        """The address of a chat."""
        return f"/v1/conversation/{segment(self._names.theirs(chat_id))}{rest}"

    def agent_of(self, chat_id: str) -> str | None:
        """Whom a chat is with, once the server said so."""
        row = self._titles.get(self._names.theirs(chat_id))
        named = (row.agent or {}).get("id") if row is not None else None
        return str(named) if named else row.agent_id if row is not None else None

    def seen(self, chat_id: str) -> set[str]:
        """Ids of the messages of a chat that were read in this run; grows with it."""
        return self._seen.setdefault(self._names.theirs(chat_id), set())

    def doubt(self, chat_id: str, message_id: str, text: str) -> None:
        """Whether this message arrived is not known: the next reading tells, by its text."""
        doubts = self._doubted.setdefault(self._names.theirs(chat_id), [])
        if all(known != message_id for known, _, _ in doubts):
            doubts.append((message_id, whole(text), frozenset(self.seen(chat_id))))

    # Lists

    async def list(self, cursor: str | None, limit: int) -> Page[ChatSummary]:
        """One page of the user's own conversations; of the company's where a server has no such list (§12)."""
        page = int(cursor) if cursor is not None and cursor.isascii() and cursor.isdigit() else 1
        per_page = min(max(limit, 1), PER_PAGE)
        params = {"page": page, "per_page": per_page}
        try:
            answer = await self._access.request("GET", self._list_path, params=params)
        except (NotFound, NotAllowed, Refused):
            if self._list_path == _COMPANY:
                raise
            answer = await self._access.request("GET", _COMPANY, params=params)
            self._list_path = _COMPANY
        return self._page(answer, page, per_page, without="deleted")

    async def deleted(self, cursor: str | None, limit: int) -> Page[ChatSummary]:
        """Conversations that can be restored (`GET /conversation/deleted` of `knowrithm-py`)."""
        page = int(cursor) if cursor is not None and cursor.isascii() and cursor.isdigit() else 1
        per_page = min(max(limit, 1), PER_PAGE)
        answer = await self._access.request(
            "GET", f"{_COMPANY}/deleted", params={"page": page, "per_page": per_page}
        )
        return self._page(answer, page, per_page, without="active")

    def _page(self, answer: Answer, page: int, per_page: int, *, without: str) -> Page[ChatSummary]:
        body = answer.json()
        rows = rows_of(ConversationRow, body, "conversations")
        for row in rows:
            self._titles[row.id] = row
        more = bool(rows) and further_page(body, page, len(rows), per_page)
        found = [self._summary(row) for row in rows if (row.status or "").lower() != without]
        return Page(found, str(page + 1) if more else None)

    def _summary(self, row: ConversationRow) -> ChatSummary:
        return ChatSummary(
            id=self._names.ours(row.id),
            title=row.title or "",
            created_at=row.created_at or "",
            updated_at=row.last_activity or row.updated_at or row.created_at or "",
        )

    def knows(self, chat_id: str) -> bool:
        """Whether this chat is on the server, as far as this run and `names` know."""
        return self._names.known(chat_id) or chat_id in self._titles

    # One conversation

    async def read(self, chat_id: str) -> Chat:
        """All messages, in order. Raises NotFound only when Knowrithm itself says that it is gone."""
        theirs = self._names.theirs(chat_id)
        rows: list[MessageRow] = []
        body: Any = None
        for page in range(1, _MAX_PAGES + 1):
            body = await self._messages(chat_id, page)
            found = rows_of(MessageRow, body, "messages")
            known = {row.id for row in rows}
            fresh = [row for row in found if row.id is None or row.id not in known]
            rows += fresh
            if not fresh or not further_page(body, page, len(found), PER_PAGE):
                break
        ordered = chronological(rows)
        self._settle_doubts(theirs, ordered)
        self.seen(chat_id).update(row.id for row in ordered if row.id)
        head = one_of(ConversationRow, body, "conversation") if isinstance(body, dict) else None
        if head is not None and head.id == theirs:
            self._titles[theirs] = head
        row = self._titles.get(theirs)
        summary = self._summary(row) if row is not None else ChatSummary(chat_id, "")
        return Chat(summary, [self._message(row, number) for number, row in enumerate(ordered)])

    async def recent(self, chat_id: str, message_id: str) -> Sequence[MessageRow]:
        """Messages among which the answer to `message_id` is, if it is there; which page is the last is not said (§5)."""
        body = await self._messages(chat_id, 1)
        rows = rows_of(MessageRow, body, "messages")
        found = pagination(body)
        pages = (found.pages if found is not None else None) or 1
        for page in (pages, pages - 1):
            if page > 1 and _unanswered(rows, message_id):
                rows += rows_of(MessageRow, await self._messages(chat_id, page), "messages")
        return rows

    async def _messages(self, chat_id: str, page: int) -> Any:
        answer = await self._access.request(
            "GET", self.path(chat_id, "/messages"), params={"page": page, "per_page": PER_PAGE}, also=(404,)
        )
        if answer.status == 404:
            raise gone(answer)
        return answer.json()

    def _message(self, row: MessageRow, number: int) -> Message:
        return message_of(row, self._names.ours(row.id) if row.id else f"message-{number}")

    def _settle_doubts(self, theirs: str, rows: Sequence[MessageRow]) -> None:
        """A message whose arrival was in doubt is there when its text is, and was not before."""
        kept: list[tuple[str, str, frozenset[str]]] = []
        for message_id, text, before in self._doubted.pop(theirs, []):
            for row in reversed(rows):
                fresh = row.id is not None and row.id not in before and not self._names.named(row.id)
                if row.role == "user" and fresh and row.text.strip() == text.strip():
                    self._names.learn(message_id, row.id or "")
                    break
            else:
                kept.append((message_id, text, before))
        if kept:
            self._doubted[theirs] = kept

    async def create(self, agent_id: str, title: str) -> ChatSummary:
        """POST /conversation (§7): made at once, or by a task."""
        wanted = title_of(title)
        body: JsonObject = {"agent_id": agent_id, "title": wanted, "metadata": {}}
        try:
            answer = await self._access.request("POST", _COMPANY, body=body, rule="until-reached")
            made = await self._access.outcome(answer, what="The conversation was not made")
        except BackendError as error:
            error.delivery = "not-sent"  # no message was on its way yet
            raise
        row = one_of(ConversationRow, made, "conversation")
        if row is None:
            ack = ack_of(answer.json(), self._access.door.base_url)
            named = cast("JsonObject", made).get("conversation_id") if isinstance(made, dict) else None
            found = named if isinstance(named, str) else ack.conversation_id if ack is not None else ""
            if not found:
                raise UnexpectedAnswer(
                    f"{self._access.host} did not say which conversation it made.",
                    code="shape",
                    delivery="not-sent",
                )
            row = ConversationRow(id=found, title=wanted)
        if row.agent is None and row.agent_id is None:
            row.agent_id = agent_id
        self._titles[row.id] = row
        return self._summary(row)

    async def delete(self, chat_id: str) -> None:
        """DELETE /conversation/{id}: it can be restored (§8)."""
        await self._change("DELETE", self.path(chat_id), "The chat was not deleted")

    async def restore(self, chat_id: str) -> None:
        """PATCH /conversation/{id}/restore (§3)."""
        await self._change("PATCH", self.path(chat_id, "/restore"), "The chat was not restored")

    async def clear(self, chat_id: str) -> None:
        """DELETE /conversation/{id}/messages: all messages, not the conversation (§3)."""
        await self._change("DELETE", self.path(chat_id, "/messages"), "The messages were not deleted")

    async def delete_message(self, message_id: str) -> None:
        """DELETE /message/{id} (§3)."""
        path = f"/v1/message/{segment(self._names.theirs(message_id))}"
        await self._change("DELETE", path, "The message was not deleted")

    async def _change(self, method: Any, path: str, what: str) -> None:
        answer = await self._access.request(
            method, path, also=(404,), unsure_note=f"{what}, as far as is known."
        )
        if answer.status == 404:
            raise gone(answer)
        await self._access.outcome(answer, what=what)


def gone(answer: Answer) -> BackendError:
    """The error for a 404 of a chat. A proxy's page must not look like a chat that is gone."""
    if said_by_knowrithm(answer) is None:
        return not_what_was_asked(
            answer.status, answer.media_type, answer.content, answer.host, wanted="the chat"
        )
    return NotFound("This chat no longer exists on the server.", code=CHAT_GONE, status=answer.status)


def _unanswered(rows: Sequence[MessageRow], message_id: str) -> bool:
    ordered = chronological(rows)
    at = next((index for index, row in enumerate(ordered) if row.id == message_id), None)
    return at is None or not any(row.answers for row in ordered[at + 1 :])

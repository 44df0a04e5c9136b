"""iMBRACE's endpoints that answer at once: one method each (imbrace.md §8-§12)."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, cast

from kai_tui.backends.base import (
    BackendError,
    Chat,
    ChatSummary,
    NotFound,
    Page,
    Refused,
    ServerInfo,
    TokenRefused,
    UnexpectedAnswer,
    Visibility,
)
from kai_tui.backends.http import Answer, HttpDoor, segment
from kai_tui.backends.imbrace import wire
from kai_tui.backends.imbrace.history import Reading
from kai_tui.backends.imbrace.offers import ChatStatus, Document, DocumentKind, Person
from kai_tui.backends.imbrace.places import Doors, Service
from kai_tui.backends.imbrace.words import NO_ORGANIZATION, explained, in_our_words
from kai_tui.backends.refusals import not_what_was_asked
from kai_tui.backends.sse import sse_data
from kai_tui.backends.tolerant import M, read, read_rows, whole
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import BadJson, decode_json
from kai_tui.conversation.messages import Message

if TYPE_CHECKING:
    from kai_tui.backends.http_request import Method
    from kai_tui.backends.multipart import Form

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
UNSURE = "It may or may not have been saved."
_TOLD: Final = frozenset({"name", "version", "timestamp"})
"""What a server says of itself that stands elsewhere."""
_DELETE_UNSURE = "It may or may not have been deleted."


class ImbraceEndpoints:
    """Chats, votes, documents, and who answers. All methods raise only BackendErrors."""

    def __init__(self, doors: Doors, organization: str) -> None:
        self._doors = doors
        self._organization = organization
        self._server_ids: dict[str, str] = {}

    @property
    def host(self) -> str:
        """The name of the server the chats are on, for sentences."""
        return self._door.host

    @property
    def organization(self) -> str:
        """The organisation of this account; empty when the server is to tell it from the key."""
        return self._organization

    @property
    def _door(self) -> HttpDoor:
        return self._doors.to("ai_agent")[0]

    # Who answers

    async def health(self) -> JsonObject:
        """GET /health: is it alive? Needs no credential (§12)."""
        return await self._facts("/health")

    async def version(self) -> JsonObject:
        """GET /version (§12)."""
        return await self._facts("/version")

    async def alive(self) -> str:
        """GET /health; the server's time."""
        time: Any = (await self.health()).get("timestamp")
        return time if isinstance(time, str) else ""

    async def about(self) -> ServerInfo:
        """GET /version and GET /health."""
        health = await self.health()
        try:
            version = await self.version()
        except (NotFound, UnexpectedAnswer):
            version = {}

        def said(name: str) -> str:
            value: Any = version.get(name) or health.get(name)
            return value if isinstance(value, str) else ""

        return ServerInfo(
            host=self.host,
            service="imbrace",
            name="iMBRACE",
            version=said("version"),
            details={name: value for name, value in {**version, **health}.items() if name not in _TOLD},
            address=self._door.base_url + self._doors.to("ai_agent")[1],
        )

    async def whoami(self) -> Person:
        """POST /chat-client/auth/user: whom the credential belongs to (§2)."""
        found = self._read(wire.User, await self._ask("POST", "/chat-client/auth/user"))
        return Person(found.id or "", found.email or "")

    # Chats

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """GET /chat-client/chats, newest first; a cursor is the last chat of the page before (§8)."""
        params: dict[str, str | int] = {"limit": limit}
        if self._organization:
            params["organization_id"] = self._organization
        if cursor is not None:
            params["ending_before"] = cursor
        answer = await self._ask("GET", "/chat-client/chats", params=params)
        found = self._read(wire.HistoryAnswer, answer)
        rows = [row for row in read_rows(wire.ChatRow, found.chats) if row.id != cursor]
        more = found.has_more is True and bool(rows)
        return Page([_summary(row) for row in rows], rows[-1].id if more else None)

    async def chat(self, chat_id: str) -> Chat:
        """GET /chat-client/chats/{id} and its messages (§8). `extra` has the agent and the status.

        Raises NotFound only when iMBRACE itself says the chat is gone.
        """
        path = self._chat_path(chat_id)
        try:
            row = self._read(wire.ChatRow, await self._ask("GET", path))
        except NotFound as error:
            if error.code is None:
                # A proxy's 404 must not look like a chat that never arrived.
                raise UnexpectedAnswer(error.sentence, status=error.status, detail=error.detail) from None
            raise
        messages = await self.messages(chat_id)
        return Chat(
            summary=_summary(row),
            messages=messages,
            running=row.status == "processing",
            extra=row.model_dump(by_alias=True),
        )

    async def messages(self, chat_id: str) -> list[Message]:
        """GET /chat-client/chats/{id}/messages, oldest first (§8).

        Messages of the user have the ids they were sent with, wherever the server kept them.
        """
        answer = await self._ask("GET", f"{self._chat_path(chat_id)}/messages")
        rows = wire.rows_of(answer.json(), "messages")
        if rows is None:
            raise self._odd(answer)
        found = Reading(rows)
        self._server_ids.update(found.server_ids)
        return found.messages

    async def status(self, chat_id: str) -> ChatStatus:
        """Whether the server still works on the chat, asked once (§7)."""
        row = self._read(wire.ChatRow, await self._ask("GET", self._chat_path(chat_id)))
        return ChatStatus(row.status == "processing")

    async def until_idle(self, chat_id: str) -> AsyncGenerator[ChatStatus, None]:
        """GET …/status/stream: the chat's states, until the server is done with it (§7).

        After a hang-up the server goes on: wait with this, then read the chat. The server gives up after
        5 minutes (`stale`). For an answer with `Finish.stored` False it never gets idle: do not wait.
        """
        door, prefix = self._doors.to("ai_agent")
        with in_our_words():
            async with (
                door.stream("GET", f"{prefix}{self._chat_path(chat_id)}/status/stream") as response,
                aclosing(sse_data(response)) as data,
            ):
                async for text in data:
                    try:
                        event = read(wire.StatusEvent, decode_json(text), self.host)
                    except (BadJson, UnexpectedAnswer):
                        continue
                    if event.status is None:
                        continue
                    running = event.status == "processing"
                    yield ChatStatus(running, event.stale is True)
                    if not running:
                        return

    async def until_done(self, chat_id: str) -> bool:
        """Wait with `until_idle`; False when the server gave up watching."""
        async with aclosing(self.until_idle(chat_id)) as states:
            async for state in states:
                if not state.running:
                    return not state.stale
        return False

    async def delete(self, chat_id: str) -> None:
        """DELETE /chat-client/chats/{id} (§8)."""
        self._done(await self._ask("DELETE", self._chat_path(chat_id), unsure_note=_DELETE_UNSURE))

    async def delete_all(self) -> int:
        """DELETE /chat-client/chats: all chats of this user in this organisation; how many there were (§8)."""
        if not self._organization:
            raise Refused(
                "Choose an organisation first: all chats are deleted in one of them.", code=NO_ORGANIZATION
            )
        answer = await self._ask(
            "DELETE",
            "/chat-client/chats",
            params={"organization_id": self._organization},
            unsure_note=_DELETE_UNSURE,
        )
        return self._read(wire.Deleted, answer).deleted_count or 0

    async def delete_from(self, message_id: str) -> None:
        """DELETE /chat-client/messages/{id}/trailing: that message and all after it (§8).

        For a message of the user by our id, the chat has to be read before.
        """
        server_id = self._server_ids.get(message_id, message_id)
        path = f"/chat-client/messages/{segment(server_id)}/trailing"
        self._done(await self._ask("DELETE", path, unsure_note=_DELETE_UNSURE))

    async def keep_answer(self, chat_id: str, message: Message) -> None:
        """POST /chat-client/messages: store an answer the server did not keep (`Finish.stored` False; §5, §8).

        Its next turn knows of it then. Never done by itself.
        """
        checked_id(chat_id)
        body = wire.kept_message(chat_id, message)
        body["message"]["id"] = message.id = _uuid_or_new(message.id)
        self._done(await self._ask("POST", "/chat-client/messages", body=body, unsure_note=UNSURE))

    async def set_visibility(self, chat_id: str, visibility: Visibility) -> None:
        """PATCH /chat-client/chats/{id} (§8)."""
        self._done(
            await self._ask(
                "PATCH", self._chat_path(chat_id), body={"visibility": visibility}, unsure_note=UNSURE
            )
        )

    async def title_for(self, chat_id: str, text: str) -> str:
        """POST …/title: the title the server would give to a chat that begins so. It stores nothing (§8)."""
        body = {"message": {"parts": [{"type": "text", "text": whole(text)}]}}
        answer = await self._ask("POST", f"{self._chat_path(chat_id)}/title", body=body)
        return self._read(wire.TitleAnswer, answer).title or ""

    # Votes

    async def vote(self, chat_id: str, message_id: str, up: bool) -> None:
        """PATCH /chat-client/votes. A vote cannot be taken back, only replaced (§9)."""
        body = wire.vote_body(chat_id, message_id, up)
        self._done(await self._ask("PATCH", "/chat-client/votes", body=body, unsure_note=UNSURE))

    async def votes(self, chat_id: str) -> Mapping[str, bool]:
        """GET …/votes: message id → up (§9)."""
        answer = await self._ask("GET", f"{self._chat_path(chat_id)}/votes")
        rows = wire.rows_of(answer.json(), "votes")
        if rows is None:
            raise self._odd(answer)
        return {
            row.message_id: row.is_upvoted for row in read_rows(wire.Vote, rows) if row.is_upvoted is not None
        }

    # Documents

    async def document(self, document_id: str) -> Document:
        """GET /chat-client/documents/{id}/latest (§11)."""
        answer = await self._ask("GET", f"/chat-client/documents/{segment(document_id)}/latest")
        return _document(self._read(wire.DocumentRow, answer))

    async def written(self, document_id: str) -> str:
        """The newest version's text."""
        return (await self.document(document_id)).content

    async def document_versions(self, document_id: str) -> Sequence[Document]:
        """GET /chat-client/documents/{id}: all versions, as the server orders them (§11)."""
        answer = await self._ask("GET", f"/chat-client/documents/{segment(document_id)}")
        rows = wire.rows_of(answer.json(), "documents")
        if rows is None:
            raise self._odd(answer)
        return [_document(row) for row in read_rows(wire.DocumentRow, rows)]

    async def latest_document(self, kind: DocumentKind) -> Document:
        """GET /chat-client/documents/latest-by-kind (§11)."""
        answer = await self._ask("GET", "/chat-client/documents/latest-by-kind", params={"kind": kind})
        return _document(self._read(wire.DocumentRow, answer))

    async def save_document(self, document_id: str, title: str, content: str, kind: DocumentKind) -> Document:
        """POST /chat-client/documents?id=…: a new version (§11)."""
        body = {"title": whole(title), "content": whole(content), "kind": kind}
        answer = await self._ask(
            "POST", "/chat-client/documents", params={"id": document_id}, body=body, unsure_note=UNSURE
        )
        rows = read_rows(wire.DocumentRow, wire.rows_of(answer.json(), "documents") or [answer.json()])
        if not rows:
            raise self._odd(answer)
        return _document(rows[-1])

    # How to ask

    async def _ask(
        self,
        method: Method,
        path: str,
        *,
        service: Service = "ai_agent",
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        auth: bool = True,
        unsure_note: str = "",
        form: Form | None = None,
    ) -> Answer:
        door, prefix = self._doors.to(service)
        with in_our_words():
            return await door.request(
                method,
                prefix + path,
                params=params,
                body=body,
                auth=auth,
                unsure_note=unsure_note,
                form=form,
            )

    async def _facts(self, path: str) -> JsonObject:
        """The object inside `data`, of a GET that needs no credential unless a gateway thinks so."""
        try:
            answer = await self._ask("GET", path, auth=False)
        except TokenRefused:
            answer = await self._ask("GET", path)
        found = self._read(wire.Wrapped, answer)
        data = (
            cast("JsonObject", found.data) if isinstance(found.data, dict) else dict(found.model_extra or {})
        )
        return {"timestamp": found.timestamp, **data}

    def _chat_path(self, chat_id: str) -> str:
        return f"/chat-client/chats/{checked_id(chat_id)}"

    def _read(self, model: type[M], answer: Answer) -> M:
        return read(model, answer.json(), answer.host)

    def _done(self, answer: Answer) -> None:
        """For answers whose body says nothing: only a page of a proxy is not a yes."""
        if "html" in answer.media_type:
            raise self._odd(answer)

    def _odd(self, answer: Answer) -> BackendError:
        return explained(
            not_what_was_asked(answer.status, answer.media_type, answer.content, answer.host, wanted="JSON")
        )


def checked_id(chat_id: str) -> str:
    """The chat id as a piece of a path. Raises Refused: the server fails at ids that are no UUIDs (§3)."""
    if _UUID.fullmatch(chat_id) is None:
        raise Refused("This chat has an id that iMBRACE cannot have.", code="id")
    return segment(chat_id)


def _uuid_or_new(message_id: str) -> str:
    return message_id if _UUID.fullmatch(message_id) else str(uuid.uuid4())


def _summary(row: wire.ChatRow) -> ChatSummary:
    return ChatSummary(
        id=row.id,
        title=row.title or "",
        created_at=row.created_at or "",
        updated_at=row.updated_at or "",
        visibility=row.visibility or "",
    )


def _document(row: wire.DocumentRow) -> Document:
    return Document(row.id, row.title or "", row.content or "", row.kind or "text", row.created_at or "")

"""All questions of an account that wait for the user, over all its chats: kept on disk from the moment they are asked.

They survive a crash, a sleep and a restart: their chats are read from the server again as soon as it answers, and
what still waits there is asked anew (A8). Nothing is ever answered from what is kept here, and nothing runs out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from kai_tui.backends.base import BackendError, NotFound
from kai_tui.services.changes import TurnChanged, TurnEnded
from kai_tui.services.observers import Observers
from kai_tui.storage.inbox import Asked, from_note, owner_of, to_note

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.services.approval_service import Approval, ApprovalService
    from kai_tui.services.changes import SessionChange
    from kai_tui.services.chat_service import ChatService
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.disk_keeper import DiskKeeper
    from kai_tui.services.history_service import HistoryService


class Inbox:
    """Follows the queue of one account. Observers hear of every change; all runs on the event loop's thread."""

    def __init__(
        self,
        chats: ChatService,
        approvals: ApprovalService,
        history: HistoryService,
        keeper: DiskKeeper,
        *,
        say: Callable[[str], None],
        settled: Callable[[str], None],
    ) -> None:
        """`say` tells the user a sentence that belongs to no open chat (foreign text in it is raw), `settled` that
        nothing waits in a chat any more."""
        self._say = say
        self._settled = settled
        self._chats = chats
        self._approvals = approvals
        self._history = history
        self._keeper = keeper
        self._rows: dict[str, dict[str, Asked]] = {}
        """By chat and call, the longest waiting first: what is on disk, or will be in a moment."""
        self._dirty: set[str] = set()
        self._writer: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._sweep_due = False
        self._read = self._left = False
        self._observers: Observers[None] = Observers()
        approvals.observe(lambda _: self._questions())
        chats.hear(self._heard)
        self._questions()

    # What the screen reads

    @property
    def unread(self) -> list[tuple[str, Asked]]:
        """(chat id, question) of what waited when it was last heard of and was not read again since."""
        asking = {each.key for each in self._approvals.pending}
        return [
            (chat_id, row)
            for chat_id, rows in self._rows.items()
            for row in rows.values()
            if not row.answered and (chat_id, row.tool_call_id) not in asking
        ]

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear of changes of `unread`; call the result to stop hearing."""
        return self._observers.add(callback)

    def forget(self, chat_id: str, call_id: str) -> None:
        """The user does not want to hear any more of a question that could not be read again. Nothing is sent."""
        session = self._chats.sessions.get(chat_id)
        if session is not None:
            session.forget_question(call_id)
        if not self._approvals.is_pending(chat_id, call_id) and call_id in self._rows.get(chat_id, {}):
            self._drop(chat_id, call_id)
            self._write_soon()
            self._observers.tell(None)

    # The account opens and closes

    async def read_again(self, backend: Backend) -> None:
        """The server answers: open the chats in which something waited, in the background. Never raises."""
        await self._restore()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._open_all(backend), name="inbox")

    def leave(self) -> None:
        """The account is left: what waits now goes on waiting on disk."""
        self._left = True

    async def aclose(self) -> None:
        """All is on disk."""
        self.leave()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        while self._writer is not None and not self._writer.done():
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _restore(self) -> None:
        """What earlier runs left, once; not what another open window asks now."""
        if self._read:
            return
        self._read = True
        for chat_id, note in (await self._keeper.asked()).items():
            if self._history.is_deleted(chat_id) or await self._keeper.is_open_elsewhere(owner_of(note)):
                continue
            known = self._rows.setdefault(chat_id, {})
            for each in from_note(note):
                known.setdefault(each.tool_call_id, each)
            if not known:
                del self._rows[chat_id]
        self._observers.tell(None)

    async def _open_all(self, backend: Backend) -> None:
        for chat_id in list(self._rows):
            if self._left or chat_id not in self._rows:
                continue
            session = self._chats.sessions.get(chat_id)
            try:
                if session is None:
                    session = await self._chats.open_chat(chat_id)
                else:
                    session.read_unsettled(backend)
            except NotFound:
                self._gone(chat_id)
            except BackendError:
                pass  # read again when it is connected again
            self._sweep_soon()

    def _gone(self, chat_id: str) -> None:
        """Neither the server nor this computer has the chat."""
        rows = list(self._rows.get(chat_id, {}).values())
        for each in rows:
            self._drop(chat_id, each.tool_call_id)
        if rows and not self._history.is_deleted(chat_id):
            names = ", ".join(each.tool_name for each in rows)
            title = rows[0].chat_title
            chat = f"The chat “{title}”" if title else "A chat"
            self._say(f"{chat} no longer exists. In it {names} waited for you. Nothing was sent.")

    # Keeping

    def _questions(self) -> None:
        """The queue changed."""
        if self._left:
            return
        for each in self._approvals.pending:
            rows = self._rows.setdefault(each.chat_id, {})
            row = rows.get(each.tool_call_id)
            if row is None or row.digest != each.digest or row.answered:
                rows[each.tool_call_id] = asked_of(each)
                self._dirty.add(each.chat_id)
        self._sweep_soon()

    def _heard(self, session: ChatSession, change: SessionChange) -> None:
        if isinstance(change, TurnEnded | TurnChanged) and session.chat_id in self._rows:
            self._sweep_soon()

    def _sweep_soon(self) -> None:
        """Not at once: who takes a question back says only afterwards what it means."""
        if not self._sweep_due and not self._left:
            self._sweep_due = True
            asyncio.get_running_loop().call_soon(self._sweep)

    def _sweep(self) -> None:
        self._sweep_due = False
        if self._left:
            return
        asking = {each.key for each in self._approvals.pending}
        for chat_id in list(self._rows):
            rows = self._rows[chat_id]
            session = self._chats.sessions.get(chat_id)
            for call_id, row in list(rows.items()):
                if (chat_id, call_id) in asking:
                    continue
                if session is None:
                    if self._history.is_deleted(chat_id):
                        self._drop(chat_id, call_id)
                elif call_id in session.unsettled_questions or self._chats.is_behind(chat_id):
                    pass  # the server was not asked yet
                elif not session.turn.busy:
                    self._drop(chat_id, call_id)
                elif not row.answered:
                    rows[call_id] = replace(row, answered=True)
                    self._dirty.add(chat_id)
        self._write_soon()
        self._observers.tell(None)

    def _drop(self, chat_id: str, call_id: str) -> None:
        del self._rows[chat_id][call_id]
        self._dirty.add(chat_id)
        if not self._rows[chat_id]:
            del self._rows[chat_id]
            self._settled(chat_id)

    def _write_soon(self) -> None:
        if self._dirty and (self._writer is None or self._writer.done()):
            self._writer = asyncio.get_running_loop().create_task(self._write(), name="inbox to disk")

    async def _write(self) -> None:
        """One after the other, so that the last word is the last on disk."""
        while self._dirty:
            chat_id = self._dirty.pop()
            rows = list(self._rows.get(chat_id, {}).values())
            if self._history.is_deleted(chat_id):
                rows = []
            await self._keeper.keep_note(chat_id, "asked", to_note(rows, self._keeper.owner))


def asked_of(approval: Approval) -> Asked:
    """What is kept of a question, and what a list shows of it."""
    from kai_tui.conversation.reviews.reviewing import review

    seen = review(
        approval.tool_name, approval.input, read_only=approval.read_only, title_given=approval.title
    )
    first = seen.objects[0] if seen.objects else None
    return Asked(
        tool_call_id=approval.tool_call_id,
        digest=approval.digest,
        message_id=approval.message_id,
        approval_id=approval.approval_id or "",
        tool_name=approval.tool_name,
        sentence=seen.sentence,
        about=(first.name or first.id) if first is not None else "",
        effect=seen.effects[0],
        chat_title=approval.chat_title,
        branch=approval.branch,
        asked_at=approval.asked_at,
    )


async def questions_noted(note: object, keeper: DiskKeeper) -> list[Asked]:
    """What was asked in a chat and is in no other open window's hands."""
    asked = from_note(note)
    return [] if asked and await keeper.is_open_elsewhere(owner_of(note)) else asked

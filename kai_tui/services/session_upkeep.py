"""What a session does beside its turn: reading the chat back, keeping what came on disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from kai_tui.backends.base import Backend, BackendError, Chat, NotFound
from kai_tui.conversation.events import Finish
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessagesReset, Notice
from kai_tui.services.checkpoints import Checkpoints
from kai_tui.services.keeper import ReplyState
from kai_tui.services.read_back import adopt, mark_unseen, went_on
from kai_tui.services.session_state import SessionState, SessionTools

_LOG = logging.getLogger(__name__)

_DID_NOT_ARRIVE = "It did not reach the server. Press r to send it again."
_READ_BACK = Finish("lost", detail="The connection was lost. This is what the server had of the reply.")


class SessionUpkeep(SessionState):
    """Background work of one chat. Never sends anything."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._background: set[asyncio.Task[None]] = set()
        self._lookups: set[asyncio.Task[None]] = set()
        """Background tasks that only ask the server: given up when the session closes."""
        self._closing = False
        self._reply: Message | None = None
        """The answer that is being written, or was last."""
        self._checks: dict[str, object] = {}
        """The newest check of each message; what an older one finds does not count."""
        self._hanging_up: asyncio.Task[None] | None = None
        """A turn that was stopped and may still be on its way to the server."""
        self._checkpoints = Checkpoints(self._save_reply)

    def refresh(self, chat: Chat) -> None:
        """Show the chat as the server has it now; for a session that began with the copy kept here."""
        self.stored = True
        self.set_title(chat.summary.title)
        there = {each.id for each in chat.messages}
        for message_id, state in list(self._deliveries.items()):
            if state == "unsure":
                found = message_id in there
                self._set_delivery(
                    message_id, "sent" if found else "not-sent", None if found else _DID_NOT_ARRIVE
                )
                self._in_background(self._settle(message_id))
        self.messages = adopt(self.messages, chat.messages)
        self._tell(MessagesReset())

    def resume_questions(self, backend: Backend) -> None:
        """Ask about calls that wait in the chat as it was read. Nothing here: see `SessionDecisions`."""

    async def _check_again(self, message_id: str, ended: Finish = _READ_BACK) -> None:
        """Find out whether a message arrived by reading the chat; never sends (design.md §4)."""
        check = self._checks[message_id] = object()
        failed: BackendError | None = None
        theirs: Chat | None = None
        if self._hanging_up is not None:
            await asyncio.wait([self._hanging_up])
        try:
            backend = await self._tools.backend()
            theirs = await backend.chat(self.chat_id)
        except BackendError as error:
            failed = error
        if self._checks.get(message_id) is not check or self._deliveries.get(message_id) != "unsure":
            return  # it was sent again, or checked again, meanwhile
        if theirs is not None and any(each.id == message_id for each in theirs.messages):
            self._set_delivery(message_id, "sent")
            self.stored = True
            if not self.turn.busy or self._phase == "sending":
                known = {each.id for each in self.messages}
                self.messages = adopt(self.messages, theirs.messages)
                mark_unseen(self.messages, message_id, known, ended)
                self._tell(MessagesReset())
        elif failed is None or isinstance(failed, NotFound):
            self._set_delivery(message_id, "not-sent", _DID_NOT_ARRIVE)
        else:
            self._set_delivery(message_id, "unsure", f"It is not known whether it arrived. {failed.sentence}")
        await self._settle(message_id)

    async def _read_rest(self, message: Message) -> None:
        """After a loss or a stop: show what the server kept, still marked as cut off (P8); ask what waits."""
        try:
            backend = await self._tools.backend()
            theirs = await backend.chat(self.chat_id)
        except BackendError:
            return
        kept = next((each for each in theirs.messages if each.id == message.id), None)
        if kept is None or message not in self.messages:
            return
        if went_on(message, kept):
            kept.finish, kept.errors, kept.faults = message.finish, message.errors, message.faults
            self.messages[self.messages.index(message)] = kept
            self._tell(MessagesReset())
        self.resume_questions(backend)

    # Keeping

    async def _save_reply(self) -> None:
        if self._reply is not None:
            await self._save(self._reply, "streaming")

    async def _save(self, message: Message, state: ReplyState) -> None:
        await self._tools.keeper.checkpoint(self.chat_id, self.title, message.to_wire(), state)

    async def _settle(self, message_id: str) -> None:
        state = self._deliveries.get(message_id)
        if state in ("sent", "not-sent", "unsure"):
            if state == "sent" and (message := self.find(message_id)) is not None:
                # First, so that it stands before its answer in the copy.
                await self._save(message, "complete")
            await self._tools.keeper.settle_outgoing(message_id, state)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._over)
        return task

    def _look_up(self, work: Coroutine[Any, Any, None]) -> None:
        """Ask the server in the background; not when the session closes: nobody would see the answer."""
        if self._closing:
            work.close()
            return
        task = self._in_background(work)
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("work in the background failed", exc_info=error)
            self._tell(Notice("kai-tui made a mistake in this chat. Open it again to be sure.", "error"))

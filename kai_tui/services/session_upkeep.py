"""What a session does beside its turn: reading the chat back, keeping what came on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from kai_tui.backends.base import BackendError, NotFound
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessagesReset
from kai_tui.services.checkpoints import Checkpoints
from kai_tui.services.keeper import ReplyState
from kai_tui.services.read_back import adopt
from kai_tui.services.session_state import SessionState, SessionTools

_DID_NOT_ARRIVE = "It did not reach the server. Press r to send it again."


class SessionUpkeep(SessionState):
    """Background work of one chat. Never sends anything."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._background: set[asyncio.Task[None]] = set()
        self._reply: Message | None = None
        """The answer that is being written, or was last."""
        self._checkpoints = Checkpoints(self._save_reply)

    async def _check_again(self, message_id: str) -> None:
        """Find out whether a message arrived by reading the chat; never sends (design.md §4)."""
        try:
            backend = await self._tools.backend()
            theirs = await backend.chat(self.chat_id)
        except NotFound:
            self._set_delivery(message_id, "not-sent", _DID_NOT_ARRIVE)
        except BackendError as error:
            self._set_delivery(message_id, "unsure", f"It is not known whether it arrived. {error.sentence}")
        else:
            if any(each.id == message_id for each in theirs.messages):
                self._set_delivery(message_id, "sent")
                self.stored = True
                if not self.turn.busy or self._phase == "sending":
                    self.messages = adopt(self.messages, theirs.messages)
                    self._tell(MessagesReset())
            else:
                self._set_delivery(message_id, "not-sent", _DID_NOT_ARRIVE)
        await self._settle(message_id)

    async def _read_rest(self, message: Message) -> None:
        """After a loss: show what the server kept, still marked as cut off (P8)."""
        try:
            backend = await self._tools.backend()
            theirs = await backend.chat(self.chat_id)
        except BackendError:
            return
        kept = next((each for each in theirs.messages if each.id == message.id), None)
        if kept is None or message not in self.messages or len(kept.text) <= len(message.text):
            return
        kept.finish, kept.errors, kept.faults = message.finish, message.errors, message.faults
        self.messages[self.messages.index(message)] = kept
        self._tell(MessagesReset())

    # Keeping

    async def _save_reply(self, state: ReplyState = "streaming") -> None:
        if self._reply is not None:
            await self._tools.keeper.checkpoint(self.chat_id, self.title, self._reply.to_wire(), state)

    async def _settle(self, message_id: str) -> None:
        state = self._deliveries.get(message_id)
        if state in ("sent", "not-sent", "unsure"):
            await self._tools.keeper.settle_outgoing(message_id, state)
            if state == "sent" and (message := self.find(message_id)) is not None:
                await self._tools.keeper.checkpoint(self.chat_id, self.title, message.to_wire(), "complete")

    def _in_background(self, work: Coroutine[Any, Any, None], name: str | None = None) -> None:
        task = asyncio.create_task(work, name=name)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

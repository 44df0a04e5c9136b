"""A reply that broke off, asked for once more where the server keeps it (assistant-ui.md §15)."""

from __future__ import annotations

import uuid

from kai_tui.backends.base import BackendError, TokenRefused
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessagesReset, Notice
from kai_tui.services.session_state import LOCAL_ID
from kai_tui.services.session_turn import SessionTurn

_NOTHING_BROKE_OFF = "The last reply did not break off: there is nothing to take up. You see all that came."
_NO_MORE = "No more of the reply came. What there was is kept."


class SessionTakingUp(SessionTurn):
    """Takes a broken reply up again when the user looks. What is on screen stays until more of it came."""

    _again: tuple[Message, Message] | None = None
    """A reply that comes once more, from its beginning, and the broken one whose place it gets."""

    def look_again(self) -> None:
        """Where the server sends a broken reply once more, take that up; else read the chat."""
        if not self.kept_here or not self.takes_up or self.turn.busy:
            super().look_again()
            return
        last = self.messages[-1] if self.messages else None
        if last is None or last.finish is None or last.finish.reason != "lost":
            self._tell(Notice(_NOTHING_BROKE_OFF))
            return
        broken = last
        self._started = self._last_event = self._tools.clock()
        self._reply = None
        self._start(lambda run: self._take_up(run, broken))

    async def _take_up(self, run: object, broken: Message) -> None:
        fresh = Message(id=f"{LOCAL_ID}{uuid.uuid4()}")
        again = self._again = (fresh, broken)
        try:
            backend = await self._tools.backend()
            await self._read(run, backend, backend.take_up(self.chat_id), fresh, lambda: None)
        except BackendError as error:
            if self._run is run:
                code = "sign-in" if isinstance(error, TokenRefused) else error.code
                self._tell(Notice(f"The reply was not taken up again. {error.sentence}", "warning", code))
                self._reply = None
                self._finish("lost")
        else:
            if self._again is again and self._reply is fresh and fresh.finish is not None:
                self._tell(Notice(_NO_MORE, "warning"))

    def _show(self, message: Message) -> None:
        if self._again is None or self._again[0] is not message:
            super()._show(message)
            return
        _, broken = self._again
        over = message.finish is not None and message.finish.reason not in ("lost", "cancelled")
        if len(message.text) < len(broken.text) + (not over):
            return
        self._again = None
        clock = self._clocks.get(message.id)
        message.id = broken.id  # it stays in its place, on screen and on disk
        if clock is not None:
            self._clocks[broken.id] = clock
        if broken in self.messages:
            self.messages[self.messages.index(broken)] = message
        else:
            self.messages.append(message)
        self._tell(MessagesReset())

    async def _save_reply(self) -> None:
        if self._again is None or self._again[0] is not self._reply:
            await super()._save_reply()

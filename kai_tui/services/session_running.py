"""Answers that the server goes on writing while nobody listens: after a stop, a loss, another run (imbrace.md §7)."""

from __future__ import annotations

from kai_tui.backends.base import Backend, BackendError
from kai_tui.services.changes import Notice
from kai_tui.services.session_upkeep import SessionUpkeep
from kai_tui.services.turn import Countdown

_DONE = "The server has finished its answer. It is shown now."
_NOBODY_KNOWS = "The server does not tell any more whether it still writes here. F5 looks again."


class SessionRunning(SessionUpkeep):
    """Waits for the server's word that it is done, then reads the chat. Sends nothing."""

    def take_up(self, backend: Backend, *, running: bool) -> None:
        """What goes on in a chat that was just read: questions that wait, an answer the server still writes."""
        self.resume_questions(backend)
        if running:
            self.server_still_writes(backend)

    def server_still_writes(self, backend: Backend) -> bool:
        """The chat was read, and the server works on it: wait until it is done. Whether there is something to wait for."""
        last = self.messages[-1] if self.messages else None
        if last is None or self.turn.busy or self._closing:
            return False
        if last.role == "assistant" and (
            last.finish is None or last.finish.reason not in ("lost", "cancelled")
        ):
            return False  # the last answer is whole: what the server does is not for this chat's reader
        if last.role == "user" and self._deliveries.get(last.id) in ("not-sent", "unsure"):
            return False
        self._stop_looking()
        self._looking = self._look_up(self._wait_for_server(backend, last.id))
        return True

    async def _wait_for_server(self, backend: Backend, message_id: str) -> None:
        self._count(Countdown("server-writes", message_id, self._tools.clock()))
        sure = False
        try:
            sure = await backend.until_done(self.chat_id)
            theirs = await backend.chat(self.chat_id)
        except BackendError:
            theirs = None  # F5 asks again; the line under the message says so
        self._looking = None
        if self.turn.busy:
            return
        self._count(None)
        if theirs is None:
            return
        before = self._outline()
        self.refresh(theirs, final=sure)
        self._keep_replies()
        if sure and self._outline() != before:
            self._tell(Notice(_DONE))
        elif not sure:
            self._tell(Notice(_NOBODY_KNOWS, "warning"))
        self.resume_questions(backend)

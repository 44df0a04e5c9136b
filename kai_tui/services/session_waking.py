"""Turns that end before their time: stopped by the user, or lost while the computer slept."""

from __future__ import annotations

from kai_tui.backends.base import Backend, BackendError
from kai_tui.conversation.approvals import pending
from kai_tui.conversation.events import Finish
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import Notice
from kai_tui.services.read_back import holder
from kai_tui.services.session_queue import SessionQueue
from kai_tui.services.session_upkeep import READ_BACK

GRACE_SECONDS = 10.0
"""How long a stream may take after a sleep to prove that it lives."""

_ASLEEP = "The computer was asleep."


class SessionWaking(SessionQueue):
    """Breaks turns off, and looks after a sleep whether they are still there."""

    def woke(self) -> None:
        """The computer was asleep: a connection that says nothing soon is dead; questions are read again (A8)."""
        self._nudged.set()
        if self._round is not None:
            self._look_up(self._read_questions_again(self._run))
        elif self.pending_calls():
            self._look_up(self._drop_settled_questions())
        elif self.turn.phase in ("sending", "streaming"):
            due = self._tools.clock() + GRACE_SECONDS
            self._look_up(self._prove_alive(self._run, self._last_event, due))

    async def _prove_alive(self, run: object, heard: float, due: float) -> None:
        silent = await self._until(
            due,
            lambda: self._run is run and self._last_event == heard and not self.pending_calls(),
        )
        if not silent:
            return
        reply = self._reply
        words = len(reply.text.split()) if reply is not None and reply in self.messages else 0
        after = f" after {words:,} word{'' if words == 1 else 's'}" if words else ""
        self._break_off(Finish("lost", detail=f"Connection lost{after}: the computer was asleep."), _ASLEEP)

    async def _read_questions_again(self, run: object) -> None:
        together = self._round
        message = holder(self.messages, together.digests) if together is not None else None
        if together is None or message is None:
            return
        try:
            backend = await self._tools.backend()
            # What is gone, settled or changed is dealt with there; what still waits stays as it is.
            await self._checked(run, backend, message, together, "other")
        except BackendError:
            return  # it is read again before anything is sent

    async def _drop_settled_questions(self) -> None:
        """kai-agent: what was decided elsewhere meanwhile is not asked any more; its open stream may not say so."""
        try:
            backend = await self._tools.backend()
            theirs = await backend.chat(self.chat_id)
        except BackendError:
            return  # an answer nobody waits for is refused
        waiting = set(self.pending_calls())
        for message in theirs.messages:
            for part in message.tool_calls() if message.calls_any(waiting) else ():
                if part.settled and part.tool_call_id in waiting:
                    self._questions.settled(part, explained=True)
                    self._tell(Notice(f"{part.tool_name} was settled elsewhere. Nothing was sent."))

    # Questions whose stream was lost

    async def _stream_ended(self, run: object, backend: Backend, message: Message) -> None:
        waits = bool(self.pending_calls())
        await super()._stream_ended(run, backend, message)
        lost = message.finish is not None and message.finish.reason == "lost"
        if lost and (waits or pending(message)) and not self.kept_here:
            self._tell(Notice("Connection lost. Checking whether the question still waits…"))

    def _break_off(self, finish: Finish, why: str, ended: Finish = READ_BACK) -> None:
        """End the running turn now. What came stays; what is not known is asked of the server.

        `why`: for a message that was on its way. `ended`: how a reply ended that was never seen.
        """
        answering = self._phase == "streaming"
        self._cancel_turn()
        self._check_what_is_sending(why, ended)
        reply = self._take_back_answers()
        if reply is not None:
            reply.finish = finish
        elif self._reply is not None:
            reply = self._reply
            fold(reply, finish, FoldState())
            if answering:
                # Also without a word: how it ended stands under its question.
                self._show(reply)
        self._finish(finish.reason)
        if reply is not None and (pending(reply) or (finish.reason == "lost" and reply in self.messages)):
            # The server may wait for us, may have taken the answer, or may have more of the reply.
            self._look_up(self._read_rest(reply))

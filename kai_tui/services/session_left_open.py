"""Calls that a reply left open although it ended well: neither run, nor asked about, nor answered (kai.md §9.4)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from kai_tui.backends.base import Backend, BackendError, NotFound, TokenRefused
from kai_tui.conversation.events import FinishReason
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.approval_round import ApprovalRound, digest_of
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.changes import Notice
from kai_tui.services.read_back import holder
from kai_tui.services.session_state import LOCAL_ID, SessionTools
from kai_tui.services.session_without_outcome import SessionWithoutOutcome
from kai_tui.services.turn import ENDED_WELL

_OLD_WAY = (
    "The server ended its reply and left this call open. It is answered the way the oldest servers want it,"
    " with a new message of its own; current servers fail at that."
)
_BY_VALUE = (
    "The server ended its reply and left this call open: nothing says whether it waits for you. What you give is"
    " sent as the call's result."
)
_GONE = "The server does not have this call as it was shown. Nothing was sent."


class SessionLeftOpen(SessionWithoutOutcome):
    """Says that a call was left open; answers it the old way only when the user asks for that."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._old_way: ApprovalRound | None = None
        """The call that is being decided in the old way."""

    def left_open(self) -> Sequence[ToolPart]:
        """Calls of the last answer that were left open; empty while a turn runs."""
        message = self.last_assistant_message
        if message is None or self.turn.busy or message is not self.messages[-1]:
            return ()
        return _left_open(message)

    def _is_left_open(self, part: ToolPart) -> bool:
        return any(part in _left_open(each) for each in self.messages if each.role == "assistant")

    def answer_left_open(self, backend: Backend) -> bool:
        """Ask the user about the first call that was left open. False when this Kai knows no such answer."""
        calls, message = self.left_open(), self.last_assistant_message
        caps = self._caps(backend)
        if not caps.tool_results or not calls or message is None:
            return False
        self._run = object()
        self._started = self._last_event = self._tools.clock()
        self._reply = message
        by_value = caps.approval == "tool-result"
        note = _BY_VALUE if by_value else _OLD_WAY
        self._round = self._old_way = self._questions.ask_all(message, [calls[0]], note, value=by_value)
        self._set_phase("waiting-for-approval")
        return True

    def give_up_left_open(self) -> bool:
        """Put the question away again; nothing was sent. False when none is asked."""
        if self._old_way is None or self._old_way is not self._round:
            return False
        self._finish("other")
        return True

    def _forget_questions(self) -> None:
        self._old_way = None
        super()._forget_questions()

    async def _stream_ended(self, run: object, backend: Backend, message: Message) -> None:
        await super()._stream_ended(run, backend, message)
        calls = _left_open(message)
        if calls and not self.turn.busy:
            names = ", ".join(call.tool_name for call in calls)
            more = " (or look for “left open” among the commands)" if self._caps(backend).tool_results else ""
            self._tell(
                Notice(
                    f"The reply ended and left {names} open: it did not run. Write a new message{more}.",
                    "warning",
                )
            )

    def _decided(self, approval: Approval, decision: Decision) -> None:
        together = self._old_way
        if together is None or together is not self._round:
            super()._decided(approval, decision)
            return
        together.answer(approval, decision)
        self._round = self._old_way = None
        self._reply = None  # what fails from here on is not the reply that left the call open
        self._start(lambda run: self._answer_old_way(run, together))

    async def _answer_old_way(self, run: object, together: ApprovalRound) -> None:
        """One POST with a tool result (kai.md §9.3), after the call was read back (A5)."""
        answers = list(together.answers.values())
        message = holder(self.messages, together.digests)
        try:
            backend = await self._tools.backend()
            current = message
            if not self.kept_here:
                theirs = await backend.chat(self.chat_id)
                current = holder(theirs.messages, together.digests)
            if self._run is not run:
                return
            if message is None or current is None or not _as_shown(current, together):
                self._tell(Notice(_GONE, "warning"))
                self._finish("other")
                return
            await self._note(together)
            reply = Message(id=f"{LOCAL_ID}{uuid.uuid4()}")
            if self._caps(backend).approval == "tool-result":
                reply = message.reopened()
                self._replace(message, reply)
                self._answering = (message, reply)
            events = backend.answer_by_tool_result(self.chat_id, message, answers[0], terms=self.terms)
            await self._read(run, backend, events, reply, lambda: self._old_way_goes_on(together))
        except BackendError as error:
            if self._run is not run:
                return
            if error.delivery == "not-sent" and not isinstance(error, NotFound):
                await self._withdraw(together)
            elif together.answers.keys() <= self._recorded:
                self._came_of_it(together, "unsure", error.sentence)
            self._take_back_answers()
            arrived = "did not arrive" if error.delivery == "not-sent" else "may or may not have arrived"
            code = "sign-in" if isinstance(error, TokenRefused) else None
            self._tell(Notice(f"Your answer {arrived}. {error.sentence}", "error", code))
            self._finish("error")

    def _old_way_goes_on(self, together: ApprovalRound) -> None:
        self._goes_on(together)
        self._set_phase("streaming")

    def _finish(self, reason: FinishReason) -> None:
        self._old_way = None
        super()._finish(reason)


def _left_open(message: Message) -> list[ToolPart]:
    """Only of replies that were seen to end well: others broke off, which is something else (kai.md §8)."""
    finish = message.finish
    if finish is None or finish.reason not in ENDED_WELL:
        return []
    return [
        part
        for part in message.tool_calls()
        if part.state == "input-available" and part.approval is None and not part.preliminary
    ]


def _as_shown(current: Message, together: ApprovalRound) -> bool:
    shown = {part.tool_call_id: digest_of(part) for part in current.tool_calls() if not part.settled}
    return all(shown.get(call_id) == digest for call_id, digest in together.digests.items())

"""Decisions on their way into the ledger and the notes of answers: before they are sent, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kai_tui.backends.base import BackendError
from kai_tui.services.changes import MessagesReset, Notice, SessionChange, TurnEnded
from kai_tui.services.session_state import SessionTools
from kai_tui.services.session_turn import SessionTurn

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message, ToolPart
    from kai_tui.services.approval_round import ApprovalRound
    from kai_tui.services.approval_service import Approval, Decision
    from kai_tui.services.call_questions import CallQuestions
    from kai_tui.services.ledger import Outcome

NOT_RECORDED = "not-recorded"
"""Code of the BackendError of an answer that was not sent because it could not be written down first."""
TAKEN_BACK = "taken-back"
"""Code of the BackendError of an answer that was not sent because what allowed it was taken back meanwhile."""
_NOT_ALLOWED_NOW = "What allowed it was taken back, or is over, before it was sent. Nothing was changed."
_NOT_NOTED = "It could not be noted on disk first, so it was not sent. Please decide again."
_ENDS: dict[str, Outcome] = {"output-available": "done", "output-error": "failed", "output-denied": "denied"}


class SessionRecording(SessionTurn):
    """Nothing is approved that is not on disk first (A6), and nothing that stands nowhere in the ledger."""

    _questions: CallQuestions

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._recorded: set[str] = set()
        """Calls with a decision in the ledger whose end is not there yet."""
        self._ended: set[str] = set()
        """Calls whose end was dealt with."""

    async def _note(self, together: ApprovalRound) -> None:
        """Note answers on disk. Raises BackendError when that fails: nothing may be sent then.

        A No is sent also when the ledger takes nothing: it changes nothing in the project.
        """
        for call_id, answer in together.answers.items():
            approval, decision = together.decided[call_id]
            if not await self._tools.keeper.remember_answer(
                self.chat_id, call_id, answer.approval_id, answer.approved
            ):
                await self._withdraw(together)
                raise BackendError(_NOT_NOTED, code=NOT_RECORDED, delivery="not-sent")
            self._ledger[call_id, answer.approval_id or ""] = answer.approved
            why = await self._tools.ledger.decided(approval, decision)
            if why is None:
                self._recorded.add(call_id)
            elif decision.approved:
                await self._withdraw(together)
                raise BackendError(
                    f"{why} Nothing is approved unrecorded.", code=NOT_RECORDED, delivery="not-sent"
                )
            else:
                self._tell(Notice(f"Your No is sent, but the ledger does not have it. {why}", "warning"))
        # Last, right before it is sent: all this took a moment.
        if not all(self._tools.approvals.stands(*each) for each in together.decided.values()):
            await self._withdraw(together)
            raise BackendError(_NOT_ALLOWED_NOW, code=TAKEN_BACK, delivery="not-sent")

    async def _withdraw(self, together: ApprovalRound) -> None:
        """The answers provably never reached the server."""
        self._came_of_it(together, "not sent")
        for answer in together.answers.values():
            self._ledger.pop((answer.tool_call_id, answer.approval_id or ""), None)
            await self._tools.keeper.withdraw_answer(self.chat_id, answer.tool_call_id, answer.approval_id)

    def _arrived_at_server(self, together: ApprovalRound) -> None:
        self._came_of_it(together, "sent")

    def _came_of_it(self, together: ApprovalRound, outcome: Outcome, detail: str = "") -> None:
        """The same for all answers that went together."""
        for call_id in together.answers.keys() & self._recorded:
            if outcome in ("not sent", "settled elsewhere"):
                self._recorded.discard(call_id)
            self._in_background(self._tools.ledger.came_of_it(self.chat_id, call_id, outcome, detail=detail))

    # How calls ended

    def _record_end(self, part: ToolPart, message: Message) -> None:
        """A call of an open stream ended: what the user decided about, and what changed something unasked."""
        call_id = part.tool_call_id
        if call_id in self._recorded:
            self._recorded.discard(call_id)
            self._in_background(self._write_end(part))
        elif (
            call_id not in self._ended
            and part.state != "output-denied"
            and self._questions.surely_writes(part.tool_name)
        ):
            self._in_background(self._write_unasked(part, *self._questions.unasked(part, message)))
        self._ended.add(call_id)

    def _tell(self, change: SessionChange) -> None:
        super()._tell(change)
        if self._recorded and isinstance(change, MessagesReset | TurnEnded):
            for message in self.messages:
                for part in message.tool_calls() if message.calls_any(self._recorded) else ():
                    if part.settled and part.tool_call_id in self._recorded:
                        self._record_end(part, message)

    async def know_unsettled(self) -> None:
        """Look for the ends of calls that an earlier run, or another window, decided on."""
        self._recorded |= await self._tools.ledger.unsettled(self.chat_id)
        for message in self.messages if self._recorded else ():
            for part in message.tool_calls() if message.calls_any(self._recorded) else ():
                if part.settled and part.tool_call_id in self._recorded:
                    self._record_end(part, message)

    async def _write_end(self, part: ToolPart) -> None:
        from kai_tui.conversation.started_jobs import started_job
        from kai_tui.conversation.tool_results import ErrorResult, result_view

        outcome, detail, job = _ENDS.get(part.state, "done"), "", ""
        if outcome == "done":
            view, started = result_view(part.output), started_job(part)
            if isinstance(view, ErrorResult):
                outcome, detail = "failed", view.text
            elif started is not None:
                job = started.url or started.id
        elif outcome == "failed":
            detail = part.error_text or ""
        if outcome == "failed" and self.decision(part) is False:
            outcome = "denied"  # some servers say so with an error
        await self._tools.ledger.came_of_it(self.chat_id, part.tool_call_id, outcome, job=job, detail=detail)

    async def _write_unasked(self, part: ToolPart, approval: Approval, decision: Decision) -> None:
        if await self._tools.ledger.decided(approval, decision) is None:
            await self._write_end(part)

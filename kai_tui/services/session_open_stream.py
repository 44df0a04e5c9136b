"""A decision on its way to a server that waits for it beside an open stream (protocols/kai.md §9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.backends.base import BackendError, NotFound
from kai_tui.conversation.json_text import copy_json
from kai_tui.services.approval_round import ApprovalRound, digest_of
from kai_tui.services.changes import Notice, PartChanged, TurnChanged
from kai_tui.services.decision_words import CHANGED, DECIDE_PLAINLY, SETTLED, YES_OR_NO
from kai_tui.services.read_back import holder
from kai_tui.services.session_recording import NOT_RECORDED, TAKEN_BACK, SessionRecording

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message, ToolPart
    from kai_tui.services.approval_service import Approval, Decision


class SessionOpenStream(SessionRecording):
    """kai-agent: one POST per decision, while the reply streams on."""

    async def _answer_open_stream(self, run: object | None, approval: Approval, decision: Decision) -> None:
        """kai-agent: post the decision beside the open stream (protocols/kai.md §9.2)."""
        together = ApprovalRound(approval.message_id)
        together.add(approval)
        together.answer(approval, decision)
        message = holder(self.messages, together.digests)
        calls = message.tool_calls() if message is not None else []
        part = next((call for call in calls if call.tool_call_id == approval.tool_call_id), None)
        if message is None or part is None:
            self._tell(Notice("The request is not in this chat any more. Nothing was sent.", "warning"))
            return
        try:
            backend = await self._tools.backend()
            if together.says_more and not self._caps(backend).edits_input:
                self._tell(Notice(YES_OR_NO, "warning"))
                if self._run is run and not part.settled:
                    self._questions.ask(part, message, DECIDE_PLAINLY)
                return
            await self._note(together)
            if self._run is not run or part.settled or digest_of(part) != approval.digest:
                await self._withdraw(together)
                self._not_sent_after_all(run, part, message)
                return
            answers = list(together.answers.values())
            self._begins_now(message, part)
            async for _ in backend.answer(self.chat_id, message, answers, terms=self.terms):
                pass
            self._arrived_at_server(together)
            self._show_what_runs(message, part, decision)
        except NotFound:
            self._came_of_it(together, "settled elsewhere")
            self._not_awaited(run, part)
        except BackendError as error:
            unsent = error.delivery == "not-sent"
            arrived = "did not arrive" if unsent else "may not have arrived"
            if error.code in (NOT_RECORDED, TAKEN_BACK):
                arrived = "was not sent"
            if unsent:
                await self._withdraw(together)
            else:
                self._came_of_it(together, "unsure", error.sentence)
            self._tell(Notice(f"Your decision {arrived}. {error.sentence}", "error"))
            if self._run is run and (run is not None or unsent) and not part.settled:
                self._questions.ask(part, message, f"Your first answer {arrived}.")
        self._tell(TurnChanged())

    def _not_awaited(self, run: object | None, part: ToolPart) -> None:
        """The server waits for no answer about this call. `run`: None when no stream waited for it."""
        self._tell(Notice(SETTLED))

    def _show_what_runs(self, message: Message, part: ToolPart, decision: Decision) -> None:
        """Nothing on the wire announces a changed input: the call shows what was sent, for that is what runs."""
        if decision.approved and decision.updated_input is not None:
            part.fields["input"] = copy_json(decision.updated_input)
            self._tell(PartChanged(message.id, message.parts.index(part)))

    def _begins_now(self, message: Message, part: ToolPart) -> None:
        """How long the user thought is not how long the call took."""
        clock = self._clocks.get(message.id)
        if clock is not None:
            clock.begin(message.parts.index(part))

    def _not_sent_after_all(self, run: object | None, part: ToolPart, message: Message) -> None:
        if self._run is not run:
            self._tell(Notice("The reply ended before your decision was sent. Nothing was sent.", "warning"))
        elif part.settled:
            self._tell(Notice(SETTLED))
        else:
            self._tell(Notice("The request changed. Nothing was sent; please look again.", "warning"))
            if part.state in ("input-available", "approval-requested") and not self._questions.is_open(part):
                self._questions.ask(part, message, CHANGED)
        self._tell(TurnChanged())

"""Questions that waited, or were answered, when the program or the connection ended (A7, A8)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from kai_tui.backends.base import Backend, BackendError
from kai_tui.conversation.approvals import pending
from kai_tui.conversation.messages import Message
from kai_tui.services.approval_round import ApprovalRound
from kai_tui.services.changes import MessagesReset, Notice
from kai_tui.services.decision_words import ANSWERED_BEFORE, IN_ANOTHER_WINDOW, NOT_KNOWN
from kai_tui.services.read_back import adopt, holder, went_on
from kai_tui.services.session_decisions import PATIENCE_SECONDS, SessionDecisions


class SessionResuming(SessionDecisions):
    """Takes up again what was asked before; consults the ledger first."""

    def know_answers(self, answers: Mapping[tuple[str, str], bool]) -> None:
        """Decisions noted before they were posted (A6), by call and approval id; before `resume_questions`."""
        self._ledger.update(answers)
        if answers:
            self._in_background(self.know_unsettled())

    def resume_questions(self, backend: Backend) -> None:
        """Ask again about calls that waited when the chat was read (A8). Continuation style only.

        What was answered already, in a run that ended before the server replied, is read back first.
        """
        message = self.last_assistant_message
        if message is None or self.turn.busy or self._closing:
            return
        if not self._answers_continue(backend):
            self._say_what_was_approved(message)
            return
        after = self.messages[self.messages.index(message) + 1 :]
        answered = any(self._deliveries.get(each.id) not in ("not-sent", "unsure") for each in after)
        if answered or not pending(message):
            return
        if any(self.decision(part) is not None for part in pending(message)) and not self.kept_here:
            self._tell_soon(Notice("You answered a request of this chat before. Looking what became of it…"))
            self._look_up(self._resume_answered(backend, message))
        else:
            self._begin_asking(message, None)

    async def _checked_here(
        self, run: object, backend: Backend, message: Message, together: ApprovalRound
    ) -> Message | None:
        """Another window may have answered meanwhile: the ledger is of all of them, and so is the chat's file."""
        checked = await super()._checked_here(run, backend, message, together)
        if checked is None:
            return None
        noted = await self._tools.keeper.answers_noted(self.chat_id)
        calls = [(part.tool_call_id, part.approval_id or "") for part in pending(checked)]
        elsewhere = {call: noted[call] for call in calls if call in noted and call not in self._ledger}
        if self._run is not run:
            return None
        if not elsewhere:
            return checked
        self._ledger.update(elsewhere)
        try:
            theirs = (await backend.chat(self.chat_id)).messages
        except BackendError:
            theirs = ()
        if self._run is not run:
            return None
        self._tell(Notice(IN_ANOTHER_WINDOW, "warning"))
        current = holder(theirs, together.digests)
        if current is None or pending(current):
            self._ask_again(checked, None)
            return None
        self._answering = self._reply = None  # the other window keeps it
        self.messages = adopt(self.messages, theirs)
        self._tell(MessagesReset())
        self._finish("other")
        return None

    async def _resume_answered(self, backend: Backend, message: Message) -> None:
        """A call was answered and its chat still shows it as waiting: the server may be carrying it out."""
        note = ANSWERED_BEFORE
        try:
            await asyncio.sleep(PATIENCE_SECONDS)
            theirs = await backend.chat(self.chat_id)
        except BackendError:
            note = NOT_KNOWN
        else:
            current = next((each for each in theirs.messages if each.id == message.id), None)
            if self.turn.busy or message not in self.messages:
                return
            if current is not None and went_on(message, current):
                current.finish, current.errors, current.faults = (
                    message.finish,
                    message.errors,
                    message.faults,
                )
                self._replace(message, current)
                message = current
        if self.turn.busy or self._closing or message not in self.messages:
            return
        if pending(message):
            self._begin_asking(message, note)
        else:
            self._tell(Notice("Your answer had arrived."))

    def _say_what_was_approved(self, message: Message) -> None:
        """kai-agent: the stream that would tell is gone (kai.md §9.2)."""
        unknown = [
            part.tool_name
            for part in message.tool_calls()
            if not part.settled and self.decision(part) is True
        ]
        if unknown:
            self._tell_soon(
                Notice(
                    f"You approved {', '.join(unknown)}, but the result was not seen. Whether it ran is not known:"
                    " look at the project before you ask again.",
                    "warning",
                )
            )

    def _tell_soon(self, notice: Notice) -> None:
        """Once the screen listens: sessions are made before they are shown."""
        asyncio.get_running_loop().call_soon(self._tell, notice)

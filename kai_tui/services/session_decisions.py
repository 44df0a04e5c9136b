"""The user's decisions in a chat: when they are asked for, how they are sent (protocols/kai.md §9).

What is sent is what was shown (A5), noted on disk first (A6), never twice by itself (A7).
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Literal

from kai_tui.backends.base import (
    Backend,
    BackendError,
    NotFound,
    Outgoing,
    TokenRefused,
    ToolInfo,
)
from kai_tui.conversation.approvals import pending, respond
from kai_tui.conversation.events import Event, Finish, FinishReason, ToolApprovalRequest, ToolInputAvailable
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.approval_round import ApprovalRound
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.call_questions import CallQuestions
from kai_tui.services.call_rules import decision_words
from kai_tui.services.changes import CallEnded, MessagesReset, Notice, TurnChanged
from kai_tui.services.decision_words import (
    ANSWERED_BEFORE,
    CHANGED,
    DECIDE_PLAINLY,
    NOT_ARRIVED,
    NOT_KNOWN,
    NOT_SENT,
    YES_OR_NO,
)
from kai_tui.services.kept_words import not_known
from kai_tui.services.read_back import adopt, differs, holder, put_in_place
from kai_tui.services.session_open_stream import SessionOpenStream
from kai_tui.services.session_recording import TAKEN_BACK
from kai_tui.services.session_state import SessionTools
from kai_tui.services.turn import ENDED_WELL

PATIENCE_SECONDS = 1.0
"""A server may store a message a moment after it streamed it."""


class SessionDecisions(SessionOpenStream):
    """Asks about calls that wait and sends the answers, in the server's way."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._round: ApprovalRound | None = None
        """Continuation style: what is decided together."""
        self._answering: tuple[Message, Message] | None = None
        """The message before and after the answers that are on their way, until the server goes on."""
        self._questions = CallQuestions(
            tools.approvals,
            chat_id=chat_id,
            chat_title=lambda: self.title,
            place=tools.place,
            clock=tools.clock,
            on_decided=self._decided,
            on_asked=lambda: self._tell(TurnChanged()),
            wall=lambda: tools.wall().timestamp(),
        )

    def _begin_asking(self, message: Message, note: str | None) -> None:
        self._run = object()
        self._started = self._last_event = self._tools.clock()
        self._ask_again(message, note)

    def use_tools(self, tools: Sequence[ToolInfo]) -> None:
        """The user changed permissions: they hold for the next call, also of a running turn."""
        self._questions.use_tools(tools, midway=self.turn.busy)

    # What decisions do to a turn

    async def _prepare(self, backend: Backend) -> None:
        caps = self._caps(backend)
        self._questions.edits = caps.edits_input
        self._questions.read_only_chat = caps.read_only_chats and self.known_terms.read_only is True
        if caps.approval == "side-request":
            self._questions.use_tools(await backend.tools())

    async def _held_back(self, backend: Backend, outgoing: Outgoing) -> bool:
        """A chat with an unanswered request refuses every further message (kai.md §9.1)."""
        # Of a superseded answer too: the server knows nothing of that.
        waiting = next((each for each in reversed(self.messages) if each.role == "assistant"), None)
        if not self._answers_continue(backend) or waiting is None or not pending(waiting):
            return False
        self._ask_first(outgoing, waiting, None)
        return True

    def _ask_first(self, outgoing: Outgoing, waiting: Message, note: str | None) -> None:
        """Ask before this message is sent."""
        message = self.find(outgoing.message_id)
        if message is not None:
            self.messages.remove(message)
        self._deliveries.pop(outgoing.message_id, None)
        self._tell(MessagesReset())
        self._hold_back(outgoing)
        self._tell(Notice("The assistant still waits for your decision. Your message is sent after it."))
        self._ask_again(waiting, note)

    @abstractmethod
    def _hold_back(self, outgoing: Outgoing) -> None:
        """It has to wait, before everything else that waits."""

    def _watch(self, event: Event, part: ToolPart, message: Message, backend: Backend) -> None:
        """Ask about a call of an open stream, or take the question away when it is settled or changed."""
        if part.settled:
            self._record_end(part, message)
            asked = self._questions.is_open(part)
            self._questions.settled(part, explained=True)
            self._tell(CallEnded(message.id, part.tool_call_id))
            if asked:
                self._tell(Notice(f"{part.tool_name} no longer waits for you: {_ended(part)} by itself."))
                self._tell(TurnChanged())
        elif self._caps(backend).approval != "side-request":
            return
        elif isinstance(event, ToolInputAvailable):
            self._questions.consider(part, message)
        elif isinstance(event, ToolApprovalRequest):
            self._questions.ask(part, message)
        elif self._questions.is_stale(part):
            self._questions.settled(part)  # asked again when its input is whole
            self._tell(TurnChanged())

    async def _asks(self, run: object, backend: Backend, message: Message, reason: FinishReason) -> bool:
        calls = pending(message)
        if not calls or not self._answers_continue(backend) or reason not in ENDED_WELL:
            return False
        self._checkpoints.stop()
        await self._save(message, "complete")
        if self._run is run:
            self._ask_again(message, None)
        return True

    def _answers_continue(self, backend: Backend) -> bool:
        """Whether the calls of a message are answered together, and the answers go on with it."""
        return self._caps(backend).approval in ("continuation", "tool-result")

    def _forget_questions(self) -> None:
        self._round = None
        self._answering = None
        self._questions.clear()

    def _ask_again(self, message: Message, note: str | None) -> None:
        calls = pending(message)
        if not calls:
            self._finish("unknown")
            return
        if note is None and any(self.decision(part) is not None for part in calls):
            note = not_known(self._system) if self.kept_here else ANSWERED_BEFORE
        self._reply = message
        self._answering = None
        self._round = self._questions.ask_all(message, calls, note)
        self._set_phase("waiting-for-approval")

    def _tool(self, name: str) -> ToolInfo | None:
        return self._questions.tools.get(name)

    def _decided(self, approval: Approval, decision: Decision) -> None:
        self._rules[approval.tool_call_id] = decision_words(approval, decision)
        if decision.approved:
            self._keep_before(approval)
        if decision.by == "read-only switch":
            self._tell(Notice(f"{approval.title}: denied by the read-only switch of this chat."))
        together = self._round
        if together is None:
            self._in_background(self._answer_open_stream(self._run, approval, decision))
        elif together.answer(approval, decision):
            self._round = None
            self._start(lambda run: self._continue(run, together))
        self._tell(TurnChanged())

    # Continuing the message

    async def _continue(self, run: object, together: ApprovalRound) -> None:
        """kai-assistant: all answers in one POST; the stream goes on with the same message (§9.1)."""
        message = holder(self.messages, together.digests)
        if message is None:
            self._tell(Notice("The request is not in this chat any more. Nothing was sent.", "warning"))
            self._finish("error")
            return
        self._answering = (message, message)
        answers = list(together.answers.values())
        noted = False
        try:
            backend = await self._tools.backend()
            if together.says_more and not self._caps(backend).edits_input:
                self._tell(Notice(YES_OR_NO, "warning"))
                if self._run is run:
                    self._ask_again(message, DECIDE_PLAINLY)
                return
            checked = await self._checked(run, backend, message, together, "other")
            if checked is None:
                return
            message = checked
            await self._note(together)
            noted = True
            answered = respond(message, answers)
            self._replace(message, answered)
            self._answering = (message, answered)
            events = backend.answer(self.chat_id, message, answers, terms=self.terms)
            await self._read(run, backend, events, answered, lambda: self._goes_on(together))
        except BackendError as error:
            if noted and error.delivery != "not-sent":
                self._came_of_it(together, "unsure", error.sentence)
            if self._run is not run:
                return
            code = "sign-in" if isinstance(error, TokenRefused) else None
            self._tell(Notice(error.sentence, "error", code))
            if noted and error.delivery == "not-sent":
                await self._withdraw(together)
            message = self._take_back_answers() or message
            if noted and error.delivery != "not-sent":
                await self._ask_what_still_waits(run, message, together)
            elif self._run is run:
                self._ask_again(message, NOT_SENT if error.code == TAKEN_BACK else NOT_ARRIVED)

    def _may_be_read_anew(self) -> bool:
        return self._answering is None and super()._may_be_read_anew()

    def _goes_on(self, together: ApprovalRound) -> None:
        self._answering = None
        self._arrived_at_server(together)

    def _take_back_answers(self) -> Message | None:
        """Show the request again as it was before the answers; None when none are on their way."""
        if self._answering is None:
            return None
        before, answered = self._answering
        if answered is not before and answered in self.messages:
            self._replace(answered, before)
        self._reply = before
        return before

    async def _ask_what_still_waits(self, run: object, message: Message, together: ApprovalRound) -> None:
        """The outcome of an answer is unknown: read the chat; only what still waits is asked again (A7)."""
        note = NOT_ARRIVED
        if self.kept_here:
            if self._run is run:
                self._ask_again(message, not_known(self._system))
            return
        try:
            backend = await self._tools.backend()
            checked = await self._checked(run, backend, message, together, "lost")
            if checked is None:
                return
            message = checked
        except BackendError:
            note = NOT_KNOWN
        if self._run is run:
            self._ask_again(message, note)

    async def _checked(
        self,
        run: object,
        backend: Backend,
        message: Message,
        together: ApprovalRound,
        settled_as: Literal["other", "lost"],
    ) -> Message | None:
        """Re-read before sending (A5): the message to answer; None when that was dealt with here."""
        if self.kept_here:
            return await self._checked_here(run, backend, message, together)
        try:
            theirs = await backend.chat(self.chat_id)
            if holder(theirs.messages, together.digests) is None:
                await asyncio.sleep(PATIENCE_SECONDS)
                theirs = await backend.chat(self.chat_id)
        except NotFound:
            if self._run is run:
                self._tell(Notice("This chat no longer exists on the server. Nothing was sent.", "error"))
                self._finish("error")
            return None
        if self._run is not run:
            return None
        current = holder(theirs.messages, together.digests)
        if current is not None and settled_as == "other":
            current = self._as_asked(current)
        if current is None:
            self.messages = adopt([m for m in self.messages if m is not message], theirs.messages)
            self._reply = None
            self._tell(MessagesReset())
            self._tell(Notice("The server does not know this request any more. Nothing was sent.", "warning"))
            self._finish("error")
            return None
        if not differs(current, together.digests):
            if current.id == message.id:
                return message
            self._replace(message, current)
            return current
        self._replace(message, current)
        if not pending(current):
            if settled_as == "lost":
                current.finish = Finish("lost", detail="The connection was lost after your answer.")
            self._tell(Notice("This request is settled on the server by now; nothing more was sent."))
            self._finish(settled_as)
            return None
        self._tell(
            Notice("The request changed on the server. Nothing was sent; please look again.", "warning")
        )
        self._ask_again(current, CHANGED)
        return None

    async def _checked_here(
        self, run: object, backend: Backend, message: Message, together: ApprovalRound
    ) -> Message | None:
        """No server has the message: it is as it was shown, or it changed here."""
        if not differs(message, together.digests):
            return message
        self._tell(Notice("The request changed. Nothing was sent; please look again.", "warning"))
        self._ask_again(message, CHANGED)
        return None

    def _as_asked(self, current: Message) -> Message:
        """What the server has, in the state in which it was asked about."""
        return current

    def _replace(self, old: Message, new: Message) -> None:
        if self._answering is not None and self._answering[0] is old:
            self._answering = (new, new)
        put_in_place(self.messages, old, new)
        self._reply = new
        self._tell(MessagesReset())


def _ended(part: ToolPart) -> str:
    return "its result came" if part.state == "output-available" else "it ended"

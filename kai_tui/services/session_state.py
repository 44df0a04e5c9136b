"""What one open chat looks like: read by the screen, changed only by its session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from kai_tui.backends.agents import caps_for
from kai_tui.backends.base import Backend, Capabilities, ChatTerms, Delivery, ToolInfo
from kai_tui.conversation.choices import Choice, choices_of, closing_text
from kai_tui.conversation.events import FinishReason
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.changes import (
    MessageAdded,
    MessageChanged,
    MessagesReset,
    Notice,
    SessionChange,
    TitleChanged,
    TurnChanged,
)
from kai_tui.services.kept_words import cannot_check
from kai_tui.services.observers import Observers
from kai_tui.services.part_clock import PartClock
from kai_tui.services.patience import Patience
from kai_tui.services.session_tools import NEW_CHAT_TITLE as NEW_CHAT_TITLE
from kai_tui.services.session_tools import SessionTools as SessionTools
from kai_tui.services.terms import KnownTerms
from kai_tui.services.turn import Countdown, Queued, Turn, TurnPhase
from kai_tui.services.votes import Votes

if TYPE_CHECKING:
    from kai_tui.conversation.tool_results import Link
    from kai_tui.services.job_state import JobState

_MODEL = "A model without an agent"
"""Where one account has agents whose chats are kept, and models whose chats are not (imbrace.md §5)."""
LOCAL_ID = "local-"
"""How ids begin that we gave an answer because the server has not named it."""


class SessionState:
    """Messages, turn, deliveries, votes and times of one chat, and who hears of changes."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        self.chat_id = chat_id
        self.title = title
        self.messages: list[Message] = list(messages)
        self.queue: list[Queued] = []
        self.stored = stored
        """Whether the server knows this chat."""
        self.kept_here = False
        """Whether no server keeps this chat, as far as that is known: nothing can be read back then."""
        self.takes_up = False
        """Whether a reply that broke off can be asked for once more."""
        self._system = "The server"
        """Who keeps nothing then, to begin a sentence with."""
        self.terms = ChatTerms()
        """Sent with every message; decided by the chat's first one. See `SessionTerms`."""
        self.known_terms = KnownTerms(self.terms.visibility, self.terms.read_only)
        """What is known to hold for this chat."""
        self.context_path: str | None = None
        """The page of the web interface the next messages are about."""
        self._tools = tools
        self._observers: Observers[SessionChange] = Observers()
        self._phase: TurnPhase = "idle"
        self._reason: FinishReason | None = None
        self._started = 0.0
        self._last_event = 0.0
        self._status: str | None = None
        self._tokens: int | None = None
        self._deliveries: dict[str, Delivery] = {}
        self._why: dict[str, str] = {}
        self._doubted: set[str] = set()
        """Messages of which it was once not known whether they arrived; see `SessionTurn`."""
        self._votes = Votes(chat_id, tools.backend, lambda message_id: self._tell(MessageChanged(message_id)))
        self._clocks: dict[str, PartClock] = {}
        self._choices: tuple[object, tuple[Choice, ...]] | None = None
        """Those of the newest answer, and the state of the answer they were read from."""
        self._rewrites: dict[str, str] = {}
        """Questions that took the place of others, by id; see `SessionRewrites`."""
        self._superseded_for: tuple[object, ...] = ()
        self._superseded_now: set[str] = set()
        self._contexts: dict[str, str | None] = {}
        """What messages are about that were written and have not arrived."""
        self.gone = False
        """Whether the server said that this chat is not there any more: it can be read, not written in."""
        self._watched = False
        self._countdown: Countdown | None = None
        self._jobs: dict[str, JobState] = {}
        """Of jobs that calls of this chat started, by call id; see `SessionJobs`."""
        self._ledger: dict[tuple[str, str], bool] = {}
        """Answers that were noted on disk, by call and approval id."""
        self._rules: dict[str, str] = {}
        """What decided a call, in words, by its id: as far as that is known."""
        self.patience = Patience(
            tools.clock,
            last_event=lambda: self._last_event,
            stands_still=lambda: self.turn.phase not in ("sending", "streaming"),
            changed=lambda: self._tell(TurnChanged()),
        )

    def observe(self, callback: Callable[[SessionChange], None]) -> Callable[[], None]:
        """Hear every change; call the result to stop hearing."""
        return self._observers.add(callback)

    @property
    def turn(self) -> Turn:
        """The running turn, else the last one."""
        phase = self._phase
        if phase == "streaming" and self.pending_calls():
            phase = "waiting-for-approval"
        return Turn(
            phase,
            self._reason,
            self._started,
            self._last_event,
            self._status,
            self._tokens,
            self.patience.level,
            self.patience.since,
            self._countdown,
        )

    def vote_of(self, message_id: str) -> bool | None:
        """True for up, False for down."""
        return self._votes.of(message_id)

    def delivery(self, message_id: str) -> Delivery | None:
        """Of a user's message; None when there is nothing to say."""
        return self._deliveries.get(message_id)

    def why_not_sent(self, message_id: str) -> str | None:
        """One sentence for a message that is not-sent or unsure; for one that was sent: why no answer
        stands below it. Foreign text inside is raw, keys are not named."""
        return self._why.get(message_id)

    def seconds(self, message_id: str, part_index: int) -> float | None:
        """How long a tool call or a thought took, or takes so far; None for messages read back."""
        clock = self._clocks.get(message_id)
        return clock.seconds(part_index) if clock is not None else None

    def ended_at(self, message_id: str, part_index: int) -> float | None:
        """When a tool call or a thought ended, in seconds since the epoch; None for messages read back."""
        clock = self._clocks.get(message_id)
        return clock.ended_at(part_index) if clock is not None else None

    def decision(self, call: ToolPart) -> bool | None:
        """What the user decided here about a call: approved, denied, or nothing that is known."""
        return self._ledger.get((call.tool_call_id, call.approval_id or ""))

    def rule(self, call: ToolPart) -> str:
        """Which rule decided a call, one sentence; empty while nothing has."""
        from kai_tui.services.call_rules import rule_words

        noted = self._rules.get(call.tool_call_id, "")
        for approval, decision in self._tools.approvals.ruled(self.chat_id):
            if approval.tool_call_id == call.tool_call_id:
                noted = f"{decision.rule} It is sent when you have decided the others."
        return rule_words(call, noted=noted, decided=self.decision(call), tool=self._tool(call.tool_name))

    def noted(self, call: ToolPart) -> str:
        """What is noted of a decision on a call, one sentence; empty when nothing is. Costs nothing to ask."""
        return self._rules.get(call.tool_call_id, "")

    def ruled(self, call: ToolPart) -> bool | None:
        """What a rule of the user decided about a call whose answer is not sent yet; None: nothing."""
        for approval, decision in self._tools.approvals.ruled(self.chat_id):
            if approval.tool_call_id == call.tool_call_id:
                return decision.approved
        return None

    def know_rules(self, rules: Mapping[str, str]) -> None:
        """What decided calls in earlier runs, by call id."""
        self._rules = {**rules, **self._rules}
        for message in self.messages if rules else ():
            if message.calls_any(rules):
                self._tell(MessageChanged(message.id))

    def _tool(self, name: str) -> ToolInfo | None:
        """The server's entry of a tool, where it is known; see `SessionDecisions`."""
        return None

    def places(self, call: ToolPart) -> Sequence[Link]:
        """Where one can look at what a call changed; reads earlier answers, so whoever asks keeps it. Raw."""
        from kai_tui.conversation.changed_places import places, seen_places

        return places(call) or seen_places(self.messages, call)

    def job(self, call: ToolPart) -> JobState | None:
        """How the job goes that this call started, as far as somebody looked."""
        return self._jobs.get(call.tool_call_id)

    def find(self, message_id: str) -> Message | None:
        """The message with this id; the newest are looked at first."""
        return next((each for each in reversed(self.messages) if each.id == message_id), None)

    def is_superseded(self, message_id: str) -> bool:
        """Whether a question was asked again, and whether a message answers such a question."""
        return bool(self._rewrites) and message_id in self._superseded()

    def _superseded(self) -> set[str]:
        """Asked for every message that is drawn: found anew only when something changed."""
        known = (
            id(self.messages),
            len(self.messages),
            self.messages[-1].id if self.messages else "",
            tuple(self._deliveries.get(new) for new in self._rewrites),
        )
        if known != self._superseded_for:
            self._superseded_for = known
            self._superseded_now = self._find_superseded()
        return self._superseded_now

    def _find_superseded(self) -> set[str]:
        there = {each.id for each in self.messages if self._deliveries.get(each.id) != "not-sent"}
        questions = {old for new, old in self._rewrites.items() if new in there}
        found: set[str] = set()
        over = False
        for message in self.messages:
            if message.role == "user":
                over = message.id in questions
            if over:
                found.add(message.id)
        return found

    @property
    def last_assistant_message(self) -> Message | None:
        """The newest answer that was not superseded."""
        gone = self._superseded() if self._rewrites else ()
        return next(
            (each for each in reversed(self.messages) if each.role == "assistant" and each.id not in gone),
            None,
        )

    def live_choices(self) -> tuple[Choice, ...]:
        """What can be picked now: under the newest answer, until the user says something (kai.md §10)."""
        message = self.messages[-1] if self.messages else None
        if message is None or message.role != "assistant" or self.queue:
            return ()
        running = self.turn.busy and message.finish is None
        part = closing_text(message)
        text = (part, len(part), part.done) if part is not None else None
        key = (message, text, running, message.finish)
        if self._choices is None or self._choices[0] != key:
            self._choices = key, choices_of(message, running=running)
        return self._choices[1]

    def pending_calls(self) -> Sequence[str]:
        """Ids of tool calls that wait for a decision."""
        return [each.tool_call_id for each in self._tools.approvals.pending if each.chat_id == self.chat_id]

    def _caps(self, backend: Backend) -> Capabilities:
        """What can be done in this chat: that of its agent, where there are several to talk to."""
        return caps_for(backend, self.chat_id)

    def learn(self, backend: Backend) -> None:
        """Who keeps this chat, before anything is sent in it."""
        self.kept_here = self._caps(backend).history == "local"
        self.takes_up = self._caps(backend).takes_up
        self._system = self._tools.assistant if backend.agents is None else _MODEL
        if self.kept_here:
            self._tools.keeper.keep_here(self.chat_id)

    def set_title(self, title: str) -> None:
        """The chat got a name."""
        if title.strip() and title != self.title:
            self.title = title
            self._tell(TitleChanged(title))

    def set_votes(self, votes: Mapping[str, bool]) -> None:
        """Votes read from the server."""
        self._votes.take(votes)

    async def vote(self, message_id: str, up: bool) -> bool:
        """Vote on an answer; False when this vote stands already. Raises BackendError when it was not taken."""
        return await self._votes.cast(message_id, up)

    def why_no_vote(self, message: Message) -> str | None:
        """One sentence when this answer cannot be voted on (now); None when it can."""
        if self.is_superseded(message.id):
            return "This answer was superseded: its question was asked again. Votes go to the newer answer."
        if self.turn.busy and self.messages and self.messages[-1] is message:
            return "This answer is still being written. Vote when it is complete."
        if not self.stored:
            return "The server does not have this chat, so it takes no votes on it."
        if not message.id.startswith(LOCAL_ID):
            return None
        if not message.parts:
            return "This answer was cut off before it began: there is nothing to vote on."
        return "The server has not said under which id it keeps this answer. Open the chat anew, then vote."

    @property
    def why_unsure(self) -> str:
        """Why it is not known of a message whether it arrived, in a chat that no server keeps."""
        return cannot_check(self._system)

    def add_unsent(self, message_id: str, text: str, state: Delivery, why: str) -> None:
        """A message found in the outbox: it was on its way when the program ended. One that no server could
        confirm stands where it was kept."""
        known = self.find(message_id) is not None
        if known and not self.kept_here:
            return
        if not known:
            self.messages.append(Message.user(message_id, text, about=self._contexts.get(message_id)))
        self._deliveries[message_id] = state
        self._why[message_id] = why
        self._doubted.add(message_id)
        self._tell(MessageAdded(message_id))

    def tell_notice(self, notice: Notice) -> None:
        """Say something about this chat."""
        self._tell(notice)

    def _tell(self, change: SessionChange) -> None:
        if isinstance(change, MessagesReset):
            self._superseded_for = ()
        self._observers.tell(change)

    def _set_phase(self, phase: TurnPhase) -> None:
        self._phase = phase
        if self.turn.busy:
            self.patience.start()
        else:
            self.patience.stop()
        self._tell(TurnChanged())

    def _set_delivery(self, message_id: str, state: Delivery, why: str | None = None) -> None:
        self._deliveries[message_id] = state
        if state == "unsure":
            self._doubted.add(message_id)
        if why is None:
            self._why.pop(message_id, None)
        else:
            self._why[message_id] = why
        self._tell(MessageChanged(message_id))

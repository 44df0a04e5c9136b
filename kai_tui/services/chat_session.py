"""One open chat: its messages, its running turn and the turn's state machine (design.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kai_tui.backends.base import Delivery
from kai_tui.conversation.events import FinishReason
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import SessionChange

TurnPhase: TypeAlias = Literal["idle", "sending", "streaming", "waiting-for-approval", "finished"]


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the running (or last) turn is."""

    phase: TurnPhase = "idle"
    reason: FinishReason | None = None
    """Set when `phase` is finished."""
    started: float = 0.0
    """Monotonic seconds."""
    last_event: float = 0.0
    """Monotonic seconds of the newest event; events count, bytes do not (reliability.md §3)."""
    status: str | None = None
    """What the server says it is doing."""
    tokens: int | None = None

    @property
    def busy(self) -> bool:
        return self.phase in ("sending", "streaming", "waiting-for-approval")


@dataclass(frozen=True, slots=True)
class Queued:
    """A message typed while a reply streams."""

    id: str
    text: str


class ChatSession:
    """State and effects of one chat. Public attributes are read by the screen, changed only here."""

    chat_id: str
    title: str
    messages: list[Message]
    turn: Turn
    queue: list[Queued]
    stored: bool
    """Whether the server knows this chat."""

    def observe(self, callback: Callable[[SessionChange], None]) -> Callable[[], None]:
        """Hear every change; call the result to stop hearing."""
        raise NotImplementedError

    def send(self, text: str) -> None:
        """Send a message, or queue it while a turn runs. Returns at once. Blank text is ignored."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the running reply within 250 ms; what came stays (P10)."""
        raise NotImplementedError

    def retry(self, message_id: str) -> None:
        """Send a not-sent message again, with the same message id (N10)."""
        raise NotImplementedError

    async def vote(self, message_id: str, up: bool) -> None:
        """Vote on an answer. Raises BackendError."""
        raise NotImplementedError

    def vote_of(self, message_id: str) -> bool | None:
        raise NotImplementedError

    def delivery(self, message_id: str) -> Delivery | None:
        """Of a user's message; None when there is nothing to say."""
        raise NotImplementedError

    def why_not_sent(self, message_id: str) -> str | None:
        """One sentence for a message that is not-sent or unsure. Foreign text inside is raw."""
        raise NotImplementedError

    def seconds(self, message_id: str, part_index: int) -> float | None:
        """How long a tool call or a thought took, or takes so far; None for messages read back."""
        raise NotImplementedError

    def find(self, message_id: str) -> Message | None:
        raise NotImplementedError

    @property
    def last_assistant_message(self) -> Message | None:
        raise NotImplementedError

    def pending_calls(self) -> Sequence[str]:
        """Ids of tool calls that wait for a decision."""
        raise NotImplementedError

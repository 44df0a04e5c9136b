"""Where a turn is, as the screen sees it (design.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from kai_tui.conversation.events import FinishReason

TurnPhase: TypeAlias = Literal["idle", "sending", "holding", "streaming", "waiting-for-approval", "finished"]
"""`holding`: the server asked to wait; the message is not sent and will be sent once more by itself."""

Silence: TypeAlias = Literal["", "waiting", "long"]
"""How long nothing was heard of a running turn: see `patience`."""

ENDED_WELL: frozenset[FinishReason] = frozenset(
    ("stop", "length", "tool-calls", "content-filter", "other", "unknown")
)
"""Reasons after which waiting messages may be sent by themselves."""


OUTCOME_UNKNOWN = "Outcome unknown, checking…"
"""Why a message is unsure while the chat is read back."""


@dataclass(frozen=True, slots=True)
class Countdown:
    """What happens next by itself, to which message, and when; the screen counts down."""

    what: Literal["send-again", "connect-again", "look-again", "server-writes"]
    """The same message is sent once more; the connection is tried again; the chat is read again. `server-writes`:
    the chat is read when the server says that it is done; `until` is since when that is waited for."""
    message_id: str
    until: float
    """Monotonic seconds."""
    number: int = 1
    of: int = 1
    """Try `number` of `of` is the one that follows."""
    why: str = ""
    """One sentence: what went wrong before. Raw."""


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
    """What the server says it is doing. Raw."""
    tokens: int | None = None
    """Of the whole chat, as far as the server told."""
    silence: Silence = ""
    quiet_since: float | None = None
    """Monotonic seconds since which nothing was heard; set while `silence` is."""
    countdown: Countdown | None = None
    """May be set after the turn, too: an answer that is not there yet is looked for again."""

    @property
    def busy(self) -> bool:
        return self.phase in ("sending", "holding", "streaming", "waiting-for-approval")


@dataclass(frozen=True, slots=True)
class Queued:
    """A message typed while a reply streams."""

    id: str
    text: str
    paused: bool = False
    """Whether it waits for a word of the user: the turn before it ended badly, or the program was restarted."""

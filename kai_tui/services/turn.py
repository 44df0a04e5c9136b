"""Where a turn is, as the screen sees it (design.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from kai_tui.conversation.events import FinishReason

TurnPhase: TypeAlias = Literal["idle", "sending", "streaming", "waiting-for-approval", "finished"]

ENDED_WELL: frozenset[FinishReason] = frozenset(
    ("stop", "length", "tool-calls", "content-filter", "other", "unknown")
)
"""Reasons after which waiting messages may be sent by themselves."""


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

    @property
    def busy(self) -> bool:
        return self.phase in ("sending", "streaming", "waiting-for-approval")


@dataclass(frozen=True, slots=True)
class Queued:
    """A message typed while a reply streams."""

    id: str
    text: str
    paused: bool = False
    """Whether it waits for a word of the user: the turn before it ended badly, or the program was restarted."""

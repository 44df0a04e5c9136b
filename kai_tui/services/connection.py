"""Whether the assistant answers, as the screen shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from kai_tui.backends.base import ServerInfo

ConnectionState: TypeAlias = Literal["connecting", "connected", "failed"]


class Pause(NamedTuple):
    """Something is read from the server, which was not reached; it is tried again."""

    until: float
    """Monotonic seconds."""
    number: int
    """The try that follows."""
    of: int
    why: str
    """One sentence. Raw."""


class Connection(NamedTuple):
    """Whether the assistant answered; for the status bar."""

    state: ConnectionState
    info: ServerInfo | None = None
    sentence: str | None = None
    """What went wrong and what to do, when failed."""
    needs_sign_in: bool = False
    pause: Pause | None = None
    """Set between two tries to read something."""
    again: bool = False
    """Whether it is connected after it was not."""

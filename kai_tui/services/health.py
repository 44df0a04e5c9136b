"""Whether the server answers, how fast, and what it says its time is (kai.md §4.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.backends.errors import BackendError
from kai_tui.services.local_dates import moment

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, ServerInfo

CLOCKS_DIFFER_FROM = 60.0
"""Seconds between the two clocks that are worth a word."""


class Pulse(NamedTuple):
    """One sign of life, or its absence."""

    seconds: float = 0.0
    """There and back."""
    ahead: float | None = None
    """Seconds by which this computer's clock is ahead of the server's (behind, when negative)."""
    failure: BackendError | None = None

    @property
    def clocks_differ(self) -> bool:
        """Whether the difference of the clocks is worth a word."""
        return self.ahead is not None and abs(self.ahead) > CLOCKS_DIFFER_FROM


class Health:
    """Asks when told to, never by itself."""

    def __init__(
        self,
        backend: Callable[[], Awaitable[Backend]],
        heard: Callable[[BackendError | None], None],
        *,
        clock: Callable[[], float] = monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`heard`: told that the server answered, or why it did not. `clock`: monotonic seconds."""
        self._backend = backend
        self._heard = heard
        self._clock = clock
        self._today = today

    async def ping(self) -> Pulse:
        """Ask for a sign of life. Never raises."""
        try:
            backend = await self._backend()
            asked, today = self._clock(), self._today()
            said = await backend.alive()
        except BackendError as error:
            self._heard(error)
            return Pulse(failure=error)
        took = self._clock() - asked
        self._heard(None)
        theirs = moment(said)
        if theirs is None:
            return Pulse(took)
        # It was written somewhere between the question and the answer.
        return Pulse(took, (today - theirs).total_seconds() + took / 2)

    async def about(self) -> ServerInfo:
        """What the server says about itself now. Raises BackendError."""
        backend = await self._backend()
        try:
            found = await backend.about()
        except BackendError as error:
            self._heard(error)
            raise
        self._heard(None)
        return found

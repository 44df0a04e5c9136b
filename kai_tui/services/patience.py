"""How long a running turn has been silent: a clock on events, not on bytes (reliability.md §3).

Comments that keep a connection alive are no events, so they do not count. While the user has
something to decide the clock stands still: it is the server that waits then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kai_tui.services.turn import Silence

WAITING_SECONDS = 15.0
"""Without an event for so long, the wait is said."""
LONG_SECONDS = 60.0
"""Without an event for so long, it is said that one may stop or go on waiting."""
BEAT_SECONDS = 1.0
"""How often the clock is looked at; only while a turn runs."""


class Patience:
    """Watches one chat's turns. Costs nothing per event."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        last_event: Callable[[], float],
        stands_still: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        """`clock` and `last_event` give monotonic seconds; `changed` hears that `level` changed."""
        self._clock = clock
        self._last_event = last_event
        self._stands_still = stands_still
        self._changed = changed
        self._floor = 0.0
        """Nothing before this counts: the turn began, or the user still had to decide."""
        self._timer: asyncio.TimerHandle | None = None
        self.level: Silence = ""

    @property
    def since(self) -> float | None:
        """From when the silence counts, monotonic seconds; None while there is none worth a word."""
        return max(self._last_event(), self._floor) if self.level else None

    def start(self) -> None:
        """A turn runs; calling it again changes nothing."""
        if self._timer is None:
            self._floor = self._clock()
            self.level = ""
            self._beat_later()

    def stop(self) -> None:
        """The turn is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.level = ""

    def look(self) -> None:
        """Bring `level` up to date: after an event that ended a silence, and at every beat."""
        if self._timer is None:
            return
        now = self._clock()
        if self._stands_still():
            self._floor = now
        quiet = now - max(self._last_event(), self._floor)
        level: Silence = "long" if quiet >= LONG_SECONDS else "waiting" if quiet >= WAITING_SECONDS else ""
        if level != self.level:
            self.level = level
            self._changed()

    def _beat(self) -> None:
        self.look()
        if self._timer is not None:  # nobody stopped it when told
            self._beat_later()

    def _beat_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)

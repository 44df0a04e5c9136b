"""Notices that the computer slept: the time of day went on, the monotonic clock stood still.

So on Linux and macOS. On Windows both go on; a dead connection is noticed there by its silence.
"""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_SECONDS = 2.0
"""How often the clocks are compared."""
SLEPT_SECONDS = 5.0
"""The clocks are apart by more: the computer slept. Less is a clock being set right."""


class SleepWatch:
    """Compares two clocks. Cheap: call `beat` every `EVERY_SECONDS`."""

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Both give seconds."""
        self._wall = wall
        self._monotonic = monotonic
        self._apart = wall() - monotonic()

    def beat(self) -> float:
        """Seconds the computer slept since the last beat; 0 when it did not."""
        before, self._apart = self._apart, self._wall() - self._monotonic()
        slept = self._apart - before
        return slept if slept > SLEPT_SECONDS else 0.0

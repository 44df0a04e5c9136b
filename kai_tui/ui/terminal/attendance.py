"""Whether somebody is at this terminal.

The rule: a terminal that reports its focus is believed from its first report on; whoever presses a key,
clicks, scrolls or pastes is here, whatever was reported. A terminal that never reported (it cannot, or
its focus never changed) counts as looked at for a minute after the last key, then as left.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual import events

PRESENT_SECONDS = 60.0


class Attendance:
    """Hears every event of the app."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._focused: bool | None = None
        self._last_input = clock()

    @property
    def here(self) -> bool:
        """Whether somebody looks at this terminal, as far as it can be known."""
        if self._focused is not None:
            return self._focused
        return self._clock() - self._last_input < PRESENT_SECONDS

    def saw(self, event: events.Event) -> bool:
        """Take note of an event; whether somebody came back with it."""
        before = self.here
        match event:
            case events.AppBlur():
                self._focused = False
            case events.AppFocus():
                self._focused = True
            case (
                events.Key()
                | events.Paste()
                | events.MouseDown()
                | events.MouseScrollDown()
                | events.MouseScrollUp()
            ):
                if self._focused is not None:
                    self._focused = True
                self._last_input = self._clock()
            case _:
                return False
        return self.here and not before

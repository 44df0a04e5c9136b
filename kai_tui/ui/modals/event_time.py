"""When an event was read, on our clock: Textual has another one on Windows."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual._time import get_time


def moment_by(clock: Callable[[], float]) -> Callable[[events.Event], float]:
    """A function that says when an event was read, in the clock's seconds."""

    def moment(event: events.Event) -> float:
        return event.time + (clock() - get_time())

    return moment

"""How long each thought and tool call of a running turn takes."""

from __future__ import annotations

import time
from collections.abc import Callable

from kai_tui.conversation.messages import GrowingPart, Message, ToolPart


class PartClock:
    """Times parts of one message by an injected monotonic clock (seconds).

    `wall` gives seconds since the epoch: when a part ended is told by that.
    """

    __slots__ = ("_clock", "_ended", "_ended_at", "_started", "_wall")

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        self._ended_at: dict[int, float] = {}
        self._started: dict[int, float] = {}
        self._ended: dict[int, float] = {}

    def touch(self, message: Message, index: int) -> None:
        """A part was added or changed."""
        if index not in self._started:
            now = self._clock()
            self._started[index] = now
            if index and index - 1 not in self._ended and isinstance(message.parts[index - 1], GrowingPart):
                self._ended[index - 1] = now
        part = message.parts[index]
        if index not in self._ended and _is_over(part):
            self._ended[index] = self._clock()
            self._ended_at[index] = self._wall()

    def begin(self, index: int) -> None:
        """A call that waited for the user begins to run now. How long it waited does not count."""
        if index not in self._ended:
            self._started[index] = self._clock()

    def go_on(self, message: Message) -> None:
        """Its questions were answered: the calls begin to run now. How long they waited does not count."""
        now = self._clock()
        for index, part in enumerate(message.parts):
            if isinstance(part, ToolPart) and not part.settled:
                self._started[index] = now
                self._ended.pop(index, None)

    def stop(self) -> None:
        """The turn is over: nothing runs any more."""
        now = self._clock()
        for index in self._started:
            self._ended.setdefault(index, now)

    def ended_at(self, index: int) -> float | None:
        """When a part was complete, in seconds since the epoch; None for one this clock did not see end."""
        return self._ended_at.get(index)

    def seconds(self, index: int) -> float | None:
        """None for a part this clock never saw."""
        started = self._started.get(index)
        if started is None:
            return None
        return self._ended.get(index, self._clock()) - started


def _is_over(part: object) -> bool:
    if isinstance(part, ToolPart):
        return part.settled
    return isinstance(part, GrowingPart) and part.done

"""How long each thought and tool call of a running turn takes."""

from __future__ import annotations

from collections.abc import Callable

from kai_tui.conversation.messages import GrowingPart, Message, ToolPart


class PartClock:
    """Times parts of one message by an injected monotonic clock (seconds)."""

    __slots__ = ("_clock", "_ended", "_started")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
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

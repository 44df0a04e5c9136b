"""Gives up a stream that says nothing for too long, at no cost per event.

`asyncio.timeout` around every event costs as much as reading the event. This clock keeps one timer
and looks at the time of the last event only when it fires.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

T = TypeVar("T")


class SilenceClock:
    """Counts seconds without an event. Use one per stream, and `stop` it at the end."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._task: asyncio.Task[object] | None = None
        """The task that waits for an event right now."""
        self._expired = False
        self.paused = False
        """Stands still while the server may be waiting for the user."""
        self._timer = self._loop.call_later(seconds, self._look)

    async def next(self, events: AsyncIterator[T]) -> T | None:
        """The next event, None at the end. Raises TimeoutError after too much silence."""
        task = self._task = asyncio.current_task()
        cancelling = task.cancelling() if task is not None else 0
        try:
            return await anext(events, None)
        except asyncio.CancelledError:
            # Ours only when nobody else cancelled the task at the same time.
            if self._expired and task is not None and task.uncancel() <= cancelling:
                raise TimeoutError from None
            raise
        finally:
            self._task = None
            self._last = self._loop.time()

    def stop(self) -> None:
        """The stream is over."""
        self._timer.cancel()

    def _look(self) -> None:
        due = self._last + self._seconds
        if self.paused or self._task is None:
            due = self._loop.time() + self._seconds
        elif self._loop.time() >= due:
            self._expired = True
            self._task.cancel()
            return
        self._timer = self._loop.call_at(due, self._look)

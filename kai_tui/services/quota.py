"""How many messages of this month are left: read after connecting and after every turn (kai.md §4.11)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeAlias

from kai_tui.backends.errors import BackendError
from kai_tui.services.local_dates import has_passed

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, Quota

EVERY_SECONDS = 10.0
"""The server is asked at most this often, but for refusals that have to be explained."""
LOW_FROM = 0.8

QuotaLevel: TypeAlias = Literal["fine", "low", "used-up"]


def level_of(quota: Quota) -> QuotaLevel:
    """How near the end it is. A limit of 0 or less is none."""
    if quota.limit <= 0:
        return "fine"
    if quota.used >= quota.limit:
        return "used-up"
    return "low" if quota.used >= LOW_FROM * quota.limit else "fine"


class QuotaWatch:
    """Keeps the newest number. A number that may be wrong by now is taken away rather than shown."""

    def __init__(
        self,
        backend: Callable[[], Awaitable[Backend]],
        *,
        busy: Callable[[], bool],
        changed: Callable[[], None],
        heard: Callable[[BackendError | None], None],
        clock: Callable[[], float] = monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`busy`: whether a reply runs. `heard`: told that the server answered, or why it did not.

        `clock`: monotonic seconds. `today`: this moment, with its zone.
        """
        self._backend = backend
        self._busy = busy
        self._changed = changed
        self._heard = heard
        self._clock = clock
        self._today = today
        self._quota: Quota | None = None
        self._asked = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def quota(self) -> Quota | None:
        """The newest number; None when it is not known, or of a month that is over."""
        if self._quota is not None and has_passed(self._quota.resets, self._today()):
            return None
        return self._quota

    def wake(self) -> None:
        """The number may have changed: read it as soon as that is due. Never raises."""
        if self._timer is None:
            due = max(0.0, self._asked + EVERY_SECONDS - self._clock())
            self._timer = asyncio.get_running_loop().call_later(due, self._due)

    async def ask(self) -> Quota | None:
        """The number as it is now, to explain a refusal; asks at once. None when it cannot be had."""
        await asyncio.shield(self._reading or self._start())
        return self.quota

    async def aclose(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _due(self) -> None:
        self._timer = None
        # The end of that turn wakes it again.
        if not self._busy() and self._reading is None:
            self._start()

    def _start(self) -> asyncio.Task[None]:
        self._asked = self._clock()
        self._reading = asyncio.create_task(self._read(), name="quota")
        self._reading.add_done_callback(self._done)
        return self._reading

    def _done(self, task: asyncio.Task[None]) -> None:
        self._reading = None

    async def _read(self) -> None:
        found: Quota | None = None
        try:
            backend = await self._backend()
            if not backend.caps.usage:
                return
            found = await backend.quota()
        except BackendError as error:
            self._heard(error)
        else:
            self._heard(None)
        self._asked = self._clock()
        if found is not None and found.used < 0:
            found = None
        if found != self._quota:
            self._quota = found
            self._changed()

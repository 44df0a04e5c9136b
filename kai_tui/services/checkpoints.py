"""Keeps a running reply on disk, at most twice and at least once a second (S4, P7)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_LOG = logging.getLogger(__name__)

LEAST_SECONDS = 0.5
MOST_SECONDS = 0.8


class Checkpoints:
    """Calls `save` after `mark` was called, never twice at once, and waits longer after a slow one."""

    def __init__(self, save: Callable[[], Awaitable[None]]) -> None:
        self._save = save
        self._dirty = False
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def mark(self) -> None:
        """Something changed. Cheap: called for every delta."""
        if self._dirty:
            return
        self._dirty = True
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="reply checkpoints")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._dirty = False
            before = loop.time()
            try:
                await self._save()
            except Exception:  # noqa: BLE001 - one reply that cannot be kept must not end all keeping
                _LOG.exception("a checkpoint failed")
            cost = loop.time() - before
            await asyncio.sleep(min(MOST_SECONDS, max(LEAST_SECONDS, 10 * cost)))

    def stop(self) -> None:
        """No more checkpoints; the caller saves the end itself."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        # What was marked and not saved belongs to a turn that is over: the next one marks anew.
        self._dirty = False
        self._wake.clear()

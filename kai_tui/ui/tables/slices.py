"""Long work on the loop in slices so small that keys never wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

SLICE = 0.003
"""Seconds of work in one go; a step of the work must not take much longer."""
PAUSE = 0.002
"""Seconds between: what a key sets off passes several queues, and all of them are to be passed in one pause."""
QUIET = 0.06
"""Seconds after a key in which next to nothing is done."""


async def in_slices(steps: Iterator[T | None], touched: Callable[[], float]) -> T:
    """The first value that is not None; `touched` says when (perf_counter) a key was last pressed."""
    until = perf_counter() + SLICE
    for found in steps:
        if found is not None:
            return found
        if perf_counter() >= until:
            busy = perf_counter() - touched() < QUIET
            await asyncio.sleep(PAUSE * 4 if busy else PAUSE)
            until = perf_counter() + SLICE
    raise RuntimeError("the work ended without a result")

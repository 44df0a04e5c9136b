"""The clock that gives up a silent stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_tui.backends.silence import SilenceClock


async def events(gate: asyncio.Event) -> AsyncIterator[int]:
    yield 1
    await gate.wait()
    yield 2


async def test_events_pass_and_the_end_is_none() -> None:
    gate = asyncio.Event()
    gate.set()
    clock, source = SilenceClock(60), events(gate)
    assert [await clock.next(source) for _ in range(3)] == [1, 2, None]
    clock.stop()


async def test_silence_is_a_timeout_and_the_task_goes_on() -> None:
    clock, source = SilenceClock(0.02), events(asyncio.Event())
    assert await clock.next(source) == 1
    with pytest.raises(TimeoutError):
        await clock.next(source)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_paused_clock_stands_still() -> None:
    gate = asyncio.Event()
    clock, source = SilenceClock(0.01), events(gate)
    await clock.next(source)
    clock.paused = True
    waiting = asyncio.ensure_future(clock.next(source))
    looks = 0
    original = clock._look

    def look() -> None:
        nonlocal looks
        looks += 1
        original()
        if looks == 3:
            gate.set()

    clock._timer.cancel()
    clock._look = look  # type: ignore[method-assign]
    look()
    assert await asyncio.wait_for(waiting, 5) == 2
    clock.stop()


async def test_a_cancel_from_outside_stays_a_cancel() -> None:
    clock, source = SilenceClock(60), events(asyncio.Event())
    await clock.next(source)
    waiting = asyncio.ensure_future(clock.next(source))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    clock.stop()

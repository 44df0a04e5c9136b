"""Chunks that came together are handed on together: nothing is lost, held back or left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.gathered import MOST, gathered


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=50), st.booleans()), max_size=60))
def test_every_byte_comes_in_order_and_what_needed_no_wait_comes_at_once(
    parts: list[tuple[bytes, bool]],
) -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        for chunk, waits in parts:
            if waits:
                await asyncio.sleep(0)
            yield chunk

    async def read() -> list[bytes]:
        return [each async for each in gathered(source())]

    came = asyncio.run(read())
    assert b"".join(came) == b"".join(chunk for chunk, _ in parts)
    assert len(came) <= 1 + sum(waits for _, waits in parts)


async def test_a_flood_is_handed_on_in_pieces_and_no_further_ahead() -> None:
    asked = 0

    async def source() -> AsyncGenerator[bytes, None]:
        nonlocal asked
        for _ in range(1_000):
            asked += 1
            yield b"x" * 100

    stream = gathered(source())
    assert len(await anext(stream)) == MOST // 100 * 100 + 100
    assert asked <= MOST // 100 + 2
    await stream.aclose()


async def test_what_came_before_an_error_comes_first() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        yield b"a"
        yield b"b"
        raise OSError("broken")

    stream = gathered(source())
    assert await anext(stream) == b"ab"
    with pytest.raises(OSError, match="broken"):
        await anext(stream)


@pytest.mark.parametrize("way", ["closed", "cancelled"])
async def test_who_stops_reading_ends_the_source_before_going_on(way: str) -> None:
    ended: list[str] = []

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield b"a"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("source")

    stream = gathered(source())
    assert await anext(stream) == b"a"
    if way == "closed":
        await stream.aclose()
    else:
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert ended == ["source"]
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "read a stream"]

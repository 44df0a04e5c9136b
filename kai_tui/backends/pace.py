"""How often a stream is read: a token a packet would cost more in reading than in everything else.

A stream whose bytes trickle in is read at most 16 times a second; between two reads they gather in the
socket. The first bytes, slow streams and those that are always ready are read at once.

What comes out of one read comes in many chunks: one for each chunk of HTTP/1.1 and each TLS record, thus often
one for each token. Those are passed on without a wait; the event loop did not turn while they were asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

EVERY: Final = 0.06
"""Seconds between two reads of a trickling stream; less than the screen shows."""
MUCH: Final = 60 * 1024
"""Bytes within that time, less than one read takes; a stream that brings more is read as fast as it goes."""
BEGUN: Final = 8
"""Small reads before a stream counts as trickling: short answers are over by then."""
_READY: Final = 0.00003
"""Seconds; a read that took less found its bytes waiting."""


async def paced(source: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks of `source`, fewer and larger when they are many and small."""
    loop = asyncio.get_running_loop()
    clock = loop.time
    waited_for = came_lately = 0
    gathered = turned = False

    def turn() -> None:
        nonlocal turned
        turned = True

    loop.call_soon(turn)
    asked = began = clock()
    async for chunk in source:
        came, was_read = clock(), turned
        yield chunk
        now = clock()
        if came - began >= EVERY:
            began, came_lately = came, 0
        came_lately += len(chunk)
        if was_read and came_lately < MUCH and (gathered or came - asked > _READY):
            waited_for += 1
            wait = began + EVERY - now
            gathered = waited_for > BEGUN and wait > 0
            if gathered:
                await asyncio.sleep(wait)
                now = clock()
        if turned:
            turned = False
            loop.call_soon(turn)
        asked = now

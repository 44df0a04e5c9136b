"""What one read brought as one piece, although HTTP gives it out chunk by chunk.

Servers send each token as a chunk of its own (HTTP/1.1) or a record of its own (TLS); handing each of them on
through parser, session and screen costs ten times what reading them together does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

MOST: Final = 16 * 1024
"""Bytes that are gathered before they are handed on: some 250 tokens, chunked, in 3 to 4 ms."""


async def gathered(source: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks of `source`, those that needed no waiting joined. Raises what `source` raises, behind its chunks."""
    chunks: list[bytes] = []
    size = 0
    something, room = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        nonlocal size
        async for chunk in source:
            chunks.append(chunk)
            size += len(chunk)
            something.set()
            if size >= MOST:
                room.clear()
                await room.wait()

    reader = asyncio.create_task(read(), name="read a stream")
    reader.add_done_callback(lambda _: something.set())
    try:
        while chunks or not reader.done():
            if not chunks:
                something.clear()
                await something.wait()
                continue
            together = b"".join(chunks)
            chunks.clear()
            size = 0
            room.set()
            yield together
        await reader
    finally:
        if not reader.done():
            reader.cancel()
            await asyncio.wait({reader})
        if not reader.cancelled():
            reader.exception()  # heard, or of a stream nobody reads any more

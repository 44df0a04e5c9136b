"""Streams that trickle are read seldom, all others at once."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest
import trustme

from kai_tui.backends.pace import BEGUN, EVERY, MUCH, paced


class Socket:
    """Bytes come at a rate; a read takes all that are there, and waits for one when none is.

    The event loop turns in every read, as in those of a real socket.
    """

    def __init__(self, size: int, rate: float, most: int = MUCH) -> None:
        self.reads = 0
        self._size, self._rate, self._most = size, rate, most

    async def chunks(self) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        began, read = clock(), 0
        while read < self._size:
            await asyncio.sleep(0)
            while (there := min(self._size, int((clock() - began) * self._rate))) <= read:
                await asyncio.sleep(0.0005)
            self.reads += 1
            taken = min(there - read, self._most)
            read += taken
            yield bytes(taken)


async def test_bytes_that_trickle_in_gather_between_reads() -> None:
    clock = asyncio.get_running_loop().time
    socket = Socket(3_000, 10_000)
    began = clock()
    sizes = [len(chunk) async for chunk in paced(socket.chunks())]
    assert sum(sizes) == 3_000
    # A wait may end early in a machine's time slice: half as many would still be a tenth of the reads.
    assert socket.reads <= 2 * (clock() - began) / EVERY + BEGUN


async def test_the_first_bytes_and_those_of_a_slow_stream_come_at_once() -> None:
    clock = asyncio.get_running_loop().time
    came: list[float] = []

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(2 * BEGUN):
            await asyncio.sleep(EVERY * 1.2)
            came.append(clock())
            yield b"token"

    late = [clock() - came[-1] async for _ in paced(slowly())]
    assert max(late) < EVERY / 2


async def test_bytes_that_are_always_ready_are_never_waited_for() -> None:
    async def ready() -> AsyncIterator[bytes]:
        for _ in range(2_000):
            yield b"x"

    clock = asyncio.get_running_loop().time
    began = clock()
    assert len([chunk async for chunk in paced(ready())]) == 2_000
    assert clock() - began < 2_000 * EVERY / 10


async def test_a_fast_stream_is_read_as_fast_as_it_goes() -> None:
    clock = asyncio.get_running_loop().time
    socket = Socket(40 * MUCH, 1e9, most=MUCH // 2)

    async def waits() -> AsyncIterator[bytes]:
        async for chunk in socket.chunks():
            await asyncio.sleep(0.0001)
            yield chunk

    began = clock()
    async for _ in paced(waits()):
        pass
    assert clock() - began < 40 * EVERY


TRICKLED = 3 * BEGUN
TOKENS = 200


@pytest.mark.parametrize("secure", [False, True], ids=["chunked", "tls"])
async def test_tokens_that_came_in_one_read_are_passed_on_at_once(secure: bool) -> None:
    """A token is a chunk of HTTP/1.1 and a TLS record of its own, as with every real server."""
    authority = trustme.CA()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(TRICKLED):
            writer.write(b"5\r\ntoken\r\n")
            await asyncio.sleep(EVERY / 10)
        for _ in range(TOKENS):
            writer.write(b"5\r\ntoken\r\n")
        writer.write(b"0\r\n\r\n")
        writer.close()

    server_tls = client_tls = None
    if secure:
        server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(server_tls)
        client_tls = ssl.create_default_context()
        authority.configure_trust(client_tls)
    clock = asyncio.get_running_loop().time
    scheme = "https" if secure else "http"
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_tls) as server:
        address = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with (
            httpx.AsyncClient(trust_env=False, verify=client_tls or True) as client,
            client.stream("GET", address) as response,
        ):
            began = clock()
            tokens = [chunk async for chunk in paced(response.aiter_raw())]
    assert b"".join(tokens) == b"token" * (TRICKLED + TOKENS)
    assert clock() - began < TOKENS * EVERY / 4

"""A TCP connection to a name: looked up without tying the program to the answer, the first address that answers.

The event loop's own lookup runs in a thread that is waited for at the end of the program: with a
resolver that hangs, quitting would hang with it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import socket
import threading
from collections.abc import Sequence
from typing import Final, cast

import httpcore

_HEAD_START: Final = 0.25
"""Seconds an address has before the next one is tried beside it (RFC 8305 §5)."""


async def connect(host: str, port: int, timeout: float | None) -> httpcore.AsyncNetworkStream:
    """Connect, the lookup included in `timeout` seconds. Raises httpcore's ConnectError and ConnectTimeout."""
    try:
        async with asyncio.timeout(timeout):
            return await _first_of(await look_up(host, port), port)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout from error


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, families in turn; an address is its own. Raises httpcore.ConnectError."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return [host]
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[tuple[socket.AddressFamily, str]]] = loop.create_future()

    def settle(found: list[tuple[socket.AddressFamily, str]] | Exception) -> None:
        if answer.done():
            return  # nobody waits any more
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def ask() -> None:
        found: list[tuple[socket.AddressFamily, str]] | Exception
        try:
            rows = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
            found = [(row[0], str(row[4][0])) for row in rows]
        except (OSError, UnicodeError) as error:
            found = error
        try:
            loop.call_soon_threadsafe(settle, found)
        except RuntimeError:
            pass  # the loop is closed: the program ended meanwhile

    threading.Thread(target=ask, name=f"lookup of {host}", daemon=True).start()
    try:
        found = await answer
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError from error
    return _in_turn(found)


def _in_turn(found: list[tuple[socket.AddressFamily, str]]) -> Sequence[str]:
    """The resolver's order, but the second family gets its turn after each address of the first."""
    first = found[0][0] if found else None
    ours = dict.fromkeys(address for family, address in found if family == first)
    others = dict.fromkeys(address for family, address in found if family != first)
    pairs = itertools.zip_longest(ours, others)
    return [address for pair in pairs for address in pair if address is not None]


async def _first_of(addresses: Sequence[str], port: int) -> httpcore.AsyncNetworkStream:
    tcp = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
    if len(addresses) == 1:
        return await tcp.connect_tcp(addresses[0], port)
    waiting = list(addresses)
    trying: set[asyncio.Task[httpcore.AsyncNetworkStream]] = set()
    failures: list[Exception] = []
    try:
        while waiting or trying:
            if waiting:
                trying.add(asyncio.create_task(tcp.connect_tcp(waiting.pop(0), port)))
            done, _ = await asyncio.wait(
                trying, timeout=_HEAD_START if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                try:
                    stream = task.result()
                except (httpcore.ConnectError, OSError) as error:
                    failures.append(error)
                    trying.discard(task)
                else:
                    trying.discard(task)
                    return stream
    finally:
        for task in trying:
            task.cancel()
        for late in await asyncio.gather(*trying, return_exceptions=True):
            if isinstance(late, httpcore.AsyncNetworkStream):
                await late.aclose()
    raise failures[0] if failures else httpcore.ConnectError("no address")

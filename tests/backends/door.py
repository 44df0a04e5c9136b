"""A door to a scripted server, with naps nobody waits for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kai_tui.backends.base import (
    BackendError,
)
from kai_tui.backends.http import HttpDoor
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import (
    TIMEOUT,
    KaiServer,
)

CANARY = "canary-1234-AbCdEf"


class Naps:
    """Sleeps that take no time, and a clock that moves with them."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def clock(self) -> float:
        return sum(self.slept)


@pytest.fixture
async def server() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        yield running


@pytest.fixture
def naps() -> Naps:
    return Naps()


def door_to(url: str, naps: Naps | None = None, **options: Any) -> HttpDoor:
    naps = naps or Naps()
    return HttpDoor(
        url,
        auth_headers={"x-storageapi-token": Secret(CANARY), "x-storageapi-url": "https://stack.example"},
        sleep=naps.sleep,
        clock=naps.clock,
        jitter=lambda: 1.0,
        **options,
    )


async def failing(awaitable: Any) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await asyncio.wait_for(awaitable, TIMEOUT)
    return caught.value


async def read_stream(door: HttpDoor, method: Any = "POST", **options: Any) -> bytes:
    async with door.stream(
        method, "/chat", body={"a": 1} if method == "POST" else None, **options
    ) as response:
        return b"".join([chunk async for chunk in response.aiter_bytes()])


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]

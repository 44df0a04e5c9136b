"""A Kai backend at a scripted server, and what is said to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import pytest

from kai_tui.backends.base import (
    BackendError,
    Outgoing,
)
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.conversation.events import Event
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import (
    TIMEOUT,
    KaiServer,
)

CANARY = "canary-1234-AbCdEf"
STACK = "https://connection.keboola.com"
CHAT = "6919e0d7-9740-4f10-a481-af116888937e"
HELLO = Outgoing("35fa9159-d0a5-45a5-96a4-a63f546c9f3b", "Hello!")
START = b'data: {"type":"start","messageId":"m1"}\n\n'
TEXT = (
    START + b'data: {"type":"text-start","id":"0"}\n\ndata: {"type":"text-delta","id":"0","delta":"Hi"}\n\n'
)
END = b'data: {"type":"finish","finishReason":"stop"}\n\ndata: [DONE]\n\n'
CALL = b'data: {"type":"tool-input-available","toolCallId":"c1","toolName":"run_job","input":{"id":1}}\n\n'
OUTPUT = b'data: {"type":"tool-output-available","toolCallId":"c1","output":{"ok":true}}\n\n'
Flavour = Literal["agent", "assistant"]
Make = Callable[..., KaiBackend]


@pytest.fixture
async def server() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        yield running


@pytest.fixture
async def make(server: KaiServer) -> AsyncIterator[Make]:
    made: list[KaiBackend] = []

    def maker(service: Flavour | None = "agent", **options: Any) -> KaiBackend:
        made.append(
            KaiBackend(server.url, storage_url=STACK, token=Secret(CANARY), service=service, **options)
        )
        return made[-1]

    yield maker
    for backend in made:
        await backend.aclose()


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    async with asyncio.timeout(TIMEOUT):
        return [event async for event in events]


async def failing(events: Any) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await collect(events)
    return caught.value


async def folded(events: AsyncIterator[Event], message: Message | None = None) -> Message:
    message = message if message is not None else Message()
    state = FoldState()
    for event in await collect(events):
        fold(message, event, state)
    return message

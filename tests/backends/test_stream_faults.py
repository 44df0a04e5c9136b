"""t_stream_faults at the door: every row of reliability.md §3 against a real server, and how often it is posted to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import BackendError, CannotConnect, Outgoing, Waiting
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.conversation.events import Event, Finish
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message, TextPart
from tests.backends.fault_server import (
    FAULTS,
    NO_SUCH_HOST,
    Fault,
    FaultServer,
    black_hole,
    closed_port,
)
from tests.backends.kai_server import TIMEOUT

CHAT = "6919e0d7-9740-4f10-a481-af116888937e"
HELLO = Outgoing("35fa9159-d0a5-45a5-96a4-a63f546c9f3b", "Hello!")
CANARY = "canary-1234-AbCdEf"
AT_ONCE = Timeouts(pauses=(0.0, 0.0))
SHORT = Timeouts(connect=0.2, read=0.2, stream=0.2, pauses=(0.0, 0.0))


def kai(url: str, timeouts: Timeouts = AT_ONCE, **options: Any) -> KaiBackend:
    return KaiBackend(
        url,
        storage_url="https://connection.keboola.com",
        token=Secret(CANARY),
        service="agent",
        timeouts=timeouts,
        **options,
    )


async def outcome(
    backend: KaiBackend, waits: list[Waiting | None] | None = None
) -> BackendError | list[Event]:
    """What a send comes to: the error it raises, or its events."""
    listener = waits.append if waits is not None else None
    try:
        async with asyncio.timeout(TIMEOUT), aclosing(backend.send(CHAT, HELLO, on_wait=listener)) as events:
            return [event async for event in events]
    except BackendError as error:
        return error
    finally:
        await backend.aclose()


def said(result: BackendError | list[Event]) -> str:
    """The sentence a user gets."""
    if isinstance(result, BackendError):
        return result.sentence
    last = result[-1]
    assert isinstance(last, Finish)
    return last.detail or ""


def assert_fit_for_a_person(sentence: str) -> None:
    """P24: never empty, no traceback, no page, no long foreign text."""
    assert sentence.strip()
    assert len(sentence) <= 420
    for never_shown in ("Traceback", "<html", "<script", "<p>", "httpx", "httpcore", "Errno", CANARY, "\n"):
        assert never_shown not in sentence


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        yield running


@pytest.mark.some(15)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_every_fault_of_the_matrix(server: FaultServer, fault: Fault):
    server.break_chat(fault.name)
    short = fault.needs_short_clocks
    backend = kai(server.url, SHORT if short else AT_ONCE, silence=0.2 if short else 600.0)
    result = await outcome(backend)
    if fault.error is not None:
        assert type(result) is fault.error
        assert result.delivery == fault.delivery
        assert result.retry_after == fault.retry_after
        if fault.code is not None:
            assert result.code == fault.code
        assert_fit_for_a_person(result.sentence)
    else:
        assert isinstance(result, list)
        assert [type(event) for event in result].count(Finish) == 1
        message, state = Message(), FoldState()
        for event in result:
            fold(message, event, state)
        assert message.finish is not None
        assert message.finish.reason == fault.finish
        assert next(part.text for part in message.parts if isinstance(part, TextPart)) == fault.text
        if fault.finish not in ("stop", "length"):
            assert_fit_for_a_person(said(result))
    for piece in fault.says:
        assert server.sentence(piece) in said(result)
    assert server.posts == 1


# Connections that never come to be: these are tried again, and only these


async def test_a_message_to_an_unknown_host_is_tried_three_times_and_said_to():
    waits: list[Waiting | None] = []
    result = await outcome(kai(f"https://{NO_SUCH_HOST}"), waits)
    assert isinstance(result, CannotConnect)
    assert (result.code, result.delivery) == ("dns", "not-sent")
    assert result.sentence == f"Cannot find {NO_SUCH_HOST}. Check the address or your network."
    assert [wait and (wait.sentence, wait.attempt, wait.of) for wait in waits] == [
        (result.sentence, 2, 3),
        None,
        (result.sentence, 3, 3),
        None,
    ]


async def test_a_refusing_host():
    port = closed_port()
    waits: list[Waiting | None] = []
    result = await outcome(kai(f"http://127.0.0.1:{port}"), waits)
    assert isinstance(result, CannotConnect)
    assert (result.code, result.delivery) == ("refused", "not-sent")
    assert result.sentence == f"127.0.0.1:{port} refuses connections."
    assert len(waits) == 4


async def test_a_black_hole():
    async with black_hole() as port:
        waits: list[Waiting | None] = []
        result = await outcome(kai(f"http://127.0.0.1:{port}", SHORT), waits)
    assert isinstance(result, CannotConnect)
    assert (result.code, result.delivery) == ("timeout", "not-sent")
    assert result.sentence.startswith(f"No answer from 127.0.0.1:{port} in 0.2 s.")
    assert len(waits) == 4


async def test_a_server_that_comes_up_meanwhile_gets_the_message_once():
    port = closed_port()
    async with FaultServer() as server:
        server.mend_chat()

        async def comes_up(seconds: float) -> None:
            server.also_listen = await asyncio.start_server(server._accept, "127.0.0.1", port)  # pyright: ignore

        backend = kai(f"http://127.0.0.1:{port}")
        backend._door._sleep = comes_up  # pyright: ignore
        result = await outcome(backend)
        server.also_listen.close()  # pyright: ignore
        assert isinstance(result, list)
        assert server.posts == 1


async def test_pauses_grow_and_are_told_before_they_begin():
    told: list[tuple[str, float]] = []

    async def sleep(seconds: float) -> None:
        told.append(("slept", seconds))

    def on_wait(waiting: Waiting | None) -> None:
        told.append(("told", waiting.seconds if waiting else 0.0))

    backend = kai(f"http://127.0.0.1:{closed_port()}", Timeouts())
    backend._door._sleep, backend._door._jitter = sleep, lambda: 0.5  # pyright: ignore
    with pytest.raises(CannotConnect):
        async for _ in backend.send(CHAT, HELLO, on_wait=on_wait):
            pass
    assert told == [
        ("told", 0.25), ("slept", 0.25), ("told", 0.0), ("told", 1.0), ("slept", 1.0), ("told", 0.0),
    ]  # fmt: skip
    await backend.aclose()


async def test_leaving_in_a_pause_ends_it_at_once():
    waiting = asyncio.Event()
    backend = kai(f"http://127.0.0.1:{closed_port()}", Timeouts(pauses=(1000.0, 1000.0)))

    async def send() -> None:
        async for _ in backend.send(CHAT, HELLO, on_wait=lambda _: waiting.set()):
            pass

    task = asyncio.create_task(send())
    async with asyncio.timeout(TIMEOUT):
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await backend.aclose()


async def test_reads_tell_the_listener_of_the_backend(server: FaultServer):
    waits: list[Waiting | None] = []
    backend = kai(f"http://127.0.0.1:{closed_port()}")
    backend.on_wait = waits.append
    with pytest.raises(CannotConnect):
        await backend.chat(CHAT)
    assert [wait.attempt if wait else None for wait in waits] == [2, None, 3, None]
    await backend.aclose()

"""What the HTTP door makes of answers and streams, and its clocks."""

from __future__ import annotations

import asyncio

import pytest

from kai_tui.backends import http
from kai_tui.backends.base import (
    AnswerTooLarge,
    ConnectionLost,
    NotFound,
    UnexpectedAnswer,
)
from kai_tui.backends.http import Timeouts
from tests.backends.door import Naps, door_to, failing, read_stream
from tests.backends.door import naps as naps
from tests.backends.door import server as server
from tests.backends.kai_server import (
    TIMEOUT,
    Exchange,
    KaiServer,
    answer,
    hang_up,
    never,
    replay,
    stream,
    stream_then,
)

# Answers


async def test_a_body_that_is_not_json(server: KaiServer):
    door = door_to(server.url)
    for body, kind, said in (
        (b"<html>login", "text/html; charset=utf-8", "text/html, not JSON (a login page or proxy?)"),
        (b"", "application/json", "application/json, not JSON"),
        (b"[" * 5000, "application/json", "not JSON"),
        (b"hello", "text/plain", "hello"),
        (b"", "", "without JSON"),
    ):
        server.on("GET /x", answer(200, body, {"content-type": kind}))
        with pytest.raises(UnexpectedAnswer, match=r"127\.0\.0\.1") as caught:
            (await door.request("GET", "/x")).json()
        assert said in caught.value.sentence
    await door.aclose()


async def test_a_giant_answer_is_not_swallowed(server: KaiServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http, "MAX_ANSWER", 1024 * 1024)
    server.on("GET /x", answer(200, b" " * (1024 * 1024 + 1)))
    server.on("GET /y", answer(200, b" " * (1024 * 1024)))
    door = door_to(server.url)
    error = await failing(door.request("GET", "/x"))
    assert type(error) is AnswerTooLarge
    assert "1 MiB" in error.sentence
    assert len((await door.request("GET", "/y")).content) == 1024 * 1024
    await door.aclose()


async def test_recorded_refusals_of_reads_are_not_tried_again(server: KaiServer, naps: Naps):
    door = door_to(server.url, naps)
    for name in ("http-400", "http-401", "http-403", "http-404", "http-429", "http-500-text"):
        server.on("GET /x", replay(name))
        await failing(door.request("GET", "/x"))
    assert len(server.seen) == 6
    assert naps.slept == []
    await door.aclose()


async def test_an_error_body_that_breaks_off_still_tells_the_status(server: KaiServer):
    async def broken(exchange: Exchange) -> None:
        exchange._head(404, {"content-type": "application/json", "content-length": "1000"})  # pyright: ignore
        await exchange.write(b'{"code": "not')
        await hang_up(exchange)

    server.on("GET /x", broken)
    door = door_to(server.url)
    assert type(await failing(door.request("GET", "/x"))) is NotFound
    await door.aclose()


# Clocks


async def test_a_server_that_says_nothing(server: KaiServer):
    server.on("POST /chat", never)
    door = door_to(server.url, timeouts=Timeouts(read=0.05, stream=0.1))
    error = await failing(door.request("POST", "/chat", body={}))
    assert (type(error), error.sentence) == (ConnectionLost, f"{door.host} did not answer in 0.05 s.")
    error = await failing(read_stream(door))
    assert (type(error), error.delivery) == (ConnectionLost, "unsure")
    await door.aclose()


async def test_an_answer_that_drips_for_ever(server: KaiServer):
    async def drip(exchange: Exchange) -> None:
        await exchange.start({"content-type": "application/json"})
        while True:
            await exchange.write(b" ")
            await asyncio.sleep(0.01)

    server.on("POST /x", drip)
    door = door_to(server.url, timeouts=Timeouts(total=0.2))
    error = await failing(door.request("POST", "/x", body={}))
    assert (type(error), error.sentence) == (ConnectionLost, f"{door.host} did not answer in 0.2 s.")
    await door.aclose()


async def test_a_stream_has_its_own_silence(server: KaiServer):
    server.on("POST /chat", stream_then(b"data: 1\n\n", "hold"))
    door = door_to(server.url, timeouts=Timeouts(read=0.01, stream=0.1))
    error = await failing(read_stream(door))
    assert type(error) is ConnectionLost
    await asyncio.wait_for(server.hung_up.wait(), TIMEOUT)
    await door.aclose()


# Streams


async def test_a_stream_comes_through(server: KaiServer):
    server.on("POST /chat", stream(b"data: 1\n\n" * 100, [1, 2, 3]))
    door = door_to(server.url)
    assert await read_stream(door) == b"data: 1\n\n" * 100
    assert server.seen[0].headers["accept"] == "text/event-stream"
    assert server.seen[0].headers["accept-encoding"] == "identity"
    await door.aclose()


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<html><title>Sign in</title>", "text/html", "text/html, not a stream (a login page or proxy?)"),
        (b'{"code":"offline:chat","message":"Not now"}', "application/json", "not with a stream: Not now."),
        (b"", "text/event-streamx", "text/event-streamx, not a stream"),
        (b"", "", "without a stream"),
    ],
)
async def test_a_200_that_is_no_stream(server: KaiServer, body: bytes, kind: str, said: str):
    server.on("POST /chat", answer(200, body, {"content-type": kind}))
    door = door_to(server.url)
    error = await failing(read_stream(door))
    assert type(error) is UnexpectedAnswer
    assert said in error.sentence
    assert error.delivery == "unsure"
    await door.aclose()


async def test_the_media_type_may_be_written_as_it_likes(server: KaiServer):
    server.on(
        "POST /chat", answer(200, b"data: 1\n\n", {"content-type": "Text/Event-Stream; charset=latin-1"})
    )
    door = door_to(server.url)
    assert await read_stream(door) == b"data: 1\n\n"
    await door.aclose()


@pytest.mark.parametrize("end", ["reset", "cut"])
async def test_a_loss_inside_the_stream_is_ours(server: KaiServer, end: str):
    server.on("POST /chat", stream_then(b"data: 1\n\n", end))
    door = door_to(server.url)
    assert type(await failing(read_stream(door))) is ConnectionLost
    await door.aclose()


async def test_leaving_the_block_hangs_up(server: KaiServer):
    server.on("POST /chat", stream_then(b"data: 1\n\n", "hold"))
    door = door_to(server.url)
    async with door.stream("POST", "/chat", body={}) as response:
        assert await anext(response.aiter_bytes()) == b"data: 1\n\n"
    await asyncio.wait_for(server.hung_up.wait(), TIMEOUT)
    await door.aclose()


async def test_errors_of_the_reader_pass_through(server: KaiServer):
    server.on("POST /chat", stream(b"data: 1\n\n"))
    door = door_to(server.url)
    with pytest.raises(ZeroDivisionError):
        async with door.stream("POST", "/chat", body={}):
            raise ZeroDivisionError
    await door.aclose()


async def test_a_closed_door_stays_closed(server: KaiServer):
    door = door_to(server.url)
    await door.aclose()
    await door.aclose()
    assert (await failing(door.request("GET", "/x"))).code == "closed"
    assert server.connections == 0

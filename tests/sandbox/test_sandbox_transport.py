"""The in-process transport streams, waits, times out and ends what it began (reliability.md L1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from kai_tui.sandbox import transport as transport_module
from kai_tui.sandbox.transport import StreamingASGITransport
from tests.sandbox.chatter import chatting, envelope, user_message

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


def client(app: Any, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=StreamingASGITransport(app), base_url="http://app.invalid", **options)


async def head(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})


async def body(send: Send, piece: bytes, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": more})


def leftovers() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task.get_name().startswith("sandbox ")}


async def test_pieces_arrive_while_the_app_goes_on() -> None:
    gate = asyncio.Event()

    async def app(_scope: Any, _receive: Receive, send: Send) -> None:
        await head(send)
        await body(send, b"one")
        await gate.wait()
        await body(send, b"two", more=False)

    async with client(app) as http, http.stream("GET", "/") as response:
        pieces = response.aiter_raw()
        assert await anext(pieces) == b"one"
        gate.set()
        assert await anext(pieces) == b"two"
        with pytest.raises(StopAsyncIteration):
            await anext(pieces)
    assert not leftovers()


async def test_a_fast_app_waits_for_a_slow_reader() -> None:
    sent = 0

    async def app(_scope: Any, _receive: Receive, send: Send) -> None:
        nonlocal sent
        await head(send)
        while sent < 10_000:
            await body(send, b"x")
            sent += 1
        await body(send, b"", more=False)

    async with client(app) as http, http.stream("GET", "/") as response:
        for _ in range(100):
            await asyncio.sleep(0)
        assert sent <= transport_module.PIECES_AHEAD + 1
        assert len(await response.aread()) == 10_000


async def test_hanging_up_tells_the_app_first() -> None:
    told: list[str] = []

    async def app(_scope: Any, receive: Receive, send: Send) -> None:
        await head(send)
        await body(send, b"x")
        assert (await receive())["type"] == "http.request"
        told.append((await receive())["type"])

    async with client(app) as http, http.stream("GET", "/") as response:
        await anext(response.aiter_raw())
    assert told == ["http.disconnect"]
    assert not leftovers()


async def test_an_app_that_does_not_end_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "GRACE_SECONDS", 0.02)
    cancelled = False

    async def app(_scope: Any, _receive: Receive, send: Send) -> None:
        nonlocal cancelled
        await head(send)
        try:
            while True:
                await body(send, b"x")
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            cancelled = True
            raise

    async with client(app) as http, http.stream("GET", "/") as response:
        await anext(response.aiter_raw())
    assert cancelled
    assert not leftovers()


async def test_closing_the_transport_ends_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "GRACE_SECONDS", 0.02)

    async def app(_scope: Any, _receive: Receive, send: Send) -> None:
        await head(send)
        await asyncio.Event().wait()

    http = client(app)
    await http.send(http.build_request("GET", "/"), stream=True)
    waiting = asyncio.ensure_future(http.get("/"))
    await asyncio.sleep(0)
    await http.aclose()
    with pytest.raises(httpx.TransportError):
        await waiting
    assert not leftovers()


async def test_a_cancelled_request_ends_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "GRACE_SECONDS", 0.02)

    async def app(_scope: Any, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    async with client(app) as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.get("/")
    assert not leftovers()


async def test_failures_of_the_app_are_transport_errors() -> None:
    async def at_once(_scope: Any, _receive: Receive, _send: Send) -> None:
        raise KeyError("x")

    async def midway(_scope: Any, _receive: Receive, send: Send) -> None:
        await head(send)
        await body(send, b"x")
        raise KeyError("x")

    async def early(_scope: Any, _receive: Receive, send: Send) -> None:
        await head(send)
        await body(send, b"x")

    async def never(_scope: Any, _receive: Receive, _send: Send) -> None:
        return

    for app, error in (
        (at_once, httpx.ReadError),
        (midway, httpx.ReadError),
        (early, httpx.RemoteProtocolError),
        (never, httpx.RemoteProtocolError),
    ):
        async with client(app) as http:
            with pytest.raises(error):
                await http.get("/")
    assert not leftovers()


async def test_the_read_timeout_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "GRACE_SECONDS", 0.02)

    async def silent(_scope: Any, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    async def stops(_scope: Any, _receive: Receive, send: Send) -> None:
        await head(send)
        await asyncio.Event().wait()

    for app in (silent, stops):
        async with client(app, timeout=0.05) as http:
            with pytest.raises(httpx.ReadTimeout):
                await http.get("/")
    assert not leftovers()


async def test_request_and_answer_are_whole() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        message = await receive()
        await send(
            {"type": "http.response.start", "status": 201, "headers": [(b"x-path", scope["raw_path"])]}
        )
        await body(
            send, scope["method"].encode() + b" " + scope["query_string"] + b" " + message["body"], more=False
        )

    async with client(app) as http:
        response = await http.post("/a%20b", params={"q": "ä"}, content="böse".encode())
    assert response.status_code == 201
    assert response.headers["x-path"] == "/a%20b"
    assert response.text == "POST q=%C3%A4 böse"


async def test_the_sandbox_stops_and_keeps_what_was_said() -> None:
    async with chatting("assistant", pace=0.05) as chat:
        chat_body = envelope(chat.chat_id, user_message("/demo long"))
        async with chat.client.stream("POST", "/api/chat", json=chat_body) as response:
            seen = 0
            async for line in response.aiter_lines():
                seen += "text-delta" in line
                if seen == 5:
                    break
        assert not leftovers()
        stored = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()["messages"]
        (text,) = [part for part in stored[-1]["parts"] if part["type"] == "text"]
        assert text["state"] == "streaming"
        assert 500 < len(text["text"]) < 100_000
        assert stored[0]["parts"][0]["text"] == "/demo long"


async def test_comments_keep_a_silent_stream_alive() -> None:
    async with chatting("agent", keep_alive_seconds=0.02) as chat:
        chat_body = envelope(chat.chat_id, user_message("Create a bucket called slow"))
        comments = 0
        async with chat.client.stream("POST", "/api/chat", json=chat_body) as response:
            async for line in response.aiter_lines():
                comments += line == ": keep-alive"
                if comments == 2:
                    break
        assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"


async def test_one_event_is_one_piece() -> None:
    async with chatting("assistant") as chat:
        chat_body = envelope(chat.chat_id, user_message("/demo unicode"))
        async with chat.client.stream("POST", "/api/chat", json=chat_body) as response:
            pieces = [piece async for piece in response.aiter_raw()]
    assert pieces[0] == b": stream-open\n\n"
    assert pieces[-1] == b"data: [DONE]\n\n"
    assert all(piece.startswith(b"data: ") and piece.count(b"\n") == 2 for piece in pieces[1:])


async def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    async with chatting("agent") as chat:
        assert (await chat.say("help")).text

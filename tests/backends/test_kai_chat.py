"""Messages to Kai: what is posted, what comes, hanging up."""

from __future__ import annotations

import asyncio
import tracemalloc
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    ChatTerms,
    ConnectionLost,
    NotAllowed,
    NotFound,
    Outgoing,
    RateLimited,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.kai.wire import ToolRestrictions, chat_body
from kai_tui.backends.secret import Secret
from kai_tui.conversation.events import Finish, TextDelta
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import (
    SSE,
    TIMEOUT,
    Exchange,
    Gate,
    KaiServer,
    answer,
    hang_up,
    never,
    recorded_bytes,
    recording,
    replay,
    replay_stream,
    stream,
    stream_then,
)
from tests.backends.kai_talk import (
    CALL,
    CANARY,
    CHAT,
    END,
    HELLO,
    OUTPUT,
    STACK,
    START,
    TEXT,
    Flavour,
    Make,
    collect,
    failing,
)
from tests.backends.kai_talk import make as make
from tests.backends.kai_talk import server as server

# What is posted


async def test_a_message_is_posted_as_the_protocol_says(server: KaiServer, make: Make):
    server.on("POST /api/chat", replay_stream("text-plain"))
    await collect(make().send(CHAT, HELLO))
    (seen,) = server.seen
    assert seen.body == {
        "id": CHAT,
        "message": {"id": HELLO.message_id, "role": "user", "parts": [{"type": "text", "text": "Hello!"}]},
        "selectedChatModel": "chat-model",
        "selectedVisibilityType": "private",
    }
    assert seen.headers["x-storageapi-token"] == CANARY
    assert seen.headers["x-storageapi-url"] == STACK
    assert seen.headers["accept"] == "text/event-stream"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["content-type"] == "application/json"


async def test_everything_optional_is_posted_when_there_is_something(server: KaiServer, make: Make):
    server.on("POST /api/chat", replay_stream("text-plain"))
    kai = make(branch_id=12345, workspace_id="7")
    terms = ChatTerms("public", read_only=True)
    path = "/admin/projects/1/storage"
    await collect(kai.send(CHAT, Outgoing("m", "x", hidden=False, context_path=path, terms=terms)))
    await collect(kai.send(CHAT, Outgoing("m", "ž \ud83d\ude00 \ud83d", hidden=True)))
    first, second = (seen.body for seen in server.seen)
    assert first["branchId"] == 12345
    assert first["selectedVisibilityType"] == "public"
    assert first["message"]["metadata"] == {"hidden": False, "requestContext": {"path": path}}
    assert first["toolRestrictions"] == {"readOnlyMode": True}
    assert second["message"]["metadata"] == {"hidden": True}
    assert second["message"]["parts"][0]["text"] == "ž 😀 ?"
    assert "toolRestrictions" not in second
    assert server.seen[0].headers["x-workspace-id"] == "7"
    await collect(make("assistant").send(CHAT, Outgoing("m", "x", terms=terms)))
    assert "toolRestrictions" not in server.seen[2].body
    assert server.seen[2].body["selectedVisibilityType"] == "public"


def test_restrictions_name_only_what_is_given():
    limits = ToolRestrictions(allowed=["get_tables"], disallowed=[], read_only=False)
    assert chat_body(CHAT, {}, restrictions=limits)["toolRestrictions"] == {
        "allowedTools": ["get_tables"],
        "disallowedTools": [],
        "readOnlyMode": False,
    }


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u2003"])
async def test_blank_text_is_not_sent(server: KaiServer, make: Make, text: str):
    error = await failing(make().send(CHAT, Outgoing("m", text)))
    assert (type(error), error.delivery) == (Refused, "not-sent")
    assert server.connections == 0


# What comes


@pytest.mark.parametrize(
    "scenario",
    ["text-plain", "tool-read-multistep", "unicode-split", "sse-crlf", "sse-fields", "sse-no-done", "sse-keepalive",
     "error-mid-stream", "abort-mid-text", "approval-two", "tool-output-1mb", "data-parts"],
)  # fmt: skip
async def test_recorded_streams_arrive_whole(server: KaiServer, make: Make, scenario: str):
    server.on("POST /api/chat", replay_stream(scenario))
    events = await collect(make("assistant").send(CHAT, HELLO))
    assert [index for index, event in enumerate(events) if isinstance(event, Finish)] == [len(events) - 1]
    message, state = Message(), FoldState()
    for event in events:
        fold(message, event, state)
    expected = recording(f"{scenario}.message.json")
    assert message.to_wire() == expected.get("persisted", expected["message"])
    assert len(server.seen) == 1


@pytest.mark.parametrize("end", ["reset", "cut", "close"])
async def test_a_loss_keeps_what_came(server: KaiServer, make: Make, end: str):
    server.on("POST /api/chat", stream_then(TEXT, end))
    events = await collect(make().send(CHAT, HELLO))
    assert TextDelta("0", "Hi") in events
    last = events[-1]
    assert isinstance(last, Finish)
    assert last.reason == "lost"
    assert "may or may not have arrived" not in (last.detail or "")
    assert len(server.seen) == 1


async def test_a_cut_recording_is_lost(server: KaiServer, make: Make):
    server.on("POST /api/chat", stream_then(recorded_bytes("sse-truncated.sse"), "cut"))
    events = await collect(make().send(CHAT, HELLO))
    assert isinstance(events[-1], Finish)
    assert events[-1].reason == "lost"


@pytest.mark.parametrize("end", ["reset", "cut", "close"])
async def test_a_loss_before_the_first_event_raises(server: KaiServer, make: Make, end: str):
    server.on("POST /api/chat", stream_then(b": stream-open\n\n", end))
    error = await failing(make().send(CHAT, HELLO))
    assert (type(error), error.delivery) == (ConnectionLost, "unsure")
    assert error.sentence.endswith("Your message may or may not have arrived.")
    assert len(server.seen) == 1


async def test_an_empty_stream_raises(server: KaiServer, make: Make):
    server.on("POST /api/chat", stream(b""))
    error = await failing(make().send(CHAT, HELLO))
    assert (type(error), error.delivery) == (ConnectionLost, "unsure")


@pytest.mark.parametrize(
    ("name", "kind", "delivery"),
    [
        ("http-400", Refused, "not-sent"),
        ("http-401", TokenRefused, "not-sent"),
        ("http-403", NotAllowed, "not-sent"),
        ("http-404", NotFound, "not-sent"),
        ("http-429", RateLimited, "not-sent"),
        ("http-agent-404", NotFound, "not-sent"),
        ("http-agent-429", RateLimited, "not-sent"),
        ("http-500-text", ServerFailed, "unsure"),
        ("http-502-html", ServerFailed, "unsure"),
        ("http-200-json", UnexpectedAnswer, "unsure"),
    ],
)
async def test_recorded_refusals(
    server: KaiServer, make: Make, name: str, kind: type[BackendError], delivery: str
):
    server.on("POST /api/chat", replay(name))
    error = await failing(make().send(CHAT, HELLO))
    assert (type(error), error.delivery) == (kind, delivery)
    assert error.sentence.endswith("may or may not have arrived.") is (delivery == "unsure")
    assert "<" not in error.sentence
    assert CANARY not in repr(error) + error.sentence + repr(error.detail)
    assert len(server.seen) == 1


async def test_a_page_instead_of_a_stream(server: KaiServer, make: Make):
    server.on("POST /api/chat", answer(200, b"<html>Sign in</html>", {"content-type": "text/html"}))
    error = await failing(make().send(CHAT, HELLO))
    assert type(error) is UnexpectedAnswer
    assert error.sentence.startswith(
        f"127.0.0.1:{server.port} answered with text/html, not a stream (a login page or proxy?)."
    )


async def test_a_compressed_stream_is_refused(server: KaiServer, make: Make):
    server.on("POST /api/chat", answer(200, b"x", {**SSE, "content-encoding": "gzip"}))
    assert type(await failing(make().send(CHAT, HELLO))) is UnexpectedAnswer


async def test_a_wait_is_told(server: KaiServer, make: Make):
    server.on("POST /api/chat", answer(429, {"message": "Slow down"}, {"retry-after": "17"}))
    error = await failing(make().send(CHAT, HELLO))
    assert (type(error), error.retry_after) == (RateLimited, 17.0)
    assert error.sentence == "Slow down. Try again in 17 s."


async def test_redirects_get_nothing(server: KaiServer, make: Make):
    async with KaiServer() as other:
        server.on("POST /api/chat", answer(307, b"", {"location": f"{other.url}/api/chat"}))
        error = await failing(make().send(CHAT, HELLO))
        assert type(error) is UnexpectedAnswer
        assert f"127.0.0.1:{other.port}" in error.sentence
        assert other.connections == 0
        assert len(server.seen) == 1


async def test_a_message_is_never_posted_twice(server: KaiServer, make: Make):
    for fault in (hang_up, answer(500), answer(502), answer(503), stream_then(b"", "reset")):
        server.on("POST /api/chat", fault)
        before = len(server.seen)
        await failing(make().send(CHAT, HELLO))
        assert len(server.seen) == before + 1


async def test_a_dead_host(server: KaiServer, make: Make):
    kai = make(timeouts=Timeouts(pauses=(0.0, 0.0)))
    server._server.close()  # pyright: ignore[reportPrivateUsage]
    await server._server.wait_closed()  # pyright: ignore[reportPrivateUsage]
    error = await failing(kai.send(CHAT, HELLO))
    assert (type(error), error.delivery) == (CannotConnect, "not-sent")
    assert error.sentence == f"127.0.0.1:{server.port} refuses connections."


async def test_an_unknown_host():
    kai = KaiBackend(
        "https://kai.nothing.invalid",
        storage_url=STACK,
        token=Secret(CANARY),
        service="agent",
        timeouts=Timeouts(pauses=(0.0, 0.0)),
    )
    error = await failing(kai.send(CHAT, HELLO))
    assert (type(error), error.delivery) == (CannotConnect, "not-sent")
    assert error.sentence == "Cannot find kai.nothing.invalid. Check the address or your network."
    await kai.aclose()


# Hanging up and clocks


async def test_closing_the_generator_hangs_up(server: KaiServer, make: Make):
    server.on("POST /api/chat", stream_then(TEXT, "hold"))
    async with aclosing(make().send(CHAT, HELLO)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    await asyncio.wait_for(server.hung_up.wait(), TIMEOUT)


@pytest.mark.parametrize("handler", [stream_then(TEXT, "hold"), never])
async def test_cancelling_the_reader_hangs_up(server: KaiServer, make: Make, handler: Any):
    server.on("POST /api/chat", handler)
    reader = asyncio.create_task(collect(make().send(CHAT, HELLO)))
    async with asyncio.timeout(TIMEOUT):
        while not server.seen:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await server.hung_up.wait()


async def test_closing_the_backend_breaks_its_streams(server: KaiServer, make: Make):
    server.on("POST /api/chat", stream_then(TEXT, "hold"))
    kai = make()
    async with aclosing(kai.send(CHAT, HELLO)) as events:
        assert await anext(events)
        await kai.aclose()
        await asyncio.wait_for(server.hung_up.wait(), TIMEOUT)


async def test_keep_alives_do_not_feed_the_clock(server: KaiServer, make: Make):
    async def chatter(exchange: Exchange) -> None:
        await exchange.start(SSE)
        await exchange.write(TEXT)
        while True:
            await exchange.write(b": keep-alive\n\n")
            await asyncio.sleep(0.01)

    server.on("POST /api/chat", chatter)
    events = await collect(make(silence=0.15).send(CHAT, HELLO))
    last = events[-1]
    assert isinstance(last, Finish)
    assert (last.reason, last.detail) == ("lost", f"127.0.0.1:{server.port} sent nothing for 0.15 s.")
    await asyncio.wait_for(server.hung_up.wait(), TIMEOUT)


async def test_silence_before_the_first_event_raises(server: KaiServer, make: Make):
    server.on("POST /api/chat", stream_then(b": open\n\n", "hold"))
    error = await failing(make(silence=0.1).send(CHAT, HELLO))
    assert (type(error), error.delivery) == (ConnectionLost, "unsure")
    server.on("POST /api/chat", never)
    error = await failing(make(timeouts=Timeouts(stream=0.1)).send(CHAT, HELLO))
    assert (type(error), error.delivery) == (ConnectionLost, "unsure")


@pytest.mark.parametrize(("service", "patient"), [("agent", True), ("assistant", False)])
async def test_the_clock_stands_still_while_the_user_thinks(
    server: KaiServer, make: Make, service: Flavour, patient: bool
):
    gate = Gate()

    async def waits(exchange: Exchange) -> None:
        await exchange.start(SSE)
        await exchange.write(START + CALL)
        await gate.wait()
        await exchange.write(OUTPUT + END)

    server.on("POST /api/chat", waits)
    asyncio.get_running_loop().call_later(0.4, gate.open)
    events = await collect(make(service, silence=0.15).send(CHAT, HELLO))
    last = events[-1]
    assert isinstance(last, Finish)
    assert last.reason == ("stop" if patient else "lost")


async def test_a_flood_is_cheap(server: KaiServer, make: Make):
    server.on("POST /api/chat", stream(recorded_bytes("text-tiny-deltas-5000.sse"), [4096] * 200))
    tracemalloc.start()
    events = await collect(make().send(CHAT, HELLO))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(len(event.delta) for event in events if isinstance(event, TextDelta)) > 5000
    assert peak < 24 * 1024 * 1024

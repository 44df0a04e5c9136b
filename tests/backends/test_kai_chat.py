"""The chat stream of both services over real HTTP: what is posted, what comes, what may go wrong."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Literal

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
    ToolAnswer,
    UnexpectedAnswer,
    Unsupported,
)
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.kai.wire import ToolRestrictions, chat_body
from kai_tui.backends.secret import Secret
from kai_tui.conversation.approvals import pending, respond
from kai_tui.conversation.events import Event, Finish, TextDelta, ToolInputAvailable, ToolOutputAvailable
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
    assert len(events) > 5000
    assert peak < 24 * 1024 * 1024


# Answers: beside the open stream (kai-agent)


def recorded_approval(name: str) -> tuple[str, dict[str, Any], str]:
    """The path, body and answers of a recorded side request."""
    first = recording(f"{name}.approvals.json")[0]
    return (
        f"POST {first['request']['path']}",
        first["request"]["body"],
        first["request"]["path"].split("/")[3],
    )


@pytest.mark.parametrize("scenario", ["agent-approval.approved", "agent-approval.denied"])
async def test_a_decision_beside_the_open_stream(server: KaiServer, make: Make, scenario: str):
    call, body, chat_id = recorded_approval(scenario)
    decided = Gate()
    whole = recorded_bytes(f"{scenario}.sse")
    at = recording(f"{scenario}.approvals.json")[0]["afterBytes"]

    async def waits(exchange: Exchange) -> None:
        await exchange.start(SSE)
        await exchange.write(whole[:at])
        await decided.wait()
        await exchange.write(whole[at:])

    async def decide(exchange: Exchange) -> None:
        decided.open()
        await answer(200, {"success": True, **exchange.seen.body})(exchange)

    server.on("POST /api/chat", waits)
    server.on(call, decide, replay("rest-agent-approval-not-pending"))
    kai = make("agent")
    message, state = Message(), FoldState()
    given = ToolAnswer(body["toolUseId"], body["approved"], reason=body.get("reason"))
    async with asyncio.timeout(TIMEOUT), aclosing(kai.send(chat_id, HELLO)) as events:
        async for event in events:
            fold(message, event, state)
            if isinstance(event, ToolInputAvailable) and event.tool_call_id == body["toolUseId"]:
                assert await collect(kai.answer(chat_id, message, [given])) == []
    assert server.calls(call)[0].body == body
    expected = recording(f"{scenario}.message.json")
    assert message.to_wire() == expected.get("persisted", expected["message"])
    error = await failing(kai.answer(chat_id, message, [given]))
    assert (type(error), error.code) == (NotFound, "not_found:api")
    assert "already settled" in error.sentence
    assert len(server.calls(call)) == 2


async def test_the_bodies_of_decisions(server: KaiServer, make: Make):
    call = f"POST /api/chat/{CHAT}/approval"
    server.on(call, answer(200, {"success": True, "toolUseId": "c", "approved": True}))
    given = [
        ToolAnswer("c1", True, updated_input={"a": 1}, answers={"q": "x"}),
        ToolAnswer("c2", False, reason="wrong branch", updated_input={"a": 1}),
        ToolAnswer("c3", False, approval_id="ignored here", reason=""),
    ]
    await collect(make().answer(CHAT, Message(), given))
    assert [seen.body for seen in server.calls(call)] == [
        {"toolUseId": "c1", "approved": True, "updatedInput": {"a": 1}, "answers": {"q": "x"}},
        {"toolUseId": "c2", "approved": False, "reason": "wrong branch"},
        {"toolUseId": "c3", "approved": False},
    ]


async def test_one_settled_call_does_not_hold_up_the_others(server: KaiServer, make: Make):
    call = f"POST /api/chat/{CHAT}/approval"
    server.on(call, replay("rest-agent-approval-not-pending"), answer(200, {"success": True}))
    error = await failing(make().answer(CHAT, Message(), [ToolAnswer("c1", True), ToolAnswer("c2", True)]))
    assert type(error) is NotFound
    assert [seen.body["toolUseId"] for seen in server.seen] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("said", "kind", "delivery"),
    [
        (answer(200, {"success": False}), Refused, "not-sent"),
        (answer(200, b"<html>", {"content-type": "text/html"}), UnexpectedAnswer, "unsure"),
        (answer(500, b"oops"), ServerFailed, "unsure"),
        (hang_up, ConnectionLost, "unsure"),
        (replay("rest-assistant-approval-not-pending"), NotFound, "not-sent"),
    ],
)
async def test_a_decision_that_fails_is_posted_once(
    server: KaiServer, make: Make, said: Any, kind: type[BackendError], delivery: str
):
    server.on(f"POST /api/chat/{CHAT}/approval", said)
    error = await failing(make().answer(CHAT, Message(), [ToolAnswer("c1", True)]))
    assert (type(error), error.delivery) == (kind, delivery)
    assert len(server.seen) == 1


# Answers: continuing the message (kai-assistant)


@pytest.mark.parametrize(
    ("chat", "answered"),
    [
        ("approval-write", "approval-write.approved"),
        ("approval-write", "approval-write.denied"),
        ("approval-two", "approval-two.mixed"),
        ("approval-parallel-mixed", "approval-parallel-mixed.approved"),
        ("approval-signed", "approval-signed.approved"),
        ("approval-defaults", "approval-defaults.approved"),
        ("approval-chain", "approval-chain.approved"),
    ],
)
async def test_answers_continue_the_message(server: KaiServer, make: Make, chat: str, answered: str):
    posted = recording(f"{answered}.request.json")
    server.on("POST /api/chat", replay_stream(chat), replay_stream(answered))
    kai = make("assistant")
    message = await folded(kai.send(posted["id"], HELLO))
    recorded = {
        part["toolCallId"]: part["approval"]
        for part in posted["message"]["parts"]
        if part.get("state") == "approval-responded"
    }
    given = [
        ToolAnswer(call_id, approval["approved"], approval["id"], approval.get("reason"))
        for call_id, approval in recorded.items()
    ]
    assert {part.tool_call_id for part in pending(message)} == recorded.keys()
    before = message.to_wire()
    continued = await folded(kai.answer(posted["id"], message, given), respond(message, given))
    assert server.seen[1].body == posted
    assert message.to_wire() == before
    expected = recording(f"{answered}.message.json")
    assert continued.to_wire() == expected.get("persisted", expected["message"])


async def test_a_signature_and_whatever_else_came_goes_back(server: KaiServer, make: Make):
    approval = {
        "id": "a1",
        "signature": "s",
        "inputSchemaInput": {"x": 1},
        "descriptor": [1],
        "new": {"y": None},
    }
    wire = {
        "id": "m1",
        "role": "assistant",
        "metadata": {"m": 1},
        "createdAt": "2026-05-04T09:00:00Z",
        "parts": [
            {"type": "step-start"},
            {"type": "odd", "z": [1.0, 10**30]},
            {
                "type": "tool-run_job",
                "toolCallId": "c1",
                "state": "approval-requested",
                "input": {"s": "\ud83d"},
                "approval": approval,
            },
        ],
    }
    server.on("POST /api/chat", replay_stream("text-plain"))
    kai = make("assistant", branch_id=5)
    await collect(kai.answer(CHAT, Message.from_wire(wire), [ToolAnswer("c1", False, "a1", "no")]))
    (seen,) = server.seen
    assert seen.body == {
        "id": CHAT,
        "message": {
            "id": "m1",
            "role": "assistant",
            "parts": [
                *wire["parts"][:2],
                {
                    **wire["parts"][2],
                    "state": "approval-responded",
                    "approval": {**approval, "approved": False, "reason": "no"},
                },
            ],
        },
        "selectedChatModel": "chat-model",
        "selectedVisibilityType": "private",
        "branchId": 5,
    }


async def test_half_answers_are_not_sent(server: KaiServer, make: Make):
    server.on("POST /api/chat", replay_stream("approval-two"))
    kai = make("assistant")
    message = await folded(kai.send(CHAT, HELLO))
    one, two = pending(message)
    whole = [ToolAnswer(part.tool_call_id, True, part.approval_id) for part in (one, two)]
    for given, kind in (
        ([], Refused),
        (whole[:1], Refused),
        ([*whole, ToolAnswer("other", True)], Refused),
        ([whole[0], ToolAnswer(two.tool_call_id, True, "another-id")], Refused),
        ([whole[0], ToolAnswer(two.tool_call_id, True, two.approval_id, updated_input={})], Unsupported),
    ):
        error = await failing(kai.answer(CHAT, message, given))
        assert (type(error), error.delivery) == (kind, "not-sent")
    assert len(server.seen) == 1


async def test_a_continuation_that_fails_is_posted_once(server: KaiServer, make: Make):
    server.on("POST /api/chat", replay_stream("approval-write"), hang_up)
    kai = make("assistant")
    message = await folded(kai.send(CHAT, HELLO))
    given = [ToolAnswer(part.tool_call_id, True, part.approval_id) for part in pending(message)]
    error = await failing(kai.answer(CHAT, message, given))
    assert (type(error), error.delivery) == (ConnectionLost, "unsure")
    assert error.sentence.endswith("Your decision may or may not have arrived.")
    assert len(server.seen) == 2


# Answers: the oldest servers


@pytest.mark.parametrize(("approved", "word"), [(True, "confirmed"), (False, "denied")])
async def test_a_tool_result_for_the_oldest_servers(server: KaiServer, make: Make, approved: bool, word: str):
    server.on("POST /api/chat", stream(START + CALL + END), replay_stream("text-plain"))
    kai = make("assistant")
    message = await folded(kai.send(CHAT, HELLO))
    await collect(kai.answer_by_tool_result(CHAT, message, ToolAnswer("c1", approved)))
    body = server.seen[1].body
    assert body["message"]["parts"] == [
        {"type": "tool-result", "toolCallId": "c1", "toolName": "run_job", "result": word}
    ]
    assert body["message"]["role"] == "user"
    assert len(body["message"]["id"]) == 36
    assert set(body) == {"id", "message", "selectedChatModel", "selectedVisibilityType"}
    for message_, call_id in ((message, "other"), (Message(), "c1")):
        assert (
            type(await failing(kai.answer_by_tool_result(CHAT, message_, ToolAnswer(call_id, True))))
            is Refused
        )
    assert len(server.seen) == 2


# Resuming


async def test_resuming(server: KaiServer, make: Make):
    call = f"GET /api/chat/{CHAT}/stream"
    server.on(call, replay("rest-assistant-stream-resume"), stream(TEXT + OUTPUT + END))
    kai = make("assistant")
    assert await collect(kai.resume(CHAT)) == []
    events = await collect(kai.resume(CHAT))
    assert any(isinstance(event, ToolOutputAvailable) and event.tool_call_id == "c1" for event in events)
    assert isinstance(events[-1], Finish)
    assert type(await failing(make("agent").resume(CHAT))) is Unsupported
    assert [seen.call for seen in server.seen] == [call, call]

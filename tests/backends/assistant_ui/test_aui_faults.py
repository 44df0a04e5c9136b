"""Every row of the fault matrix (reliability.md §3), for streams of the AI SDK and for data streams; hostile answers."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    ConnectionLost,
    NotFound,
    UnexpectedAnswer,
    Waiting,
)
from kai_tui.conversation.events import Event, Finish
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.assistant_ui.captures import HOST, captures, read, response_of
from tests.backends.assistant_ui.kit import AT_ONCE, SHORT, THREAD, TOKEN, backend, says, sent
from tests.backends.fault_server import NO_SUCH_HOST, FaultServer, black_hole, closed_port
from tests.backends.kai_server import TIMEOUT, Exchange, Handler, Hangup, answer
from tests.fakes.assistant_ui import FakeAssistantUi


async def outcome(
    url: str, short: bool = False, waits: list[Waiting | None] | None = None, **options: Any
) -> BackendError | list[Event]:
    client = backend(
        url, None, SHORT if short else AT_ONCE, silence=0.2 if short else 600.0, cancel_path=None, **options
    )
    try:
        listener = waits.append if waits is not None else None
        async with (
            asyncio.timeout(TIMEOUT),
            aclosing(client.send(THREAD, says("hi"), on_wait=listener)) as events,
        ):
            return [event async for event in events]
    except BackendError as error:
        return error
    finally:
        await client.aclose()


def said(result: BackendError | list[Event]) -> str:
    if isinstance(result, BackendError):
        return result.sentence
    last = result[-1]
    assert isinstance(last, Finish)
    return last.detail or ""


def fit_for_a_person(sentence: str) -> None:
    """P24."""
    assert sentence.strip()
    assert len(sentence) <= 420
    for never in ("Traceback", "<html", "<script", "<p>", "httpx", "httpcore", "Errno", TOKEN, "\n", "Kai"):
        assert never not in sentence


def folded(events: list[Event]) -> Message:
    assert [type(event) for event in events].count(Finish) == 1
    message, state = Message(), FoldState()
    for event in events:
        fold(message, event, state)
    return message


async def test_a_chat_path_that_is_not_there():
    async with FaultServer() as server:
        for name in ("404-chat", "404-of-a-proxy"):
            server.break_chat(name)
            result = await outcome(server.url)
            assert type(result) is NotFound
            assert "Check the address and the paths" in result.sentence
            fit_for_a_person(result.sentence)


# Data streams and plain text: without a record of the end


def raw(
    *pieces: bytes, kind: str = "text/plain; charset=utf-8", then: str = "finish", chunked: bool = True
) -> Handler:
    """These bytes; then `finish` properly, or `close`, `reset` or `hold` the connection."""

    async def handler(exchange: Exchange) -> None:
        await exchange.start({"content-type": kind}, chunked=chunked)
        for piece in pieces:
            await exchange.write(piece)
            await asyncio.sleep(0)
        if then == "hold":
            await exchange.until_hung_up()
        if then == "reset":
            await asyncio.sleep(0.05)
            exchange.reset()
        if then != "finish":
            raise Hangup

    return handler


def flood(piece: bytes, total: int) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.start({"content-type": "text/plain"})
        await exchange.write(TEXT)
        try:
            for _ in range(total // len(piece) + 1):
                await exchange.write(piece)
        except ConnectionError:
            raise Hangup from None

    return handler


async def blank_lines(exchange: Exchange) -> None:
    await exchange.start({"content-type": "text/plain"})
    await exchange.write(TEXT)
    try:
        while True:
            await exchange.write(b"\n")
            await asyncio.sleep(0.01)
    except ConnectionError:
        raise Hangup from None


TEXT = b'f:{"messageId":"m1"}\n0:"Two words, "\n0:"and more."\n'
END = b'd:{"finishReason":"stop","usage":{"inputTokens":1,"outputTokens":2}}\n'
SAID = "Two words, and more."
LOST = "Connection lost after 4 words."


@dataclass(frozen=True)
class Row:
    name: str
    handler: Handler
    reason: str = "lost"
    says: str = LOST
    text: str = SAID
    short: bool = False
    error: type[BackendError] | None = None


ROWS = [
    Row("whole", raw(TEXT, END), "stop", ""),
    Row("no-end-record", raw(TEXT), "unknown", ""),
    Row("end-record-first", raw(END, TEXT), "stop", ""),
    *(Row(f"{then}-in-a-line", raw(TEXT, b'0:"half', then=then)) for then in ("close", "reset")),
    *(Row(f"{then}-between-lines", raw(TEXT, then=then)) for then in ("close", "reset")),
    Row("closing-is-no-end", raw(TEXT, chunked=False, then="close")),
    Row("closing-after-an-end-record", raw(TEXT, END, chunked=False, then="close"), "stop", ""),
    Row("stall", raw(TEXT, then="hold"), says="sent nothing for ", short=True),
    Row("only-blank-lines", blank_lines, says="sent nothing for ", short=True),
    Row("drip", raw(*(bytes([byte]) for byte in TEXT + END)), "stop", ""),
    Row("empty", raw(), says="may or may not have arrived", error=ConnectionLost),
    Row("blank", raw(b"\n\n  \n"), says="may or may not have arrived", error=ConnectionLost),
    Row("stall-at-first", raw(b"\n", then="hold"), says="may or may not", short=True, error=ConnectionLost),
    Row("broken-lines", raw(TEXT, b'0:"half\n' * 20, END), "stop", ""),
    Row("many-broken-lines", raw(TEXT, b'0:"half\n' * 21, END), says="Too much of the reply was unreadable"),
    Row("unknown-records", raw(TEXT, b'x:1\n7:{"a":1}\naui-new:{"a":1}\n' * 9, END), "stop", ""),
    Row("giant-line", flood(b"x" * 65_000, 9 << 20), says="Part of the reply was too large (over 8 MiB)"),
    Row("giant-reply", flood(b'2:["' + b"x" * 60_000 + b'"]\n', 33 << 20), says="The reply was too large (over 32 MiB)"),
    Row("error-then-reset", raw(TEXT, b'3:"overloaded"\n', then="reset"), "error", "overloaded"),
    Row("error-then-end", raw(TEXT, b'3:"overloaded"\n', END), "error", "overloaded"),
    Row("error-as-object", raw(TEXT, b'3:{"message":"overloaded"}\n'), "error", "overloaded"),
    Row("compressed", answer(200, TEXT, {"content-type": "text/plain", "content-encoding": "gzip"}),
        says="compressed", error=UnexpectedAnswer),
    Row("html", answer(200, b"<html><title>Sign in</title>", {"content-type": "text/html"}),
        says="login page", error=UnexpectedAnswer),
    Row("nameless", raw(TEXT, END, kind=""), "stop", ""),
    Row("nameless-plain", raw(SAID.encode(), kind=""), "unknown", ""),
    Row("nameless-html", raw(b"<!DOCTYPE html><title>Sign in</title>", kind=""), says="login page",
        error=UnexpectedAnswer),
    Row("nameless-empty", raw(kind=""), says="may or may not have arrived", error=ConnectionLost),
    Row("plain", raw(b"Two words, ", b"and more."), "unknown", ""),
    Row("plain-reset", raw(b"Two words, ", b"and more.", then="reset")),
    Row("plain-closing-is-no-end", raw(b"Two words, and more.", chunked=False, then="close")),
    Row("json", answer(200, {"text": SAID}), "unknown", ""),
    Row("json-without-a-reply", answer(200, {"ok": True}), says="may or may not have arrived", error=UnexpectedAnswer),
    Row("json-broken", answer(200, b'{"text": '), says="may or may not have arrived", error=UnexpectedAnswer),
    Row("json-error", answer(200, {"error": {"message": "overloaded"}}), "error", "overloaded", text=""),
    Row("transport-without-done",
        raw(b'data: {"type":"part-start","part":{"type":"text"},"path":[]}\n\n',
            b'data: {"type":"text-delta","textDelta":"Two words, and more.","path":[0]}\n\n', kind="text/event-stream")),
    Row("transport-left-open",
        raw(b'data: {"type":"part-start","part":{"type":"text"},"path":[]}\n\n',
            b'data: {"type":"text-delta","textDelta":"Two words, and more.","path":[0]}\n\ndata: [DONE]\n\n',
            kind="text/event-stream", then="hold"), "unknown", ""),
    Row("openai-without-done",
        raw(b'data: {"choices":[{"delta":{"content":"Two words, and more."}}]}\n\n', kind="text/event-stream")),
    Row("openai-with-a-reason",
        raw(b'data: {"choices":[{"delta":{"content":"Two words, and more."},"finish_reason":"length"}]}\n\n',
            kind="text/event-stream"), "length", ""),
    Row("events-as-plain-text",
        raw(b'data: {"type":"start"}\n\ndata: {"type":"text-start","id":"1"}\n\n',
            b'data: {"type":"text-delta","id":"1","delta":"Two words, and more."}\n\n',
            b'data: {"type":"finish","finishReason":"stop"}\n\n'), "stop", ""),
]  # fmt: skip


@pytest.mark.some(20)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_every_fault_of_streams_without_an_end(row: Row):
    async with FakeAssistantUi() as server:
        server.on("POST /api/chat", row.handler)
        result = await outcome(server.url, row.short)
        if row.error is not None:
            assert type(result) is row.error
            assert result.delivery == "unsure"
            fit_for_a_person(result.sentence)
        else:
            assert isinstance(result, list)
            message = folded(result)
            assert message.finish is not None
            assert (message.finish.reason, message.text) == (row.reason, row.text)
            if row.reason in ("lost", "error"):
                fit_for_a_person(said(result))
        assert row.says in said(result)
        assert len(server.calls("POST /api/chat")) == 1


# Plain text that only looks like something else


@pytest.mark.parametrize(
    "text", ["a: a list\nb: of things", "0 is a number", "2:30 is the time\n", "au revoir", "data: is a word",
             "data", "aui-", "a", "3", "b:", "f:[1]\n", "0:7\n", "{\"a\": 1}", "event horizon", ": colon", "k:\"x\"\n",
             "  \n\n a", "aui-state:{}\n", "\ufeffHello", "č:1", "1:2:3"],
)  # fmt: skip
async def test_plain_text_stays_plain_text(text: str):
    body = text.encode()
    for pieces in ([body], [body[i : i + 1] for i in range(len(body))]):
        result = await read(
            response_of(pieces, {"content-type": "text/plain", "transfer-encoding": "chunked"})
        )
        assert result.message.text == text.removeprefix("\ufeff")


@pytest.mark.parametrize(
    "line", ['0:"x"', '3:"x"', 'f:{"messageId":"m"}', "2:[]", 'aui-state:[{"type":"set","path":[],"value":1}]', 'd:{}',
             '0: "x"'],
)  # fmt: skip
async def test_one_record_without_a_line_end_is_a_data_stream(line: str):
    result = await read(response_of([line.encode()], {"content-type": "text/plain", "content-length": "9"}))
    assert result.message.faults == []
    assert line not in result.message.text


# Connections that never come to be


@pytest.mark.parametrize("what", ["dns", "refused"])
async def test_only_what_never_arrived_is_tried_again(what: str):
    url = f"https://{NO_SUCH_HOST}" if what == "dns" else f"http://127.0.0.1:{closed_port()}"
    waits: list[Waiting | None] = []
    result = await outcome(url, waits=waits)
    assert isinstance(result, CannotConnect)
    assert (result.code, result.delivery, len(waits)) == (what, "not-sent", 4)


async def test_a_black_hole():
    async with black_hole() as port:
        result = await outcome(f"http://127.0.0.1:{port}", short=True)
    assert isinstance(result, CannotConnect)
    assert (result.code, result.delivery) == ("timeout", "not-sent")


async def test_leaving_while_nothing_was_sent_stops_nothing():
    waiting = asyncio.Event()
    client = backend(f"http://127.0.0.1:{closed_port()}")
    client._door._sleep = lambda _: asyncio.sleep(1000)  # pyright: ignore

    async def send() -> None:
        async for _ in client.send(THREAD, says("hi"), on_wait=lambda _: waiting.set()):
            pass

    task = asyncio.create_task(send())
    async with asyncio.timeout(TIMEOUT):
        await waiting.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert client._stops == set()  # pyright: ignore
    await client.aclose()


# Hostile


@pytest.fixture
async def server() -> AsyncIterator[FakeAssistantUi]:
    async with FakeAssistantUi() as running:
        yield running


async def test_foreign_text_stays_as_it_came(server: FakeAssistantUi):
    for fmt in ("data", "transport"):
        server.fmt = fmt
        client = backend(server.url)
        turn = await sent(client, "hostile")
        await client.aclose()
        assert turn.text == "\x1b]52;c;QUJD\x07[/] \u202e"
        call = turn.message.tool_calls()[0]
        assert (call.tool_name, call.output) == ("\x1b[31m[@click=app.quit]x", "\x1b[8m")
        assert call.input == {"a": "\x1b[2J"}


HOSTILE_LINES = [
    b"0:" + b"[" * 100_000, b'c:{"toolCallId":"1","argsTextDelta":"' + b"[" * 5000 + b'"}', b"0:NaN", b'0:"\\ud83d"',
    b"9" * 5000, b'aui-state:[{"type":"set","path":[' + b'"a",' * 5000 + b'"a"],"value":1}]',
    b'aui-state:[{"type":"append-text","path":["messages","0"],"value":"x"}]', b"aui-state:7", b"b:{}",
    b'b:{"toolCallId":7,"toolName":[]}', b'a:{"toolCallId":null}', b"h:{}", b'k:{"data":7}', b"d:[]", b'd:{"usage":7}',
    b'e:{"finishReason":{},"usage":{"inputTokens":-1,"outputTokens":1e400}}', b'f:{"messageId":{}}', b"3:null", b"2:null",
    b"8:{}", b'aui-data:{"name":"usage","data":{"promptTokens":9}}', b"\xff\xfe\x00", b"0:\x00", b'a:{"toolCallId":"zz","result":1}',
    b'aui-state:[{"type":"set","path":["messages"],"value":[{"role":"assistant","parts":[null,7,"x",{"type":"tool-call"}]}]}]',
    b'aui-state:[{"type":"set","path":["messages"],"value":[{"type":"ai","content":7,"tool_calls":[null,{"id":"a"}]},{"type":"tool"}]}]',
    b'aui-state:[{"type":"set","path":["messages"],"value":{"0":null,"9999999999999":{}}}]',
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(HOSTILE_LINES)))
async def test_no_line_breaks_a_reply(number: int):
    body = b'0:"a"\n' + HOSTILE_LINES[number] + b'\n0:"b"\n'
    result = await read(response_of([body], {"content-type": "text/plain", "transfer-encoding": "chunked"}))
    texts = "".join(part["text"] for part in result.shown if part["type"] == "text")
    assert texts.startswith("a")
    assert "b" in texts
    json.dumps(result.message.to_wire())


async def test_flooding_arguments_do_not_hang():
    line = b'c:{"toolCallId":"1","argsTextDelta":"}"}\n'
    body = b'b:{"toolCallId":"1","toolName":"x"}\nc:{"toolCallId":"1","argsTextDelta":"{"}\n' + line * 100_000
    began = time.monotonic()
    result = await read(response_of([body], {"content-type": "text/plain", "transfer-encoding": "chunked"}))
    assert time.monotonic() - began < 5
    assert result.message.tool_calls()[0].tool_name == "x"


async def test_a_flood_of_tokens_into_a_long_text_of_a_state_does_not_hang():
    path = '["messages","0","parts","0","text"]'
    start = 'aui-state:[{"type":"set","path":["messages"],"value":[{"role":"assistant","parts":[{"type":"text","text":""}]}]}]\n'
    line = f'aui-state:[{{"type":"append-text","path":{path},"value":"word "}}]\n'
    began = time.process_time()
    result = await read(
        response_of(
            [(start + line * 50_000).encode()], {"content-type": "text/plain", "transfer-encoding": "chunked"}
        )
    )
    assert time.process_time() - began < 5
    assert len(result.message.text) == 250_000


def mutated(body: bytes, chance: random.Random) -> bytes:
    """A recording with some of its bytes or lines changed."""
    lines = body.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(lines)) if lines else 0
        match chance.randrange(6):
            case 0:
                del lines[at : at + 1]
            case 1:
                lines.insert(at, chance.choice(lines or [b""]))
            case 2 if lines:
                line = bytearray(lines[at])
                if line:
                    line[chance.randrange(len(line))] = chance.randrange(256)
                lines[at] = bytes(line)
            case 3:
                chance.shuffle(lines)
            case 4 if lines:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case _:
                lines.insert(at, chance.choice(HOSTILE_LINES[2:]) + b"\n")
    return b"".join(lines)


@pytest.mark.parametrize(
    ("seeds", "start"),
    [(range(4), 0), pytest.param(range(150), 1000, marks=pytest.mark.slow)],
    ids=["some", "many"],
)
async def test_mutated_recordings_end_once_and_never_crash(seeds: range, start: int):
    sentences: list[str] = []
    for capture in captures():
        for seed in seeds:
            chance = random.Random(f"{capture.name}{seed + start}")
            body = mutated(capture.body, chance)
            began = time.monotonic()
            try:
                result = await read(
                    response_of([body], capture.headers, broken=chance.random() < 0.3), state=capture.state
                )
            except BackendError as error:
                sentences.append(error.sentence)
            else:
                json.dumps(result.message.to_wire())
            assert time.monotonic() - began < 1
    assert all(HOST in sentence or "large" in sentence for sentence in sentences)

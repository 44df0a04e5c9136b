"""Every row of the fault matrix at iMBRACE's chat, and where its credential goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.base import (
    AnswerTooLarge,
    BackendError,
    ConnectionLost,
    UnexpectedAnswer,
)
from kai_tui.backends.http import Timeouts
from kai_tui.backends.imbrace.places import places
from kai_tui.conversation import events as e
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.fault_server import FaultServer
from tests.backends.imbrace.kit import CANARY, CHAT, account, collect, failing, folded, say
from tests.backends.kai_server import TIMEOUT, Exchange, Handler, Hangup, answer, never, stream
from tests.fixture_cases import case_id, cases, expanded

SHORT = Timeouts(connect=0.2, read=0.2, stream=0.2, pauses=(0.0, 0.0))
POST = "POST /ai-agent/v2/chat"
PLAIN = {"content-type": "text/plain; charset=utf-8"}


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        yield running


async def outcome(server: FaultServer, **options: Any) -> BackendError | list[e.Event]:
    """What a message comes to: the error it raises, or its events."""
    backend = account(server.url, CANARY, **options)
    try:
        return await collect(backend.send(CHAT, say("Hello")))
    except BackendError as error:
        return error
    finally:
        await backend.aclose()


# Answers in one piece


def half_a_text(end: str) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(PLAIN, chunked=end != "close")
        await exchange.write(b"The first half of ")
        if end == "hold":
            await exchange.until_hung_up()
            raise Hangup
        if end == "reset":
            await asyncio.sleep(0.05)  # let the bytes arrive first
            exchange.reset()
        raise Hangup

    return handler


@pytest.mark.parametrize("end", ["cut", "reset"])
async def test_of_a_plain_answer_that_breaks_off_what_came_is_kept(server: FaultServer, end: str):
    server.on(POST, half_a_text(end))
    result = await outcome(server)
    assert isinstance(result, list)
    message = folded(result)
    assert message.text == "The first half of "
    assert message.finish is not None
    assert (message.finish.reason, message.finish.stored) == ("lost", False)
    assert message.finish.detail
    assert len(server.calls(POST)) == 1


async def test_a_plain_answer_that_never_comes_is_given_up(server: FaultServer):
    server.on(POST, never)
    assert type(await outcome(server, timeouts=SHORT)) is ConnectionLost
    server.on(POST, half_a_text("hold"))
    result = await outcome(server, silence=0.2)
    assert isinstance(result, list)
    message = folded(result)
    assert message.text == "The first half of "
    assert message.finish is not None
    assert message.finish.reason == "lost"
    assert "sent nothing for 0.2 s" in (message.finish.detail or "")
    assert len(server.calls(POST)) == 2


async def test_a_plain_answer_is_shown_as_it_comes_but_for_its_frame(server: FaultServer):
    def in_pieces(*pieces: bytes) -> Handler:
        async def handler(exchange: Exchange) -> None:
            await exchange.start(PLAIN)
            for piece in pieces:
                await exchange.write(piece)
                await asyncio.sleep(0.01)

        return handler

    server.on(POST, in_pieces(b"sess", b"ions last \xc5", b"\x99 long"))
    result = await outcome(server)
    assert isinstance(result, list)
    assert [each.delta for each in result if isinstance(each, e.TextDelta)] == ["sessions last ", "ř long"]
    server.on(
        POST, in_pieces(b"session_id: ", CHAT.encode(), b"\n\n<chat_result>\nHel", b"lo\n</chat_result>")
    )
    result = await outcome(server)
    assert isinstance(result, list)
    assert [each.delta for each in result if isinstance(each, e.TextDelta)] == ["Hello"]


async def test_a_plain_answer_without_a_word_is_an_answer(server: FaultServer):
    server.on(POST, answer(200, b"", PLAIN))
    result = await outcome(server)
    assert isinstance(result, list)
    assert folded(result).text == ""
    assert result[-1] == e.Finish("stop", stored=False)


async def test_bytes_that_are_no_utf8_are_shown_as_such(server: FaultServer):
    server.on(POST, answer(200, b"a\xff\xfeb", PLAIN))
    result = await outcome(server)
    assert isinstance(result, list)
    assert folded(result).text == "a\ufffd\ufffdb"


async def test_a_giant_plain_answer_is_cut_off(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kai_tui.backends.imbrace.answers.MAX_ANSWER", 1 << 20)

    async def flood(exchange: Exchange) -> None:
        await exchange.start(PLAIN)
        try:
            for _ in range(100):
                await exchange.write(b"x" * 65_536)
        except ConnectionError:
            raise Hangup from None

    server.on(POST, flood)
    result = await outcome(server)
    assert isinstance(result, list)
    message = folded(result)
    assert message.text == "x" * (1 << 20)
    assert message.finish is not None
    assert message.finish.detail == "The reply was too large (over 1 MiB); its rest was left out."


# Hostile input


@pytest.mark.parametrize("path", cases("hostile", "json-*.json"), ids=case_id)
async def test_hostile_json_harms_nothing(server: FaultServer, path: Path):
    case = expanded(json.loads(path.read_text("utf-8")))
    text = b'data: {"type":"text-delta","id":"0","delta":"safe"}\n\n'
    end = b'data: {"type":"finish"}\n\ndata: [DONE]\n\n'
    odd = case["input"].encode("utf-8", "replace").replace(b"\r", b" ").replace(b"\n", b" ")
    server.on(POST, stream(text + b"data: " + odd + b"\n\n" + text + end))
    result = await outcome(server)
    assert isinstance(result, list)
    message = folded(result)
    assert message.text.count("safe") == 2
    assert message.finish == e.Finish("unknown")
    json.dumps(message.to_wire()).encode("ascii")


async def test_hostile_rows_of_every_list_are_left_out_or_raw(server: FaultServer):
    hostile = "\x1b]52;c;QUJD\x07\u202e[red]\ud800"
    rows: list[Any] = [None, 5, [], {}, {"id": ""}, {"id": {"a": 1}}, {"id": hostile, "name": hostile}]
    backend = account(server.url, CANARY)
    server.on("GET /v3/ai/accounts/assistants", answer(200, rows))
    server.on("GET /v3/ai/rag/files", answer(200, rows))
    assert [(each.id, each.name) for each in await backend.account_agents()] == [(hostile, hostile)]
    assert [(each.id, each.name) for each in await backend.knowledge("a")] == [(hostile, hostile)]
    for odd in ("x", 5, None, {"data": 5}):
        server.on("GET /v3/ai/accounts/assistants", answer(200, odd))
        assert type(await failing(backend.account_agents())) is UnexpectedAnswer
    server.on("GET /ai-agent/chat-client/chats", answer(200, ["nothing"]))
    assert type(await failing(backend.chats())) is UnexpectedAnswer
    server.on(
        f"GET /ai-agent/chat-client/chats/{CHAT}/votes", answer(200, b"<html>", {"content-type": "text/html"})
    )
    assert "login page or proxy" in (await failing(backend.votes(CHAT))).sentence
    server.on(
        "DELETE /ai-agent/chat-client/chats/" + CHAT, answer(200, b"<html>", {"content-type": "text/html"})
    )
    assert type(await failing(backend.delete(CHAT))) is UnexpectedAnswer
    await backend.aclose()


async def test_a_giant_list_is_refused(server: FaultServer):
    async def flood(exchange: Exchange) -> None:
        await exchange.start({"content-type": "application/json"})
        try:
            while True:
                await exchange.write(b"[" + b"1," * 500_000)
        except ConnectionError:
            raise Hangup from None

    server.on("GET /v3/ai/accounts/assistants", flood)
    backend = account(server.url)
    assert type(await failing(backend.account_agents())) is AnswerTooLarge
    await backend.aclose()


# Where the credential goes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_credential_follows_nobody(server: FaultServer, status: int):
    async with FaultServer() as elsewhere:
        moved = answer(status, b"", {"location": f"{elsewhere.url}/ai-agent/v2/chat"})
        calls = (
            (POST, lambda b: collect(b.send(CHAT, say("x")))),
            ("GET /ai-agent/chat-client/chats", lambda b: b.chats()),
            ("GET /v3/ai/accounts/assistants", lambda b: b.account_agents()),
            (f"DELETE /ai-agent/chat-client/chats/{CHAT}", lambda b: b.delete(CHAT)),
        )
        backend = account(server.url, CANARY)
        for call, ask in calls:
            server.on(call, moved)
            error = await failing(ask(backend))
            assert "sends us on to" in error.sentence
        assert elsewhere.seen == []
        await backend.aclose()


async def test_an_overridden_service_gets_the_credential_and_the_others_do_not_hear_of_it(
    server: FaultServer,
):
    from kai_tui.backends.imbrace.client import ImbraceBackend
    from kai_tui.backends.secret import Secret

    async with FaultServer() as own:
        own.on("GET /api/chat-client/chats", answer(200, {"chats": []}))
        server.on("GET /v3/ai/accounts/assistants", answer(200, []))
        backend = ImbraceBackend(places(server.url, {"ai_agent": f"{own.url}/api/"}), Secret(CANARY))
        await backend.chats()
        await backend.account_agents()
        assert [seen.call for seen in own.seen] == ["GET /api/chat-client/chats"]
        assert [seen.call for seen in server.seen] == ["GET /v3/ai/accounts/assistants"]
        assert all(seen.headers["x-api-key"] == CANARY for seen in (*own.seen, *server.seen))
        await backend.aclose()


async def test_a_hostile_chat_id_or_file_id_stays_in_its_place(server: FaultServer):
    backend = account(server.url, CANARY)
    server.on("DELETE /v3/ai/rag/files/..%2F..%2Fx", answer(200, {}))
    await backend.delete_knowledge("../../x")
    for wrong in (backend.chat("../x"), backend.messages(""), backend.delete_knowledge("..")):
        assert (await failing(wrong)).delivery == "not-sent"
    assert len(server.seen) == 1
    await backend.aclose()


async def test_silence_is_counted_in_events_not_in_keep_alives(server: FaultServer):
    async def only_comments(exchange: Exchange) -> None:
        await exchange.start({"content-type": "text/event-stream"})
        try:
            while True:
                await exchange.write(b": still here\n\n")
                await asyncio.sleep(0.02)
        except ConnectionError:
            raise Hangup from None

    server.on(POST, only_comments)
    async with asyncio.timeout(TIMEOUT):
        result = await outcome(server, silence=0.2)
    assert type(result) is ConnectionLost


def test_folding_many_events_of_one_document_costs_what_the_document_costs():
    from kai_tui.backends.imbrace.live import LiveParts

    live, message, state = LiveParts(), Message(), FoldState()

    def data(kind: str, value: str) -> e.Data:
        chunk = {"type": kind, "data": {"value": value}, "transient": True}
        return e.Data(kind, chunk["data"], None, True, chunk)

    shown = 0
    for event in (data("data-id", "d"), *(data("data-textDelta", "word ") for _ in range(50_000))):
        for each in live.take(event):
            fold(message, each, state)
            shown += 1
    for each in live.take(e.Finish("stop")):
        fold(message, each, state)
    (part,) = message.parts
    assert part.fields["data"]["content"] == "word " * 50_000
    assert part.fields["data"]["state"] == "cut"
    assert 50 < shown < 1_500

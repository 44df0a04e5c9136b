"""Every row of the fault matrix for Knowrithm (reliability.md §3), the credential's scope, foreign text, sizes, cuts."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import traceback
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    ConnectionLost,
    TokenRefused,
    UnexpectedAnswer,
    Waiting,
)
from kai_tui.backends.http import Timeouts
from kai_tui.backends.knowrithm.access import ApiKey, login_of, sign_in
from kai_tui.backends.knowrithm.client import KnowrithmBackend
from kai_tui.backends.knowrithm.messages import answer_events, message_of
from kai_tui.backends.knowrithm.signals import signal_of
from kai_tui.backends.knowrithm.tasks import ack_of, failure_of, hint_of, news_of, state_of
from kai_tui.backends.knowrithm.wire import MessageRow, chronological, further_page, one_of, rows_of
from kai_tui.backends.multipart import LocalFile
from kai_tui.backends.secret import Secret
from kai_tui.conversation import events as e
from tests.backends.fault_server import FAULTS, closed_port
from tests.backends.kai_server import SSE, TIMEOUT, Exchange, Gate, Handler, Hangup, answer, never
from tests.backends.knowrithm.desk import (
    AT_ONCE,
    CHAT,
    QUICK,
    asked,
    calls,
    folded,
    key,
    knowrithm,
    login,
    says,
)
from tests.backends.knowrithm.desk import server as server  # the fixture
from tests.backends.test_stream_faults import assert_fit_for_a_person
from tests.backends.test_token_scope import Eavesdropper
from tests.fakes.knowrithm import ANSWER, KEY, SECRET, FakeKnowrithm, sse
from tests.hostile_cases import HostileCase, each_case

TYPED = "password-canary"
SHORT = Timeouts(connect=0.2, read=0.2, stream=0.2, total=0.4, pauses=(0.0, 0.0))


async def until(condition: Any) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "body", [b"<html><title>Login</title></html>", b'{"status": ', b"", b"[" * 5000, b'{"a": NaN}']
)
async def test_a_post_answered_with_something_else(server: FakeKnowrithm, body: bytes):
    chat = server.conversation()
    kind = "text/html" if body.startswith(b"<") else "application/json"
    server.on(f"POST /api/v1/conversation/{chat.id}/chat", answer(200, body, {"content-type": kind}))
    backend = knowrithm(server)
    with pytest.raises(UnexpectedAnswer) as caught:
        await asked(backend, "Hi", chat.id)
    assert caught.value.delivery == "unsure"
    assert caught.value.sentence.endswith("Your message may or may not have arrived.")
    assert len(server.posts()) == 1
    await backend.aclose()


# The event stream goes wrong: the answer comes all the same


def raw_stream(*blocks: bytes, end: str = "hold", head: dict[str, str] | None = None) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(head or SSE)
        for block in blocks:
            await exchange.write(block)
        if end == "hold":
            await exchange.until_hung_up()
        if end == "reset":
            await asyncio.sleep(0.02)
            exchange.reset()
        raise Hangup

    return handler


def flood(total: int, piece: bytes) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(SSE)
        try:
            for _ in range(total // len(piece) + 1):
                await exchange.write(piece)
        except ConnectionError:
            raise Hangup from None

    return handler


async def _never(exchange: Exchange) -> None:
    await never(exchange)


STREAM_FAULTS: dict[str, Handler] = {
    "403": answer(403, {"error": "no stream scope"}),
    "500": answer(500, b"x", {"content-type": "text/plain"}),
    "html": answer(200, b"<html></html>", {"content-type": "text/html"}),
    "redirect": answer(302, b"", {"location": "https://elsewhere.example/"}),
    "204": answer(204, b""),
    "never": _never,
    "cut": raw_stream(b"event: chat_response\ndata: {", end="cut"),
    "reset": raw_stream(b": hi\n\n", end="reset"),
    "only comments": raw_stream(*[b": keep-alive\n\n"] * 20),
    "junk": raw_stream(
        b"data: {\n\n", b"data: []\n\n", b"data: 7\n\nid\n\n", b'event: chat_response\ndata: "x"\n\n'
    ),
    "compressed": raw_stream(b"\x1f\x8b", head={**SSE, "content-encoding": "gzip"}),
    "giant event": flood(9 << 20, b"data: " + b"x" * 65_000),
    "giant stream": flood(33 << 20, sse("heartbeat", {"x": "y" * 60_000})),
}


@pytest.mark.some(5)
@pytest.mark.parametrize("name", STREAM_FAULTS)
async def test_the_answer_comes_although_the_stream_is_broken(server: FakeKnowrithm, name: str):
    chat = server.conversation()
    server.on(f"GET /api/v1/conversation/{chat.id}/messages/stream", STREAM_FAULTS[name])
    backend = knowrithm(server, pace=dataclasses.replace(QUICK, opening=0.3, beside_stream=0.05))
    message = folded(await asked(backend, "Hi", chat.id))
    assert message.text == f"{ANSWER} You said: Hi"
    assert message.finish == e.Finish("stop")
    assert len(server.posts()) == 1
    await backend.aclose()


@pytest.mark.parametrize("how", ["whole", "bytes", *(f"random {number}" for number in range(6))])
async def test_the_stream_in_any_cuts(server: FakeKnowrithm, how: str):
    chat = server.conversation()
    reply = {"id": "r1", "role": "assistant", "content": "Žluťoučký 🐎 [Source 1]", "tokens_used": 3}
    answered = {"conversation_id": chat.id, "status": "completed", "message": reply}
    content = b"\xef\xbb\xbf: hi\r\n\r\n" + b"".join((
        sse("heartbeat", {}), sse("chat_status", {"conversation_id": chat.id, "status": "queued"}),
        sse("chat_response", {**answered, "conversation_id": "other"}),
        sse("chat_response", answered, lines=3).replace(b"\n", b"\r\n"),
    ))  # fmt: skip
    posted = asyncio.Event()

    async def streams(exchange: Exchange) -> None:
        await exchange.start(SSE)
        await exchange.write(b": open\n\n")
        await posted.wait()
        at = 0
        for size in [*_sizes(content, how), len(content)]:
            await exchange.write(content[at : at + size])
            at += size
        await exchange.until_hung_up()
        raise Hangup

    async def posts(exchange: Exchange) -> None:
        await answer(
            202, {"status": "queued", "message_id": "q1", "poll_url": f"/v1/conversation/{chat.id}/messages"}
        )(exchange)
        posted.set()

    server.on(f"GET /api/v1/conversation/{chat.id}/messages/stream", streams)
    server.on(f"POST /api/v1/conversation/{chat.id}/chat", posts)
    backend = knowrithm(server)
    events = await asked(backend, "Hi", chat.id)
    assert [type(event) for event in events] == [
        e.Start, e.Status, e.Start, e.TextStart, e.TextDelta, e.TextEnd, e.Usage, e.Finish,
    ]  # fmt: skip
    assert folded(events).text == "Žluťoučký 🐎 [Source 1]"
    await backend.aclose()


def _sizes(content: bytes, how: str) -> Sequence[int]:
    if how == "whole":
        return []
    if how == "bytes":
        return [1] * len(content)
    chance = random.Random(how)
    return [chance.randint(1, 60) for _ in range(len(content) // 20)]


@pytest.mark.parametrize("status", [500, 429])
async def test_polling_survives_a_stumble_and_gives_up_in_the_end(server: FakeKnowrithm, status: int):
    server.stream_status = 503
    chat = server.conversation()
    backend = knowrithm(server)
    bad = answer(status, {"error": "busy"}, {"retry-after": "0"} if status == 429 else {})

    async def good(exchange: Exchange) -> None:
        await server._messages(exchange.seen, chat.id)(exchange)

    server.on(f"GET /api/v1/conversation/{chat.id}/messages", bad, bad, good)
    assert folded(await asked(backend, "Hi", chat.id)).finish == e.Finish("stop")
    server.on(f"GET /api/v1/conversation/{chat.id}/messages", bad)
    message = folded(await asked(backend, "Again", chat.id, message_id="m2"))
    assert message.finish is not None
    assert message.finish.reason == "lost"
    assert_fit_for_a_person(message.finish.detail or "")
    assert len(server.posts()) == 2
    await backend.aclose()


async def test_a_credential_refused_while_waiting_ends_the_wait(server: FakeKnowrithm):
    server.stream_status = 503
    chat = server.conversation()
    backend = knowrithm(server)
    server.on(f"GET /api/v1/conversation/{chat.id}/messages", answer(401, {"error": "x"}))
    message = folded(await asked(backend, "Hi", chat.id))
    assert message.finish is not None
    assert (message.finish.reason, "Token refused" in (message.finish.detail or "")) == ("lost", True)
    await backend.aclose()


async def test_a_task_route_nobody_has_gives_way_to_the_messages(server: FakeKnowrithm):
    server.acks, server.stream_status = "task", 503
    chat = server.conversation()
    backend = knowrithm(server)
    original = server._task
    server._task = lambda seen, task_id: answer(404, {"error": "x"})  # type: ignore[method-assign]
    assert folded(await asked(backend, "Hi", chat.id)).finish == e.Finish("stop")
    server._task = lambda seen, task_id: answer(200, {"status": "brand-new-word"})  # type: ignore[method-assign]
    assert folded(await asked(backend, "Again", chat.id, message_id="m2")).finish == e.Finish("stop")
    server._task = original  # type: ignore[method-assign]
    await backend.aclose()


async def test_nobody_there_is_tried_three_times_and_told():
    waits: list[Waiting | None] = []
    backend = KnowrithmBackend(f"http://127.0.0.1:{closed_port()}/api", key(), timeouts=AT_ONCE, pace=QUICK)
    with pytest.raises(CannotConnect) as caught:
        async with aclosing(backend.send(CHAT, says("Hi"), on_wait=waits.append)) as events:
            async for _ in events:
                raise AssertionError("nothing can come")
    assert (caught.value.code, caught.value.delivery) == ("refused", "not-sent")
    assert [wait.attempt if wait else None for wait in waits] == [2, None, 3, None]
    await backend.aclose()


async def test_hanging_up_idle_connections_while_an_answer_is_waited_for(server: FakeKnowrithm):
    """As after a sleep: the event stream goes, the answer is polled for."""
    server.think = Gate()
    chat = server.conversation()
    backend = knowrithm(server)
    task = asyncio.create_task(asked(backend, "Hi", chat.id))
    await until(lambda: server.posts())
    await backend.hang_up(streams=False)
    server.think.open()
    assert folded(await task).text == f"{ANSWER} You said: Hi"
    assert len(server.posts()) == 1
    await backend.aclose()


# The credential's scope


async def every_call(backend: KnowrithmBackend, chat_id: str) -> None:
    offers, chats = backend.offers, backend.conversations
    for call in (
        backend.connect, backend.about, backend.alive, backend.chats, backend.sign_out, offers.agents,
        offers.documents, offers.websites, lambda: backend.chat(chat_id), lambda: backend.delete(chat_id),
        lambda: backend.new_chat("x", agent_id="a-1"), lambda: chats.restore(chat_id), lambda: chats.clear(chat_id),
        lambda: chats.delete_message("m"), lambda: offers.upload("a-1", [LocalFile("a.txt", b"x")]),
        lambda: offers.upload("a-1", urls=["https://x.example"]), lambda: offers.delete_document("d"),
        lambda: offers.add_website("a-1", "https://x.example"), lambda: offers.crawl("w"),
        lambda: offers.delete_website("w"), lambda: asked(backend, "Hi", chat_id),
    ):  # fmt: skip
        try:
            await call()
        except BackendError:
            pass


@pytest.mark.some(2)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_by_any_call(server: FakeKnowrithm, status: int):
    async with Eavesdropper() as other:
        target = {"location": f"http://127.0.0.1:{other.port}/x"}
        server.otherwise = lambda seen: answer(status, b"", target)  # type: ignore[method-assign]
        for credential in (key(), login(server.new_login())):
            backend = knowrithm(server, credential)
            await every_call(backend, CHAT)
            await backend.aclose()
        assert (other.connections, bytes(other.heard)) == (0, b"")
        assert len(server.posts()) == 2
        assert len(server.seen) > 40


async def test_urls_of_the_server_lead_to_nobody_else(server: FakeKnowrithm):
    async with Eavesdropper() as other:
        evil = f"http://127.0.0.1:{other.port}"
        chat = server.conversation()
        server.stream_status = 404
        server.named_stream = f"{evil}/v1/elsewhere/{{id}}"
        backend = knowrithm(server)
        task = {"status": "queued", "task_id": "t", "status_url": f"{evil}/api/v1/tasks/t/status"}
        server.on(
            f"POST /api/v1/conversation/{chat.id}/chat",
            answer(202, {**task, "stream_url": server.named_stream}),
        )
        server.on(
            "GET /api/v1/tasks/t/status", answer(200, {"status": "started", "status_url": f"{evil}/tasks/t2"})
        )
        server.on("GET /api/v1/tasks/t2", answer(200, {"status": "failed", "error": "stop here"}))
        message = folded(await asked(backend, "Hi", chat.id))
        assert message.finish is not None
        assert message.finish.detail == "stop here"
        await backend.aclose()
        assert (other.connections, bytes(other.heard)) == (0, b"")


async def test_secrets_are_in_no_error_and_no_log(server: FakeKnowrithm, caplog: pytest.LogCaptureFixture):
    caplog.set_level(0)
    tokens = server.new_login()
    chat = server.conversation()
    canaries = (SECRET, KEY, tokens["access_token"], tokens["refresh_token"], TYPED)
    texts: list[str] = []
    for credential in (key(), login(tokens)):
        backend = knowrithm(server, credential)
        texts.append(repr(backend._access.credential))  # pyright: ignore[reportPrivateUsage]
        for fault in [each for each in FAULTS if each.error is not None][:14]:
            server.on(f"POST /api/v1/conversation/{chat.id}/chat", fault.handler)
            try:
                await asked(backend, "Hi", chat.id)
            except BackendError as error:
                texts.append("".join(traceback.format_exception(error)) + str(vars(error)))
        await backend.aclose()
    try:
        await sign_in(server.base, "x@example.com", Secret(TYPED), pace=QUICK)
    except TokenRefused as error:
        texts.append("".join(traceback.format_exception(error)) + str(vars(error)))
    assert len(texts) > 20
    for canary in canaries:
        assert not any(canary in text for text in texts)
        assert canary not in caplog.text


@pytest.mark.parametrize("secret", ["", "a b", "a\nx-evil: 1", "ž"])
async def test_credentials_no_header_can_carry_are_not_sent(server: FakeKnowrithm, secret: str):
    backend = knowrithm(server, ApiKey(Secret(KEY), Secret(secret)))
    with pytest.raises(TokenRefused):
        await backend.chats()
    assert server.seen == []
    await backend.aclose()


# Foreign text and odd shapes


@pytest.mark.some(7)
@each_case("prose", "title")
async def test_hostile_answers_stay_as_they_are(case: HostileCase):
    async with FakeKnowrithm() as server:
        server.answer_text = case.text
        chat = server.conversation()
        chat.title = case.text
        backend = knowrithm(server)
        events = await asked(backend, "x", chat.id)
        assert "".join(event.delta for event in events if isinstance(event, e.TextDelta)) == case.text
        assert (await backend.chats()).items[0].title == case.text
        assert folded(events).finish == e.Finish("stop")
        await backend.aclose()


NAMES = [
    "id", "status", "state", "message", "role", "content", "data", "result", "error", "conversation_id", "pagination",
    "pages", "has_next", "messages", "conversations", "task_id", "status_url", "poll_url", "sources", "metadata",
    "all_sources", "source_number", "url", "retry_after", "eta", "meta", "access_token", "tokens", "created_at",
]  # fmt: skip
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10)
    | st.sampled_from(["queued", "completed", "failed", "assistant", "user", "c1", '{"id": 1}', "[", "/v1/tasks/x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=14,
)  # fmt: skip


@given(
    JSON,
    st.sampled_from(["chat_response", "completed", "failed", "chat_status", "message", "heartbeat", "odd"]),
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_anything_can_be_read(body: Any, name: str):
    signal_of(name, json.dumps(body), "c1")
    signal_of(name, str(body), "c1")
    ack_of(body, "https://x.example/api")
    assert state_of(body) in ("running", "done", "failed")
    news_of(body)
    hint = hint_of(body)
    assert hint is None or 0.1 <= hint <= 60
    assert len(failure_of(body, "default")) <= 200
    login_of(body)
    one_of(MessageRow, body, "message")
    further_page(body, 1, 2, 3)
    for row in chronological(rows_of(MessageRow, body, "messages")):
        assert answer_events(row)[-1] == e.Finish("stop")
        message_of(row, "m").to_wire()


async def test_lone_surrogates_are_not_sent(server: FakeKnowrithm):
    chat = server.conversation()
    backend = knowrithm(server)
    assert folded(await asked(backend, "a\ud800b", chat.id)).finish == e.Finish("stop")
    assert chat.messages[0]["content"] == "a?b"
    assert calls(server)[1].startswith("POST")
    await backend.aclose()


async def test_ids_that_climb_out_of_the_path_are_not_asked_for(server: FakeKnowrithm):
    backend = knowrithm(server)
    with pytest.raises(BackendError):
        await backend.chat("..")
    await asked_or_not(backend, "../admin")
    assert all("/../" not in seen.path and not seen.path.startswith("/api/v1/admin") for seen in server.seen)
    await backend.aclose()


async def asked_or_not(backend: KnowrithmBackend, chat_id: str) -> None:
    try:
        await asked(backend, "Hi", chat_id)
    except (BackendError, ConnectionLost):
        pass

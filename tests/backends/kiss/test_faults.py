"""Every fault of the matrix that a plain answer can meet (reliability.md §3), the token's scope, foreign text, sizes."""

from __future__ import annotations

import traceback
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kai_tui.backends.base import (
    AnswerTooLarge,
    BackendError,
    CannotConnect,
    ConnectionLost,
    UnexpectedAnswer,
)
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kiss.address import stack_address
from kai_tui.backends.kiss.client import KissBackend
from kai_tui.backends.kiss.wire import Authorized, StackAnswer, sources, stored_chunks
from kai_tui.backends.multipart import LocalFile
from kai_tui.backends.tolerant import read
from kai_tui.conversation import events as e
from tests.backends.fault_server import FAULTS, NO_SUCH_HOST, black_hole
from tests.backends.kai_server import Exchange, answer, never
from tests.backends.kiss.test_chat import AT_ONCE, CHAT, asked, calls, folded, kiss, says
from tests.backends.kiss.test_chat import server as server  # the fixture
from tests.backends.test_stream_faults import assert_fit_for_a_person
from tests.backends.test_token_scope import Eavesdropper
from tests.fakes.kiss import FakeKiss
from tests.hostile_cases import HostileCase, each_case

SHORT = Timeouts(connect=0.2, read=0.2, stream=0.2, total=0.4, pauses=(0.0, 0.0))
STREAMS = {
    "login-page", "json-instead", "empty-200", "204", "gzip", "empty-stream", "cut-before-the-first-event",
    "stall-before-the-first-event",
}  # fmt: skip
"""Faults of event streams; an answer that is none is tested below."""
PLAIN = [fault for fault in FAULTS if fault.error is not None and fault.name not in STREAMS]


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        (b"<html><title>Login</title></html>", "text/html", UnexpectedAnswer),
        (b"", "", UnexpectedAnswer),
        (b'{"result": ', "application/json", UnexpectedAnswer),
        (b'{"result": NaN}', "application/json", UnexpectedAnswer),
        (b'"text"', "application/json", UnexpectedAnswer),
        (b"[" * 5000, "application/json", UnexpectedAnswer),
    ],
)
async def test_answers_that_are_none(server: FakeKiss, content: bytes, kind: str, error: type[BackendError]):
    server.on("POST /queries", answer(200, content, {"content-type": kind}))
    backend = kiss(server)
    with pytest.raises(error) as caught:
        await asked(backend, "Hi")
    assert caught.value.delivery == "not-sent"
    assert_fit_for_a_person(caught.value.sentence)
    assert calls(server).count("queries") == 1
    await backend.aclose()


@pytest.mark.parametrize("end", ["cut", "reset"])
async def test_an_answer_that_breaks_off(server: FakeKiss, end: str):
    async def breaks(exchange: Exchange) -> None:
        await exchange.start({"content-type": "application/json"})
        await exchange.write(b'{"stack_id":"x","result":"half an')
        if end == "reset":
            exchange.reset()
        raise ConnectionError

    server.on("POST /queries", breaks)
    backend = kiss(server)
    with pytest.raises(ConnectionLost) as caught:
        await asked(backend, "Hi")
    assert caught.value.delivery == "not-sent"
    assert "send it again" in caught.value.sentence
    assert calls(server).count("queries") == 1
    await backend.aclose()


async def test_an_answer_beyond_all_measure(server: FakeKiss):
    async def floods(exchange: Exchange) -> None:
        await exchange.start({"content-type": "application/json"})
        for _ in range(33 * 16):
            await exchange.write(b" " * 65536)

    server.on("POST /queries", floods)
    backend = kiss(server)
    with pytest.raises(AnswerTooLarge):
        await asked(backend, "Hi")
    await backend.aclose()


async def test_silence_is_given_up_and_a_black_hole_too(server: FakeKiss):
    backend = kiss(server, timeouts=SHORT)
    await backend.connect()
    server.on("POST /queries", never)
    with pytest.raises(ConnectionLost) as caught:
        await asked(backend, "Hi")
    assert caught.value.code == "timeout"
    await backend.aclose()
    async with black_hole() as port:
        backend = KissBackend(f"http://127.0.0.1:{port}", timeouts=SHORT)
        with pytest.raises(CannotConnect):
            await asked(backend, "Hi")
        await backend.aclose()


async def test_an_unknown_host():
    backend = KissBackend(NO_SUCH_HOST, timeouts=AT_ONCE)
    with pytest.raises(CannotConnect, match="Cannot find"):
        await asked(backend, "Hi")
    await backend.aclose()


# The token's scope


@pytest.mark.parametrize("call", ["auth", "sessions", "queries", "documents"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(server: FakeKiss, call: str, status: int):
    async with Eavesdropper() as other:
        target = {"location": f"http://127.0.0.1:{other.port}/{call}"}
        server.on(f"POST /{call}", answer(status, b"", target))
        backend = kiss(server)
        with pytest.raises(UnexpectedAnswer):
            if call == "documents":
                (found,) = await backend.store([LocalFile("a.txt", b"x")])
                raise UnexpectedAnswer(found.why_not)
            await asked(backend, "Hi")
        await backend.aclose()
        assert other.connections == 0


@pytest.mark.parametrize(
    ("typed", "secure", "found"),
    [
        ("localhost:8080", None, "http://localhost:8080"),
        ("127.0.0.1:8080", None, "http://127.0.0.1:8080"),
        ("stack.example.com", None, "https://stack.example.com"),
        ("stack.example.com:8443", True, "https://stack.example.com:8443"),
        ("localhost:8443", True, "https://localhost:8443"),
        ("https://stack.example.com/", None, "https://stack.example.com"),
        ("wss://stack.example.com/ws", None, "https://stack.example.com"),
        ("ws://localhost:8080/ws", None, "http://localhost:8080"),
        ("stack.example.com/proxy/", None, "https://stack.example.com/proxy"),
        (" <https://stack.example.com> ", None, "https://stack.example.com"),
    ],
)
def test_addresses(typed: str, secure: bool | None, found: str):
    assert stack_address(typed, secure=secure) == found


@pytest.mark.parametrize(
    ("typed", "secure"),
    [("", None), ("stack.example.com", False), ("http://stack.example.com", None), ("ws://stack.example.com/ws", None),
     ("ftp://x", None), ("https://u:p@x.example", None), ("a b", None)],
)  # fmt: skip
def test_addresses_nothing_is_sent_to(typed: str, secure: bool | None):
    with pytest.raises(CannotConnect):
        KissBackend(typed, secure=secure)


async def test_secrets_are_in_no_error(server: FakeKiss, caplog: pytest.LogCaptureFixture):
    caplog.set_level(0)
    backend = kiss(server)
    await backend.connect()
    client = server.only_client()
    token = next(iter(server.tokens))
    for fault in PLAIN[:12]:
        server.on("POST /queries", fault.handler)
        try:
            await asked(backend, "Hi")
        except BackendError as error:
            text = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
            assert client.secret not in text
            assert token not in text
    assert client.secret not in caplog.text
    assert token not in caplog.text
    assert client.secret not in repr(backend._access._client)  # pyright: ignore[reportPrivateUsage]
    found = read(Authorized, {"client_id": "a", "client_secret": "canary", "access_token": "canary"}, "x")
    assert "canary" not in repr(found)
    await backend.aclose()


# Foreign text and odd shapes


@pytest.mark.some(20)
@each_case("prose", "title")
async def test_hostile_answers_stay_as_they_are(case: HostileCase):
    async with FakeKiss() as server:
        server.answers["x"] = case.text
        backend = kiss(server)
        events = await asked(backend, "x")
        assert folded(events).finish == e.Finish("stop")
        deltas = [event.delta for event in events if isinstance(event, e.TextDelta)]
        assert "".join(deltas) == case.text
        await backend.aclose()


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["stack_id", "result", "extras", "metadata", "supporting_documents", "file_name", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_answer_can_be_read(body: Any):
    try:
        found = read(StackAnswer, body, "stack.example")
    except UnexpectedAnswer:
        return
    assert isinstance(found.text, str)
    assert all(chunks for chunks in stored_chunks(found).values())
    for part in sources(found):
        assert part["type"] == "source-document"
        assert isinstance(part["excerpt"], str)


async def test_lone_surrogates_are_not_sent(server: FakeKiss):
    backend = kiss(server)
    async with aclosing(backend.send(CHAT, says("a\ud800b"))) as events:
        assert [event async for event in events][-1] == e.Finish("stop")
    assert server.begun == ["a?b"]
    await backend.aclose()

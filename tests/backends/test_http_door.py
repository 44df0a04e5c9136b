from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import traceback
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kai_tui.backends import failures, http
from kai_tui.backends.base import (
    AnswerTooLarge,
    BackendError,
    CannotConnect,
    ConnectionLost,
    NotFound,
    RateLimited,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.http import HttpDoor, Timeouts, segment
from kai_tui.backends.secret import Secret, SecretLine
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

CANARY = "canary-1234-AbCdEf"


class Naps:
    """Sleeps that take no time, and a clock that moves with them."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def clock(self) -> float:
        return sum(self.slept)


@pytest.fixture
async def server() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        yield running


@pytest.fixture
def naps() -> Naps:
    return Naps()


def door_to(url: str, naps: Naps | None = None, **options: Any) -> HttpDoor:
    naps = naps or Naps()
    return HttpDoor(
        url,
        auth_headers={"x-storageapi-token": Secret(CANARY), "x-storageapi-url": "https://stack.example"},
        sleep=naps.sleep,
        clock=naps.clock,
        jitter=lambda: 1.0,
        **options,
    )


async def failing(awaitable: Any) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await asyncio.wait_for(awaitable, TIMEOUT)
    return caught.value


async def read_stream(door: HttpDoor, method: Any = "POST", **options: Any) -> bytes:
    async with door.stream(
        method, "/chat", body={"a": 1} if method == "POST" else None, **options
    ) as response:
        return b"".join([chunk async for chunk in response.aiter_bytes()])


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# What is sent


async def test_headers_and_body(server: KaiServer):
    server.on("POST /x", answer(200, {"ok": True}))
    server.on("GET /y", answer(200, {"ok": True}))
    door = door_to(server.url, headers={"x-workspace-id": "77"})
    assert (await door.request("POST", "/x", body={"text": "ž\ud83d"})).json() == {"ok": True}
    await door.request("GET", "/y", params={"q": "a b&c"}, auth=False)
    posted, got = server.seen
    assert posted.body == {"text": "ž\ud83d"}
    assert posted.headers["x-storageapi-token"] == CANARY
    assert posted.headers["x-storageapi-url"] == "https://stack.example"
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["accept-encoding"] == "identity"
    assert posted.headers["user-agent"].startswith("kai-tui/")
    assert "authorization" not in posted.headers
    assert got.query == {"q": "a b&c"}
    assert not {"x-storageapi-token", "x-storageapi-url", "content-type"} & got.headers.keys()
    assert got.headers["x-workspace-id"] == "77"
    await door.aclose()


async def test_posts_get_a_fresh_connection_and_reads_share_one(server: KaiServer):
    server.on("POST /x", answer(200, {}))
    server.on("GET /y", answer(200, {}))
    door = door_to(server.url)
    for _ in range(3):
        await door.request("GET", "/y")
        await door.request("POST", "/x", body={})
    connections = {"GET": set[int](), "POST": set[int]()}
    for seen in server.seen:
        connections[seen.method].add(seen.connection)
    assert (len(connections["GET"]), len(connections["POST"])) == (1, 3)
    await door.aclose()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_never_followed(server: KaiServer, status: int):
    async with KaiServer() as other:
        for call in ("POST /chat", "GET /chat", "DELETE /chat", "PATCH /chat"):
            server.on(call, answer(status, b"", {"location": f"{other.url}/chat"}))
        door = door_to(server.url)
        for method in ("GET", "DELETE", "PATCH", "POST"):
            error = await failing(door.request(method, "/chat"))
            assert type(error) is UnexpectedAnswer
            assert f"127.0.0.1:{other.port}" in error.sentence
        for method in ("GET", "POST"):
            assert type(await failing(read_stream(door, method))) is UnexpectedAnswer
        assert other.connections == 0
        assert len(server.seen) == 6
        await door.aclose()


async def test_a_redirect_on_the_same_host_is_not_followed_either(server: KaiServer):
    server.on("GET /a", answer(308, b"", {"location": "/b"}))
    server.on("GET /b", answer(200, {}))
    door = door_to(server.url)
    assert type(await failing(door.request("GET", "/a"))) is UnexpectedAnswer
    assert server.calls("GET /b") == []
    await door.aclose()


@pytest.mark.parametrize("path", ["@evil.example/", "//evil.example/", ".evil.example/", "chat", ":81/", ""])
async def test_no_path_leads_to_another_origin(server: KaiServer, path: str):
    sent: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    door = door_to("https://kai.example", transport=httpx.MockTransport(record))
    try:
        await door.request("GET", path)
    except CannotConnect:
        assert sent == []
    else:
        assert [request.url.host for request in sent] == ["kai.example"]


async def test_proxy_variables_do_not_catch_loopback(server: KaiServer, monkeypatch: pytest.MonkeyPatch):
    async with KaiServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        server.on("GET /x", answer(200, {}))
        door = door_to(server.url)
        await door.request("GET", "/x")
        assert proxy.connections == 0
        await door.aclose()


async def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://proxy.example")
    error = await failing(door_to("https://kai.example").request("GET", "/x"))
    assert (type(error), error.code) == (CannotConnect, "proxy")


@pytest.mark.parametrize("value", ["", "with space", "line\nbreak", "ž", "tab\t", " lead"])
async def test_an_impossible_token_is_refused_before_anything_is_sent(server: KaiServer, value: str):
    door = HttpDoor(server.url, auth_headers={"x-storageapi-token": Secret(value)})
    error = await failing(door.request("POST", "/x", body={}))
    assert type(error) is TokenRefused
    assert error.delivery == "not-sent"
    assert server.connections == 0
    if value:
        assert value not in error.sentence


async def test_what_is_no_json_is_refused_before_anything_is_sent(server: KaiServer):
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    door = door_to(server.url)
    for body in ({"a": float("nan")}, {"a": object()}, {"a": deep}):
        assert type(await failing(door.request("POST", "/x", body=body))) is Refused
    assert server.connections == 0


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_ids_that_climb_are_refused(value: str):
    with pytest.raises(Refused):
        segment(value)


def test_ids_are_one_segment():
    assert segment("../a?b#c/d%") == "..%2Fa%3Fb%23c%2Fd%25"


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


# Retries


@pytest.mark.parametrize("fault", [hang_up, answer(502), answer(503), answer(504)])
async def test_reads_are_tried_up_to_three_times(server: KaiServer, naps: Naps, fault: Any):
    server.on("GET /x", fault, fault, answer(200, {"ok": 1}))
    door = door_to(server.url, naps)
    assert (await door.request("GET", "/x")).json() == {"ok": 1}
    assert naps.slept == [0.5, 2.0]
    server.on("GET /x", fault)
    error = await failing(door.request("GET", "/x"))
    assert len(server.seen) == 6
    assert error.delivery == "not-sent"
    await door.aclose()


async def test_the_pause_has_full_jitter_and_the_window_holds(server: KaiServer):
    naps = Naps()
    door = door_to(server.url, naps)
    door._jitter = lambda: 0.25  # pyright: ignore[reportPrivateUsage]
    server.on("GET /x", hang_up)
    await failing(door.request("GET", "/x"))
    assert naps.slept == [0.125, 0.5]
    naps.slept.append(19.9)
    late = door_to(server.url, naps)
    late._clock = iter((0.0, 19.9)).__next__  # pyright: ignore[reportPrivateUsage]
    await failing(late.request("GET", "/x"))
    assert len(server.seen) == 4
    await door.aclose()
    await late.aclose()


async def test_a_503_that_says_when_is_not_tried_at_once(server: KaiServer, naps: Naps):
    server.on("GET /x", answer(503, {"code": "offline:chat", "message": "Later"}, {"retry-after": "9"}))
    door = door_to(server.url, naps)
    error = await failing(door.request("GET", "/x"))
    assert type(error) is RateLimited
    assert error.retry_after == 9.0
    assert len(server.seen) == 1
    await door.aclose()


@pytest.mark.parametrize("fault", [hang_up, answer(500), answer(502), answer(503), answer(504)])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_what_may_have_been_carried_out_is_sent_once(
    server: KaiServer, naps: Naps, method: Any, fault: Any
):
    server.on(f"{method} /chat", fault)
    door = door_to(server.url, naps)
    error = await failing(door.request(method, "/chat", unsure_note="It may have happened."))
    assert error.delivery == "unsure"
    assert error.sentence.endswith(" It may have happened.")
    assert str(error) == error.sentence
    if method == "POST":
        error = await failing(read_stream(door, unsure_note="It may have happened."))
        assert error.sentence.endswith(" It may have happened.")
    assert len(server.seen) == (2 if method == "POST" else 1)
    assert naps.slept == []
    await door.aclose()


@pytest.mark.parametrize(("method", "tries"), [("GET", 3), ("DELETE", 3), ("POST", 1), ("PATCH", 1)])
async def test_connecting_is_tried_again_for_reads_and_deletes_only(naps: Naps, method: Any, tries: int):
    door = door_to(f"http://127.0.0.1:{closed_port()}", naps)
    error = await failing(door.request(method, "/x"))
    assert type(error) is CannotConnect
    assert error.sentence == f"{door.host} refuses connections."
    assert (error.code, error.delivery) == ("refused", "not-sent")
    assert len(naps.slept) == tries - 1
    await door.aclose()


# Not reached


async def test_a_host_nobody_knows():
    door = door_to("https://kai.nothing.invalid")
    error = await failing(door.request("GET", "/x"))
    assert error.sentence == "Cannot find kai.nothing.invalid. Check the address or your network."
    assert (error.code, error.delivery) == ("dns", "not-sent")
    await door.aclose()


async def test_tls_to_a_plain_port(server: KaiServer, naps: Naps):
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with plain:
        door = door_to(f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}", naps)
        error = await failing(door.request("GET", "/x"))
        assert (type(error), error.code) == (CannotConnect, "tls")
        assert error.sentence.startswith("Secure connection failed: ")
        assert naps.slept == []
        await door.aclose()


def caused(error: Exception, *behind: BaseException) -> Exception:
    current: BaseException = error
    for cause in behind:
        current.__cause__ = cause
        current = cause
    return error


UNTRUSTED = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
UNTRUSTED.verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("error", "kind", "delivery", "sentence"),
    [
        (httpx.ConnectTimeout(""), CannotConnect, "not-sent", "No answer from h in 10 s. Check the address or"),
        (httpx.PoolTimeout(""), CannotConnect, "not-sent", "Too many requests to h at once."),
        (httpx.ConnectError(""), CannotConnect, "not-sent", "Cannot reach h."),
        (caused(httpx.ConnectError(""), OSError(), ConnectionRefusedError()), CannotConnect, "not-sent", "h refuses"),
        (caused(httpx.ConnectError(""), ExceptionGroup("g", [OSError(), ConnectionRefusedError()])),
         CannotConnect, "not-sent", "h refuses connections."),
        (caused(httpx.ConnectError(""), socket.gaierror(-2, "x")), CannotConnect, "not-sent", "Cannot find h."),
        (caused(httpx.ConnectError(""), ConnectionResetError()), CannotConnect, "not-sent", "h hung up before"),
        (caused(httpx.ConnectError(""), UNTRUSTED), CannotConnect, "not-sent",
         "Secure connection failed: the certificate of h is not valid."),
        (httpx.ReadTimeout(""), ConnectionLost, "unsure", "h did not answer in 10 s."),
        (TimeoutError(), ConnectionLost, "unsure", "h did not answer in 10 s."),
        (httpx.WriteTimeout(""), ConnectionLost, "unsure", "Sending to h took too long."),
        (httpx.ReadError(""), ConnectionLost, "unsure", "The connection to h was lost."),
        (httpx.WriteError(""), ConnectionLost, "unsure", "The connection to h was lost."),
        (httpx.StreamClosed(), ConnectionLost, "unsure", "The connection to h was lost."),
        (OSError(), ConnectionLost, "unsure", "The connection to h was lost."),
        (httpx.RemoteProtocolError("x"), ConnectionLost, "unsure", "h hung up in the middle."),
        (httpx.DecodingError("x"), UnexpectedAnswer, "unsure", "The answer of h cannot be decompressed."),
        (httpx.LocalProtocolError(CANARY), CannotConnect, "not-sent", "The request to h could not be written."),
    ],
)  # fmt: skip
def test_every_failure_has_a_sentence(
    error: Exception, kind: type[BackendError], delivery: str, sentence: str
):
    found = failures.from_exception(error, "h", limit=10)
    assert (type(found), found.delivery) == (kind, delivery)
    assert found.sentence.startswith(sentence)
    assert found.sentence.endswith(".")


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


# The token


async def test_the_token_is_in_nothing_that_can_be_printed(
    server: KaiServer, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    http_logs = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    assert [log.level for log in http_logs] == [logging.WARNING, logging.WARNING]
    server.on("GET /x", answer(401, {"message": "no"}))
    server.on("POST /chat", stream(b"data: 1\n\n"))
    door = door_to(server.url)
    shown = [repr(door), repr(vars(door))]
    for awaitable in (
        door.request("GET", "/x"),
        door_to(f"http://127.0.0.1:{closed_port()}").request("POST", "/"),
    ):
        error = await failing(awaitable)
        chain: BaseException | None = error
        while chain is not None:
            request = getattr(chain, "_request", None)
            shown += [repr(chain), repr(vars(chain)), repr(request and request.headers)]
            chain = chain.__cause__ or chain.__context__
        shown += traceback.TracebackException.from_exception(error, capture_locals=False).format()
    async with door.stream("POST", "/chat", body={}) as response:
        shown += [repr(response), repr(response.request.headers), repr(response.headers)]
    assert CANARY not in "".join(shown) + caplog.text
    assert [seen.headers["x-storageapi-token"] for seen in server.seen] == [CANARY, CANARY]
    await door.aclose()


async def test_server_failed_is_told_apart(server: KaiServer):
    server.on("POST /x", answer(500, b"Internal Server Error", {"content-type": "text/plain"}))
    door = door_to(server.url)
    error = await failing(door.request("POST", "/x", body={}, unsure_note="It may have arrived."))
    assert type(error) is ServerFailed
    assert error.sentence == f"Server error at {door.host} (500): Internal Server Error. It may have arrived."
    await door.aclose()


# Credentials that are asked for anew


async def test_credentials_are_asked_for_right_before_each_request_and_are_forgotten(server: KaiServer):
    server.on("GET /x", answer(200, {}))
    server.on("POST /s", stream(b"data: 1\n\n"))
    asked: list[str] = []

    async def credentials() -> dict[str, Secret | str]:
        asked.append(f"{CANARY}-{len(asked)}")
        return {"authorization": SecretLine(f"Token {asked[-1]}"), "x-plain": "1"}

    door = HttpDoor(server.url, credentials=credentials)
    await door.request("GET", "/x")
    await door.request("GET", "/x", auth=False)
    async with door.stream("POST", "/s", body={}) as response:
        assert CANARY not in repr(response.request.headers)
        assert "authorization" not in response.request.headers
    await door.aclose()
    assert [seen.headers.get("authorization") for seen in server.seen] == [
        f"Token {CANARY}-0", None, f"Token {CANARY}-1",
    ]  # fmt: skip
    assert len(asked) == 2


async def test_without_credentials_nothing_is_sent(server: KaiServer):
    async def credentials() -> dict[str, Secret | str]:
        raise TokenRefused("The helper has none.", delivery="unsure")

    door = HttpDoor(server.url, credentials=credentials)
    error = await failing(door.request("POST", "/x", body={}))
    await door.aclose()
    assert (type(error), error.delivery, server.seen) == (TokenRefused, "not-sent", [])


@pytest.mark.parametrize("value", ["Basic a b", "x\r\ny: z", " x", "", "ä"])
async def test_a_secret_line_may_have_spaces_but_never_ends_the_line(server: KaiServer, value: str):
    server.on("GET /x", answer(200, {}))
    door = HttpDoor(server.url, auth_headers={"authorization": SecretLine(value)})
    if value == "Basic a b":
        await door.request("GET", "/x")
        assert server.seen[0].headers["authorization"] == value
    else:
        assert isinstance(await failing(door.request("GET", "/x")), TokenRefused)
        assert server.seen == []
    await door.aclose()

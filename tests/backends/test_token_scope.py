"""t_token_scope: the token goes to one origin only (P13, T13, T14, N8), and into nothing that can be read (P14, T15)."""

from __future__ import annotations

import asyncio
import logging
import traceback
from contextlib import aclosing
from typing import Any

import httpcore
import httpx
import pytest

from kai_tui.backends.base import BackendError, CannotConnect, Outgoing, UnexpectedAnswer
from kai_tui.backends.http import HttpDoor, Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.kai.discovery import discover, verify_token
from kai_tui.backends.network import Network
from kai_tui.backends.secret import Secret
from tests.backends.fault_server import BY_NAME, FAULTS, NO_SUCH_HOST, FaultServer, black_hole, closed_port
from tests.backends.kai_server import TIMEOUT, KaiServer, answer
from tests.backends.middlemen import Authority, Middleman

CANARY = "canary-1234-AbCdEf"
HALVES = (CANARY[:9], CANARY[9:])
CHAT = "6919e0d7-9740-4f10-a481-af116888937e"
HELLO = Outgoing("35fa9159-d0a5-45a5-96a4-a63f546c9f3b", "Hello!")
AT_ONCE = Timeouts(pauses=(0.0, 0.0))
SHORT = Timeouts(connect=0.1, read=0.1, stream=0.1, total=0.2, pauses=())


def token() -> Secret:
    return Secret(CANARY)


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


class Eavesdropper:
    """Listens on a port and keeps every byte that comes."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.connections = 0

    async def __aenter__(self) -> Eavesdropper:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.heard += await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()


async def every_call(kai: KaiBackend) -> None:
    """Each kind of request there is; what they come to does not matter."""
    for call in (kai.ping, kai.info, kai.chats, kai.quota, kai.suggestions, kai.tools,
                 lambda: kai.chat(CHAT), lambda: kai.delete(CHAT), lambda: kai.vote(CHAT, CHAT, True),
                 lambda: kai.set_instructions("user", "x")):  # fmt: skip
        try:
            await call()
        except BackendError:
            pass
    try:
        async with aclosing(kai.send(CHAT, HELLO)) as events:
            async for _ in events:
                pass
    except BackendError:
        pass


# Redirects


@pytest.mark.some(7)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{other}/api/chat", "http://localhost:{other}/api/chat", "//127.0.0.1:{other}/",
     "https://127.0.0.1:{own}/api/chat", "http://localhost:{own}/api/chat", "/api/elsewhere",
     "http://user:pw@127.0.0.1:{other}/", "http://127.0.0.1:{own}@127.0.0.1:{other}/"],
)  # fmt: skip
async def test_no_redirect_is_followed_by_any_call(status: int, target: str):
    async with KaiServer() as server, Eavesdropper() as other:
        server._routes = _Always(  # pyright: ignore
            answer(status, b"", {"location": target.format(other=other.port, own=server.port)})
        )
        kai = KaiBackend(server.url, storage_url="", token=token(), service="agent", timeouts=AT_ONCE)
        await every_call(kai)
        await kai.aclose()
        assert (other.connections, bytes(other.heard)) == (0, b"")
        assert len(server.seen) == 11
        assert server.calls("GET /api/elsewhere") == []
        assert len(server.calls("POST /api/chat")) == 1


class _Always(dict[str, Any]):
    """One answer to everything."""

    def __init__(self, handler: Any) -> None:
        super().__init__()
        self._handler = handler

    def get(self, key: object, default: object = None) -> Any:
        return [self._handler]


async def test_a_redirect_from_https_to_http_is_not_followed(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, no_proxies: None
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    async with KaiServer(authority.server("127.0.0.1")) as server, Eavesdropper() as other:
        server.on("GET /api", answer(307, b"", {"location": f"http://127.0.0.1:{other.port}/api"}))
        kai = KaiBackend(server.url, storage_url="", token=token(), service="agent", timeouts=AT_ONCE)
        with pytest.raises(UnexpectedAnswer, match=f"sends us on to 127.0.0.1:{other.port}"):
            await kai.info()
        await kai.aclose()
        assert other.connections == 0


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "http://kai.example",
        "http://kai.example:443",
        "https://user:pw@kai.example",
        "https://kai.example@evil.example",
        "https://kai.example\\@evil.example",
        "https://kai.example\t.evil.example",
        "https://kai.example\n.evil.example",
        "https://kai.example evil.example",
        "https://\u202ekai.example",
        "https://kai.example:99999",
        "https://kai.example:80x",
        "https://[::1",
        "https://[kai.example]",
        "https:///kai.example",
        "ftp://kai.example",
        "javascript:alert(1)",
        "//kai.example",
        "kai.example",
        "",
        "https://",
        "https://.",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://0x7f000001",
        "http://2130706433",
        "http://[::ffff:10.0.0.1]",
        "http://0.0.0.0",
        "http://sandbox.kai-tui.invalid",
        "https://%6bai.example",
        "https://kai.exa%2fmple",
    ],
)
def test_addresses_that_are_refused_at_once(address: str):
    with pytest.raises(CannotConnect) as caught:
        KaiBackend(address, storage_url="", token=token())
    assert caught.value.delivery == "not-sent"
    assert "pw" not in caught.value.sentence


@pytest.mark.parametrize(
    ("address", "scheme", "host", "port", "path"),
    [
        ("https://kai.example/", "https", "kai.example", None, "/ping"),
        ("https://kai.example/base//", "https", "kai.example", None, "/base/ping"),
        ("https://kai.example?x=1", "https", "kai.example", None, "/ping"),
        ("https://kai.example#@evil.example", "https", "kai.example", None, "/ping"),
        ("https://kai.example/?@evil.example", "https", "kai.example", None, "/ping"),
        ("https://KAI.Example.", "https", "kai.example", None, "/ping"),
        ("https://kai.example:443", "https", "kai.example", None, "/ping"),
        ("https://kai.example:8443/x", "https", "kai.example", 8443, "/x/ping"),
        ("https://[2001:db8::1]:8443", "https", "2001:db8::1", 8443, "/ping"),
        ("https://[2001:DB8::1]", "https", "2001:db8::1", None, "/ping"),
        ("https://ka\u0456.example", "https", "xn--ka-ioc.example", None, "/ping"),
        ("https://b\u00fccher.example", "https", "xn--bcher-kva.example", None, "/ping"),
        ("http://[::1]:3000", "http", "::1", 3000, "/ping"),
        ("http://localhost:3000/", "http", "localhost", 3000, "/ping"),
    ],
)
async def test_what_is_around_a_host_changes_nothing(
    address: str, scheme: str, host: str, port: int | None, path: str
):
    asked: list[httpx.URL] = []

    def record(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        assert request.headers["host"].partition(":")[0].strip("[]") in (host, "2001", "[2001", "")
        return httpx.Response(200, json={"timestamp": "x"})

    kai = KaiBackend(
        address, storage_url="", token=token(), service="agent", transport=httpx.MockTransport(record)
    )
    await kai.ping()
    (url,) = asked
    assert (url.scheme, url.raw_host.decode(), url.port) == (scheme, host, port)
    assert url.path == path
    assert (url.query, url.userinfo) == (b"", b"")


# Proxies


async def test_a_proxy_that_answers_itself_gets_nothing(monkeypatch: pytest.MonkeyPatch, no_proxies: None):
    """Whatever it says to CONNECT: behind it must be a server that proves its name."""
    for said in (
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n",
        b"HTTP/1.1 407 Who\r\nproxy-authenticate: Basic\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ):
        async with Middleman(answer=said) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            kai = KaiBackend(
                "https://kai.example", storage_url="", token=token(), service="agent", timeouts=AT_ONCE
            )
            await every_call(kai)
            await kai.aclose()
            assert proxy.connections > 0
            assert CANARY.encode() not in proxy.read
            assert b"storageapi" not in proxy.read


async def test_a_tunnel_to_a_server_without_tls_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, no_proxies: None
):
    async with Eavesdropper() as plain, Middleman({"kai.example:443": plain.port}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        kai = KaiBackend(
            "https://kai.example", storage_url="", token=token(), service="agent", timeouts=AT_ONCE
        )
        await every_call(kai)
        await kai.aclose()
        assert plain.connections > 0
        assert CANARY.encode() not in plain.heard + proxy.read + proxy.tunnelled


# Discovery


@pytest.mark.some(5)
@pytest.mark.parametrize(
    "named",
    [
        "https://kai-agent.evil.example",
        "https://kai-agent.stack.example.evil.example",
        "https://stack.example@kai-agent.evil.example",
        "https://user:pw@kai-agent.stack.example",
        "http://kai-agent.stack.example",
        "https://kai-agentstack.example",
        "https://127.0.0.1:{port}",
        "http://localhost:{port}",
        "https://[::1]:{port}",
        "https://kai-agent.st\u0430ck.example",
        "javascript:alert(1)",
        "",
        "//kai-agent.stack.example",
        "https://kai-agent.stack.example\n.evil.example",
    ],
)
async def test_a_discovered_address_outside_the_stack_gets_nothing(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, no_proxies: None, named: str
):
    async with (
        KaiServer(authority.server("connection.stack.example")) as stack,
        Eavesdropper() as other,
        Middleman(_Leads({"connection.stack.example:443": stack.port}, other.port)) as proxy,
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        stack.on("GET /v2/storage/tokens/verify", answer(200, {"owner": {"id": 1}}))
        stack.on(
            "GET /v2/storage",
            answer(200, {"services": [{"id": "kai-agent", "url": named.format(port=other.port)}]}),
        )
        await verify_token("connection.stack.example", token())
        found = await discover("connection.stack.example", token())
        with pytest.raises(BackendError) as caught:
            found.choose()
        assert caught.value.delivery == "not-sent"
        assert "pw" not in caught.value.sentence
        assert other.connections == 0
        assert {line.split(" ")[1] for line in proxy.asked} == {"connection.stack.example:443"}


class _Leads(dict[str, int]):
    """Every other name leads to the eavesdropper."""

    def __init__(self, known: dict[str, int], other: int) -> None:
        super().__init__(known)
        self._other = other

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> int:
        return self._other


async def test_a_stack_that_sends_us_on_gets_no_second_request(no_proxies: None):
    async with KaiServer() as stack, Eavesdropper() as other:
        for path in ("/v2/storage", "/v2/storage/tokens/verify"):
            stack.on(f"GET {path}", answer(302, b"", {"location": f"http://127.0.0.1:{other.port}{path}"}))
        for ask in (verify_token, discover):
            with pytest.raises(UnexpectedAnswer):
                await ask(stack.url, token(), timeouts=AT_ONCE)
        assert other.connections == 0
        assert len(stack.seen) == 2


# Nothing that can be read has it


def everything_readable(error: BaseException, log: str) -> str:
    """What a log, a crash report with locals, or a curious `repr` would have shown."""
    shown = [log]
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        shown += [repr(current), str(current), repr(current.args), repr(vars(current))]
        shown += [repr(getattr(current, name, None)) for name in ("sentence", "detail", "code")]
        request = getattr(current, "_request", None)
        shown += [repr(request), repr(request.headers) if request is not None else ""]
        shown += traceback.TracebackException.from_exception(
            current, capture_locals=True, max_group_width=99
        ).format()
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
        waiting += [linked for linked in (current.__cause__, current.__context__) if linked is not None]
    return "\n".join(shown)


def assert_nothing_shows(error: BaseException, log: str) -> None:
    readable = everything_readable(error, log)
    assert CANARY not in readable
    for half in HALVES:
        assert half not in readable
    assert "test_token_scope" in readable  # the locals of this very test were looked at


async def fails(kai: KaiBackend) -> BackendError:
    try:
        async with asyncio.timeout(TIMEOUT), aclosing(kai.send(CHAT, HELLO)) as events:
            async for _ in events:
                pass
    except BackendError as error:
        return error
    finally:
        await kai.aclose()
    raise AssertionError("it did not fail")


def kai_at(url: str, timeouts: Timeouts = AT_ONCE) -> KaiBackend:
    return KaiBackend(url, storage_url="", token=token(), service="agent", timeouts=timeouts, silence=0.1)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):  # even when somebody turns them up
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


RAISING = [fault.name for fault in FAULTS if fault.error is not None]


@pytest.mark.some(21)
@pytest.mark.parametrize("name", RAISING)
async def test_no_fault_of_the_matrix_shows_the_token(log: pytest.LogCaptureFixture, name: str):
    async with FaultServer() as server:
        server.break_chat(name)
        error = await fails(kai_at(server.url, SHORT if BY_NAME[name].needs_short_clocks else AT_ONCE))
    assert_nothing_shows(error, log.text)


async def test_no_failure_to_connect_shows_it(
    log: pytest.LogCaptureFixture, authority: Authority, no_proxies: None, monkeypatch: pytest.MonkeyPatch
):
    errors = [
        await fails(kai_at(f"http://127.0.0.1:{closed_port()}")),
        await fails(kai_at(f"https://{NO_SUCH_HOST}")),
    ]
    async with black_hole() as port:
        errors.append(await fails(kai_at(f"http://127.0.0.1:{port}", SHORT)))
    async with KaiServer(authority.server("127.0.0.1")) as server:
        errors.append(await fails(kai_at(server.url)))
    async with Middleman(answer=b"HTTP/1.1 403 No\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", f"://jo:{CANARY}@"))
        errors.append(await fails(kai_at("https://kai.example")))
    monkeypatch.setenv("HTTPS_PROXY", f"http://jo:{CANARY}@127.0.0.1:{closed_port()}")
    errors.append(await fails(kai_at("https://kai.example")))
    monkeypatch.setenv("HTTPS_PROXY", f"gopher://jo:{CANARY}@proxy.example")
    errors.append(await fails(kai_at("https://kai.example")))
    for error in errors:
        assert_nothing_shows(error, log.text)


class BrokenWire(httpcore.AsyncNetworkStream):
    """A connection on which writing fails while the head, with the token, is in somebody's hands."""

    def __init__(self, failure: type[Exception]) -> None:
        self._failure = failure
        self.got = b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.got += buffer
        raise self._failure("broken")

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        raise httpcore.ReadError("broken")

    async def aclose(self) -> None:
        return None

    def get_extra_info(self, info: str) -> Any:
        return None


@pytest.mark.parametrize(
    "failure",
    [httpcore.WriteTimeout, httpcore.WriteError, httpcore.LocalProtocolError, OSError, TimeoutError],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_head_that_could_not_be_written_shows_nothing(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, failure: type[Exception], method: Any
):
    wires: list[BrokenWire] = []

    async def connect(*_: object, **__: object) -> BrokenWire:
        wires.append(BrokenWire(failure))
        return wires[-1]

    monkeypatch.setattr(Network, "connect_tcp", connect)
    door = HttpDoor("http://127.0.0.1:9", auth_headers={"x-storageapi-token": token()}, timeouts=AT_ONCE)
    with pytest.raises(BackendError) as caught:
        await door.request(method, "/x")
    assert all(CANARY.encode() in wire.got for wire in wires)  # it was there to be shown
    wires.clear()
    assert_nothing_shows(caught.value, log.text)
    await door.aclose()


async def test_a_stream_that_breaks_shows_nothing(log: pytest.LogCaptureFixture):
    async with FaultServer() as server:
        server.break_chat("reset-in-an-event")
        door = HttpDoor(server.url, auth_headers={"x-storageapi-token": token()})
        with pytest.raises(BackendError) as caught:
            async with door.stream("POST", "/api/chat", body={}) as response:
                async for _ in response.aiter_bytes():
                    pass
        assert_nothing_shows(caught.value, log.text)
        await door.aclose()

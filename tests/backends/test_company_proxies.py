"""Proxies of company networks, against real ones on loopback."""

from __future__ import annotations

import asyncio
import gc
import warnings
from pathlib import Path

import pytest

from kai_tui.backends.addresses import parse_origin
from kai_tui.backends.base import CannotConnect
from kai_tui.backends.http import Timeouts
from kai_tui.backends.proxies import bypassed, proxy_for, read_proxy
from tests.backends.company_network import CANARY, PASSWORD, STACK, door_to, failing, get, through
from tests.backends.company_network import authority as authority
from tests.backends.company_network import clean as clean
from tests.backends.company_network import server as server
from tests.backends.fault_server import NO_SUCH_HOST, closed_port
from tests.backends.kai_server import TIMEOUT, KaiServer, answer
from tests.backends.middlemen import Authority, Middleman

# Proxies


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
async def test_a_proxy_leads_to_the_server_and_sees_only_its_name(
    server: KaiServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, variable: str
):
    async with Middleman({"kai.stack.example:443": server.port}) as proxy:
        await through(monkeypatch, authority, proxy, variable)
        door = door_to()
        assert (await door.request("GET", "/x")).json() == {"ok": 1}
        async with door.stream("POST", "/chat", body={"text": "my secret question"}) as response:
            assert await response.aread() == b"data: {}\n\n"
        await door.aclose()
        assert proxy.asked == ["CONNECT kai.stack.example:443 HTTP/1.1"] * 2
        seen = bytes(proxy.read + proxy.tunnelled)
        assert proxy.tunnelled
        for private in (CANARY.encode(), b"storageapi", b"secret question", b"/chat"):
            assert private not in seen
    assert [each.headers["x-storageapi-token"] for each in server.seen] == [CANARY, CANARY]


async def test_a_proxy_over_https_and_one_over_socks(
    server: KaiServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    routes = {"kai.stack.example:443": server.port}
    secured = Middleman(routes, tls=authority.server("127.0.0.1"), credentials="u:p")
    for proxy in (secured, Middleman(routes, socks=True), Middleman(routes, socks=True, credentials="u:p")):
        async with proxy:
            await through(monkeypatch, authority, proxy, credentials="u:p@")
            assert await get() == {"ok": 1}
            assert CANARY.encode() not in proxy.read + proxy.tunnelled
            assert len(proxy.asked) == 1


async def test_credentials_of_a_proxy_go_to_the_proxy_only(
    server: KaiServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    async with Middleman({"kai.stack.example:443": server.port}, credentials=f"jo@corp:{PASSWORD}") as proxy:
        await through(monkeypatch, authority, proxy, credentials=f"jo%40corp:{PASSWORD}@")
        assert await get() == {"ok": 1}
        assert "proxy-authorization" not in server.seen[0].headers
        assert PASSWORD not in repr(read_proxy(proxy.url.replace("://", f"://jo:{PASSWORD}@")))


@pytest.mark.parametrize("socks", [False, True])
@pytest.mark.parametrize("wrong", ["", f"jo:{PASSWORD}@"])
async def test_a_proxy_that_wants_other_credentials(monkeypatch: pytest.MonkeyPatch, wrong: str, socks: bool):
    async with Middleman(credentials="jo:right", socks=socks) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", f"://{wrong}"))
        error = await failing()
        assert (type(error), error.code, error.delivery) == (CannotConnect, "proxy", "not-sent")
        said = "does not accept the user name and password" if wrong else "wants a user name and a password"
        assert error.sentence.startswith(f"The proxy {proxy.shown} {said}")
        assert f"{'socks5' if socks else 'http'}://NAME:PASSWORD@{proxy.shown}" in error.sentence
        assert proxy.connections == 1  # not tried again


async def test_a_proxy_that_refuses_connections_or_is_nowhere(monkeypatch: pytest.MonkeyPatch):
    port = closed_port()
    for host, code, said in (
        (f"127.0.0.1:{port}", "refused", f"The proxy 127.0.0.1:{port} refuses connections."),
        (f"{NO_SUCH_HOST}:3128", "dns", f"Cannot find the proxy {NO_SUCH_HOST}:3128."),
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://jo:{PASSWORD}@{host}")
        error = await failing()
        assert (type(error), error.code, error.delivery) == (CannotConnect, code, "not-sent")
        assert error.sentence == f"{said} Check HTTPS_PROXY, or the network."


@pytest.mark.parametrize(
    ("spoken", "code", "said"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n<html>", "proxy", "refuses the way to kai.stack.example (403)."),
        (b"HTTP/1.0 504 Timeout\r\n\r\n", "unreachable", "cannot reach kai.stack.example (504)."),
        (b"HTTP/1.1 302 Found\r\nlocation: https://login.corp/\r\n\r\n", "proxy", "refuses the way to kai.stack.example (302)."),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "proxy", "does not answer as a proxy does."),
        (b"", "proxy", "hung up."),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK", "proxy", "sent what nobody asked for."),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000, "proxy", "sent what nobody asked for."),
    ],
)  # fmt: skip
async def test_what_else_a_proxy_may_say(
    monkeypatch: pytest.MonkeyPatch, spoken: bytes, code: str, said: str
):
    async with Middleman(answer=spoken) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = await failing()
        assert (type(error), error.code, error.delivery) == (CannotConnect, code, "not-sent")
        assert error.sentence.startswith(f"The proxy {proxy.shown} {said}")
        assert proxy.connections == (3 if code == "unreachable" else 1)


@pytest.mark.parametrize(
    ("spoken", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no SOCKS 5 proxy."),
        (b"", "hung up."),
        (b"\x05\x00\x05\x02\x00\x01", "refuses the way to kai.stack.example."),
        (b"\x05\x00\x05\x04\x00\x01", "cannot reach kai.stack.example."),
    ],
)
async def test_what_else_a_socks_proxy_may_say(monkeypatch: pytest.MonkeyPatch, spoken: bytes, said: str):
    async with Middleman(answer=spoken, socks=True) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        error = await failing()
        assert error.sentence.startswith(f"The proxy {proxy.shown} {said}")
        assert error.delivery == "not-sent"


async def test_a_silent_proxy_is_given_up_with_the_clock_of_connecting(monkeypatch: pytest.MonkeyPatch):
    async with Middleman(holds=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = await failing(timeouts=Timeouts(connect=0.1, pauses=()))
        assert (type(error), error.code, error.delivery) == (CannotConnect, "timeout", "not-sent")
        assert (
            error.sentence
            == f"The proxy {proxy.shown} did not answer in 0.1 s. Check HTTPS_PROXY, or the network."
        )
        await asyncio.wait_for(proxy.left.wait(), TIMEOUT)


async def test_a_proxy_cannot_read_along_with_a_certificate_of_its_own(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    listening = Authority(tmp_path, "Listening Inc")
    async with (
        KaiServer(listening.server("kai.stack.example")) as forged,
        Middleman({"kai.stack.example:443": forged.port}) as proxy,
    ):
        await through(monkeypatch, authority, proxy)
        error = await failing()
        assert "kai.stack.example's certificate is signed by Listening Inc, who is not in" in error.sentence
        assert forged.seen == []


async def test_many_failures_on_the_way_do_not_use_up_the_connections(
    server: KaiServer, monkeypatch: pytest.MonkeyPatch, authority: Authority
):
    async with Middleman({"kai.stack.example:443": server.port}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        door = door_to(timeouts=Timeouts(pool=0.5, pauses=()))
        for _ in range(25):
            with pytest.raises(CannotConnect, match="signed by"):
                await door.request("GET", "/x")
        await door.aclose()


async def test_loopback_and_what_no_proxy_names_go_directly(
    server: KaiServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    async with KaiServer() as plain, Middleman(answer=b"HTTP/1.1 403 No\r\n\r\n") as proxy:
        plain.on("GET /x", answer(200, {"ok": 2}))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert await get(server.url) == {"ok": 1}
        assert await get(f"https://localhost:{server.port}") == {"ok": 1}
        assert await get(plain.url) == {"ok": 2}
        monkeypatch.setenv("NO_PROXY", "nothing.invalid")
        assert (await failing(f"https://{NO_SUCH_HOST}")).code == "dns"
        assert proxy.connections == 0
        assert (await failing()).code == "proxy"
        assert proxy.connections == 1


def test_the_built_in_assistant_has_no_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:1")
    for address in (
        "http://sandbox.kai-tui.invalid",
        "https://127.0.0.9",
        "https://[::1]:8443",
        "https://localhost",
    ):
        assert proxy_for(parse_origin(address)) is None
    assert proxy_for(parse_origin(STACK)) is not None


@pytest.mark.parametrize(
    ("entries", "address", "passes"),
    [
        ("*", STACK, True),
        ("stack.example", STACK, True),
        (".stack.example", STACK, True),
        ("*.stack.example", STACK, True),
        ("Kai.Stack.Example", STACK, True),
        ("a.example, kai.stack.example", STACK, True),
        ("a.example  kai.stack.example", STACK, True),
        ("kai.stack.example:443", STACK, True),
        ("kai.stack.example:8443", STACK, False),
        ("kai.stack.example:8443", STACK + ":8443", True),
        ("ack.example", STACK, False),
        ("kai", STACK, False),
        ("", STACK, False),
        (",,", STACK, False),
        (".", STACK, False),
        ("10.0.0.0/8", "https://10.2.3.4", True),
        ("10.0.0.0/8", "https://11.2.3.4", False),
        ("10.2.3.4", "https://10.2.3.4", True),
        ("10.2.3.4:443", "https://10.2.3.4", True),
        ("2.3.4", "https://10.2.3.4", False),
        ("fd00::/8", "https://[fd12::1]", True),
        ("[fd12::1]", "https://[fd12::1]", True),
        ("[fd12::1]:8443", "https://[fd12::1]", False),
        ("fd12::1", "https://[fd12::1]", True),
        ("junk/33", "https://10.2.3.4", False),
    ],
)
def test_no_proxy(entries: str, address: str, passes: bool):
    assert bypassed(parse_origin(address), entries) is passes


@pytest.mark.parametrize(
    ("address", "shown", "scheme"),
    [
        ("http://proxy.corp:3128", "proxy.corp:3128", "http"),
        ("proxy.corp:3128", "proxy.corp:3128", "http"),
        ("proxy.corp", "proxy.corp:80", "http"),
        ("https://proxy.corp/", "proxy.corp:443", "https"),
        ("socks5h://u:p@[::1]", "[::1]:1080", "socks5"),
        ("HTTP://U:P@Proxy.Corp:1", "proxy.corp:1", "http"),
    ],
)
def test_addresses_of_proxies(address: str, shown: str, scheme: str):
    proxy = read_proxy(address)
    assert (proxy.shown, proxy.scheme) == (shown, scheme)


@pytest.mark.parametrize(
    "address",
    ["gopher://p.example", "socks4://p.example", f"http://u:{PASSWORD}@", f"http://u:{PASSWORD}@h:99999999",
     f"http://u:{PASSWORD}%0d%0aX: y@h", "http://[::1", f"http://a b:{PASSWORD}@h h", f"http://u:{'x' * 300}@h"],
)  # fmt: skip
def test_proxies_nobody_can_use_are_said_so_and_not_gone_around(
    monkeypatch: pytest.MonkeyPatch, address: str
):
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(CannotConnect) as caught:
        proxy_for(parse_origin(STACK))
    assert caught.value.code == "proxy"
    assert "Check HTTPS_PROXY, ALL_PROXY and NO_PROXY." in caught.value.sentence
    assert PASSWORD not in caught.value.sentence


def test_variables_in_small_letters_win(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://big.example")
    monkeypatch.setenv("https_proxy", "http://small.example")
    proxy = proxy_for(parse_origin(STACK))
    assert proxy is not None
    assert proxy.host == "small.example"


def test_https_proxy_wins_over_all_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://all.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://https.example")
    proxy = proxy_for(parse_origin(STACK))
    assert proxy is not None
    assert proxy.host == "https.example"


# Leaving no socket behind


@pytest.mark.some(2)
@pytest.mark.parametrize("where", ["tcp", "tls", "proxy", "tls-through-proxy"])
async def test_cancelling_while_connecting_leaves_no_socket_open(
    where: str, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
):
    gc.collect()  # what earlier tests left
    recwarn.clear()
    accepted = asyncio.Event()
    hung_up = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if where != "proxy":
            await reader.read(1)  # the ClientHello
        accepted.set()
        while await reader.read(1024):
            pass
        hung_up.set()
        writer.close()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with Middleman({"kai.stack.example:443": port}, holds=where == "proxy") as proxy, listening:
        url = f"https://127.0.0.1:{port}"
        if "proxy" in where:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            url = STACK
        door = door_to(url)
        task = asyncio.create_task(door.request("GET", "/x"))
        async with asyncio.timeout(TIMEOUT):
            if where == "tcp":
                await asyncio.sleep(0)
            elif where == "proxy":
                while not proxy.read:
                    await asyncio.sleep(0)
            else:
                await accepted.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            if where in ("tls", "tls-through-proxy"):
                await hung_up.wait()
            elif where == "proxy":
                await proxy.left.wait()
        await door.aclose()
    with warnings.catch_warnings():
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
    assert [str(each.message) for each in recwarn if issubclass(each.category, ResourceWarning)] == []

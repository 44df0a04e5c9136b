"""Proxies and certificates of company networks, against real TLS servers and proxies on loopback."""

from __future__ import annotations

import asyncio
import datetime
import gc
import ssl
import sys
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends import certificates, trust
from kai_tui.backends.addresses import parse_origin
from kai_tui.backends.base import BackendError, CannotConnect, Waiting
from kai_tui.backends.http import HttpDoor, Timeouts
from kai_tui.backends.proxies import bypassed, proxy_for, read_proxy
from kai_tui.backends.secret import Secret
from tests.backends.fault_server import NO_SUCH_HOST, closed_port
from tests.backends.kai_server import TIMEOUT, KaiServer, answer, stream
from tests.backends.middlemen import Authority, Middleman

CANARY = "canary-1234-AbCdEf"
PASSWORD = "s3cret-of-the-proxy"
STACK = "https://kai.stack.example"
AT_ONCE = Timeouts(connect=TIMEOUT, pauses=(0.0, 0.0))
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("corp"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[KaiServer]:
    async with KaiServer(authority.server("kai.stack.example", "127.0.0.1", "localhost")) as running:
        running.on("GET /x", answer(200, {"ok": 1}))
        running.on("POST /chat", stream(b"data: {}\n\n"))
        yield running


def door_to(url: str = STACK, timeouts: Timeouts = AT_ONCE) -> HttpDoor:
    return HttpDoor(url, auth_headers={"x-storageapi-token": Secret(CANARY)}, timeouts=timeouts)


async def get(
    url: str = STACK, timeouts: Timeouts = AT_ONCE, waits: list[Waiting | None] | None = None
) -> Any:
    door = door_to(url, timeouts)
    if waits is not None:
        door.on_wait = waits.append
    try:
        async with asyncio.timeout(TIMEOUT):
            return (await door.request("GET", "/x")).json()
    finally:
        await door.aclose()


async def failing(
    url: str = STACK, timeouts: Timeouts = AT_ONCE, waits: list[Waiting | None] | None = None
) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await get(url, timeouts, waits)
    assert PASSWORD not in repr(caught.value)
    return caught.value


# Certificates


async def test_an_unknown_issuer_is_named_with_what_to_do(server: KaiServer):
    waits: list[Waiting | None] = []
    error = await failing(server.url, waits=waits)
    assert (type(error), error.code, error.delivery) == (CannotConnect, "tls", "not-sent")
    assert error.sentence == (
        f"Secure connection failed: 127.0.0.1:{server.port}'s certificate is signed by Corp Security & Co, which this "
        f"computer does not know. In a company network ask for its root certificate and set SSL_CERT_FILE."
    )
    assert server.seen == []
    assert waits == []  # not tried again


async def test_ssl_cert_file_is_believed(
    server: KaiServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    assert await get(server.url) == {"ok": 1}


async def test_ssl_cert_dir_is_believed(
    server: KaiServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    certificate = ssl.PEM_cert_to_DER_cert(authority.pem.read_text())
    (tmp_path / f"{_subject_hash(certificate)}.0").write_text(authority.pem.read_text())
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert await get(server.url) == {"ok": 1}


async def test_an_issuer_that_ssl_cert_file_does_not_have(
    server: KaiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path, "Another").pem))
    error = await failing(server.url)
    assert "signed by Corp Security & Co, who is not in the file SSL_CERT_FILE names." in error.sentence
    assert "add it there" in error.sentence


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "SSL_CERT_FILE",
            "/no/such/file.pem",
            "SSL_CERT_FILE names /no/such/file.pem, which is no readable file",
        ),
        ("SSL_CERT_FILE", __file__, "which is no readable file of certificates (PEM). Correct or unset it."),
        ("SSL_CERT_DIR", "/no/such/dir", "SSL_CERT_DIR names /no/such/dir, which is no folder."),
    ],
)
async def test_variables_that_name_nothing(
    server: KaiServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
):
    monkeypatch.setenv(variable, value)
    error = await failing(server.url)
    assert (type(error), error.code) == (CannotConnect, "tls")
    assert said in error.sentence
    assert server.connections == 0


async def certificate_error(context: ssl.SSLContext, url: str = "https://127.0.0.1:{}") -> BackendError:
    async with KaiServer(context) as server:
        waits: list[Waiting | None] = []
        error = await failing(url.format(server.port), waits=waits)
        assert (server.seen, waits) == ([], [])
    assert (type(error), error.code, error.delivery) == (CannotConnect, "tls", "not-sent")
    return error


async def test_an_expired_certificate(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    old = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)
    error = await certificate_error(
        authority.server("127.0.0.1", not_before=old, not_after=old.replace(month=5))
    )
    assert "certificate expired on 2 May 2020. Check this computer's clock" in error.sentence


async def test_a_certificate_of_tomorrow(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    later = datetime.datetime(2060, 1, 2, tzinfo=datetime.UTC)
    error = await certificate_error(
        authority.server("127.0.0.1", not_before=later, not_after=later.replace(month=5))
    )
    assert "certificate is not valid before 2 January 2060" in error.sentence


async def test_a_certificate_for_another_name(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    error = await certificate_error(
        authority.server("login.corp.example", "b.example"), "https://localhost:{}"
    )
    assert "certificate is for login.corp.example, b.example, not for localhost:" in error.sentence
    assert "Check the address" in error.sentence


async def test_a_self_signed_certificate(authority: Authority):
    error = await certificate_error(authority.itself())
    assert "certificate is self-signed: nobody but 127.0.0.1:" in error.sentence


async def test_hostile_names_in_a_certificate_stay_one_short_line(tmp_path: Path):
    hostile = Authority(tmp_path, "Corp\n\n" + "x" * 63)
    error = await certificate_error(hostile.server("127.0.0.1"))
    assert "\n" not in error.sentence
    assert len(error.sentence) < 350


async def test_tls_to_a_plain_port():
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answers, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        error = await failing(f"https://127.0.0.1:{port}")
        assert (type(error), error.code) == (CannotConnect, "tls")
        assert error.sentence == f"Secure connection failed: 127.0.0.1:{port} does not speak https there."


async def test_tls_to_a_plain_port_that_waits_for_more():
    async with KaiServer() as plain:
        error = await failing(plain.url.replace("http", "https"), Timeouts(connect=0.1, pauses=()))
        assert (type(error), error.code) == (CannotConnect, "timeout")
        assert error.sentence.startswith(f"No answer from 127.0.0.1:{plain.port} in 0.1 s.")
        assert plain.seen == []


def test_any_broken_certificate_is_only_unreadable(authority: Authority):
    whole = authority.certificate("a.example")
    found = certificates.read(whole)
    assert found is not None
    assert found.names == ("a.example",)
    assert found.issuer == "Corp Security & Co"
    for at in range(len(whole)):
        certificates.read(whole[:at])
        certificates.read(whole[:at] + b"\xff" + whole[at + 1 :])


# Whose certificates are believed


def test_the_system_is_asked_through_truststore_where_it_keeps_no_file(monkeypatch: pytest.MonkeyPatch):
    truststore = pytest.importorskip("truststore")
    for platform in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        assert isinstance(trust.trusted_context({}), truststore.SSLContext)


def test_where_truststore_does_not_work_certificates_are_still_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "truststore", None)
    context = trust.trusted_context({})
    assert type(context) is ssl.SSLContext
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_without_any_store_certifis_is_believed(monkeypatch: pytest.MonkeyPatch):
    nowhere = ssl.DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(trust, "_STORES", ("/no/such/store.pem",))
    assert trust.trusted_context({}).cert_store_stats()["x509_ca"] > 50


def test_a_store_in_another_systems_place_is_found(monkeypatch: pytest.MonkeyPatch, authority: Authority):
    nowhere = ssl.DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(trust, "_STORES", ("/no/such/store.pem", str(authority.pem)))
    assert trust.trusted_context({}).cert_store_stats()["x509_ca"] == 1


async def test_the_certificates_are_read_off_the_event_loop(
    server: KaiServer, monkeypatch: pytest.MonkeyPatch
):
    import threading

    main, seen = threading.get_ident(), []
    reading = trust.trusted_context

    def watched() -> ssl.SSLContext:
        seen.append(threading.get_ident())
        return reading()

    monkeypatch.setattr("kai_tui.backends.connections.trusted_context", watched)
    door = door_to(server.url)
    for _ in range(2):
        with pytest.raises(CannotConnect):
            await door.request("GET", "/x")
        await door.hang_up()
    assert len(seen) == 1
    assert main not in seen
    await door.aclose()


# Proxies


async def through(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    proxy: Middleman,
    variable: str = "HTTPS_PROXY",
    credentials: str = "",
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    monkeypatch.setenv(variable, proxy.url.replace("://", f"://{credentials}"))


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


def _subject_hash(der: bytes) -> str:
    """The name OpenSSL looks a certificate up by."""
    import subprocess

    pem = ssl.DER_cert_to_PEM_cert(der)
    return subprocess.run(
        ["openssl", "x509", "-hash", "-noout"], input=pem.encode(), capture_output=True, check=True
    ).stdout.decode().strip()  # fmt: skip

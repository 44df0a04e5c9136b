"""Connections: a POST has its own, and goes out once whatever becomes of it; none is left behind (N4, P5)."""

from __future__ import annotations

import asyncio
import gc
import random
import socket
import ssl
import struct
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import httpcore
import pytest

from kai_tui.backends import tcp
from kai_tui.backends.base import BackendError, CannotConnect, ConnectionLost, Outgoing
from kai_tui.backends.http import HttpDoor, Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.network import AT_ONCE as CONNECTIONS_AT_ONCE
from kai_tui.backends.secret import Secret
from kai_tui.conversation.events import Finish
from tests.backends.fault_server import CHAT_POST, TEXT, FaultServer, closed_port, full_queue
from tests.backends.kai_server import TIMEOUT, KaiServer, answer, stream_then
from tests.backends.middlemen import Authority

CHAT = "6919e0d7-9740-4f10-a481-af116888937e"
HELLO = Outgoing("35fa9159-d0a5-45a5-96a4-a63f546c9f3b", "Hello!")
AT_ONCE = Timeouts(pauses=(0.0, 0.0))


def kai(url: str, timeouts: Timeouts = AT_ONCE) -> KaiBackend:
    return KaiBackend(url, storage_url="", token=Secret("t"), service="agent", timeouts=timeouts)


def door_to(url: str, timeouts: Timeouts = AT_ONCE) -> HttpDoor:
    return HttpDoor(url, auth_headers={"x-storageapi-token": Secret("t")}, timeouts=timeouts)


async def send(backend: KaiBackend) -> BackendError | None:
    """Send a message; the error it ends with."""
    try:
        async with asyncio.timeout(TIMEOUT), aclosing(backend.send(CHAT, HELLO)) as events:
            async for _ in events:
                pass
    except BackendError as error:
        return error
    return None


def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class ClosesOnReuse:
    """Answers the first request of a connection and closes it the moment a second one begins to arrive.

    That is Node's and uvicorn's idle close at its worst: the client has already written.
    """

    def __init__(self) -> None:
        self.answered: dict[str, int] = {}
        self.reused = 0

    async def __aenter__(self) -> ClosesOnReuse:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method = head.split(b" ")[0].decode()
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    await reader.readexactly(int(line.split(b":")[1]))
            self.answered[method] = self.answered.get(method, 0) + 1
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            if await reader.read(1):
                self.reused += 1
                reset(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def test_no_post_meets_the_end_of_an_idle_connection():
    async with ClosesOnReuse() as server:
        door = door_to(server.url)
        for _ in range(300):
            assert (await door.request("POST", "/x", body={"a": 1})).status == 200
        assert (server.answered, server.reused) == ({"POST": 300}, 0)
        # Reads share a connection, meet its end, and are asked again.
        for _ in range(100):
            assert (await door.request("GET", "/x")).status == 200
            assert (await door.request("POST", "/x", body={"a": 1})).status == 200
        assert server.answered == {"POST": 400, "GET": 100}
        assert server.reused == 99
        await door.aclose()


class Cuts:
    """Reads a number of bytes of whatever comes, then breaks the connection."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.after = 0
        self.connections = 0
        self.gentle = False

    async def __aenter__(self) -> Cuts:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await reader.readexactly(self.after)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        if self.gentle:
            writer.close()
        else:
            reset(writer)


@pytest.mark.parametrize("gentle", [False, True])
async def test_wherever_a_post_breaks_there_is_no_second_one(gentle: bool):
    choose = random.Random(20261103)
    async with Cuts() as server:
        server.gentle = gentle
        for after in [0, 1, 2, *(choose.randrange(3, 350) for _ in range(60))]:
            server.connections, server.after = 0, after
            backend = kai(server.url)
            error = await send(backend)
            await backend.aclose()
            assert isinstance(error, ConnectionLost)
            assert error.delivery == "unsure"
            assert error.sentence.endswith("Your message may or may not have arrived.")
            assert server.connections == 1


async def test_over_tls_too(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    async with Cuts(authority.server("127.0.0.1")) as server:
        for after in (0, 1, 50, 300):
            server.connections, server.after = 0, after
            backend = kai(server.url)
            error = await send(backend)
            await backend.aclose()
            assert isinstance(error, ConnectionLost)
            assert server.connections == 1


async def test_a_break_in_the_handshake_is_before_the_message():
    """Nothing of it was written yet: "not sent" is the truth."""
    async with Cuts() as server:
        server.after = 1  # of the ClientHello
        backend = kai(server.url.replace("http", "https"))
        error = await send(backend)
        await backend.aclose()
        assert isinstance(error, CannotConnect)
        assert (error.code, error.delivery) == ("tls", "not-sent")
        assert error.sentence == f"Secure connection failed: {backend.host} broke it off."
        assert server.connections == 1


# This machine, both ways


def _localhost_has(family: socket.AddressFamily) -> bool:
    try:
        return any(row[0] == family for row in socket.getaddrinfo("localhost", 80))
    except OSError:
        return False


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_localhost_finds_the_server_on_either_address(host: str):
    try:
        server = await asyncio.start_server(_hello, host, 0)
    except OSError:
        pytest.skip(f"no {host} here")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    async with server:
        port = server.sockets[0].getsockname()[1]
        names = [f"[{host}]" if ":" in host else host]
        if _localhost_has(family):
            names.append("localhost")
        for name in names:
            door = door_to(f"http://{name}:{port}")
            began = time.monotonic()
            assert (await door.request("GET", "/x")).json() == {}
            assert time.monotonic() - began < 2.0
            await door.aclose()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
async def test_a_closed_port_of_this_machine_is_told_quickly(name: str):
    if name == "[::1]" and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    door = door_to(f"http://{name}:{closed_port()}", Timeouts(pauses=()))
    began = time.monotonic()
    with pytest.raises(CannotConnect) as caught:
        await door.request("GET", "/x")
    assert caught.value.code in ("refused", "unreachable")
    assert caught.value.sentence.startswith(
        (f"{door.host} refuses connections.", f"Cannot reach {door.host}.")
    )
    assert time.monotonic() - began < 2.0
    await door.aclose()


async def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
    writer.close()


# Many at once, and the end


async def test_too_many_at_once_are_said_so():
    async with FaultServer() as server:
        server.on(CHAT_POST, stream_then(TEXT, "hold"))
        door = door_to(server.url, Timeouts(pool=0.05, pauses=()))
        held = [door.stream("POST", "/api/chat", body={}) for _ in range(CONNECTIONS_AT_ONCE)]
        for each in held:
            await each.__aenter__()
        with pytest.raises(CannotConnect) as caught:
            async with door.stream("POST", "/api/chat", body={}):
                pass
        assert (caught.value.code, caught.value.delivery) == ("busy", "not-sent")
        assert caught.value.sentence == f"Too many requests to {door.host} at once. Try again in a moment."
        assert server.posts == CONNECTIONS_AT_ONCE
        # Reads are not kept out, and one stream's end makes room.
        server.on("GET /x", answer(200, {}))
        assert (await door.request("GET", "/x")).status == 200
        await held.pop().__aexit__(None, None, None)
        async with door.stream("POST", "/api/chat", body={}):
            pass
        for each in held:
            await each.__aexit__(None, None, None)
        await door.aclose()


@pytest.mark.parametrize("ending", ["aclose", "hang_up"])
async def test_streams_that_run_end_as_lost_and_leave_nothing_open(
    ending: str, recwarn: pytest.WarningsRecorder
):
    gc.collect()  # what earlier tests left
    recwarn.clear()
    async with FaultServer() as server:
        server.on(CHAT_POST, stream_then(TEXT, "hold"))
        backend = kai(server.url)
        ended: list[Finish] = []
        begun = asyncio.Semaphore(0)

        async def read() -> None:
            async with aclosing(backend.send(CHAT, HELLO)) as events:
                async for event in events:
                    begun.release()
                    if isinstance(event, Finish):
                        ended.append(event)

        async with asyncio.timeout(TIMEOUT):
            reading = [asyncio.create_task(read()) for _ in range(3)]
            for _ in range(9):
                await begun.acquire()
            await getattr(backend, ending)()
            await asyncio.gather(*reading)
        assert [(each.reason, each.detail) for each in ended] == [
            ("lost", "Connection lost after 4 words.")
        ] * 3
        server.mend_chat()
        again = await send(backend)
        if ending == "aclose":
            assert isinstance(again, CannotConnect)
            assert (again.code, again.delivery, server.posts) == ("closed", "not-sent", 3)
        else:
            assert (again, server.posts) == (None, 4)
        await backend.aclose()
        await until(lambda: server.hung_up.is_set())
    with warnings.catch_warnings():
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
    assert [str(each.message) for each in recwarn if issubclass(each.category, ResourceWarning)] == []


async def test_hanging_up_makes_no_certificates_be_read_again_and_can_be_repeated():
    async with KaiServer() as server:
        server.on("GET /x", answer(200, {}))
        door = door_to(server.url)
        for _ in range(3):
            assert (await door.request("GET", "/x")).status == 200
            await door.hang_up()
            await door.hang_up()
        assert server.connections == 3
        await door.aclose()
        await door.hang_up()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None] | None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return None


# Names


async def test_a_lookup_that_hangs_holds_up_neither_stopping_nor_quitting(monkeypatch: pytest.MonkeyPatch):
    asked, let_go = threading.Event(), threading.Event()

    def hangs(*_: object, **__: object) -> list[Any]:
        asked.set()
        let_go.wait(TIMEOUT)
        raise OSError

    async def program() -> str:
        door = door_to("https://kai.nothing.invalid")
        task = asyncio.create_task(door.request("GET", "/x"))
        while not asked.is_set():
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await door.aclose()
        return "left"

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    began = time.monotonic()
    # A loop of its own, from start to end, as the program has it.
    assert await asyncio.to_thread(asyncio.run, program()) == "left"
    assert time.monotonic() - began < TIMEOUT / 2
    let_go.set()


async def test_a_lookup_that_hangs_is_given_up_with_the_clock_of_connecting(monkeypatch: pytest.MonkeyPatch):
    let_go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: let_go.wait(TIMEOUT) and [])
    door = door_to("https://kai.nothing.invalid", Timeouts(connect=0.05, pauses=()))
    with pytest.raises(CannotConnect) as caught:
        await door.request("GET", "/x")
    let_go.set()
    assert (caught.value.code, caught.value.delivery) == ("timeout", "not-sent")
    assert caught.value.sentence.startswith("No answer from kai.nothing.invalid in 0.05 s.")
    await door.aclose()


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses."""
    rows = [(socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, 0)) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)


@pytest.mark.parametrize("dead", ["refuses", "silent"])
async def test_the_first_address_that_answers_is_taken(monkeypatch: pytest.MonkeyPatch, dead: str):
    """A dead first address costs a quarter of a second, not the whole patience."""
    live = await asyncio.start_server(_hello, "127.0.0.9", 0)
    port = live.sockets[0].getsockname()[1]
    held: list[socket.socket] = []
    if dead == "silent":
        held = full_queue("127.0.0.8", port)
    names(monkeypatch, "127.0.0.8", "127.0.0.9", "127.0.0.7")
    began = time.monotonic()
    async with live:
        stream = await tcp.connect("kai.nothing.invalid", port, TIMEOUT)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.9"
        await stream.aclose()
    assert time.monotonic() - began < TIMEOUT / 2
    for each in held:
        each.close()


async def test_when_no_address_answers_the_first_reason_is_told(monkeypatch: pytest.MonkeyPatch):
    names(monkeypatch, "127.0.0.8", "127.0.0.9")
    door = door_to(f"https://kai.nothing.invalid:{closed_port()}", Timeouts(pauses=()))
    with pytest.raises(CannotConnect) as caught:
        await door.request("GET", "/x")
    assert caught.value.code == "refused"
    await door.aclose()


async def test_families_take_turns(monkeypatch: pytest.MonkeyPatch):
    names(monkeypatch, "::a", "::b", "::c", "10.0.0.1", "10.0.0.2", "::a")
    assert await tcp.look_up("kai.example", 443) == ["::a", "10.0.0.1", "::b", "10.0.0.2", "::c"]
    names(monkeypatch)
    assert await tcp.look_up("kai.example", 443) == []
    assert await tcp.look_up("::1", 443) == ["::1"]
    with pytest.raises(CannotConnect, match=r"Cannot reach kai\.nothing\.invalid"):
        await door_to("https://kai.nothing.invalid", Timeouts(pauses=())).request("GET", "/x")


async def test_a_name_no_resolver_takes(monkeypatch: pytest.MonkeyPatch):
    for host in ("a" * 64 + ".example", "a..example"):
        door = door_to(f"https://{host}", Timeouts(pauses=()))
        with pytest.raises(CannotConnect) as caught:
            await door.request("GET", "/x")
        assert caught.value.delivery == "not-sent"
        await door.aclose()


async def test_giving_up_between_two_addresses_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
):
    gc.collect()
    recwarn.clear()
    port = closed_port()
    held = [*full_queue("127.0.0.8", port), *full_queue("127.0.0.9", port)]
    names(monkeypatch, "127.0.0.8", "127.0.0.9")
    with pytest.raises(httpcore.ConnectTimeout):
        await tcp.connect("kai.nothing.invalid", port, 0.4)
    for each in held:
        each.close()
    with warnings.catch_warnings():
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
    assert [str(each.message) for each in recwarn if issubclass(each.category, ResourceWarning)] == []
    assert len(asyncio.all_tasks()) == 1

"""What the HTTP door tries again, and what it says when nobody is reached."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import httpx
import pytest

from kai_tui.backends import failures
from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    ConnectionLost,
    RateLimited,
    UnexpectedAnswer,
)
from tests.backends.door import CANARY, Naps, closed_port, door_to, failing, read_stream
from tests.backends.door import naps as naps
from tests.backends.door import server as server
from tests.backends.kai_server import (
    KaiServer,
    answer,
    hang_up,
)

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

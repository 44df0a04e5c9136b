"""Every way a chat post can go wrong (reliability.md §3), for tests at the door, of sessions and of the screen.

`FAULTS` are answers of a real server on loopback, one per row of the matrix; each says what a user is told
and what is known about the message afterwards. Use `FaultServer` and its `break_chat(name)`. Connections
that fail before a byte of HTTP is sent: `closed_port`, `black_hole`, `NO_SUCH_HOST`.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from kai_tui.backends.base import (
    BackendError,
    ConnectionLost,
    Delivery,
    NotAllowed,
    NotFound,
    RateLimited,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.conversation.events import FinishReason
from tests.backends.kai_server import (
    SSE,
    Exchange,
    Handler,
    Hangup,
    KaiServer,
    answer,
    hang_up,
    never,
    stream,
    stream_then,
)

CHAT_POST = "POST /api/chat"
NO_SUCH_HOST = "kai.nothing.invalid"


def event(**fields: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


START = event(type="start", messageId="m1")
TEXT = (
    START + event(type="text-start", id="0") + event(type="text-delta", id="0", delta="Two words, and more.")
)
END = event(type="text-end", id="0") + event(type="finish", finishReason="stop") + b"data: [DONE]\n\n"
HTML = b"<!doctype html><html><head><title>Sign in - Corp</title></head><body><script>x</script><p>Hi</p></body></html>"


@dataclass(frozen=True)
class Fault:
    """One row: what the server does, and what must come of it.

    A fault either raises `error` before the reply begins, or the reply ends with `finish`. `says` are
    pieces of the sentence; `delivery` is what is known about the message before anything is read back.
    """

    name: str
    handler: Handler
    delivery: Delivery
    says: tuple[str, ...] = ()
    error: type[BackendError] | None = None
    code: str | None = None
    """Of the error; None: not looked at."""
    finish: FinishReason | None = None
    retry_after: float | None = None
    text: str = ""
    """What of the reply is kept."""
    needs_short_clocks: bool = False
    """Silence is the fault: give the door short timeouts, or wait for ever."""


def _raw(head: bytes, body: bytes = b"", *, then: str = "close") -> Handler:
    """Bytes as they are; then `close` or `hold` the connection."""

    async def handler(exchange: Exchange) -> None:
        await exchange.write(head + b"\r\n\r\n" + body)
        if then == "hold":
            await exchange.until_hung_up()
        raise Hangup

    return handler


def _only_keep_alives() -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(SSE)
        await exchange.write(b": stream-open\n\n" + TEXT)
        try:
            while True:
                await exchange.write(b": keep-alive\n\n")
                await asyncio.sleep(0.01)
        except ConnectionError:
            raise Hangup from None

    return handler


def _drip(data: bytes) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(SSE)
        for at in range(len(data)):
            await exchange.write(data[at : at + 1])
            await asyncio.sleep(0)

    return handler


def _flood(total: int, piece: bytes) -> Handler:
    """More than a reply may be."""

    async def handler(exchange: Exchange) -> None:
        await exchange.start(SSE)
        await exchange.write(TEXT)
        try:
            for _ in range(total // len(piece) + 1):
                await exchange.write(piece)
        except ConnectionError:
            raise Hangup from None

    return handler


def _compressed() -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.start({**SSE, "content-encoding": "gzip"})
        await exchange.write(gzip.compress(TEXT + END))

    return handler


def _refusal(status: int, body: Any = b"", kind: str = "application/json", **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, body, {"content-type": kind, **named})


def _wait(value: str, seconds: float | None, status: int = 429) -> Fault:
    date = {"date": "Tue, 03 Nov 2026 10:00:00 GMT"}
    return Fault(
        f"{status}-retry-after-{value[:12]}",
        _refusal(status, {"code": "rate_limit:chat", "message": "Too many"}, retry_after=value, **date),
        "not-sent",
        ("Too many.",),
        RateLimited,
        retry_after=seconds,
    )


def _gateway(status: int, what: str, body: bytes, kind: str, says: str) -> Fault:
    return Fault(
        f"{status}-{what}",
        _refusal(status, body, kind),
        "unsure",
        (f"Server error at 127.0.0.1:PORT ({status})", says),
        ServerFailed,
    )


def _redirect(status: int, target: str, said: str) -> Fault:
    return Fault(
        f"{status}-to-{said}",
        _refusal(status, location=target),
        "not-sent" if status in (307, 308) else "unsure",
        (f"sends us on to {said}", "Nothing was sent there"),
        UnexpectedAnswer,
    )


_BROKEN = b'data: {"type":"text-delta","id":"0","del\n\n'
_WORD = event(type="text-delta", id="0", delta="x")

FAULTS: tuple[Fault, ...] = (
    # Refusals: the message was not taken.
    Fault(
        "401",
        _refusal(401, {"code": "unauthorized:chat", "message": "You need to sign in"}),
        "not-sent",
        ("Token refused by 127.0.0.1:PORT", "Sign in again"),
        TokenRefused,
    ),
    Fault(
        "403",
        _refusal(403, {"code": "forbidden:chat", "message": "This chat belongs to another user"}),
        "not-sent",
        ("Not allowed: This chat belongs to another user.",),
        NotAllowed,
    ),
    Fault(
        "403-html", _refusal(403, HTML, "text/html"), "not-sent", ("Not allowed: Sign in - Corp.",), NotAllowed
    ),
    Fault(
        "404-chat",
        _refusal(404, {"code": "not_found:chat", "message": "Not found"}),
        "not-sent",
        ("This chat no longer exists on the server.",),
        NotFound,
        code="not_found:chat",
    ),
    Fault(
        "404-of-a-proxy",
        _refusal(404, b"404 page not found", "text/plain"),
        "not-sent",
        ("Is it a Kai address?",),
        NotFound,
    ),
    Fault("413", _refusal(413), "not-sent", ("finds this too large",), Refused),
    _wait("7", 7.0),
    _wait("Tue, 03 Nov 2026 10:00:30 GMT", 30.0),
    _wait("Mon, 02 Nov 2026 10:00:00 GMT", 0.0),
    _wait("soon", None),
    _wait("-5", None),
    _wait("1e9", None),
    _wait("99999999999999999999", 600.0),
    _wait("Fri, 31 Dec 9999 23:59:59 GMT", 600.0),
    _wait("12", 12.0, status=503),
    # Server errors: nobody knows.
    Fault(
        "500",
        _refusal(500, b"Internal Server Error", "text/plain"),
        "unsure",
        ("Server error at 127.0.0.1:PORT (500): Internal Server Error.", "may or may not have arrived"),
        ServerFailed,
    ),
    Fault(
        "500-empty",
        _refusal(500),
        "unsure",
        ("Server error at 127.0.0.1:PORT (500).", "may or may not have arrived"),
        ServerFailed,
    ),
    _gateway(502, "html", b"<html><head><title>502 Bad Gateway</title></head><body>nginx", "text/html", ": 502 Bad"),
    _gateway(502, "long-html", b"<html><body>" + b"<p>x</p>" * 9000, "text/html", "(502)."),
    _gateway(503, "plain", b"upstream\nconnect error", "text/plain", ": upstream."),
    _gateway(503, "long-plain", b"y" * 9000, "text/plain", "yyy…"),
    _gateway(504, "json", b'{"error":{"type":"offline","surface":"api","message":"No gateway"}}', "application/json",
             ": No gateway."),
    _gateway(504, "hostile", b'{"message":"\\u001b]52;c;QUJD\\u0007 [/] ' + b"z" * 500 + b'"}', "application/json", "zz…"),
    # Answers that are no stream.
    Fault(
        "login-page",
        answer(200, HTML, {"content-type": "text/html; charset=utf-8"}),
        "unsure",
        ("answered with text/html, not a stream (a login page or proxy?).", "may or may not"),
        UnexpectedAnswer,
    ),
    Fault(
        "json-instead",
        answer(200, {"message": "hello"}),
        "unsure",
        ("answered, but not with a stream: hello.",),
        UnexpectedAnswer,
    ),
    Fault("empty-200", answer(200, b"", {"content-type": ""}), "unsure", ("without a stream",), UnexpectedAnswer),
    Fault("204", _refusal(204, kind=""), "unsure", ("without a stream",), UnexpectedAnswer),
    Fault("gzip", _compressed(), "unsure", ("sent a compressed stream",), UnexpectedAnswer),
    Fault("no-http", _raw(b"SSH-2.0-OpenSSH_9.6"), "unsure", ("hung up in the middle",), ConnectionLost),
    Fault(
        "giant-head",
        _raw(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000),
        "unsure",
        ("hung up in the middle",),
        ConnectionLost,
    ),
    # Redirects.
    *(_redirect(status, "https://elsewhere.example/api/chat?x=1", "elsewhere.example") for status in
      (301, 302, 303, 307, 308)),
    _redirect(307, "http://user:pw@elsewhere.example:8080/", "elsewhere.example:8080"),
    _redirect(308, "/api/chat2", "another address"),
    # Losses.
    Fault("closed-before-answering", hang_up, "unsure", ("hung up in the middle", "may or may not"), ConnectionLost),
    Fault(
        "stall-before-headers",
        never,
        "unsure",
        ("did not answer in ", "may or may not have arrived"),
        ConnectionLost,
        "timeout",
        needs_short_clocks=True,
    ),
    Fault(
        "stall-before-the-first-event",
        stream_then(b": stream-open\n\n", "hold"),
        "unsure",
        ("sent nothing for ", "may or may not have arrived"),
        ConnectionLost,
        "timeout",
        needs_short_clocks=True,
    ),
    Fault("empty-stream", stream(b""), "unsure", ("may or may not have arrived",), ConnectionLost, "lost"),
    Fault("cut-before-the-first-event", stream_then(b"", "cut"), "unsure", ("may or may not",), ConnectionLost),
    Fault("stall", stream_then(TEXT, "hold"), "sent", ("sent nothing for ",), finish="lost",
          text="Two words, and more.", needs_short_clocks=True),
    Fault("only-keep-alives", _only_keep_alives(), "sent", ("sent nothing for ",), finish="lost",
          text="Two words, and more.", needs_short_clocks=True),
    *(
        Fault(f"{end}-in-an-event", stream_then(TEXT + b'data: {"type":"text-delta","id":"0","delta":"half', end),
              "sent", ("Connection lost after 4 words.",), finish="lost", text="Two words, and more.")
        for end in ("reset", "cut", "close")
    ),
    Fault("no-finish", stream(TEXT), "sent", ("Connection lost after 4 words.",), finish="lost",
          text="Two words, and more."),
    # Streams that are odd.
    Fault("slow-drip", _drip(TEXT + END), "sent", finish="stop", text="Two words, and more."),
    Fault("broken-json", stream(TEXT + _BROKEN * 20 + END), "sent", finish="stop", text="Two words, and more."),
    Fault("much-broken-json", stream(TEXT + _BROKEN * 21 + END), "sent",
          ("Too much of the reply was unreadable after 4 words.",), finish="lost", text="Two words, and more."),
    Fault("a-share-broken", stream(TEXT + (_WORD * 15 + _BROKEN) * 20 + END), "sent", ("unreadable",), finish="lost",
          text="Two words, and more." + "x" * 91),
    Fault("unknown-events", stream(TEXT + event(type="brand-new", n=1) * 30 + END), "sent", finish="stop",
          text="Two words, and more."),
    Fault("two-finishes", stream(TEXT + event(type="finish", finishReason="length") + END), "sent", finish="length",
          text="Two words, and more."),
    Fault("error-event", stream(TEXT + event(type="error", errorText="The model is overloaded")), "sent",
          ("The model is overloaded",), finish="error", text="Two words, and more."),
    Fault("giant-event", _flood(9 << 20, b"data: " + b"x" * 65_000), "sent",
          ("Part of the reply was too large (over 8 MiB) and was left out.",), finish="lost",
          text="Two words, and more."),
    Fault("giant-reply", _flood(33 << 20, event(type="text-delta", id="1", delta="x" * 60_000)), "sent",
          ("The reply was too large (over 32 MiB); its rest was left out.",), finish="lost",
          text="Two words, and more."),
)  # fmt: skip

BY_NAME: Mapping[str, Fault] = {fault.name: fault for fault in FAULTS}


class FaultServer(KaiServer):
    """A Kai server whose chat can be broken; counts what arrives."""

    def break_chat(self, name: str) -> Fault:
        """From now on posts to the chat meet this fault."""
        self.on(CHAT_POST, BY_NAME[name].handler)
        return BY_NAME[name]

    def mend_chat(self) -> None:
        """From now on a post is answered with a short reply."""
        self.on(CHAT_POST, stream(TEXT + END))

    @property
    def posts(self) -> int:
        """How many messages and answers arrived."""
        return len(self.calls(CHAT_POST))

    def sentence(self, piece: str) -> str:
        """A piece of `Fault.says` with this server's port."""
        return piece.replace("PORT", str(self.port))


def closed_port(host: str = "127.0.0.1") -> int:
    """A port where nobody listens."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as free:
        free.bind((host, 0))
        return free.getsockname()[1]


def full_queue(host: str, port: int = 0) -> list[socket.socket]:
    """A port that never completes a connection, because its queue is full (Linux). The first socket listens.

    Close them all when done.
    """
    listening = socket.socket()
    listening.bind((host, port))
    listening.listen(0)
    callers: list[socket.socket] = []
    for _ in range(8):
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(listening.getsockname())
        callers.append(caller)
    return [listening, *callers]


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """The port of such a queue on this machine."""
    held = full_queue("127.0.0.1")
    try:
        await asyncio.sleep(0)
        yield held[0].getsockname()[1]
    finally:
        for each in held:
            each.close()

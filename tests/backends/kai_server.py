"""A real server on 127.0.0.1 that plays recorded answers and remembers what it was asked.

Written on bare asyncio so that it can do what a framework would not: cut a stream at odd bytes,
reset a connection, stay silent, and see the very moment a client hangs up.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fixture_cases import folders

SSE = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    "x-vercel-ai-ui-message-stream": "v1",
}
TIMEOUT = 15.0
"""Seconds any test waits for anything."""


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    connection: int

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"


class Exchange:
    """What a handler answers with."""

    def __init__(self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen = seen
        self._reader = reader
        self._writer = writer
        self._chunked = False

    async def send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        """A whole answer."""
        lines = dict(headers) if status == 204 else {**headers, "content-length": str(len(content))}
        self._head(status, lines)
        await self.write(content)

    async def start(self, headers: Mapping[str, str], *, chunked: bool = True) -> None:
        """Begin a stream."""
        self._chunked = chunked
        self._head(
            200,
            {**headers, "transfer-encoding" if chunked else "connection": "chunked" if chunked else "close"},
        )
        await self._writer.drain()

    async def write(self, data: bytes) -> None:
        if data:
            self._writer.write(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)
            await self._writer.drain()

    async def finish(self) -> None:
        if self._chunked:
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()

    async def until_hung_up(self) -> None:
        """Returns when the client closes the connection."""
        try:
            while await self._reader.read(1024):
                pass
        except ConnectionError:
            pass

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")


Handler = Callable[[Exchange], Awaitable[None]]


class Hangup(Exception):
    """A handler wants the connection closed without another word."""


class KaiServer:
    """Answers from `routes`; use with `async with`. With `tls` it speaks https."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.seen: list[Seen] = []
        self.connections = 0
        self.hung_up = asyncio.Event()
        """Set when a client left while a handler was answering."""
        self.meddle: Callable[[Seen], Handler | None] | None = None
        """Asked first, for every request: what it returns answers in the place of everything else."""
        self._routes: dict[str, list[Handler]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""
        self.port = 0
        """The port to listen on; 0: any that is free, told once it listens."""
        self.delay = 0.0
        """Seconds before each request is looked at, for trying the program by hand."""

    def on(self, call: str, *handlers: Handler) -> None:
        """Answer `METHOD /path` with these in turn; the last one stays."""
        self._routes[call] = list(handlers)

    def calls(self, call: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.call == call]

    def usual(self, seen: Seen) -> Handler:
        """What answers this request when nobody meddles."""
        handlers = self._routes.get(seen.call) or [self.otherwise(seen)]
        return handlers.pop(0) if len(handlers) > 1 else handlers[0]

    def otherwise(self, seen: Seen) -> Handler:
        """What answers a call no route was set for."""
        return answer(404, {"code": "not_found:api", "message": "no route"})

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        try:
            while await self._serve(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, Hangup, asyncio.CancelledError):
            self.hung_up.set()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        first, *rest = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest if line)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        seen = Seen(
            method,
            parts.path,
            dict(parse_qsl(parts.query)),
            headers,
            (json.loads(raw) if "json" in headers.get("content-type", "json") else raw) if raw else None,
            number,
        )
        self.seen.append(seen)
        if self.delay:
            await asyncio.sleep(self.delay)
        exchange = Exchange(seen, reader, writer)
        meddled = self.meddle(seen) if self.meddle is not None else None
        await (meddled or self.usual(seen))(exchange)
        await exchange.finish()
        return True


def answer(status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> Handler:
    """A complete answer; anything but bytes is sent as JSON."""

    async def handler(exchange: Exchange) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        await exchange.send(status, {"content-type": "application/json", **(headers or {})}, content)

    return handler


def stream(data: bytes, sizes: Sequence[int] = ()) -> Handler:
    """An event stream, written in pieces of the recorded sizes."""

    async def handler(exchange: Exchange) -> None:
        await exchange.start(SSE)
        at = 0
        for size in [*sizes, len(data)]:
            await exchange.write(data[at : at + size])
            await asyncio.sleep(0)
            at += size

    return handler


def stream_then(data: bytes, end: str) -> Handler:
    """A stream that does not end well: `reset`, `cut` (mid-chunk), `close` (no error), `hold` (silence)."""

    async def handler(exchange: Exchange) -> None:
        await exchange.start(SSE, chunked=end != "close")
        await exchange.write(data)
        if end == "hold":
            await exchange.until_hung_up()
            raise Hangup
        if end == "reset":
            await asyncio.sleep(0.05)  # let the bytes arrive first
            exchange.reset()
        raise Hangup

    return handler


async def hang_up(exchange: Exchange) -> None:
    """Close without an answer."""
    raise Hangup


async def never(exchange: Exchange) -> None:
    """No answer at all until the client leaves."""
    await exchange.until_hung_up()
    raise Hangup


# Recordings


def recording(name: str) -> Any:
    """A JSON file of fixtures/ai-sdk."""
    return json.loads(_file(name).read_bytes())


def recorded_bytes(name: str) -> bytes:
    return _file(name).read_bytes()


def write_sizes(scenario: str) -> list[int]:
    for each in recording("manifest.json")["scenarios"]:
        if each["scenario"] == scenario:
            return each.get("writeSizes") or []
    raise LookupError(scenario)


def replay(name: str) -> Handler:
    """The answer of `rest-*` or `http-*`."""
    recorded = recording(f"{name}.http.json")
    if "json" in recorded:
        body: Any = recorded["json"]
    else:
        body = (recorded.get("text") or recorded.get("body") or "").encode()
    kind = recorded.get("contentType") or recorded.get("headers", {}).get("content-type", "")
    return answer(recorded["status"], body, {"content-type": kind} if kind else None)


def replay_stream(scenario: str) -> Handler:
    """A recorded stream, cut as it was recorded."""
    return stream(recorded_bytes(f"{scenario}.sse"), write_sizes(scenario))


@dataclass
class Gate:
    """Lets a test and a handler wait for each other."""

    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self) -> None:
        self.opened.set()

    async def wait(self) -> None:
        await asyncio.wait_for(self.opened.wait(), TIMEOUT)


def _file(name: str) -> Path:
    for folder in folders("ai-sdk"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(name)

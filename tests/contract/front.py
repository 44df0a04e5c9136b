"""The sandbox as the other fakes are: behind a loopback port, or in this process, seen and meddled with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import httpx

from kai_tui.sandbox.project import Project
from kai_tui.sandbox.server import create_app
from kai_tui.sandbox.transport import StreamingASGITransport
from tests.backends.kai_server import Exchange, Handler, Hangup, KaiServer, Seen

_HOP = {"host", "connection", "content-length", "transfer-encoding"}
INSIDE = "http://sandbox.kai-tui.invalid"


class SandboxServer(KaiServer):
    """The sandbox on 127.0.0.1: every request is handed to the real one, every answer back as it comes."""

    def __init__(self, flavour: Any, token: str, project: Project) -> None:
        super().__init__()
        self._sandbox = StreamingASGITransport(create_app(project, service=flavour, token=token, pace=0))

    async def __aexit__(self, *what: object) -> None:
        await super().__aexit__(*what)
        await self._sandbox.aclose()

    def otherwise(self, seen: Seen) -> Handler:
        return self._hand_on

    async def _hand_on(self, exchange: Exchange) -> None:
        seen = exchange.seen
        body = json.dumps(seen.body).encode() if seen.body is not None else b""
        headers = {name: value for name, value in seen.headers.items() if name not in _HOP}
        url = httpx.URL(INSIDE + seen.path, params=seen.query) if seen.query else INSIDE + seen.path
        request = httpx.Request(seen.method, url, headers=headers, content=body)
        response = await self._sandbox.handle_async_request(request)
        kept = {name: value for name, value in response.headers.items() if name not in _HOP}
        try:
            if "event-stream" in response.headers.get("content-type", ""):
                await self._stream(exchange, kept, response)
            else:
                await exchange.send(response.status_code, kept, await response.aread())
        finally:
            await response.aclose()

    async def _stream(self, exchange: Exchange, headers: Mapping[str, str], response: Any) -> None:
        async def write() -> None:
            await exchange.start(headers)
            async for piece in response.aiter_bytes():
                await exchange.write(piece)

        leaving = asyncio.create_task(exchange.until_hung_up())
        writing = asyncio.create_task(write())
        try:
            await asyncio.wait({leaving, writing}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                raise Hangup
            await writing
        finally:
            leaving.cancel()
            writing.cancel()
            await asyncio.gather(leaving, writing, return_exceptions=True)


class SandboxInside:
    """The sandbox without a socket; the same handlers can answer in its place."""

    def __init__(self, flavour: Any, token: str, project: Project) -> None:
        self._app = create_app(project, service=flavour, token=token, pace=0)
        self.seen: list[Seen] = []
        self.meddle: Callable[[Seen], Handler | None] | None = None
        self.url = INSIDE
        self._asked: dict[int, tuple[Any, bytes]] = {}

    def transport(self) -> StreamingASGITransport:
        """The program's own way in."""
        return StreamingASGITransport(self._serve)

    def calls(self, call: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.call == call]

    def usual(self, seen: Seen) -> Handler:
        """What the sandbox answers by itself, piece by piece."""
        scope, body = self._asked[id(seen)]

        async def hand_on(exchange: Exchange) -> None:
            head: list[Any] = []
            given: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

            async def receive() -> Any:
                if given:
                    return given.pop()
                await exchange.until_hung_up()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                if message["type"] == "http.response.start":
                    lines = message["headers"]
                    headers = {name.decode(): value.decode("latin-1") for name, value in lines}
                    headers = {name: value for name, value in headers.items() if name.lower() not in _HOP}
                    head[:] = [message["status"], headers]
                    if head[0] == 200:
                        await exchange.start(headers)
                elif head[0] == 200:
                    await exchange.write(message.get("body", b""))
                else:
                    await exchange.send(head[0], head[1], message.get("body", b""))

            await self._app(scope, receive, send)

        return hand_on

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        path = scope["raw_path"].decode()
        seen = Seen(scope["method"], path, query, headers, json.loads(body) if body else None, 0)
        self.seen.append(seen)
        self._asked[id(seen)] = (scope, body)
        given: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:
            return given.pop() if given else await receive()

        handler = self.meddle(seen) if self.meddle is not None else None
        if handler is None:
            await self._app(scope, again, send)
            return
        exchange = _Inside(seen, receive, send)
        try:
            await handler(exchange)
            await exchange.finish()
        except (Hangup, ConnectionError):
            if exchange.ends_by_closing:
                await exchange.finish()


class _Inside(Exchange):
    """Answers over ASGI. An answer that is not finished counts as a broken connection."""

    def __init__(self, seen: Seen, receive: Any, send: Any) -> None:
        self.seen = seen
        self._receive, self._send = receive, send
        self._begun = self.ends_by_closing = False

    async def send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        await self._start(status, headers)
        await self.write(content)

    async def start(self, headers: Mapping[str, str], *, chunked: bool = True) -> None:
        self.ends_by_closing = not chunked and "content-length" not in headers
        await self._start(200, headers)

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self._begun = True
        lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": lines})

    async def write(self, data: bytes) -> None:
        if not self._begun:
            raise Hangup  # no HTTP at all
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def until_hung_up(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def reset(self) -> None:
        raise ConnectionResetError

"""Calls an ASGI app in this process, and streams (reliability.md L1).

httpx's own ASGITransport waits for the whole answer. This one hands out each piece as the app
sends it, waits for the reader when it is slow, and ends the app when the reader hangs up: first by
telling it (`http.disconnect`), then, if it does not end by itself, by cancelling it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, cast

import httpx

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Scope

PIECES_AHEAD = 16
"""How many pieces the app may be ahead of the reader."""

GRACE_SECONDS = 1.0
"""How long an app may take to end after it was told that the reader is gone."""


class StreamingASGITransport(httpx.AsyncBaseTransport):
    """An httpx transport over `app`. Opens no socket.

    Honours httpx's read timeout. Failures of the app become `httpx.ReadError` and
    `httpx.RemoteProtocolError`, as a broken connection would.
    """

    def __init__(self, app: ASGIApp, on_close: Callable[[], None] | None = None) -> None:
        """`on_close` is called once, after the last call ended."""
        self._app = app
        self._on_close = on_close
        self._calls: set[_Call] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        call = _Call(self._app, request, body)
        self._calls.add(call)
        call.task.add_done_callback(lambda _: self._calls.discard(call))
        try:
            status, headers = await call.head()
        except BaseException:
            await call.close()
            raise
        return httpx.Response(status, headers=headers, stream=_Body(call), request=request)

    async def aclose(self) -> None:
        """End every call that still runs."""
        await asyncio.gather(*(call.close() for call in list(self._calls)))
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, call: _Call) -> None:
        self._call = call

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._call.next_piece()) is not None:
            yield piece

    async def aclose(self) -> None:
        await self._call.close()


class _Call:
    """One request: the app's task on one side, the reader on the other."""

    def __init__(self, app: ASGIApp, request: httpx.Request, body: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._request = request
        self._body: bytes | None = body
        self._head: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = loop.create_future()
        self._pieces: asyncio.Queue[bytes | httpx.TransportError | None] = asyncio.Queue(PIECES_AHEAD)
        self._ended = False
        self._gone = asyncio.Event()
        timeouts: Any = request.extensions.get("timeout")
        self._timeout: float | None = (
            cast("dict[str, float | None]", timeouts).get("read") if isinstance(timeouts, dict) else None
        )
        self.task = asyncio.create_task(self._run(app), name=f"sandbox {request.method} {request.url.path}")

    async def head(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers. Raises httpx.TransportError."""
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.shield(self._head)
        except TimeoutError:
            raise httpx.ReadTimeout("the sandbox did not answer", request=self._request) from None

    async def next_piece(self) -> bytes | None:
        """The next piece of the body, None at its end. Raises httpx.TransportError."""
        if self._gone.is_set() and self._pieces.empty():
            raise self._closed()
        try:
            async with asyncio.timeout(self._timeout):
                piece = await self._pieces.get()
        except TimeoutError:
            raise httpx.ReadTimeout("the sandbox went silent", request=self._request) from None
        if isinstance(piece, httpx.TransportError):
            raise piece
        return piece

    async def close(self) -> None:
        """Hang up: afterwards the app has ended."""
        self._gone.set()
        if not self.task.done():
            self._drain()
            try:
                await asyncio.wait([self.task], timeout=GRACE_SECONDS)
            finally:
                self.task.cancel()
            await asyncio.wait([self.task])
        self._drain()
        self._pieces.put_nowait(self._closed())  # for a reader that waits while another task hangs up
        if self._head.done() and not self._head.cancelled():
            self._head.exception()  # looked at: asyncio need not complain about it
        else:
            self._head.cancel()

    def _closed(self) -> httpx.ReadError:
        return httpx.ReadError("the connection to the sandbox was closed", request=self._request)

    def _drain(self) -> None:
        """Let an app go on that waits for its reader."""
        while not self._pieces.empty():
            self._pieces.get_nowait()

    async def _run(self, app: ASGIApp) -> None:
        try:
            await app(self._scope(), self._receive, self._send)
        except asyncio.CancelledError:
            if self._pieces.full():
                self._drain()  # nobody may be reading any more: never wait while being cancelled
            await self._fail(self._closed())
            raise
        except Exception as error:  # noqa: BLE001 - whatever the app raises is a broken connection to the reader
            await self._fail(httpx.ReadError(f"the sandbox failed: {error!r}", request=self._request))
        else:
            if not self._ended:
                await self._fail(
                    httpx.RemoteProtocolError("the sandbox ended its answer early", request=self._request)
                )

    async def _fail(self, error: httpx.TransportError) -> None:
        if not self._head.done():
            self._head.set_exception(error)
        elif not self._gone.is_set() and not self._ended:
            await self._pieces.put(error)

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self._head.done():
                self._head.set_result((message["status"], list(message.get("headers", []))))
        elif message["type"] == "http.response.body" and not self._ended:
            if message.get("body") and not self._gone.is_set():
                await self._pieces.put(bytes(message["body"]))
            if not message.get("more_body"):
                self._ended = True
                if not self._gone.is_set():
                    await self._pieces.put(None)

    def _scope(self) -> Scope:
        url = self._request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "server": (url.host, url.port or (443 if url.scheme == "https" else 80)),
            "client": ("in-process", 0),
        }

"""The sandbox server behind a connection that breaks in every way, the same ways for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

Fault = Literal[
    "none",
    "unreached",
    "swallowed",
    "answer lost",
    "cut",
    "bad gateway",
    "bad gateway after",
    "too many",
    "too many for now",
]
FAULTS: tuple[Fault, ...] = (
    "unreached",
    "swallowed",
    "answer lost",
    "cut",
    "bad gateway",
    "bad gateway after",
    "too many",
    "too many for now",
)


@dataclass
class Delivered:
    """One request that reached the server."""

    method: str
    path: str
    body: Any
    status: int = 0
    """What the server answered, whether the answer arrived or not."""
    again: bool = False
    """The server had this message already."""


@dataclass
class FaultyTransport(httpx.AsyncBaseTransport):
    """Hands requests to `inner`, or not, and answers back, or not."""

    inner: httpx.AsyncBaseTransport
    chance: random.Random
    has_message: Callable[[str], bool] = lambda message_id: False
    share: float = 0.4
    """How many requests meet a fault."""
    delivered: list[Delivered] = field(default_factory=list)

    dead: bool = False
    """Whether the program behind it was killed: nothing goes out any more."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.dead:
            raise httpx.ConnectError("killed", request=request)
        fault = self.chance.choice(FAULTS) if self.chance.random() < self.share else "none"
        if fault == "unreached":
            raise httpx.ConnectError("All connection attempts failed", request=request)
        if fault == "swallowed":
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            )
        if fault == "bad gateway":
            return _page(request)
        if fault in ("too many", "too many for now"):
            wait = {"retry-after": "0"} if fault == "too many for now" else {}
            return httpx.Response(429, headers=wait, json={"error": "Too many requests"}, request=request)
        content = await request.aread()
        body = json.loads(content) if content else None
        delivered = Delivered(request.method, request.url.path, body)
        if body is not None and request.url.path == "/api/chat" and body["message"]["role"] == "user":
            delivered.again = self.has_message(body["message"]["id"])
        self.delivered.append(delivered)
        response = await self.inner.handle_async_request(request)
        delivered.status = response.status_code
        if fault in ("answer lost", "bad gateway after"):
            await response.aclose()
            if fault == "answer lost":
                raise httpx.ReadError("", request=request)
            return _page(request)
        if fault == "cut":
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = _Cut(response.stream, self.chance.randrange(1, 8), request)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


class _Cut(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, after: int, request: httpx.Request) -> None:
        self._stream, self._after, self._request = stream, after, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._after
        async for piece in self._stream:
            if left == 0:
                raise httpx.ReadError("", request=self._request)
            left -= 1
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _page(request: httpx.Request) -> httpx.Response:
    page = b"<html><h1>Bad Gateway</h1></html>"
    return httpx.Response(502, headers={"content-type": "text/html"}, content=page, request=request)

"""A transport that somebody else closes."""

from __future__ import annotations

import httpx


class Lent(httpx.AsyncBaseTransport):
    """Carries requests over another transport, and leaves it open."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)

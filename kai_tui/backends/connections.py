"""The connections behind the HTTP door: which client a method uses, certificates, proxies, dead peers."""

from __future__ import annotations

import asyncio
import socket
import ssl

import httpx

from kai_tui.backends.addresses import Origin
from kai_tui.backends.base import CannotConnect

_AT_ONCE = 20


class Connections:
    """Two httpx clients for one origin, made at first use.

    Reads share connections. Everything else gets a fresh one: Node and uvicorn close idle
    connections after 5 s, and a POST must not meet that moment (N4). Over a transport of the
    caller's own there is only one client.
    """

    def __init__(self, origin: Origin, transport: httpx.AsyncBaseTransport | None) -> None:
        self._origin = origin
        self._transport = transport
        self._making = asyncio.Lock()
        self._clients: tuple[httpx.AsyncClient, httpx.AsyncClient] | None = None
        self._closed = False

    @property
    def traced(self) -> bool:
        """Whether requests go through httpcore, which tells when their first byte leaves."""
        return self._transport is None

    async def client(self, *, reads: bool) -> httpx.AsyncClient:
        """The client for a GET (`reads`) or for anything else. Raises CannotConnect after `aclose`."""
        async with self._making:
            if self._clients is None and not self._closed:
                self._clients = await self._make()
                if self._closed:  # meanwhile
                    await self.aclose()
            if self._clients is None:
                raise self.closed_here()
            return self._clients[0 if reads else 1]

    async def aclose(self) -> None:
        """Close everything; open streams break."""
        self._closed = True
        await self._drop()

    async def hang_up(self) -> None:
        """Close everything there is; the next request connects anew.

        A transport of the caller's own stays as it is: nothing in this process goes stale.
        """
        if self._transport is None:
            await self._drop()

    def closed_here(self) -> CannotConnect:
        """The error of a request that came too late."""
        return CannotConnect(f"The connection to {self._origin.shown} was closed here.", code="closed")

    async def _drop(self) -> None:
        clients, self._clients = self._clients, None
        for client in dict.fromkeys(clients or ()):
            await client.aclose()

    async def _make(self) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
        if self._transport is not None:
            client = httpx.AsyncClient(transport=self._transport, trust_env=False)
            return client, client
        trust_env = not self._origin.loopback  # proxies are for the world outside (T22)
        if self._origin.scheme == "https":
            # Reading the certificates takes tens of milliseconds the screen needs.
            trusted = await asyncio.to_thread(httpx.create_ssl_context, trust_env=trust_env)
        else:
            trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, reads no files

        def client_with(limits: httpx.Limits) -> httpx.AsyncClient:
            return httpx.AsyncClient(verify=trusted, trust_env=trust_env, limits=limits)

        try:
            return (
                client_with(httpx.Limits(max_connections=_AT_ONCE, keepalive_expiry=3.0)),
                client_with(httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=0)),
            )
        except (ImportError, ValueError, httpx.InvalidURL):
            raise CannotConnect(
                f"The proxy settings of this computer cannot be used to reach {self._origin.shown}.",
                code="proxy",
            ) from None


def watch_for_dead_peer(response: httpx.Response) -> None:
    """TCP keep-alive for a stream that may be silent for long: a vanished peer is noticed in 2 minutes."""
    stream = response.extensions.get("network_stream")
    raw = stream.get_extra_info("socket") if stream is not None else None
    if raw is None:
        return
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
            option = getattr(socket, name, None)  # not on every platform
            if option is not None:
                raw.setsockopt(socket.IPPROTO_TCP, option, seconds)
    except (OSError, AttributeError):
        pass

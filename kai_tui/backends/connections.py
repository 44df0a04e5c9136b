"""The connections behind the HTTP door: which client a method uses, when they are dropped, dead peers."""

from __future__ import annotations

import asyncio
import socket
import ssl

import httpx

from kai_tui.backends import certificates
from kai_tui.backends.addresses import Origin
from kai_tui.backends.base import CannotConnect
from kai_tui.backends.http_request import wire_host
from kai_tui.backends.network import Network, Transport
from kai_tui.backends.proxies import proxy_for
from kai_tui.backends.trust import trusted_context


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
        self._network: Network | None = None
        self._trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

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

    async def hang_up(self, *, streams: bool = True) -> None:
        """Close everything there is; the next request connects anew. Without `streams` only what reads share.

        A transport of the caller's own stays as it is: nothing in this process goes stale.
        """
        if self._transport is not None:
            return
        if streams:
            await self._drop()
            return
        async with self._making:
            if self._clients is None or self._closed:
                return
            reads, posts = self._clients
            fresh, spare = await self._make()
            self._clients = (fresh, posts)
        await spare.aclose()
        await reads.aclose()

    def closed_here(self) -> CannotConnect:
        """The error of a request that came too late."""
        return CannotConnect(f"The connection to {self._origin.shown} was closed here.", code="closed")

    async def _drop(self) -> None:
        clients, self._clients = self._clients, None
        for client in dict.fromkeys(clients or ()):
            await client.aclose()

    async def explained(self, error: ssl.SSLCertVerificationError) -> CannotConnect:
        """The error for a certificate of the server that is not believed, after a look at it."""
        found = None
        if self._network is not None:
            found = await certificates.fetch(self._network, wire_host(self._origin), self._origin.port)
        return certificates.untrusted(error, self._origin.shown, found)

    async def _make(self) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
        if self._transport is not None:
            client = httpx.AsyncClient(transport=self._transport, trust_env=False)
            return client, client
        if self._network is None:
            # Both read files or ask the system, which takes tens of milliseconds the screen needs.
            try:
                proxy = await asyncio.to_thread(proxy_for, self._origin)
            except CannotConnect as error:
                # Without its frames: they hold the proxy's address with a password in it.
                raise error.with_traceback(None) from None
            self._trusted = await asyncio.to_thread(self._read_trust)
            self._network = Network(proxy, self._trusted)

        def client_that(keeps: bool) -> httpx.AsyncClient:
            assert self._network is not None
            return httpx.AsyncClient(
                transport=Transport(self._network, self._trusted, keep=keeps), trust_env=False
            )

        return client_that(keeps=True), client_that(keeps=False)

    def _read_trust(self) -> ssl.SSLContext:
        if self._origin.scheme == "https":
            return trusted_context()
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # believes nobody, reads no files


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

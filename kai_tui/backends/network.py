"""How connections are made: directly or through a proxy, and closed again whatever happens while they are.

Two things httpcore's own way lacks: a handshake that is cancelled leaves its socket open there, and a
proxy's failure looks like the server's.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from kai_tui.backends import failures, tcp
from kai_tui.backends.base import BackendError, CannotConnect
from kai_tui.backends.proxies import Proxy
from kai_tui.backends.tunnels import open_tunnel

AT_ONCE = 20
"""Connections to one server at the same time, of reads and of everything else."""

_PROXY_ERRORS = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    TimeoutError,
    OSError,
)


class Network(httpcore.AsyncNetworkBackend):
    """Makes the connections of one server. `proxy`: the one on the way, if any."""

    def __init__(self, proxy: Proxy | None, trusted: ssl.SSLContext) -> None:
        self._proxy = proxy
        self._trusted = trusted

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the server, the way through a proxy included in the `timeout`."""
        if self._proxy is None:
            return _Stream(await tcp.connect(host, port, timeout))
        try:
            async with asyncio.timeout(timeout):
                return await self._through(self._proxy, host, port)
        except _PROXY_ERRORS as error:
            failed = _proxy_failure(error, self._proxy, timeout)
        # Outside the except: the frames behind such an error hold the proxy's password.
        raise failed

    async def sleep(self, seconds: float) -> None:
        """Part of the interface; httpcore's own retries are not used."""
        await asyncio.sleep(seconds)

    async def _through(self, proxy: Proxy, host: str, port: int) -> httpcore.AsyncNetworkStream:
        stream: httpcore.AsyncNetworkStream = _Stream(await tcp.connect(proxy.host, proxy.port, None))
        try:
            if proxy.scheme == "https":
                stream = _Stream(await stream.start_tls(self._trusted, proxy.host))
            await open_tunnel(stream, proxy, host, port)
        except BackendError as error:
            await stream.aclose()
            failed = error.with_traceback(None)
        except BaseException:
            await stream.aclose()
            raise
        else:
            return stream
        raise failed


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that is closed when its handshake fails or is given up."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._inner.aclose()
            raise

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Transport(httpx.AsyncHTTPTransport):
    """httpx's transport over a `Network`; `keep` idle connections for further requests, or none."""

    def __init__(self, network: Network, trusted: ssl.SSLContext, *, keep: bool) -> None:
        super().__init__(verify=trusted, trust_env=False)
        # httpx has no parameter for this.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted,
            max_connections=AT_ONCE,
            max_keepalive_connections=AT_ONCE if keep else 0,
            keepalive_expiry=3.0,
            network_backend=network,
        )


def _proxy_failure(error: Exception, proxy: Proxy, timeout: float | None) -> CannotConnect:
    check = "Check HTTPS_PROXY, or the network."
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        within = "" if timeout is None else f" in {timeout:g} s"
        return CannotConnect(f"The proxy {proxy.shown} did not answer{within}. {check}", code="timeout")
    behind = list(failures.causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in behind):
        return CannotConnect(
            f"The secure connection to the proxy {proxy.shown} failed. Perhaps its address begins with http://.",
            code="tls",
        )
    if any(isinstance(cause, socket.gaierror) for cause in behind):
        return CannotConnect(f"Cannot find the proxy {proxy.shown}. {check}", code="dns")
    if any(isinstance(cause, ConnectionRefusedError) for cause in behind):
        return CannotConnect(f"The proxy {proxy.shown} refuses connections. {check}", code="refused")
    if isinstance(error, httpcore.ConnectError):
        return CannotConnect(f"Cannot reach the proxy {proxy.shown}. {check}", code="unreachable")
    return CannotConnect(f"The proxy {proxy.shown} hung up. {check}", code="unreachable")

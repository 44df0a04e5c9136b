"""Through a proxy to a server: CONNECT of HTTP proxies and SOCKS 5 (RFC 9110 §9.3.6, RFC 1928, RFC 1929).

All a proxy learns is the server's name and port: TLS begins behind it, and only then a request is
written. Below httpcore on purpose: what fails here provably reached no server.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Final

import httpcore

from kai_tui import __version__
from kai_tui.backends.base import CannotConnect
from kai_tui.backends.proxies import Proxy

_MAX_HEAD: Final = 64 * 1024
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |\r\n)")
_GATEWAY_TROUBLE: Final = frozenset({502, 503, 504})


async def open_tunnel(stream: httpcore.AsyncNetworkStream, proxy: Proxy, host: str, port: int) -> None:
    """Ask the proxy for a way to `host`. Raises CannotConnect, and what reading and writing raise."""
    if proxy.scheme == "socks5":
        await _socks(stream, proxy, host, port)
    else:
        await _connect(stream, proxy, host, port)


async def _connect(stream: httpcore.AsyncNetworkStream, proxy: Proxy, host: str, port: int) -> None:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", f"User-Agent: kai-tui/{__version__}"]
    if proxy.user or proxy.password:
        pair = f"{proxy.user}:{proxy.password.reveal()}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}")
    await stream.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await stream.read(4096)
        head += piece
        if not piece or len(head) > _MAX_HEAD:
            break
    status = _STATUS.match(head)
    if status is None:
        said = "hung up" if not head else "does not answer as a proxy does"
        raise CannotConnect(f"The proxy {proxy.shown} {said}. Check HTTPS_PROXY.", code="proxy")
    number = int(status[1])
    if number == 407:
        raise _wants_credentials(proxy, "(407)")
    if number in _GATEWAY_TROUBLE:
        raise CannotConnect(f"The proxy {proxy.shown} cannot reach {host} ({number}).", code="unreachable")
    if not 200 <= number < 300:
        raise CannotConnect(f"The proxy {proxy.shown} refuses the way to {host} ({number}).", code="proxy")
    if not head.endswith(b"\r\n\r\n") or head.count(b"\r\n\r\n") > 1:
        # Nobody has asked the server anything yet: such bytes could only be somebody else's.
        raise CannotConnect(f"The proxy {proxy.shown} sent what nobody asked for.", code="proxy")


async def _socks(stream: httpcore.AsyncNetworkStream, proxy: Proxy, host: str, port: int) -> None:
    named = bool(proxy.user or proxy.password)
    await stream.write(b"\x05\x02\x00\x02" if named else b"\x05\x01\x00")
    version, method = await _exactly(stream, proxy, 2)
    if version != 5 or method not in (0, 2, 255):
        raise CannotConnect(f"The proxy {proxy.shown} is no SOCKS 5 proxy. Check ALL_PROXY.", code="proxy")
    if method == 255 or (method == 2 and not named):
        raise _wants_credentials(proxy)
    if method == 2:
        user, password = proxy.user.encode(), proxy.password.reveal().encode()
        await stream.write(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if (await _exactly(stream, proxy, 2))[1] != 0:
            raise _wants_credentials(proxy)
    await stream.write(b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big"))
    _, reply, _, kind = await _exactly(stream, proxy, 4)
    if reply == 2:
        raise CannotConnect(f"The proxy {proxy.shown} refuses the way to {host}.", code="proxy")
    if reply != 0:
        raise CannotConnect(f"The proxy {proxy.shown} cannot reach {host}.", code="unreachable")
    length = (await _exactly(stream, proxy, 1))[0] if kind == 3 else 16 if kind == 4 else 4
    await _exactly(stream, proxy, length + 2)


def _socks_address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("ascii")
        return bytes([3, len(name)]) + name
    return bytes([1 if address.version == 4 else 4]) + address.packed


async def _exactly(stream: httpcore.AsyncNetworkStream, proxy: Proxy, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = await stream.read(size - len(data))
        if not piece:
            raise CannotConnect(f"The proxy {proxy.shown} hung up. Check ALL_PROXY.", code="proxy")
        data += piece
    return data


def _wants_credentials(proxy: Proxy, status: str = "") -> CannotConnect:
    known = bool(proxy.user or proxy.password)
    said = "does not accept the user name and password" if known else "wants a user name and a password"
    where = "Correct" if known else "Put"
    return CannotConnect(
        f"The proxy {proxy.shown} {said}{f' {status}' if status else ''}. "
        f"{where} them in the proxy's variable: {proxy.scheme}://NAME:PASSWORD@{proxy.shown}.",
        code="proxy",
    )

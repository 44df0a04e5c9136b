"""Which proxy leads to a server: HTTPS_PROXY, ALL_PROXY and NO_PROXY, or the system's settings.

Never one for this machine or the built-in assistant (reliability.md T22). Proxy auto-configuration
scripts are not run.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from kai_tui.backends.addresses import Origin
from kai_tui.backends.base import CannotConnect
from kai_tui.backends.secret import Secret

ProxyScheme: TypeAlias = Literal["http", "https", "socks5"]

_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443, "socks5": 1080}
_SCHEMES: Final[Mapping[str, ProxyScheme]] = {
    "http": "http",
    "https": "https",
    "socks5": "socks5",
    "socks5h": "socks5",
}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy on the way. All of them are given host names, so that nothing is looked up here."""

    scheme: ProxyScheme
    host: str
    port: int
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))

    @property
    def shown(self) -> str:
        """Host and port for sentences, never the credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def proxy_for(origin: Origin) -> Proxy | None:
    """The proxy to use for a server; None to go there directly. May block for the system's settings.

    Variables in small letters win over those in capitals. Raises CannotConnect (code `proxy`) for
    settings that cannot be used: going around them would break a company's rules.
    """
    if origin.loopback or origin.in_process or origin.scheme != "https":
        return None
    from_variables = getproxies_environment()
    settings = from_variables or getproxies()
    address = settings.get("https") or settings.get("all")
    if not address:
        return None
    if from_variables:
        if bypassed(origin, from_variables.get("no", "")):
            return None
    elif proxy_bypass(origin.host):
        return None
    return read_proxy(address)


def bypassed(origin: Origin, no_proxy: str) -> bool:
    """Whether NO_PROXY names the server: `*`, a name (with all below it), an address or network, any with a port."""
    for entry in re.split(r"[\s,]+", no_proxy.lower()):
        if entry == "*":
            return True
        name, port = _name_and_port(entry)
        if name and (port is None or port == origin.port) and _names(name, origin.host):
            return True
    return False


def read_proxy(address: str) -> Proxy:
    """The proxy at an address as variables have it. Raises CannotConnect; never repeats credentials."""
    address = address.strip()
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        raise _unusable("its address cannot be read.") from None
    if scheme not in _SCHEMES:
        raise _unusable(f"{scheme[:20]} proxies are not supported, only http, https and socks5.")
    if not host or re.search(r"[^\w.:\-%]", host):
        raise _unusable("its address names no host.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if re.search(r"[\r\n\0]", user + password) or len(user.encode()) > 255 or len(password.encode()) > 255:
        raise _unusable("its user name or password cannot be sent.")
    kind = _SCHEMES[scheme]
    return Proxy(kind, host, port or _PORTS[kind], user, Secret(password))


def _name_and_port(entry: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d{1,5}))?", entry)
    if bracketed is not None:
        return bracketed[1], int(bracketed[2]) if bracketed[2] else None
    if entry.count(":") == 1 and entry.rpartition(":")[2].isdecimal():
        name, _, port = entry.partition(":")
        return name, int(port)
    return entry, None


def _names(name: str, host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = name.removeprefix("*").removeprefix(".").rstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    try:
        return address in cast("ipaddress.IPv4Network", ipaddress.ip_network(name, strict=False))
    except ValueError:
        return False


def _unusable(why: str) -> CannotConnect:
    return CannotConnect(
        f"The proxy of this computer cannot be used: {why} Check HTTPS_PROXY, ALL_PROXY and NO_PROXY.",
        code="proxy",
    )

"""Addresses a credential may go to: https, or this machine (reliability.md N7, N8).

No httpx here: the sign-in dialog checks what is typed with these.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from kai_tui.backends.base import CannotConnect

IN_PROCESS_HOST = "sandbox.kai-tui.invalid"
"""The built-in assistant: reached through a transport of ours, never through a socket."""

_PORTS = {"https": 443, "http": 80}
# Under these a name of two labels belongs to nobody ("co.uk"); a full list would be out of date anyway.
_SHARED_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "ltd", "net", "or", "org"})
_HOST = re.compile(r"[A-Za-z0-9\-._~:\[\]\u0080-\U0010ffff]+")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: who gets the token. Two origins are the same only when all three are."""

    scheme: str
    host: str
    """Lower case, without brackets."""
    port: int

    @property
    def loopback(self) -> bool:
        """Whether this is our own machine."""
        return is_loopback(self.host)

    @property
    def in_process(self) -> bool:
        """Whether this is the built-in assistant."""
        return self.host == IN_PROCESS_HOST

    @property
    def shown(self) -> str:
        """The host for sentences; with the port when it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _PORTS.get(self.scheme) == self.port else f"{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """True for `localhost`, 127.0.0.0/8 and ::1; names below `localhost` may lead elsewhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def unusable(address: str, why: str) -> CannotConnect:
    """The error for an address this program does not talk to."""
    return CannotConnect(f"{_short(address)} cannot be used: {why}", code="address")


def parse_origin(address: str) -> Origin:
    """The origin of an address. Raises CannotConnect when it has none."""
    parts = _split(address)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise unusable(address, "an address starts with https://.")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise unusable(address, "its port is not a number.") from None
    if not host or not host.strip(".") or _HOST.fullmatch(host) is None:
        raise unusable(address, "it names no host.")
    if parts.username is not None or parts.password is not None:
        # Secrets in an address end up in logs and histories.
        raise CannotConnect("An address must not contain a user name or a password.", code="address")
    return Origin(scheme, host.lower().rstrip("."), _PORTS[scheme] if port is None else port)


def base_address(address: str, *, in_process: bool = False) -> tuple[str, Origin]:
    """A base address without trailing slash, query and fragment, and its origin.

    Raises CannotConnect unless it is https, loopback, or (only with `in_process`, that is with a
    transport of ours) the built-in assistant.
    """
    address = address.strip()
    origin = parse_origin(address)
    if origin.in_process and not in_process:
        raise unusable(address, "the built-in assistant is not reached over a network.")
    if origin.scheme != "https" and not origin.loopback and not origin.in_process:
        raise unusable(address, "only https:// is safe for a token.")
    parts = _split(address)
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    port = "" if origin.port == _PORTS[origin.scheme] else f":{origin.port}"
    return f"{origin.scheme}://{host}{port}{parts.path.rstrip('/')}", origin


def storage_address(typed: str) -> str:
    """The stack's Storage API address from whatever the user typed or pasted.

    Takes a bare host, an address with /v2/storage behind it, and an address copied from the web UI
    (`https://connection.keboola.com/admin/projects/1/…`). Raises CannotConnect when there is no
    host in it.
    """
    address = typed.strip().strip("<>\"'").strip()
    if not address:
        raise CannotConnect(
            "Type the address of your Keboola stack, such as https://connection.keboola.com.", code="address"
        )
    if "://" not in address:
        host = _split(f"//{address}").hostname or ""
        address = f"{'http' if is_loopback(host.lower()) else 'https'}://{address}"
    origin = parse_origin(address)
    if origin.scheme == "http" and origin.port == 80 and not origin.loopback and not origin.in_process:
        origin = Origin("https", origin.host, 443)
    return f"{origin.scheme}://{origin.shown}"


def belongs_to(service: Origin, stack: Origin) -> bool:
    """Whether a discovered service may get the stack's token (N8).

    https under the stack's own domain; a loopback stack may only name loopback services; the
    built-in assistant only itself.
    """
    if stack.in_process or service.in_process:
        return service.host == stack.host
    if stack.loopback:
        return service.loopback
    if service.scheme != "https" or service.loopback:
        return False
    domain = _domain(stack.host)
    return service.host == stack.host or (domain is not None and service.host.endswith(f".{domain}"))


def _domain(host: str) -> str | None:
    """The part of a host name that belongs to one owner; None for IP addresses and bare names."""
    labels = host.split(".")
    if len(labels) < 2 or ":" in host or labels[-1].isdigit():
        return None
    shared = len(labels[-1]) == 2 and labels[-2] in _SHARED_SECOND_LEVEL
    kept = labels[-3:] if shared else labels[-2:]
    return None if shared and len(kept) < 3 else ".".join(kept)


def _split(address: str) -> SplitResult:
    if any(character.isspace() or not character.isprintable() for character in address) or "\\" in address:
        raise unusable(address, "it contains characters an address cannot have.")
    try:
        return urlsplit(address)
    except ValueError:
        raise unusable(address, "it is not an address.") from None


def _short(address: str) -> str:
    # The user may have pasted the token into the address field: never repeat more than a host.
    text = address.strip().split("://")[-1].split("@")[-1].split("/")[0].split("?")[0].split("#")[0]
    return f"“{text}”" if "." in text and len(text) <= 100 else "This address"

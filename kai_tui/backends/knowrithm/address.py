"""The address of a Knowrithm server from whatever the user typed, and paths a server names (knowrithm.md §1, §4)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from kai_tui.backends.addresses import base_address, is_loopback, parse_origin
from kai_tui.backends.base import CannotConnect

DEFAULT: Final = "https://app.knowrithm.org/api"

_PATH: Final = re.compile(r"(/[\w\-.~%:@]+)+", re.ASCII)
_QUERY: Final = re.compile(r"[\w\-.~%=&+:]*", re.ASCII)


def knowrithm_address(typed: str) -> str:
    """The base address, to which `/v1/…` is added. A bare host gets `/api`, a trailing `/v1` is dropped.

    Raises CannotConnect for what is no address, and for http to another computer.
    """
    address = typed.strip().strip("<>\"'").strip() or DEFAULT
    if "://" not in address:
        host = parse_origin(f"https://{address}").host
        address = f"{'http' if is_loopback(host) else 'https'}://{address}"
    base = base_address(address)[0]
    base = base.removesuffix("/v1").rstrip("/")
    return base if urlsplit(base).path else f"{base}/api"


def own_path(named: object, base_url: str) -> str | None:
    """The path behind our own base address for a URL the server named, with its query; None for junk.

    Whatever host it names, the request goes to ours: credentials follow nobody.
    """
    if not isinstance(named, str) or not named.isascii() or not named.isprintable() or len(named) > 1000:
        return None
    try:
        parts = urlsplit(named)
        base = urlsplit(base_url).path
    except ValueError:
        return None
    if parts.scheme not in ("", "http", "https"):
        return None
    path = f"/{parts.path.strip('/')}"
    for prefix in (base, "/api", "/v1"):
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            path = path.removeprefix(prefix)
    if _PATH.fullmatch(path) is None or {".", ".."} & set(path.split("/")) or "%2e" in path.lower():
        return None
    if _QUERY.fullmatch(parts.query) is None:
        return None
    return f"/v1{path}{'?' + parts.query if parts.query else ''}"


def check_address(typed: str) -> CannotConnect | None:
    """Why this cannot be used, for a dialog; None when it can."""
    try:
        knowrithm_address(typed)
    except CannotConnect as error:
        return error
    return None

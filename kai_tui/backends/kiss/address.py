"""The address of a KISS AI Stack server from whatever the user typed (kiss-ai-stack.md §1)."""

from __future__ import annotations

from kai_tui.backends.addresses import base_address, is_loopback, parse_origin
from kai_tui.backends.base import CannotConnect


def stack_address(typed: str, *, secure: bool | None = None) -> str:
    """Base address of the REST API. Takes a host name with or without a port, a full address, and the
    address of the socket (`ws://…/ws`), which other clients ask for.

    `secure`: https or http where nothing was typed in front; None: https, except on this computer.
    Raises CannotConnect for what is no address, and for http to another computer.
    """
    address = typed.strip().strip("<>\"'").strip()
    if not address:
        raise CannotConnect("Type the host of the stack, such as localhost:8080.", code="address")
    scheme, mark, rest = address.partition("://")
    if mark:
        scheme = {"ws": "http", "wss": "https"}.get(scheme.lower(), scheme)
    else:
        rest = address
        host = parse_origin(f"https://{rest}").host
        scheme = (
            ("http" if is_loopback(host) else "https") if secure is None else "https" if secure else "http"
        )
    return base_address(f"{scheme}://{rest}")[0].removesuffix("/ws")

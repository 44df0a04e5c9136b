"""Asks before a link leaves the program: the address whole, its host on its own line (P22, T10, D6)."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from textual.content import Content

from kai_tui.ui.modals.confirm import Confirm

SCHEMES = ("http", "https")


class OpenLink(Confirm):
    """Result: True to open it in the browser."""

    def __init__(self, href: str) -> None:
        """`href` is raw; `refusal` must have said None to it."""
        from kai_tui.conversation.safe_text import safe_exact

        host = safe_exact(_host(urlsplit(href)))
        address = safe_exact(href)
        lines = [
            Content.assemble(("host  ", "$text-muted"), (host.text, "bold")),
            Content(""),
            Content(address.text),
        ]
        for flag in dict.fromkeys((*host.flags, *address.flags)):
            lines.append(Content.styled(f"! {flag}", "$text-warning"))
        super().__init__(
            "Open this address in your browser?",
            Content("\n").join(lines),
            yes="Open",
            name="open-link",
        )


def refusal(href: str) -> str | None:
    """Why an address is never opened, in words; None when it may be asked about."""
    if any(not " " < character < "\x7f" and not character.isalnum() for character in href):
        return "This link has characters that do not belong into an address. It is not opened."
    try:
        parts = urlsplit(href)
        host = _host(parts)
    except ValueError:
        return "This link is not an address. It is not opened."
    if parts.scheme.lower() not in SCHEMES:
        return "Only web addresses (http, https) are opened."
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "This link carries a user name before its host, a usual trick. It is not opened."
    if not host or "\\" in href:
        return "This link has no clear host. It is not opened."
    return None


def host_of(href: str) -> str:
    """The host of an address that is not refused."""
    return _host(urlsplit(href))


def _host(parts: SplitResult) -> str:
    """The host as the browser will look it up, in ASCII where that differs."""
    host = parts.hostname or ""
    if host.isascii():
        return host
    try:
        return f"{host} ({host.encode('idna').decode('ascii')})"
    except UnicodeError as error:
        raise ValueError("not a host") from error

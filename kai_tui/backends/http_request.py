"""One request of the HTTP door: its address, headers and body, checked before anything is sent.

Checked here because the errors of the libraries below quote the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

import httpx

from kai_tui import __version__
from kai_tui.backends.addresses import Origin
from kai_tui.backends.base import CannotConnect, Refused, TokenRefused
from kai_tui.backends.multipart import Form
from kai_tui.backends.secret import Secret, SecretLine

Credentials: TypeAlias = Callable[[], Awaitable[Mapping[str, Secret | str]]]
"""Gives the headers that say who asks, anew for each request."""

Method: TypeAlias = Literal["GET", "DELETE", "POST", "PATCH"]

_SECRET_HEADER = re.compile(r"(Bearer )?[\x21-\x7e]+")
_SECRETS: Final = "kai_tui.secrets"
_PLAIN_HEADER = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


def segment(value: str) -> str:
    """A value as one piece of a path. Raises Refused for values that would climb out of it."""
    if value in ("", ".", ".."):
        raise Refused("This id cannot be asked for.", code="id")
    return quote(value, safe="", errors="replace")


def new_request(
    method: Method,
    base: str,
    origin: Origin,
    path: str,
    *,
    headers: Mapping[str, Secret | str],
    params: Mapping[str, str | int] | None = None,
    body: Mapping[str, Any] | None = None,
    form: Form | None = None,
) -> httpx.Request:
    """The request for `base` + `path`. Raises a BackendError for whatever cannot or must not be sent.

    `body` goes as JSON; `form`, in its place, as a form with files.
    """
    lines = {
        "user-agent": f"kai-tui/{__version__}",
        "accept": "application/json",
        "accept-encoding": "identity",  # N5, and ordinary answers need no bombs either
        **{name: _header(name, value) for name, value in headers.items()},
    }
    content: bytes | Form | None = None
    if form is not None:
        lines["content-type"] = form.content_type
        lines["content-length"] = str(len(form))
        content = form
    elif body is not None:
        lines["content-type"] = "application/json"
        content = _encode(body)
    try:
        # With None httpx would drop a query that is part of the path.
        url = httpx.URL(base + path, params=dict(params)) if params else httpx.URL(base + path)
    except (httpx.InvalidURL, ValueError):
        raise CannotConnect(f"An address at {origin.shown} could not be built.", code="address") from None
    if not path.startswith("/") or not _same_origin(url, origin):
        raise CannotConnect(f"Refused to send anything outside {origin.shown}.", code="address")
    secret = tuple(name for name, value in headers.items() if isinstance(value, Secret))
    return httpx.Request(method, url, headers=lines, content=content, extensions={_SECRETS: secret})


class _Leaving:
    """Notes when httpcore begins to write a request: before that the server cannot have any of it."""

    begun = False

    async def __call__(self, name: str, info: object) -> None:
        if name.endswith("send_request_headers.started"):
            self.begun = True


def watch_leaving(request: httpx.Request) -> None:
    """Let `has_left` know about this request, which goes through httpcore."""
    request.extensions["trace"] = _Leaving()


def has_left(request: httpx.Request) -> bool:
    """Whether a byte of the request may have left this computer; True when nobody watched."""
    leaving = request.extensions.get("trace")
    return leaving.begun if isinstance(leaving, _Leaving) else True


def forget_secrets(request: httpx.Request) -> None:
    """Take the secret headers out: responses and errors of httpx carry the request along."""
    names: tuple[str, ...] = request.extensions.get(_SECRETS, ())
    for name in names:
        request.headers.pop(name, None)


def _encode(body: Mapping[str, Any]) -> bytes:
    # Escaped to ASCII: lone surrogates of a server go back as they came instead of failing.
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii")
    except (ValueError, TypeError, RecursionError):
        raise Refused("This cannot be sent: it is no plain JSON.", code="json") from None


def wire_host(origin: Origin) -> str:
    """The host as it goes over the wire: IDNA names in their ASCII form, no brackets."""
    url = httpx.URL(scheme=origin.scheme, host=origin.host)
    return url.raw_host.decode("ascii", "replace").strip("[]").lower()


def _same_origin(url: httpx.URL, origin: Origin) -> bool:
    host = url.raw_host.decode("ascii", "replace").strip("[]").lower().rstrip(".")
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    return (url.scheme, host, port) == (origin.scheme, wire_host(origin), origin.port)


def _header(name: str, value: Secret | str) -> str:
    if isinstance(value, str):
        if _PLAIN_HEADER.fullmatch(value) is None:
            raise Refused(f"The value for {name} contains characters it cannot have.", code="header")
        return value
    if not value:
        raise TokenRefused("There is no token. Sign in with one.", code="no-token")
    pattern = _PLAIN_HEADER if isinstance(value, SecretLine) else _SECRET_HEADER
    if pattern.fullmatch(value.reveal()) is None:
        raise TokenRefused(
            "The token contains characters a token cannot have. Paste it again, without spaces.",
            code="odd-token",
        )
    return value.reveal()

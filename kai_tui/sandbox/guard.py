"""Stands before every request of the sandbox: who may ask, from where, and how much (reliability.md L3-L6).

Works the same in this process and on a socket; only the check of `Host` needs a socket's address.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Collection, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kai_tui.sandbox.refusals import Flavour, Refusal

BODY_LIMIT = 1024 * 1024
BODY_SECONDS = 10.0
"""How long a body may take to arrive."""

OPEN_PATHS = ("/ping", "/api")
"""Harmless, and the official client sends no token there (kai.md §4)."""

_FORBIDDEN_HEADERS = (b"origin", b"sec-fetch-site")
"""Only browsers send these: no web page has any business here."""

STACK_PATHS = ("/v2/", "/queue/")
"""The stack's own services: they take the token alone, and refuse it in words of their own (kai.md §3)."""

SIGN_IN = "You need to sign in to view this chat. Please sign in and try again."


class Guard:
    """ASGI middleware.

    `hosts`: the values of `Host` that are served; None serves any. `flavour_of`: how to refuse, by path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        hosts: Collection[str] | None,
        flavour_of: Callable[[str], Flavour],
    ) -> None:
        self._app = app
        self._flavour_of = flavour_of
        self._token = token.encode()
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # web sockets are not spoken here: the server closes the connection
        path: str = scope["path"]
        try:
            headers = _headers(scope)
            self._check(scope, headers, path)
            body = await _body(scope, headers, receive)
        except Refusal as refusal:
            await refusal.response(self._flavour_of(path))(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)

    def _check(self, scope: Scope, headers: Mapping[bytes, bytes], path: str) -> None:
        if self._hosts is not None and headers.get(b"host", b"").decode("latin-1").lower() not in self._hosts:
            raise Refusal("forbidden", "api", "This server answers under its own address only.")
        if any(name in headers for name in _FORBIDDEN_HEADERS):
            raise Refusal("forbidden", "api", "This server does not talk to web pages.")
        if scope["method"] == "GET" and path.removeprefix("/assistant") in OPEN_PATHS:
            return
        given = headers.get(b"x-storageapi-token", b"")
        if not hmac.compare_digest(given, self._token):
            if path.startswith(STACK_PATHS):
                raise _InvalidToken()
            raise Refusal("unauthorized", "chat", SIGN_IN)
        if not path.startswith(STACK_PATHS) and not headers.get(b"x-storageapi-url"):
            raise Refusal("unauthorized", "chat", "The header x-storageapi-url is missing.")


class _InvalidToken(Refusal):
    """The Storage API says it in words of its own (kai.md §3)."""

    def __init__(self) -> None:
        super().__init__("unauthorized", "auth", "Invalid access token")

    def _body(self, flavour: Flavour) -> dict[str, Any]:
        return {"error": "Invalid access token", "code": "storage.tokenInvalid", "exceptionId": "sandbox"}


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Headers by name; one that is given twice counts as its values joined, so that no check is passed by."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        key = bytes(name).lower()
        found[key] = found[key] + b", " + value if key in found else bytes(value)
    return found


async def _body(scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > BODY_LIMIT:
        raise _too_large()
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refusal("bad_request", "api", "The request broke off.")
                piece: bytes = message.get("body", b"")
                size += len(piece)
                if size > BODY_LIMIT:
                    raise _too_large()
                pieces.append(piece)
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Refusal("bad_request", "api", "The request took too long to arrive.") from None
    body = b"".join(pieces)
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if (body or scope["method"] in ("POST", "PATCH", "PUT")) and kind != b"application/json":
        raise Refusal("bad_request", "api", cause="The content type must be application/json.")
    return body


def _too_large() -> Refusal:
    return Refusal("payload_too_large", "api", "The request is larger than 1 MiB.")


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that begins with the body that was read already."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay

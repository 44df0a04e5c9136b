"""The one HTTP policy of all backends (reliability.md N1-N12, T13-T15, T18, T22).

Every request goes to the one origin the door was made for, over https or inside this machine, and
never follows a redirect. POST and PATCH are sent exactly once, on a fresh connection. Whatever
goes wrong comes out as a `BackendError` with a sentence for the user.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import httpx

from kai_tui import __version__
from kai_tui.backends import failures, refusals
from kai_tui.backends.addresses import Origin, base_address
from kai_tui.backends.base import (
    AnswerTooLarge,
    BackendError,
    CannotConnect,
    ConnectionLost,
    Refused,
    ServerFailed,
    TokenRefused,
)
from kai_tui.backends.connections import Connections, watch_for_dead_peer
from kai_tui.backends.secret import Secret
from kai_tui.conversation.json_text import BadJson, decode_json

Method: TypeAlias = Literal["GET", "DELETE", "POST", "PATCH"]

MAX_ANSWER = 32 * 1024 * 1024
"""Bytes of an ordinary answer, after decoding."""

_MAX_REFUSAL = 64 * 1024
_RETRY_PAUSES = (0.5, 2.0)
_RETRY_WINDOW = 20.0
_RETRIED_CONNECTS = frozenset({"dns", "refused", "unreachable", "timeout", "busy"})
_RETRIED_STATUSES = frozenset({502, 503, 504})
_SECRET_HEADER = re.compile(r"[\x21-\x7e]+")
_PLAIN_HEADER = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")

# At INFO httpx writes whole addresses into the log (C7).
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Longest waits in seconds (N1)."""

    connect: float = 10.0
    write: float = 30.0
    pool: float = 5.0
    read: float = 30.0
    """Longest silence within an ordinary answer."""
    total: float = 120.0
    """A whole ordinary exchange, however busily it drips."""
    stream: float = 600.0
    """Until a stream's headers come, and its longest silence afterwards."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a 2xx status."""

    status: int
    media_type: str
    """Lower case, without parameters; empty when the server named none."""
    content: bytes
    host: str

    def json(self) -> Any:
        """The body as JSON. Raises UnexpectedAnswer for anything else."""
        try:
            return decode_json(self.content)
        except BadJson:
            raise refusals.not_what_was_asked(
                self.status, self.media_type, self.content, self.host, wanted="JSON"
            ) from None


def segment(value: str) -> str:
    """A value as one piece of a path. Raises Refused for values that would climb out of it."""
    if value in ("", ".", ".."):
        raise Refused("This id cannot be asked for.", code="id")
    return quote(value, safe="", errors="replace")


class HttpDoor:
    """Requests to one server.

    `auth_headers` go with every request that has `auth`, `headers` with all of them. With a
    `transport` (tests, the built-in assistant) nothing touches the network unless it does.
    `sleep`, `jitter` and `clock` are there for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth_headers: Mapping[str, Secret | str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises CannotConnect for an address a token must not go to."""
        self._base, self.origin = base_address(base_url, in_process=transport is not None)
        self._headers = dict(headers or {})
        self._auth_headers = dict(auth_headers or {})
        self._connections = Connections(self.origin, transport)
        self._timeouts = timeouts or Timeouts()
        self._sleep, self._jitter, self._clock = sleep, jitter, clock

    @property
    def host(self) -> str:
        """The server's name for sentences and the status bar."""
        return self.origin.shown

    @property
    def base_url(self) -> str:
        """The address all paths are added to."""
        return self._base

    async def request(
        self,
        method: Method,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        auth: bool = True,
        unsure_note: str = "",
    ) -> Answer:
        """Ask and read the whole answer; 2xx only, else raises a BackendError.

        GET and DELETE are tried up to three times while nothing was reached, GET also after a loss.
        `unsure_note` ends the sentence of an error after which the request may have been carried out.
        """
        started = self._clock()
        pauses = iter(_RETRY_PAUSES)
        while True:
            try:
                return await self._once(method, path, params, body, auth)
            except BackendError as error:
                failed = error
            pause = next(pauses, None) if _worth_another_try(method, failed) else None
            if pause is not None:
                pause *= self._jitter()
            if pause is None or self._clock() - started + pause > _RETRY_WINDOW:
                if method == "GET":
                    failed.delivery = "not-sent"  # reading sends nothing of the user's
                raise noted(failed, unsure_note)
            await self._sleep(pause)

    @asynccontextmanager
    async def stream(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        silence: float | None = -1,
        unsure_note: str = "",
    ) -> AsyncGenerator[httpx.Response, None]:
        """Open an event stream; status and media type are checked. Leaving the block hangs up.

        `silence`: longest wait between two reads in seconds, None for no limit (a person may be
        thinking), -1 for the usual one. Losses inside the block come out as BackendErrors.
        A GET may be answered with 204: no stream.
        """
        request = self._request(method, path, None, body, True)
        request.headers["accept"] = "text/event-stream"
        request.extensions["timeout"] = self._limits(self._timeouts.stream if silence == -1 else silence)
        response = await self._open_stream(method, request, unsure_note)
        try:
            await self._check_stream(response, method, unsure_note)
            watch_for_dead_peer(response)
            try:
                yield response
            except (httpx.HTTPError, httpx.StreamError) as error:
                raise noted(self.failure(error, self._timeouts.stream), unsure_note) from error
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close all connections; streams that are open break."""
        await self._connections.aclose()

    async def _once(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str | int] | None,
        body: Mapping[str, Any] | None,
        auth: bool,
    ) -> Answer:
        request = self._request(method, path, params, body, auth)
        try:
            async with asyncio.timeout(self._timeouts.total):
                response = await self._send(method, request)
                try:
                    if not response.is_success:
                        raise await self._refusal(response)
                    content = await self._read(response, MAX_ANSWER)
                finally:
                    await response.aclose()
        except failures.TRANSPORT_ERRORS as error:
            limit = self._timeouts.total if isinstance(error, TimeoutError) else self._timeouts.read
            raise self.failure(error, limit) from error
        return Answer(response.status_code, _media_type(response), content, self.host)

    async def _open_stream(self, method: Method, request: httpx.Request, unsure_note: str) -> httpx.Response:
        try:
            async with asyncio.timeout(self._timeouts.stream):
                return await self._send(method, request)
        except failures.TRANSPORT_ERRORS as error:
            raise noted(self.failure(error, self._timeouts.stream), unsure_note) from error

    async def _check_stream(self, response: httpx.Response, method: Method, unsure_note: str) -> None:
        if response.status_code == 204 and method == "GET":
            return
        if not response.is_success:
            raise noted(await self._refusal(response), unsure_note)
        media_type = _media_type(response)
        if media_type != "text/event-stream":
            content = await self._read_refusal(response)
            raise noted(
                refusals.not_what_was_asked(
                    response.status_code, media_type, content, self.host, wanted="a stream"
                ),
                unsure_note,
            )

    async def _refusal(self, response: httpx.Response) -> BackendError:
        content = await self._read_refusal(response)
        return refusals.from_answer(response.status_code, response.headers, content, self.host)

    async def _read_refusal(self, response: httpx.Response) -> bytes:
        """What can be had of an error body: the status counts even when its body breaks off."""
        content = bytearray()
        try:
            async with asyncio.timeout(self._timeouts.read):
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > _MAX_REFUSAL:
                        break
        except failures.TRANSPORT_ERRORS:
            pass
        return bytes(content[:_MAX_REFUSAL])

    async def _read(self, response: httpx.Response, cap: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > cap:
                raise AnswerTooLarge(
                    f"{self.host} sent more than {cap // (1024 * 1024)} MiB at once.", code="too-large"
                )
            pieces.append(chunk)
        return b"".join(pieces)

    def _request(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str | int] | None,
        body: Mapping[str, Any] | None,
        auth: bool,
    ) -> httpx.Request:
        headers = {
            "user-agent": f"kai-tui/{__version__}",
            "accept": "application/json",
            "accept-encoding": "identity",  # N5, and ordinary answers need no bombs either
        }
        for name, value in {**self._headers, **(self._auth_headers if auth else {})}.items():
            headers[name] = _header(name, value)
        content: bytes | None = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = _encode(body)
        try:
            url = httpx.URL(self._base + path, params=dict(params) if params else None)
        except (httpx.InvalidURL, ValueError):
            raise CannotConnect(f"An address at {self.host} could not be built.", code="address") from None
        if not path.startswith("/") or not _same_origin(url, self.origin):
            raise CannotConnect(f"Refused to send anything outside {self.host}.", code="address")
        request = httpx.Request(method, url, headers=headers, content=content)
        request.extensions["timeout"] = self._limits(self._timeouts.read)
        return request

    def _limits(self, read: float | None) -> dict[str, float | None]:
        clocks = self._timeouts
        return httpx.Timeout(
            connect=clocks.connect, write=clocks.write, pool=clocks.pool, read=read
        ).as_dict()

    async def _send(self, method: Method, request: httpx.Request) -> httpx.Response:
        client = await self._connections.client(reads=method == "GET")
        try:
            return await client.send(request, stream=True, follow_redirects=False)
        finally:
            # Responses and exceptions of httpx carry the request along; its repr of headers is open.
            for name, value in self._auth_headers.items():
                if isinstance(value, Secret):
                    request.headers.pop(name, None)

    def failure(self, error: Exception, limit: float) -> BackendError:
        """Our error for what httpx raised; `limit` is the clock it may have run out of, in seconds."""
        if isinstance(error, httpx.ConnectTimeout):
            limit = self._timeouts.connect
        return failures.from_exception(error, self.host, limit=limit)


def _worth_another_try(method: Method, error: BackendError) -> bool:
    if method not in ("GET", "DELETE"):
        return False
    if isinstance(error, CannotConnect):
        return error.code in _RETRIED_CONNECTS
    if method == "DELETE":
        return False  # it may have been carried out: a second one would say "not found"
    if isinstance(error, ServerFailed):
        return error.status in _RETRIED_STATUSES
    return isinstance(error, ConnectionLost)


def noted(error: BackendError, note: str) -> BackendError:
    """The error, its sentence ending with `note` if the request may have been carried out."""
    if note and error.delivery == "unsure":
        error.sentence = f"{error.sentence} {note}"
        error.args = (error.sentence,)
    return error


def _encode(body: Mapping[str, Any]) -> bytes:
    # Escaped to ASCII: lone surrogates of a server go back as they came instead of failing.
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii")
    except (ValueError, TypeError, RecursionError):
        raise Refused("This cannot be sent: it is no plain JSON.", code="json") from None


def _media_type(response: httpx.Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def _same_origin(url: httpx.URL, origin: Origin) -> bool:
    host = url.raw_host.decode("ascii", "replace").strip("[]").lower().rstrip(".")
    ours = httpx.URL(scheme=origin.scheme, host=origin.host).raw_host.decode("ascii", "replace").strip("[]")
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    return (url.scheme, host, port) == (origin.scheme, ours.lower(), origin.port)


def _header(name: str, value: Secret | str) -> str:
    # Checked here, because the errors of the libraries below quote the value.
    if isinstance(value, str):
        if _PLAIN_HEADER.fullmatch(value) is None:
            raise Refused(f"The value for {name} contains characters it cannot have.", code="header")
        return value
    if not value:
        raise TokenRefused("There is no token. Sign in with one.", code="no-token")
    if _SECRET_HEADER.fullmatch(value.reveal()) is None:
        raise TokenRefused(
            "The token contains characters a token cannot have. Paste it again, without spaces.",
            code="odd-token",
        )
    return value.reveal()

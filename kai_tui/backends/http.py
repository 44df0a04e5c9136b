"""The one HTTP policy of all backends (reliability.md N1-N12, T13-T15, T18, T22).

Every request goes to the one origin the door was made for, over https or inside this machine, and
never follows a redirect. POST and PATCH go out on a fresh connection and never twice: only a message
that provably did not reach the server is tried again. Whatever goes wrong comes out as a
`BackendError` with a sentence for the user, behind which no exception of a library is left that
could quote the token.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from kai_tui.backends import failures, refusals
from kai_tui.backends.addresses import base_address
from kai_tui.backends.base import AnswerTooLarge, BackendError, OnRefused, OnWait, TokenRefused
from kai_tui.backends.connections import Connections, watch_for_dead_peer
from kai_tui.backends.http_answer import MAX_ANSWER, media_type_of
from kai_tui.backends.http_answer import Answer as Answer
from kai_tui.backends.http_request import (
    Credentials,
    Method,
    forget_secrets,
    has_left,
    new_request,
    watch_leaving,
)
from kai_tui.backends.http_request import segment as segment
from kai_tui.backends.multipart import Form
from kai_tui.backends.secret import Secret
from kai_tui.backends.tries import WINDOW, Rule, Tries

EVENT_STREAM = ("text/event-stream",)

_MAX_REFUSAL = 64 * 1024
_RULES: Mapping[Method, Rule] = {
    "GET": "until-answered",
    # A second one of what may have been carried out would say "not found".
    "DELETE": "until-reached",
    "POST": "once",
    "PATCH": "once",
}

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
    pauses: tuple[float, ...] = (0.5, 2.0)
    """Before each further try, at most; a random share of it is waited (full jitter)."""


class HttpDoor:
    """Requests to one server.

    `auth_headers` go with every request that has `auth`, `headers` with all of them. `credentials` is
    asked for further ones right before each request with `auth` leaves; it raises BackendErrors only,
    which count as not sent. With a `transport` (tests, the built-in assistant) nothing touches the network unless it does.
    `sleep`, `jitter` and `clock` are there for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth_headers: Mapping[str, Secret | str] | None = None,
        credentials: Credentials | None = None,
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
        self._credentials = credentials
        self._connections = Connections(self.origin, transport)
        self._timeouts = timeouts or Timeouts()
        self._sleep, self._jitter, self._clock = sleep, jitter, clock
        self._renewals = 0
        self.on_wait: OnWait | None = None
        """Told of the pauses of `request`."""
        self.on_refused: OnRefused | None = None
        """Told when the server refused the credential that went with a request."""

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
        form: Form | None = None,
        also: Collection[int] = (),
        rule: Rule | None = None,
        on_wait: OnWait | None = None,
        patient: bool = False,
    ) -> Answer:
        """Ask and read the whole answer; 2xx only, else raises a BackendError.

        `form` goes in the place of `body`; with it the method is POST. It has as much time as a stream,
        and so has what is `patient`: the answers of a model. `also`: other statuses that are answers.

        GET and DELETE are tried up to three times while nothing was reached, GET also after a loss, other
        methods as `rule` says; `on_wait` is told, or who listens to all. `unsure_note` ends the sentence of an error after which the request may
        have been carried out.
        """
        tries = self._tries(rule or _RULES[method], on_wait or self.on_wait, window=WINDOW)
        while True:
            renewals = self._renewals
            try:
                return await self._once(method, path, params, body, auth, form, also, patient)
            except BackendError as error:
                failed = error
            if method == "GET" and isinstance(failed, TokenRefused) and renewals != self._renewals:
                continue  # it was on its way with the token before this one
            if not await tries.another(failed):
                self._tell_if_refused(failed, auth, renewals)
                if method == "GET":
                    failed.delivery = "not-sent"  # reading sends nothing of the user's
                raise noted(failed, unsure_note)

    @asynccontextmanager
    async def stream(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        silence: float | None = -1,
        unsure_note: str = "",
        rule: Rule = "once",
        on_wait: OnWait | None = None,
        accepts: Sequence[str] = EVENT_STREAM,
    ) -> AsyncGenerator[httpx.Response, None]:
        """Open an event stream; status and media type are checked. Leaving the block hangs up.

        `accepts`: the media types that count as an answer, in lower case; "" for none named.

        `silence`: longest wait between two reads in seconds, None for no limit (a person may be
        thinking), -1 for the usual one. With the rule `until-reached` connecting is tried up to three
        times, and `on_wait` is told. Losses inside the block come out as BackendErrors. A GET may be
        answered with 204: no stream.
        """
        limits = self._limits(self._timeouts.stream if silence == -1 else silence)
        tries = self._tries(rule, on_wait, window=None)
        while True:
            renewals = self._renewals
            try:
                response = await self._open_stream(method, path, body, limits, accepts)
                break
            except BackendError as error:
                failed = error
            if not await tries.another(failed):
                self._tell_if_refused(failed, True, renewals)
                raise noted(failed, unsure_note)
        try:
            await self._check_stream(response, method, unsure_note, accepts, renewals)
            watch_for_dead_peer(response)
            try:
                yield response
            except failures.READ_ERRORS as error:
                raise noted(self.failure(error, self._timeouts.stream), unsure_note) from error
        finally:
            await response.aclose()

    def renew(self, auth_headers: Mapping[str, Secret | str]) -> None:
        """Send these with every further request that has `auth`, in place of those of the same names."""
        self._auth_headers.update(auth_headers)
        self._renewals += 1

    def _tell_if_refused(self, error: BackendError, auth: bool, renewals: int) -> None:
        """Unless the request went out before the last of so many `renewals`: nobody has that token any more."""
        if not auth or not isinstance(error, TokenRefused) or renewals != self._renewals:
            return
        if self.on_refused is not None:
            self.on_refused(error)

    async def aclose(self) -> None:
        """Close all connections; streams that are open break."""
        await self._connections.aclose()

    async def hang_up(self, *, streams: bool = True) -> None:
        """Close all connections as `aclose` does, but the next request makes new ones.

        Without `streams` those of POSTs stay: an answer that still comes is not broken off.
        """
        await self._connections.hang_up(streams=streams)

    def _tries(self, rule: Rule, on_wait: OnWait | None, *, window: float | None) -> Tries:
        return Tries(
            rule,
            on_wait,
            pauses=self._timeouts.pauses,
            window=window,
            sleep=self._sleep,
            jitter=self._jitter,
            clock=self._clock,
        )

    async def _once(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str | int] | None,
        body: Mapping[str, Any] | None,
        auth: bool,
        form: Form | None,
        also: Collection[int],
        patient: bool,
    ) -> Answer:
        request = await self._request(method, path, params, body, auth, form)
        clocks = self._timeouts
        read, total = (clocks.stream, clocks.stream) if form or patient else (clocks.read, clocks.total)
        request.extensions["timeout"] = self._limits(read)
        try:
            async with asyncio.timeout(total):
                response = await self._send(method, request, read)
                try:
                    if not response.is_success and response.status_code not in also:
                        raise await self._refusal(response)
                    content = await self._read(response, MAX_ANSWER)
                finally:
                    await response.aclose()
            return Answer.of(response, content, self.host)
        except failures.TRANSPORT_ERRORS as error:
            limit = total if isinstance(error, TimeoutError) else read
            failed = self.failure(error, limit, request)
        raise failed

    async def _open_stream(
        self,
        method: Method,
        path: str,
        body: Mapping[str, Any] | None,
        limits: dict[str, float | None],
        accepts: Sequence[str],
    ) -> httpx.Response:
        request = await self._request(method, path, None, body, True)
        request.headers["accept"] = ", ".join(filter(None, accepts))
        request.extensions["timeout"] = limits
        limit = self._timeouts.stream
        try:
            async with asyncio.timeout(limit):
                return await self._send(method, request, limit)
        except TimeoutError as error:
            failed = self.failure(error, limit, request)
        raise failed

    async def _check_stream(
        self,
        response: httpx.Response,
        method: Method,
        unsure_note: str,
        accepts: Sequence[str],
        renewals: int,
    ) -> None:
        if response.status_code == 204 and method == "GET":
            return
        if not response.is_success:
            refusal = await self._refusal(response)
            self._tell_if_refused(refusal, True, renewals)
            raise noted(refusal, unsure_note)
        media_type = media_type_of(response)
        if media_type not in accepts or response.status_code == 204:
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

    async def _request(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str | int] | None,
        body: Mapping[str, Any] | None,
        auth: bool,
        form: Form | None = None,
    ) -> httpx.Request:
        headers: dict[str, Secret | str] = {**self._headers, **(self._auth_headers if auth else {})}
        if auth and self._credentials is not None:
            try:
                headers.update(await self._credentials())
            except BackendError as error:
                error.delivery = "not-sent"
                raise
        request = new_request(
            method, self._base, self.origin, path, headers=headers, params=params, body=body, form=form
        )
        if self._connections.traced:
            watch_leaving(request)
        return request

    def _limits(self, read: float | None) -> dict[str, float | None]:
        clocks = self._timeouts
        return httpx.Timeout(
            connect=clocks.connect, write=clocks.write, pool=clocks.pool, read=read
        ).as_dict()

    async def _send(self, method: Method, request: httpx.Request, limit: float) -> httpx.Response:
        """Up to the head of the answer. Raises BackendErrors with nothing behind them: frames of the
        libraries below hold the bytes of the head, with the token (T15).
        """
        client = await self._connections.client(reads=method == "GET")
        certificate = None
        try:
            return await client.send(request, stream=True, follow_redirects=False)
        except BackendError as error:  # of the way there
            failed = error.with_traceback(None)
        except failures.TRANSPORT_ERRORS as error:
            certificate = failures.refused_certificate(error)
            failed = self.failure(error, limit, request)
        except RuntimeError:
            if not client.is_closed:
                raise
            failed = self._connections.closed_here()
        finally:
            forget_secrets(request)
        raise failed if certificate is None else await self._connections.explained(certificate)

    def failure(self, error: Exception, limit: float, request: httpx.Request | None = None) -> BackendError:
        """Our error for what httpx raised; `limit` is the clock it may have run out of, in seconds.

        With the `request` it counts as not sent when not a byte of it left this computer.
        """
        if isinstance(error, httpx.ConnectTimeout):
            limit = self._timeouts.connect
        left = request is None or has_left(request)
        return failures.from_exception(error, self.host, limit=limit, left=left)


def noted(error: BackendError, note: str) -> BackendError:
    """The error, its sentence ending with `note` if the request may have been carried out."""
    if note and error.delivery == "unsure":
        error.sentence = f"{error.sentence} {note}"
        error.args = (error.sentence,)
    return error

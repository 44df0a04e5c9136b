"""What httpx raises, in the user's words (reliability.md §3, N11).

Texts of httpx are often empty and the reason sits in `__cause__`; they may also quote a header.
So none of them reaches a sentence except OpenSSL's reason.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any, cast

import httpx

from kai_tui.backends.base import BackendError, CannotConnect, ConnectionLost, UnexpectedAnswer

_NOT_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}
)
"""What OpenSSL calls an answer that is no TLS, over its versions."""

READ_ERRORS = (httpx.HTTPError, httpx.StreamError)
"""What reading an answer may raise."""
TRANSPORT_ERRORS = (*READ_ERRORS, OSError)
"""What sending and reading may raise besides our own errors."""


def from_exception(
    error: Exception, host: str, *, limit: float | None = None, left: bool = True
) -> BackendError:
    """Our error for one of `TRANSPORT_ERRORS`. `limit`: the clock that ran out, in seconds.

    Only what provably never reached the server counts as not sent: what connecting came to, and
    whatever happened before a byte `left`.
    """
    found = _from_exception(error, host, limit)
    if left or not isinstance(found, ConnectionLost):
        return found
    if found.code == "timeout":
        return _no_answer(host, limit)
    return CannotConnect(found.sentence, code="unreachable")


def _from_exception(error: Exception, host: str, limit: float | None) -> BackendError:
    if isinstance(error, httpx.ConnectTimeout):
        return _no_answer(host, limit)
    if isinstance(error, httpx.PoolTimeout):
        return CannotConnect(f"Too many requests to {host} at once. Try again in a moment.", code="busy")
    if isinstance(error, httpx.ConnectError):
        return _not_connected(error, host)
    if isinstance(error, httpx.WriteTimeout):
        return ConnectionLost(f"Sending to {host} took too long.", code="timeout")
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return ConnectionLost(f"{host} did not answer{_within(limit)}.", code="timeout")
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        return CannotConnect(f"The request to {host} could not be written.", code="request")
    if isinstance(error, httpx.DecodingError):
        return UnexpectedAnswer(f"The answer of {host} cannot be decompressed.", code="encoding")
    if isinstance(error, httpx.RemoteProtocolError):
        return ConnectionLost(f"{host} hung up in the middle.", code="lost")
    return ConnectionLost(f"The connection to {host} was lost.", code="lost")


def refused_certificate(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The certificate error behind an error, if that is what it comes from."""
    return next((cause for cause in causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything behind it: causes, contexts, members of groups."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(cast("BaseExceptionGroup[Any]", current).exceptions)
        # Not only what is meant to be shown: httpcore re-raises with "from None".
        waiting.extend(linked for linked in (current.__cause__, current.__context__) if linked is not None)


def _no_answer(host: str, limit: float | None) -> CannotConnect:
    return CannotConnect(
        f"No answer from {host}{_within(limit)}. Check the address or your network.", code="timeout"
    )


def _not_connected(error: httpx.ConnectError, host: str) -> CannotConnect:
    behind = list(causes(error))
    for cause in behind:
        if isinstance(cause, ssl.SSLError):
            return CannotConnect(f"Secure connection failed: {_tls_reason(cause, host)}.", code="tls")
    for cause in behind:
        if isinstance(cause, socket.gaierror):
            return CannotConnect(f"Cannot find {host}. Check the address or your network.", code="dns")
    if any(isinstance(cause, ConnectionRefusedError) for cause in behind):
        return CannotConnect(f"{host} refuses connections.", code="refused")
    if any(isinstance(cause, ConnectionResetError | ConnectionAbortedError) for cause in behind):
        return CannotConnect(f"{host} hung up before the connection was made.", code="refused")
    return CannotConnect(f"Cannot reach {host}. Check the address or your network.", code="unreachable")


def _tls_reason(error: ssl.SSLError, host: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not valid"  # `certificates` knows more
    reason = getattr(error, "reason", None)
    if reason in _NOT_TLS:
        return f"{host} does not speak https there"
    return reason.replace("_", " ").lower() if isinstance(reason, str) and reason else f"{host} broke it off"


def _within(limit: float | None) -> str:
    return "" if limit is None else f" in {limit:g} s"

"""The bytes of an answer: capped, and taken up again where they broke off when the server keeps them (§15)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final, TypeAlias

import httpx

from kai_tui.backends import failures
from kai_tui.backends.base import AnswerTooLarge, BackendError, ConnectionLost, UnexpectedAnswer
from kai_tui.backends.sse import MAX_REPLY

Again: TypeAlias = Callable[[], AbstractAsyncContextManager[httpx.Response]]
"""Asks for the same reply from its first byte on."""

MAX_RESUMES: Final = 3
"""Tries in a row that bring nothing new."""

_TOO_LARGE: Final = "The reply was too large (over 32 MiB); its rest was left out."


class Body:
    """Iterate over it once. Raises BackendErrors only. With `again` a loss is mended, unless `give_up` was called."""

    def __init__(self, response: httpx.Response, host: str, again: Again | None = None) -> None:
        """Raises UnexpectedAnswer for a compressed answer (T18)."""
        _require_plain(response, host)
        self._response = response
        self._host = host
        self._again = again
        self._size = 0
        self._digest = hashlib.sha256()
        self.media_type: str = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.headers = response.headers
        self.request = response.request
        # Then nothing tells a reply that is whole from one that was cut off.
        self.ends_by_closing = (
            "content-length" not in response.headers
            and "chunked" not in response.headers.get("transfer-encoding", "").lower()
        )

    def give_up(self) -> None:
        """What breaks from now on stays broken: the server said why."""
        self._again = None

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        async with AsyncExitStack() as stack:
            response, fruitless = self._response, 0
            while True:
                before = self._size
                try:
                    async for chunk in self._fresh(response, skip=before):
                        yield chunk
                    return
                except failures.TRANSPORT_ERRORS as error:
                    lost = failures.from_exception(error, self._host)
                except _Incomplete:
                    lost = ConnectionLost(f"{self._host} hung up in the middle.", code="lost")
                fruitless = 0 if self._size > before else fruitless + 1
                if self._again is None or fruitless > MAX_RESUMES:
                    raise lost
                try:
                    response = await stack.enter_async_context(self._again())
                    if response.status_code == 204:
                        raise lost
                    _require_plain(response, self._host)
                except BackendError:
                    raise lost from None

    async def _fresh(self, response: httpx.Response, *, skip: int) -> AsyncIterator[bytes]:
        """What is new in an answer whose first `skip` bytes are known. It has to begin with just these."""
        replayed, expected = hashlib.sha256(), self._digest.digest()
        left = skip
        async for chunk in response.aiter_raw():
            if left:
                known, chunk = chunk[:left], chunk[left:]
                replayed.update(known)
                left -= len(known)
                if not left and replayed.digest() != expected:
                    raise _Incomplete
            if chunk:
                self._size += len(chunk)
                if self._size > MAX_REPLY:
                    raise AnswerTooLarge(_TOO_LARGE, code="too-large")
                if self._again is not None:
                    self._digest.update(chunk)
                yield chunk
        if left:
            raise _Incomplete


class _Incomplete(Exception):
    """A reply that was sent again is not the one that broke off."""


def _require_plain(response: httpx.Response, host: str) -> None:
    if response.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise UnexpectedAnswer(f"{host} sent a compressed stream.", code="encoding")

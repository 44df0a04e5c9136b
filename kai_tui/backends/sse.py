"""Server-sent events: httpx-sse behind a guard of its bytes (reliability.md §6, protocols/kai.md §5).

httpx-sse cuts lines and joins fields rightly. What it lacks is done here, before and after it: status
and media type are checked, text is always UTF-8, one BOM is dropped, a bare CR ends a line at once,
nothing grows without limit, and events without data are not delivered. `retry` is never looked at.

It is given all events that came together: asked through its asynchronous door, one by one, a fast
stream costs three times as much.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Final, TypeAlias, cast

import httpx
from httpx_sse import EventSource, ServerSentEvent

from kai_tui.backends import failures
from kai_tui.backends.base import AnswerTooLarge, UnexpectedAnswer
from kai_tui.backends.gathered import gathered
from kai_tui.backends.pace import paced

SseEvent: TypeAlias = ServerSentEvent
"""`event` (its name, "message" by default), `data` (never empty), `id`."""

MAX_EVENT: Final = 8 * 1024 * 1024
"""Bytes of one event, with everything since the last empty line; each further line of data counts more."""
MAX_REPLY: Final = 32 * 1024 * 1024
"""Bytes of one stream."""

_MEDIA_TYPE: Final = "text/event-stream"
_LAST: Final = b"data\n\n"
"""An event without data of our own, that tells the id after all others."""
_BOM: Final = b"\xef\xbb\xbf"
_SLICE: Final = 16 * 1024
"""Bytes taken at once: about 300 tokens, read in 1 to 2 ms."""
_DATA_LINE: Final = b"\ndata"
_DATA_LINE_COST: Final = 64
"""Bytes a line of data costs in memory, however short it is."""
_EVENT_TOO_LARGE: Final = "Part of the reply was too large (over 8 MiB) and was left out."
_REPLY_TOO_LARGE: Final = "The reply was too large (over 32 MiB); its rest was left out."


def require_event_stream(response: httpx.Response) -> None:
    """Check the answer's head. Raises UnexpectedAnswer with a sentence for the user.

    The media type is compared without case and parameters; a charset is not obeyed, the standard
    says UTF-8. A compressed stream is refused: 204 kB of gzip can become 606 MiB (T18).
    """
    host = _host(response)
    if response.status_code != 200:
        raise UnexpectedAnswer(
            f"{host} answered with status {response.status_code}, not a stream.",
            status=response.status_code,
        )
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        what = f"with {media_type[:80]}" if media_type else "without saying what it is"
        raise UnexpectedAnswer(
            f"{host} answered {what}, not a stream (a login page or proxy?).", status=response.status_code
        )
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise UnexpectedAnswer(f"{host} sent a compressed stream.", code="encoding")


async def sse_events(response: httpx.Response) -> AsyncGenerator[SseEvent, None]:
    """The events of a streamed answer, those with data. The caller closes the response.

    Raises BackendErrors only: UnexpectedAnswer, AnswerTooLarge, and ConnectionLost for a break.
    """
    async with aclosing(sse_batches(response)) as batches:
        async for batch in batches:
            for event in batch:
                yield event


async def sse_batches(response: httpx.Response) -> AsyncGenerator[Sequence[SseEvent], None]:
    """As `sse_events`, those that came together at once; never an empty batch."""
    require_event_stream(response)
    host = _host(response)
    whole = _WholeEvents()
    try:
        async with aclosing(_Guard(response.aiter_raw()).pieces()) as pieces:
            async for piece in pieces:
                batch = whole.add(piece)
                if batch:
                    yield batch
    except failures.TRANSPORT_ERRORS as error:
        raise failures.from_exception(error, host) from error
    except (ValueError, TypeError, AssertionError) as error:
        raise UnexpectedAnswer(f"The stream of {host} cannot be read.", detail=repr(error)[:200]) from error


async def sse_data(response: httpx.Response) -> AsyncGenerator[str, None]:
    """Only the data of `sse_events`: what `ui_events` reads."""
    async with aclosing(sse_batches(response)) as batches:
        async for batch in batches:
            for event in batch:
                yield event.data


async def sse_data_batches(response: httpx.Response) -> AsyncGenerator[Sequence[str], None]:
    """Only the data of `sse_batches`: what `ui_events_of` reads."""
    async with aclosing(sse_batches(response)) as batches:
        async for batch in batches:
            yield [event.data for event in batch]


class _Complete:
    """What httpx-sse looks at of a response. A real one costs more to make than a small batch to read."""

    headers: Final = {"content-type": _MEDIA_TYPE}

    def __init__(self, content: bytes) -> None:
        self._content = content

    def iter_text(self) -> Iterator[str]:
        """The text, always UTF-8 (reliability.md §6)."""
        yield self._content.decode("utf-8", "replace")


class _WholeEvents:
    """Bytes in pieces → the events that are complete."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._id = ""

    def add(self, piece: bytes) -> list[SseEvent]:
        """The events with data that end in this piece. The bytes have LF line ends."""
        rest = self._rest
        begin = max(0, len(rest) - 1)
        rest += piece
        end = rest.rfind(b"\n\n", begin) + 2
        if end < 2:
            return []
        # An event's id holds for the events after it that name none.
        known = f"id: {self._id}\n".encode("utf-8", "surrogatepass") if self._id else b""
        complete = _Complete(known + bytes(rest[:end]) + _LAST)
        del rest[:end]
        events = list(EventSource(cast(httpx.Response, complete)).iter_sse())
        self._id = events[-1].id
        return [event for event in events if event.data]


class _Guard:
    """The bytes of a stream, made harmless: no BOM, LF line ends only, nothing beyond the caps."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._after_cr = False
        self._after_lf = False
        self._event_size = 0

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The bytes, each piece so small that its events do not hold up the screen."""
        size = 0
        head: bytes | None = b""
        async with aclosing(gathered(paced(self._source))) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > MAX_REPLY:
                    raise AnswerTooLarge(_REPLY_TOO_LARGE, code="too-large")
                if head is not None:
                    chunk = head + chunk
                    if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                        head = chunk
                        continue
                    head = None
                    chunk = chunk.removeprefix(_BOM)
                for piece in _slices(self._with_lf(chunk)):
                    self._measure(piece)
                    yield piece
        if head:
            yield head

    def _with_lf(self, chunk: bytes) -> bytes:
        """CR and CRLF as LF. The LF of a cut CRLF is swallowed when it comes."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _measure(self, piece: bytes) -> None:
        """Stop an event before its last piece reaches the parser."""
        ends_at_once = self._after_lf and piece.startswith(b"\n")
        last_end = piece.rfind(b"\n\n")
        if self._event_size + len(piece) > MAX_EVENT:
            first_end = 0 if ends_at_once else piece.find(b"\n\n")
            if first_end < 0 or self._event_size + first_end > MAX_EVENT:
                raise AnswerTooLarge(_EVENT_TOO_LARGE, code="too-large")
        if last_end >= 0:
            self._event_size = 0
            begin = last_end + 2
        elif ends_at_once:
            self._event_size = 0
            begin = 1
        else:
            begin = 0
        self._event_size += len(piece) - begin + _DATA_LINE_COST * piece.count(_DATA_LINE, begin)
        self._after_lf = piece.endswith(b"\n")


def _slices(chunk: bytes) -> Iterator[bytes]:
    """The chunk in pieces far smaller than an event may be."""
    if len(chunk) <= _SLICE:
        if chunk:
            yield chunk
        return
    for at in range(0, len(chunk), _SLICE):
        yield chunk[at : at + _SLICE]


def _host(response: httpx.Response) -> str:
    try:
        return response.url.host or "The server"
    except RuntimeError:  # an answer without a request, as tests make them
        return "The server"

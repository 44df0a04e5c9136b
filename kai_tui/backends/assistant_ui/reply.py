"""One answer as events: tells its encoding, decodes it, and says how it ended (assistant-ui.md §6 to §14)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from kai_tui.backends.assistant_ui.body import Body
from kai_tui.backends.assistant_ui.config import Encoding
from kai_tui.backends.assistant_ui.data_stream import DataStreamDecoder
from kai_tui.backends.assistant_ui.encodings import after, named, told_by_events, told_by_text
from kai_tui.backends.assistant_ui.parts import Waits, asks, nothing_waits
from kai_tui.backends.assistant_ui.records import Records
from kai_tui.backends.assistant_ui.transport import TransportDecoder
from kai_tui.backends.assistant_ui.whole import OpenAiDecoder, PlainDecoder, events_of_json
from kai_tui.backends.base import AnswerTooLarge, BackendError, ConnectionLost
from kai_tui.backends.refusals import not_what_was_asked
from kai_tui.backends.sse import MAX_EVENT, sse_data
from kai_tui.backends.ui_message_stream import Ending, ui_events
from kai_tui.conversation.events import (
    Error,
    Event,
    Finish,
    Skipped,
    ToolApprovalRequest,
    ToolInputAvailable,
    ToolOutputAvailable,
    ToolOutputDenied,
    ToolOutputError,
)
from kai_tui.conversation.json_text import BadJson, decode_json

_DONE: Final = "[DONE]"
_SSE: Final = ("transport", "openai", "ui-messages")
_BOM: Final = b"\xef\xbb\xbf"
_LINE_TOO_LARGE: Final = "Part of the reply was too large (over 8 MiB) and was left out."


@dataclass(frozen=True, slots=True)
class Reading:
    """How an answer is read."""

    host: str
    records: Records
    encoding: Encoding | None = None
    """None: told from the answer."""
    waits: Waits = nothing_waits


async def reply_events(body: Body, reading: Reading) -> AsyncGenerator[Event, None]:
    """The events of an answer, `Finish` once and last.

    Raises BackendErrors for what goes wrong before the first event, as `ui_events` does.
    """
    async with aclosing(body.__aiter__()) as pieces:
        encoding = reading.encoding or named(body.headers, body.media_type)
        source: AsyncGenerator[bytes, None] = pieces
        sse = body.media_type == "text/event-stream" if encoding is None else encoding in _SSE
        if encoding is None and not sse:
            encoding, read = await told_by_text(pieces)
            if encoding is None:
                raise ConnectionLost(f"{reading.host} ended its answer before it began.", code="lost")
            if not body.media_type and read.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
                raise not_what_was_asked(200, "text/html", read, reading.host, wanted="a reply")
            source = after(read, pieces)
            if encoding == "transport":
                encoding, sse = None, True
        events = (
            _from_events(source, encoding, body, reading)
            if sse
            else _from_bytes(source, encoding, body, reading)
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Error):
                    body.give_up()
                yield event


async def _from_events(
    source: AsyncGenerator[bytes, None], encoding: Encoding | None, body: Body, reading: Reading
) -> AsyncGenerator[Event, None]:
    """Server-sent events: §8, §9, §10."""
    response = httpx.Response(
        200, headers={"content-type": "text/event-stream"}, stream=_Bytes(source), request=body.request
    )
    async with aclosing(sse_data(response)) as data:
        first: tuple[str, ...] = ()
        if encoding is None:
            encoding, read = await told_by_events(data)
            first = tuple(read)
        texts = _texts_after(first, data)
        if encoding == "ui-messages":
            events = _from_ui(texts, reading)
        else:
            is_openai = encoding == "openai"
            decoder = OpenAiDecoder(reading.records) if is_openai else TransportDecoder(reading.records)
            events = _from_chunks(texts, decoder, reading)
        async with aclosing(events):
            async for event in events:
                yield event


async def _from_ui(texts: AsyncGenerator[str, None], reading: Reading) -> AsyncGenerator[Event, None]:
    """A UI message stream. Calls of this program's tools that it leaves open wait for the user, as elsewhere."""
    open_calls: dict[str, str] = {}
    async with aclosing(ui_events(texts)) as events:
        async for event in events:
            if isinstance(event, ToolInputAvailable):
                open_calls[event.tool_call_id] = event.tool_name
            elif isinstance(
                event, ToolApprovalRequest | ToolOutputAvailable | ToolOutputError | ToolOutputDenied
            ):
                open_calls.pop(event.tool_call_id, None)
            elif isinstance(event, Finish) and event.reason not in ("lost", "error", "cancelled"):
                for call_id, name in open_calls.items():
                    tool = reading.waits(name)
                    if tool is not None:
                        event = replace(event, reason="tool-calls")
                        yield asks(call_id, tool)
            yield event


async def _from_chunks(
    texts: AsyncGenerator[str, None], decoder: OpenAiDecoder | TransportDecoder, reading: Reading
) -> AsyncGenerator[Event, None]:
    """Events with JSON in them, up to `[DONE]`, which an assistant transport must have (§8)."""
    done = False

    async def steps() -> AsyncGenerator[list[Event] | Skipped, None]:
        nonlocal done
        async with aclosing(texts):
            async for text in texts:
                if text.strip() == _DONE:
                    done = True
                    return
                try:
                    yield decoder.chunk(decode_json(text))
                except BadJson:
                    yield Skipped("an event that is no JSON", text)

    def rest() -> list[Event]:
        return decoder.end() if isinstance(decoder, TransportDecoder) else []

    def marked() -> bool:
        return done or (isinstance(decoder, OpenAiDecoder) and reading.records.ended)

    async with aclosing(_concluded(steps(), rest, marked, reading.records)) as events:
        async for event in events:
            yield event


async def _from_bytes(
    source: AsyncGenerator[bytes, None], encoding: Encoding | None, body: Body, reading: Reading
) -> AsyncGenerator[Event, None]:
    """Lines of a data stream, plain text, one JSON object: §6, §7."""
    records = reading.records
    if encoding == "json":
        for event in await _from_json(source, body, reading):
            yield event
        return
    plain = PlainDecoder(records)

    async def lines() -> AsyncGenerator[list[Event] | Skipped, None]:
        decoder = DataStreamDecoder(records)
        async for line in _lines(source):
            try:
                yield decoder.line(line)
            except BadJson:
                yield Skipped("a line that is no record", line)

    async def texts() -> AsyncGenerator[list[Event] | Skipped, None]:
        async for piece in source:
            yield plain.piece(piece)

    steps = lines() if encoding == "data-stream" else texts()

    def rest() -> list[Event]:
        return plain.piece(b"", final=True)

    def marked() -> bool:
        return not body.ends_by_closing or records.ended

    async with aclosing(_concluded(steps, rest, marked, records)) as events:
        async for event in events:
            yield event


async def _concluded(
    steps: AsyncGenerator[list[Event] | Skipped, None],
    rest: Callable[[], list[Event]],
    marked: Callable[[], bool],
    records: Records,
) -> AsyncGenerator[Event, None]:
    """All events, and the `Finish` they come to. A step that is one `Skipped` could not be read.

    `rest`: what is still held back at the end; `marked`: whether the end was marked as such.
    """
    ending = Ending()
    begun = False
    try:
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step, Skipped):
                    ending.count_broken(1)
                    if ending.unreadable:
                        break
                    step = [step]
                else:
                    ending.count_readable()
                for event in step:
                    ending.note(event)
                    begun = True
                    yield event
    except BackendError as error:
        if not begun:
            raise
        ending.broken_by = error
    else:
        if not ending.unreadable:
            for event in rest():
                ending.note(event)
                yield event
            if marked():
                for event in records.end():
                    if ending.note(event) is not None and not isinstance(event, Finish):
                        yield event
    if records.failed is not None and not isinstance(ending.broken_by, AnswerTooLarge):
        yield Finish("error", detail=records.failed)
    else:
        yield ending.conclusion()


async def _from_json(source: AsyncGenerator[bytes, None], body: Body, reading: Reading) -> list[Event]:
    """A finished answer."""
    content = bytearray()
    async for piece in source:
        content += piece
    try:
        answer: Any = decode_json(bytes(content))
    except BadJson:
        answer = None
    found = events_of_json(answer, reading.records)
    if found is None:
        raise not_what_was_asked(200, body.media_type, bytes(content), reading.host, wanted="a reply")
    return [*found, *reading.records.end()]


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """Lines that are not blank, without their ends. Only LF ends a line: U+2028 does not."""
    buffer = bytearray()
    looked = 0
    first = True
    async for piece in pieces:
        buffer += piece
        while (end := buffer.find(b"\n", looked)) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            looked = 0
            if first:
                line, first = line.removeprefix(_BOM), False
            if line.strip():
                yield line.decode("utf-8", "replace").rstrip("\r")
        looked = len(buffer)
        if looked > MAX_EVENT:
            raise AnswerTooLarge(_LINE_TOO_LARGE, code="too-large")
    if buffer.strip():
        yield bytes(buffer).removeprefix(_BOM if first else b"").decode("utf-8", "replace").rstrip("\r")


async def _texts_after(read: tuple[str, ...], data: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    for text in read:
        yield text
    async for text in data:
        yield text


class _Bytes(httpx.AsyncByteStream):
    """Bytes that were an answer's, to be read as one again."""

    def __init__(self, source: AsyncGenerator[bytes, None]) -> None:
        self._source = source

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self._source):
            async for piece in self._source:
                yield piece

"""Which of the six encodings an answer is in (assistant-ui.md §6)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, cast

from kai_tui.backends.assistant_ui.config import Encoding
from kai_tui.backends.assistant_ui.data_stream import KEY, looks_like_record
from kai_tui.backends.sse import MAX_EVENT
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import BadJson, decode_json

ANSWERS: Final = ("text/event-stream", "text/plain", "application/json", "")
"""Media types an answer may have; frameworks that stream name none unless told to."""
ANY_ANSWER: Final = (*ANSWERS, "application/octet-stream", "application/x-ndjson", "text/markdown")
"""Those it may have when its encoding is configured."""
MAX_UNDECIDED: Final = 20
"""Events after which a stream that nothing tells counts as an assistant transport."""

_UI_TYPES: Final = frozenset(
    {
        "start",
        "start-step",
        "finish-step",
        "finish",
        "abort",
        "text-start",
        "text-end",
        "message-metadata",
        "reset-step",
        "source-url",
        "source-document",
    }
)
_UI_PREFIXES: Final = ("data-", "tool-input-", "tool-output-", "tool-approval-", "reasoning-")
_TRANSPORT_TYPES: Final = frozenset(
    {
        "part-start",
        "part-finish",
        "step-start",
        "step-finish",
        "message-finish",
        "update-state",
        "annotations",
        "data",
        "result",
        "tool-call-args-text-finish",
    }
)
_BLANK: Final = b" \t\r\n"
_MAYBE_KEY: Final = re.compile(rb"(aui-[a-z-]{0,40}|aui|au|[0-9a-k])(:[ \t]*)?")
_STARTS_JSON: Final = b'"{['
_BOM: Final = b"\xef\xbb\xbf"


def named(headers: Mapping[str, str], media_type: str) -> Encoding | None:
    """The encoding the head of an answer names; None when only the body can tell."""
    if headers.get("x-vercel-ai-data-stream", "").strip().lower() == "v1":
        return "data-stream"
    if headers.get("x-vercel-ai-ui-message-stream", "").strip().lower() == "v1":
        return "ui-messages"
    return "json" if media_type == "application/json" else None


def of_chunk(chunk: Any) -> Encoding | None:
    """The encoding an event of a stream belongs to; None when it could be of several."""
    if not isinstance(chunk, dict):
        return None
    fields = cast("JsonObject", chunk)
    if "choices" in fields:
        return "openai"
    kind = fields.get("type")
    if not isinstance(kind, str):
        return None
    if kind == "text-delta":
        return "ui-messages" if "delta" in fields else "transport" if "textDelta" in fields else None
    if kind in _TRANSPORT_TYPES or "path" in fields:
        return "transport"
    if kind in _UI_TYPES or kind.startswith(_UI_PREFIXES):
        return "ui-messages"
    return None


async def told_by_events(data: AsyncIterator[str]) -> tuple[Encoding, Sequence[str]]:
    """Read events until one tells the encoding; what was read. A stream that never tells is a transport."""
    read: list[str] = []
    async for text in data:
        read.append(text)
        try:
            found = of_chunk(decode_json(text))
        except BadJson:
            found = None
        if found is not None:
            return found, read
        if len(read) >= MAX_UNDECIDED:
            break
    return "transport", read


async def told_by_text(pieces: AsyncIterator[bytes]) -> tuple[Encoding | None, bytes]:
    """Read plain text until it tells what it is; what was read.

    Python servers send a data stream under this name and without any mark (§6). None: nothing came at all.
    A stream of events under the wrong name counts as an assistant transport: its events tell more.
    """
    read = bytearray()
    async for piece in pieces:
        read += piece
        found = _told(bytes(read), ended=False)
        if found is not None:
            return found, bytes(read)
    return _told(bytes(read), ended=True), bytes(read)


def _told(read: bytes, *, ended: bool) -> Encoding | None:
    text = read.removeprefix(_BOM).lstrip(_BLANK)
    if not text:
        return None
    line, newline, _ = text.partition(b"\n")
    whole = bool(newline) or ended or len(line) > MAX_EVENT
    if _may_begin(line, b"data:"):
        return "transport" if _is_event(line) else "plain" if whole else None
    found = _MAYBE_KEY.match(line)
    if found is None:
        return "plain"
    rest = line[found.end() :]
    if found[2] is None:  # no colon yet
        return "plain" if rest or whole else None
    if rest and rest[:1] not in _STARTS_JSON:
        return "plain"
    if not whole:
        return None
    record = line.decode("utf-8", "replace").rstrip("\r")
    return "data-stream" if KEY.match(record) and looks_like_record(record) else "plain"


def _may_begin(line: bytes, start: bytes) -> bool:
    return line.startswith(start) or (len(line) > 1 and start.startswith(line))


def _is_event(line: bytes) -> bool:
    """A whole `data:` line with JSON in it."""
    if not line.startswith(b"data:"):
        return False
    try:
        decode_json(line.removeprefix(b"data:").strip())
    except BadJson:
        return False
    return True


async def after(read: bytes, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The bytes that were read already, and the others."""
    async with aclosing(pieces):
        if read:
            yield read
        async for piece in pieces:
            yield piece

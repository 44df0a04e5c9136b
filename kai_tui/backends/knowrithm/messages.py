"""Knowrithm's messages in our terms: an answer as events, a stored message as a `Message` (knowrithm.md §8)."""

from __future__ import annotations

import re
from typing import Any, Final, cast
from urllib.parse import urlsplit

from kai_tui.backends.knowrithm.wire import MessageRow
from kai_tui.conversation.events import (
    Event,
    Finish,
    JsonObject,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    Usage,
    WholePart,
)
from kai_tui.conversation.messages import Message, Role

_TEXT: Final = "0"
_MAX_SOURCES: Final = 200
_NAMED: Final = re.compile(r"(?:Document )?Source (\d{1,6}):\s*(.*?)(?:\s*\((\S+)\))?\s*", re.DOTALL)
_FACTS: Final = ("model_used", "processing_time", "tokens_used", "confidence_score", "user_feedback")


def answer_events(row: MessageRow) -> list[Event]:
    """A whole answer, `Finish` last."""
    found: list[Event] = [Start(row.id, _facts(row))]
    if row.text:
        found += [TextStart(_TEXT), TextDelta(_TEXT, row.text), TextEnd(_TEXT)]
    found += [WholePart(part) for part in sources(row)]
    if row.tokens_used:
        found.append(Usage(total=row.tokens_used))
    return [*found, Finish("stop")]


def message_of(row: MessageRow, message_id: str) -> Message:
    """A stored message under the id it goes by here."""
    role = (row.role or "assistant").lower()
    wire: JsonObject = {
        "id": message_id,
        "role": cast("Role", role) if role in ("user", "system") else "assistant",
        "parts": [{"type": "text", "text": row.text}, *sources(row)] if row.text else sources(row),
    }
    if row.created_at:
        wire["createdAt"] = row.created_at
    facts = _facts(row)
    if facts:
        wire["metadata"] = facts
    return Message.from_wire(wire)


def _facts(row: MessageRow) -> JsonObject | None:
    """What the server says about an answer, under its own names."""
    found: JsonObject = {name: value for name in _FACTS if (value := getattr(row, name)) is not None}
    warnings = (row.metadata or {}).get("citation_warnings")
    if warnings:
        found["citation_warnings"] = warnings
    return found or None


def sources(row: MessageRow) -> list[JsonObject]:
    """What the answer stands on, by number: `sources`, else `citations`, else the names in the metadata."""
    metadata = row.metadata or {}
    cited = metadata.get("cited_sources")
    numbers = cast("list[Any]", cited) if isinstance(cited, list) else []
    rows = row.sources or row.citations
    if not rows:
        named = metadata.get("all_sources")
        rows = cast("list[Any]", named) if isinstance(named, list) else []
    found: list[tuple[int, JsonObject]] = []
    taken: set[int] = set()
    for place, each in enumerate(rows[:_MAX_SOURCES], 1):
        fields = _fields(each)
        if fields is None:
            continue
        said = fields.get("source_number")
        own = said if isinstance(said, int) and not isinstance(said, bool) else None
        number = place if own is None else own
        part = _part(fields, place, number)
        # The text cites by number: two sources must not share one.
        if own is not None or number not in taken:
            part["number"] = number
            taken.add(number)
        was_cited = fields.get("cited")
        part["cited"] = was_cited if isinstance(was_cited, bool) else number in numbers
        found.append((number, part))
    return [part for _, part in sorted(found, key=lambda each: each[0])]


def _fields(raw: Any) -> JsonObject | None:
    if isinstance(raw, str):
        match = _NAMED.fullmatch(raw[:2000])
        if match is None:
            return {"document_name": raw[:2000]}
        return {"source_number": int(match[1]), "document_name": match[2], "url": match[3]}
    return cast("JsonObject", raw) if isinstance(raw, dict) else None


def _part(fields: JsonObject, place: int, number: int) -> JsonObject:
    title = _first_text(fields, "document_name", "title", "name") or f"Source {number}"
    part: JsonObject = {"sourceId": f"source-{place}", "title": title}
    excerpt = _first_text(fields, "excerpt", "content", "text")
    if excerpt:
        part["excerpt"] = excerpt
    url = fields.get("url")
    if isinstance(url, str) and _is_web(url):
        return {"type": "source-url", "url": url, **part}
    return {"type": "source-document", "mediaType": "text/plain", **part}


def _first_text(fields: JsonObject, *names: str) -> str:
    texts = (fields.get(name) for name in names)
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False

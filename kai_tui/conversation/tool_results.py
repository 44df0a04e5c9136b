"""What a tool answered, in one of four shapes (protocols/keboola-tools.md §3).

Servers pass on an MCP result, its inner text, or parsed JSON; nothing here fails on odd shapes.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeAlias, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import BadJson, decode_json

Row: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextResult:
    """Text: prose, markdown, or an indented listing (TOON)."""

    text: str


@dataclass(frozen=True, slots=True)
class TableResult:
    """Rows of cells. A row may be shorter or longer than the header."""

    columns: Row
    rows: tuple[Row, ...]
    rest: JsonObject = field(default_factory=dict[str, Any])
    """What else the answer said beside the table."""


@dataclass(frozen=True, slots=True)
class JsonResult:
    """Any other value."""

    value: Any


@dataclass(frozen=True, slots=True)
class ErrorResult:
    """The tool said that it failed or was declined."""

    text: str


ToolResult: TypeAlias = TextResult | TableResult | JsonResult | ErrorResult


@dataclass(frozen=True, slots=True)
class Link:
    """A place to look at, from `links` of an answer."""

    title: str
    url: str


_ASIDE: Final = frozenset({"links"})
_SIMPLE_PLURAL: Final = re.compile(r"[a-z]+(?:_[a-z]+)*[^s_]s")
_TOON: Final = re.compile(r"([a-z_]+)\[(\d{1,9})\][:{]")
"""The head of a listing in TOON: `tables[2]{id,name}:`."""
_LONGEST_LISTING: Final = 200_000
"""Characters of a listing that is read as a table; reading it takes 0.1 s."""
_UNITS: Final = ("KB", "MB", "GB")
_LONG_CSV: Final = 100_000
"""Characters of CSV that are read as a whole in a millisecond or two."""
_COUNTED_CSV: Final = 2_000_000
"""Characters of CSV with quotes whose rows are counted: about 30 ms."""
_LONGEST_CELL: Final = 2**31 - 1


def result_view(output: Any) -> ToolResult:
    """An output as text, table, error or any JSON. Large ones take time: keep the result."""
    value, failed = answer_of(output)
    if failed:
        return ErrorResult(value if isinstance(value, str) else _message(value))
    if value is None:
        return TextResult("")
    if isinstance(value, str):
        return TextResult(value)
    if isinstance(value, dict):
        answer = cast("JsonObject", value)
        if answer.get("_declined") is True:
            return ErrorResult(_message(answer))
        return _csv_table(answer) or _listing(answer) or JsonResult(answer)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return _table_of(items) or JsonResult(items)
    return JsonResult(value)


def is_table(output: Any) -> bool:
    """Whether `result_view` gives a table; long CSV is not read for that."""
    value, failed = answer_of(output)
    if isinstance(value, dict) and not failed:
        answer = cast("JsonObject", value)
        if isinstance(answer.get("csv_data"), str) and answer.get("_declined") is not True:
            return bool(answer["csv_data"])
    view = result_view(output)
    return isinstance(view, TableResult) or (
        isinstance(view, TextResult) and listing_of(view.text) is not None
    )


def listing_of(text: str) -> tuple[JsonObject | list[Any], TableResult] | None:
    """A listing in TOON that is about one list of flat objects: what it holds, and that as a table."""
    if _TOON.match(text) is None or len(text) > _LONGEST_LISTING:
        return None
    from kai_tui.conversation.toon import NotToon, decode_toon

    try:
        value = decode_toon(text)
    except NotToon:
        return None
    view = result_view(value)
    return (value, view) if isinstance(view, TableResult) else None


def result_size(output: Any) -> str | None:
    """How much an answer holds, in a few words: "4 rows", "3 tables", "1.2 KB"; None when nothing to say."""
    value, failed = answer_of(output)
    if failed or value is None or isinstance(value, bool | int | float):
        return None
    if isinstance(value, str):
        listing = _TOON.match(value)
        if listing is not None:
            return _count(int(listing[2]), listing[1])
        return _bytes(value) if value else None
    if isinstance(value, list):
        return _count(len(cast("list[Any]", value)), "items")
    if not isinstance(value, dict):
        return None
    answer = cast("JsonObject", value)
    if answer.get("_declined") is True:
        return None
    text = answer.get("csv_data")
    if isinstance(text, str):
        rows = _csv_rows(text)
        return _count(rows, "rows") if rows is not None else _bytes(text)
    names = _lists_in(answer)
    return _count(len(answer[names[0]]), names[0]) if names else None


def result_links(output: Any) -> list[Link]:
    """The places an answer points to."""
    value, _ = answer_of(output)
    raw = cast("JsonObject", value).get("links") if isinstance(value, dict) else None
    links: list[Link] = []
    for item in cast("list[Any]", raw) if isinstance(raw, list) else []:
        if isinstance(item, dict):
            url, title = cast("JsonObject", item).get("url"), cast("JsonObject", item).get("title")
            if isinstance(url, str):
                links.append(Link(title if isinstance(title, str) and title else url, url))
    return links


def answer_of(output: Any) -> tuple[Any, bool]:
    """The answer inside an MCP result, read as JSON where it is JSON; and whether it says it failed."""
    failed = False
    value = output
    if isinstance(output, dict):
        result = cast("JsonObject", output)
        failed = result.get("isError") is True
        inner = result.get("structuredContent")
        if inner is None and isinstance(result.get("content"), list):
            inner = _texts(result["content"])
        value = result if inner is None else inner
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = decode_json(value)
        except BadJson:
            pass
    return value, failed


def _texts(content: Sequence[Any]) -> str | None:
    """The text blocks of an MCP result; None when it has other things only."""
    texts: list[str] = []
    for block in content:
        if isinstance(block, dict):
            text = cast("JsonObject", block).get("text")
            if isinstance(text, str):
                texts.append(text)
    return "\n".join(texts) if texts or not content else None


def _message(value: Any) -> str:
    """The sentence inside an error's value."""
    if isinstance(value, dict):
        fields = cast("JsonObject", value)
        for key in ("message", "error", "errorText", "text", "detail"):
            text = fields.get(key)
            if isinstance(text, str) and text:
                return text
        return json.dumps(fields, default=str)
    return "The tool failed and did not say why." if value is None else str(value)


def _csv_table(answer: JsonObject) -> TableResult | None:
    """`query_data`: CSV with quoted cells in `csv_data`."""
    text = answer.get("csv_data")
    if not isinstance(text, str):
        return None
    # Else a cell of more than 131,072 characters would make it no table.
    csv.field_size_limit(_LONGEST_CELL)
    try:
        rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error:
        return None
    rest = {key: value for key, value in answer.items() if key != "csv_data"}
    return TableResult(rows[0] if rows else (), tuple(rows[1:]), rest)


def table_head(output: Any, count: int) -> tuple[TableResult, int | None] | None:
    """The first `count` rows of an answer that is long CSV, and how many it has (None: too dear to say).

    None for every other answer: `result_view` reads those quickly.
    """
    value, failed = answer_of(output)
    text = cast("JsonObject", value).get("csv_data") if isinstance(value, dict) and not failed else None
    if not isinstance(text, str) or len(text) <= _LONG_CSV:
        return None
    answer = cast("JsonObject", value)
    if answer.get("_declined") is True:
        return None
    csv.field_size_limit(_LONGEST_CELL)
    filled = (tuple(row) for row in csv.reader(io.StringIO(text, newline="")) if row)
    try:
        rows = list(islice(filled, count + 1))
    except csv.Error:
        return None
    rest = {key: value for key, value in answer.items() if key != "csv_data"}
    return TableResult(rows[0] if rows else (), tuple(rows[1:]), rest), _csv_rows(text)


def _csv_rows(text: str) -> int | None:
    """How many rows follow the header, without making them; None where counting would be felt."""
    if '"' not in text:
        end = "\r\n" if "\r" in text else "\n"
        lines = text.strip(end)
        count = lines.count("\n")
        alike = end == "\n" or count == lines.count(end) == lines.count("\r")
        if alike and end + end not in lines:
            return count
    if len(text) > _COUNTED_CSV:
        return None
    csv.field_size_limit(_LONGEST_CELL)
    try:
        return max(0, sum(1 for row in csv.reader(io.StringIO(text, newline="")) if row) - 1)
    except csv.Error:
        return None


def _listing(answer: JsonObject) -> TableResult | None:
    """An answer that is about one list of flat objects: `{"buckets": [...], "links": [...]}`."""
    names = _lists_in(answer)
    table = _table_of(answer[names[0]]) if len(names) == 1 else None
    if table is None:
        return None
    rest = {key: value for key, value in answer.items() if key != names[0]}
    return TableResult(table.columns, table.rows, rest)


def _lists_in(answer: JsonObject) -> list[str]:
    return [key for key, value in answer.items() if isinstance(value, list) and key not in _ASIDE]


def _table_of(items: list[Any]) -> TableResult | None:
    columns: dict[str, None] = {}
    for item in items:
        if not isinstance(item, dict):
            return None
        for key, value in cast("JsonObject", item).items():
            if isinstance(value, dict) or (isinstance(value, list) and key not in _ASIDE):
                return None
            if key not in _ASIDE:
                columns[key] = None
    if not columns:
        return None
    rows = tuple(tuple(_cell(item.get(column)) for column in columns) for item in items)
    return TableResult(tuple(columns), rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _count(number: int, name: str) -> str:
    words = name if _SIMPLE_PLURAL.fullmatch(name) else "items"
    if number == 1:
        words = words[:-3] + "y" if words.endswith("ies") else words[:-1]
    return f"{number:,} {words.replace('_', ' ')}"


def _bytes(text: str) -> str:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size < 1000:
        return f"{size} B"
    unit = min(len(_UNITS), (len(str(size)) - 1) // 3)
    return f"{size / 1000**unit:.1f} {_UNITS[unit - 1]}"

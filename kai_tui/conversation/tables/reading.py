"""Tables read from what the model wrote and from what a tool answered. Raw text in, raw text out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.inline_text import plain_text
from kai_tui.conversation.tables.markdown_lines import delimiter_cells, row_cells
from kai_tui.conversation.tool_results import (
    ErrorResult,
    TableResult,
    TextResult,
    answer_of,
    result_view,
)
from kai_tui.conversation.toon import NotToon, decode_toon

_DELIMITER: Final = re.compile(r"\|?\s*:?-+:?(?:\s*\|\s*:?-+:?)*\s*\|?")
_QUOTED: Final = re.compile(r"^(?:[ \t]*>)+")
_ITEM: Final = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+(?=\|)")
_LINE_END: Final = re.compile(r"\r?\n")
_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TOON_HEAD: Final = re.compile(r"\s*(?:[A-Za-z_]\w*)?(?:\[#?\d{1,6}[|\t]?\]|: )")
_ASIDE: Final = frozenset({"links"})


def table_of_markdown(source: str) -> DataTable | None:
    """The first table in a markdown source; None where there is none.

    Cells are the text a reader sees (`**41,200**` is "41,200"); `<br>` inside a cell is a line end.
    """
    lines = [_bare(line) for line in _LINE_END.split(source)]
    for index in range(1, len(lines)):
        head = lines[index - 1]
        if "|" not in head or "|" not in lines[index] or not _DELIMITER.fullmatch(lines[index]):
            continue
        count = len(delimiter_cells(lines[index]))
        if len(row_cells(head, 0)) != count:
            continue
        body = lines[index + 1 :]
        end = next((at for at, line in enumerate(body) if "|" not in line), len(body))
        rows = [tuple(map(_reader_text, row_cells(line, count))) for line in body[:end]]
        return DataTable(tuple(map(_reader_text, row_cells(head, count))), rows)
    return None


def _bare(line: str) -> str:
    """A line without the marks of the lists and quotes its table is in."""
    line = _QUOTED.sub("", line, count=1).strip()
    item = _ITEM.match(line)
    return line[item.end() :] if item is not None else line


def _reader_text(cell: str) -> str:
    return plain_text(_BREAK.sub("\n", cell) if "<" in cell else cell)


def table_of_result(output: Any) -> DataTable | None:
    """The table a tool answered with: CSV of a query, a list of objects (also in TOON), a markdown table in a text.

    Takes as long as reading the answer does: about 150 ms for 100,000 rows of CSV.
    """
    view = result_view(output)
    if isinstance(view, TableResult):
        title = view.rest.get("query_name")
        title = title if isinstance(title, str) and title else _list_name(output)
        return _fitting(view.columns, view.rows, title) if view.columns else None
    if isinstance(view, ErrorResult):
        return None
    if isinstance(view, TextResult):
        if not _TOON_HEAD.match(view.text):
            return table_of_markdown(view.text)
        try:
            return _table_in(decode_toon(view.text))
        except NotToon:
            return table_of_markdown(view.text)
    return _table_in(view.value)


def _list_name(output: Any) -> str:
    value, _ = answer_of(output)
    if not isinstance(value, dict):
        return ""
    fields = cast("JsonObject", value)
    names = [key for key, item in fields.items() if isinstance(item, list) and key not in _ASIDE]
    return names[0].replace("_", " ") if len(names) == 1 else ""


def _table_in(value: Any) -> DataTable | None:
    """The one list of objects in an answer; cells that are no plain values are JSON."""
    title = ""
    if isinstance(value, dict):
        lists = {
            key: cast("list[Any]", item)
            for key, item in cast("JsonObject", value).items()
            if isinstance(item, list) and item and key not in _ASIDE
        }
        if len(lists) != 1:
            return None
        title, value = next(iter(lists.items()))
    if not isinstance(value, list) or not value:
        return None
    items = cast("list[Any]", value)
    if not all(isinstance(item, dict) for item in items):
        return None
    columns = dict.fromkeys(key for item in items for key in item if key not in _ASIDE)
    if not columns:
        return None
    rows = [tuple(_cell(item.get(column)) for column in columns) for item in items]
    return DataTable(tuple(columns), rows, title.replace("_", " "))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        try:
            return json.dumps(value, ensure_ascii=False)
        except (ValueError, TypeError, RecursionError):
            return "(nested too deep to show)"
    return str(value)


def _fitting(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str) -> DataTable:
    """Rows as wide as the header; where one has more cells, further columns without a name hold them."""
    rows = rows if isinstance(rows, list | tuple) else list(rows)
    widest = max(map(len, rows), default=0)
    names = tuple(columns) + ("",) * (widest - len(columns))
    count = len(names)
    if all(len(row) == count for row in rows):
        return DataTable(names, cast("Sequence[tuple[str, ...]]", rows), title)
    return DataTable(names, [(*row, *("",) * (count - len(row))) for row in rows], title)

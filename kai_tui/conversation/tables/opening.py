"""A tool's table, its first rows at once and the others bit by bit: a hundred thousand rows make no key wait."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.reading import table_of_result
from kai_tui.conversation.tool_results import answer_of

AT_ONCE: Final = 200_000
"""Characters of CSV that are read before anything is shown; about 4 ms."""
FIRST: Final = 1_000
"""Rows of more than that which are read at once."""
STEP: Final = 400
"""Rows read between two breaths: about a millisecond."""


_LONGEST: Final = 2**31 - 1
"""Characters of a cell; csv takes no more than 131,072 unless it is told to."""


class Opening(NamedTuple):
    """A table to be shown."""

    table: DataTable
    rest: Iterator[DataTable | None] | None = None
    """Reads on into `table.rows`: None after each breath, and at last the whole table, which is another one where
    a later row had more cells than there are columns. None: `table` is all."""


def opening_of_result(output: Any) -> Opening | None:
    """The table a tool answered with; None where there is none. Long CSV is read only in part."""
    value, failed = answer_of(output)
    text = cast("JsonObject", value).get("csv_data") if isinstance(value, dict) and not failed else None
    if (
        not isinstance(text, str)
        or len(text) <= AT_ONCE
        or cast("JsonObject", value).get("_declined") is True
    ):
        table = table_of_result(output)
        return Opening(table) if table is not None else None
    csv.field_size_limit(_LONGEST)
    reader = csv.reader(_lines(text))
    rows: list[tuple[str, ...]] = []
    try:
        columns = tuple(next((row for row in reader if row), ()))
        for row in reader:
            if row:
                rows.append(tuple(row))
                if len(rows) == FIRST:
                    break
    except csv.Error:
        return None
    if not columns or any(len(row) != len(columns) for row in rows):
        table = table_of_result(output)
        return Opening(table) if table is not None else None
    name = cast("JsonObject", value).get("query_name")
    table = DataTable(columns, rows, name if isinstance(name, str) else "")
    return Opening(table, _rest(table, rows, reader, output))


def _lines(text: str) -> Iterable[str]:
    """The lines of a text as csv wants them. `StringIO` would first copy all of it, four times as large."""
    return io.StringIO(text, newline="") if "\r" in text else _split(text)


def _split(text: str) -> Iterator[str]:
    start = 0
    while (end := text.find("\n", start) + 1) > 0:
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def _rest(
    table: DataTable, rows: list[tuple[str, ...]], reader: Iterator[list[str]], output: Any
) -> Iterator[DataTable | None]:
    count = len(table.columns)
    try:
        for number, row in enumerate(reader):
            if len(row) != count:
                if row:
                    # Rare, and dear: all of it again, with columns for what is too much.
                    yield table_of_result(output) or table
                    return
                continue
            rows.append(tuple(row))
            if number % STEP == STEP - 1:
                yield None
    except csv.Error:
        # What cannot be read any further ends the table in the transcript, too.
        yield table_of_result(output) or table
        return
    yield table

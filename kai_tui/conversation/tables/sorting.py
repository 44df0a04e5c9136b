"""The order of `ordering.ordered`, found in slices so small that a loop stays awake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from kai_tui.conversation.tables.blank import BLANK
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.kinds import is_number
from kai_tui.conversation.tables.ordering import sort_keys
from kai_tui.conversation.tables.summing import column_form
from kai_tui.conversation.tables.written_numbers import NumberForm

STEP: Final = 1_000
"""Rows between two breaths: a millisecond or two."""


def sorted_in_slices(
    table: DataTable, column: int, kind: Kind, among: Sequence[int] | None, *, descending: bool
) -> Iterator[list[int] | None]:
    """None after each breath, and at last the numbers of the rows in order: what is not there last, equal ones as
    they came. `among`: these rows only."""
    rows = table.rows
    numbers: Sequence[int] = range(len(rows)) if among is None else among
    form: NumberForm | None = None
    if is_number(kind):
        for found in column_form(len(rows), lambda start, end: [row[column] for row in rows[start:end]]):
            form = found or form
            yield None
    keys: dict[int, Any] = {}
    runs: list[list[int]] = []
    missing: list[int] = []
    for start in range(0, len(numbers), STEP):
        part = numbers[start : start + STEP]
        run: list[int] = []
        for row, key in zip(part, _keys([rows[row][column] for row in part], kind, form), strict=True):
            if key is None:
                missing.append(row)
            else:
                keys[row] = key
                run.append(row)
        run.sort(key=keys.__getitem__, reverse=descending)
        runs.append(run)
        yield None
    while len(runs) > 1:
        # Sorting two sorted runs behind each other is merging them.
        merged: list[list[int]] = []
        for at in range(0, len(runs), 2):
            both = [row for run in runs[at : at + 2] for row in run]
            both.sort(key=keys.__getitem__, reverse=descending)
            merged.append(both)
            yield None
        runs = merged
    yield [*(runs[0] if runs else ()), *missing]


def _keys(cells: Sequence[str], kind: Kind, form: NumberForm | None) -> Sequence[Any]:
    """What the cells are compared by; numbers as they are written, never as floats."""
    if form is None:
        return sort_keys(cells, kind)
    if form.style == "plain":
        return [None if cell in BLANK else Decimal(cell) for cell in cells]
    return [None if cell in BLANK else Decimal(form.bare(cell)) for cell in cells]

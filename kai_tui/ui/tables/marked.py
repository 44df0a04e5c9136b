"""A part of a table, taken along: cells, a row, a column, what is marked, or all that is shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.ui.tables.area import Area
from kai_tui.ui.tables.shown import Shown


@dataclass(frozen=True, slots=True)
class Marked:
    """A part of a table with the names of its columns."""

    table: DataTable
    """The part only."""
    of_rows: int
    """Rows of the whole table."""
    of_columns: int
    first_row: int
    """Number in the whole table (from 1) of its first row; 0 when it has none."""


def part(shown: Shown, area: Area) -> Marked:
    """Those cells, in the order they are shown in. Takes a while for a large area: call it in a thread."""
    table = shown.table
    names = table.columns[area.left : area.right]
    numbers = range(area.top, area.bottom) if shown.order is None else shown.order[area.top : area.bottom]
    if area.columns == len(table.columns):
        rows = [table.rows[at] for at in numbers]
    else:
        rows = [table.rows[at][area.left : area.right] for at in numbers]
    first = numbers[0] + 1 if len(numbers) else 0
    return Marked(DataTable(names, rows, table.title), len(table.rows), len(table.columns), first)

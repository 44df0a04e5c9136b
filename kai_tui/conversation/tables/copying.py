"""A table for the clipboard. Every cell passes its door by itself: a column of empty cells is no gap to be counted."""

from __future__ import annotations

from kai_tui.conversation.safe_text import Safe, safe_code
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.formats import Format, written


def copied(table: DataTable, how: Format, *, names: bool) -> Safe:
    """The table in a format, safe to be pasted. `names`: with the columns' names, where the format can be without.

    Takes its time for many rows: call it in a thread then.
    """
    parts = written(_safe(table), how)
    if not names and how in ("tsv", "csv"):
        next(parts)  # the first piece is the header
    # What the formats add between the cells is ours.
    return Safe("".join(parts))


def _safe(table: DataTable) -> DataTable:
    rows = [tuple(map(safe_code, row)) for row in table.rows]
    return DataTable(tuple(map(safe_code, table.columns)), rows, table.title)

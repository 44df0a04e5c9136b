"""How wide the columns of a table are and where they begin. Pure.

Measured on a sample: a table may have a hundred thousand rows. A column that turns out to be wider is
widened on demand (`Layout.set_width`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.ui.tables.cells import one_line, width_of

CAP = 32
"""Cells a column gets at first; more only where the window has room to spare."""
LEAST = 4
"""A header's kind fits."""
WIDEST = 400
_SAMPLED_CELLS = 12_000
_SAMPLED_ROWS = 300
NUMBERS: frozenset[Kind] = frozenset({"integer", "decimal"})
KIND_WORDS: dict[Kind, str] = {
    "text": "text",
    "integer": "int",
    "decimal": "dec",
    "boolean": "bool",
    "date": "date",
    "timestamp": "time",
    "empty": "none",
}


def sample_of(rows: Sequence[tuple[str, ...]], columns: int) -> list[tuple[str, ...]]:
    """Some rows that stand for all: the first ones, and others from everywhere."""
    most = max(20, min(_SAMPLED_ROWS, _SAMPLED_CELLS // max(1, columns)))
    count = len(rows)
    if count <= most:
        return list(rows)
    first = most // 2
    step = max(1, (count - first) // (most - first))
    return [*rows[:first], *(rows[at] for at in range(first, count, step))]


def natural_widths(table: DataTable, rows: Sequence[tuple[str, ...]]) -> list[int]:
    """How many cells each column's header and the widest of these rows' cells need."""
    widths = [max(LEAST, width_of(one_line(name, WIDEST))) for name in table.columns]
    for row in rows:
        for index, raw in enumerate(row[: len(widths)]):
            size = len(raw)
            if size > widths[index] or not raw.isascii():
                widths[index] = max(widths[index], min(WIDEST, width_of(one_line(raw, WIDEST))))
    return widths


class Layout:
    """The columns side by side. Each has a blank before and after its text."""

    def __init__(self, natural: Sequence[int]) -> None:
        self.natural = list(natural)
        self.widths: list[int] = [min(CAP, width) for width in natural]
        self.starts: list[int] = []
        self._wanted: dict[int, int] = {}
        """Widths the user chose."""
        self._window = 0
        self._place()

    @property
    def total(self) -> int:
        """Cells of all columns."""
        return self.starts[-1]

    def fit(self, window: int) -> None:
        """Let capped columns have what a window of so many cells has to spare."""
        self._window = window
        self.widths = [self._wanted.get(index, min(CAP, width)) for index, width in enumerate(self.natural)]
        spare = window - sum(self.widths) - 2 * len(self.widths)
        # The narrower wish first: it may be fulfilled whole.
        for index in sorted(range(len(self.widths)), key=lambda at: self.natural[at]):
            if spare <= 0:
                break
            more = min(spare, self.natural[index] - self.widths[index])
            if more > 0 and index not in self._wanted:
                self.widths[index] += more
                spare -= more
        self._place()

    def set_width(self, column: int, width: int | None) -> None:
        """What the user wants; None: as at first."""
        if width is None:
            self._wanted.pop(column, None)
        else:
            self._wanted[column] = max(LEAST, min(WIDEST, width))
        self.fit(self._window)

    def is_chosen(self, column: int) -> bool:
        """Whether the user chose this column's width."""
        return column in self._wanted

    def _place(self) -> None:
        self.starts = [0, *accumulate(width + 2 for width in self.widths)]

    def at(self, x: int) -> int | None:
        """The column at so many cells from the first one's edge."""
        column = bisect_right(self.starts, x) - 1
        return column if x >= 0 and column < len(self.widths) else None

    def between(self, x: int, width: int) -> range:
        """The columns of which something is within `width` cells from `x` on."""
        if not self.widths or width <= 0:
            return range(0)
        first = max(0, bisect_right(self.starts, x) - 1)
        last = bisect_right(self.starts, x + width - 1)
        return range(first, min(last, len(self.widths)))

    def scroll_for(self, column: int, x: int, room: int) -> int:
        """Where to scroll so that a column is seen, from `x` on; as few columns on as it takes."""
        start, end = self.starts[column], self.starts[column + 1]
        if start < x or end - start > room:
            return start
        if end <= x + room:
            return x
        first = next((each for each in self.starts if each >= end - room), start)
        return min(first, start)

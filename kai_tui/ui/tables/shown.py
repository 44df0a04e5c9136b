"""Which rows of a table are shown, in which order. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.conversation.tables.data_table import DataTable


class Shown:
    """A table through a filter and an order: rows by the place at which they stand now."""

    def __init__(self, table: DataTable, order: Sequence[int] | None = None) -> None:
        """`order`: numbers of rows; None shows all as they came."""
        self.table = table
        self.order = order

    @property
    def count(self) -> int:
        return len(self.table.rows) if self.order is None else len(self.order)

    def source(self, place: int) -> int:
        """The number in the table of the row at a place."""
        return place if self.order is None else self.order[place]

    def row(self, place: int) -> tuple[str, ...]:
        return self.table.rows[self.source(place)]

    def cell(self, place: int, column: int) -> str:
        """Raw text; "" also where a ragged row ends too soon."""
        row = self.row(place)
        return row[column] if column < len(row) else ""

    def place_of(self, source: int) -> int | None:
        """Where a row of the table stands now; None when it is filtered out."""
        if self.order is None:
            return source if source < self.count else None
        try:
            return self.order.index(source)
        except ValueError:
            return None

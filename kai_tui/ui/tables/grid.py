"""The grid: a cursor on a cell, what is marked, and which rows are shown in which order and width."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Region, Size
from textual.message import Message

from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.ui.tables.area import Area, Shape
from kai_tui.ui.tables.drawing import DrawnGrid
from kai_tui.ui.tables.layout import Layout, natural_widths
from kai_tui.ui.tables.shown import Shown
from kai_tui.ui.transcript.textual_private import set_virtual_size


class TableGrid(DrawnGrid):
    """Shows a table. Whoever owns it moves the cursor (keys) and gives it other rows (order, filter)."""

    class Moved(Message):
        """The cursor or what is marked is another."""

    class Opened(Message):
        """The user wants to see the whole cell under the cursor."""

    class SortWanted(Message):
        """The user clicked on a header: sort by this column."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    # Other rows, kinds, widths

    def show(self, shown: Shown, *, sorted_by: tuple[int, bool] | None, to_top: bool = False) -> None:
        """Other rows or another order. The cursor stays with its row, while that is shown, or goes to the top."""
        source = self.shown.source(self.row) if self.row < self.shown.count else 0
        self.shown, self.sorted_by = shown, sorted_by
        self.corner, self.marking, self.shape = None, False, "cells"
        place = shown.place_of(source) if shown.count and not to_top else 0
        self.row = 0 if place is None else place
        self._strips.clear()
        self._resize()
        self.reveal()
        self.refresh()
        self.post_message(self.Moved())

    def grown(self) -> None:
        """The table has more rows than before."""
        set_virtual_size(self, self._whole_size())
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = self.virtual_size.height
            self.vertical_scrollbar.refresh()
        numbers_width = self.numbers_width
        if numbers_width != self._numbers_then:
            self._widths_changed()

    def take(self, table: DataTable) -> None:
        """Another table in this one's place: it turned out to have more columns."""
        self.shown = Shown(table)
        self.layout_ = Layout(natural_widths(table, self.sample))
        more: tuple[Kind, ...] = ("text",)
        self.kinds = (*self.kinds, *more * (len(table.columns) - len(self.kinds)))
        self.layout_.fit(self.room)
        self._widths_changed()

    def set_kinds(self, kinds: Sequence[Kind]) -> None:
        """What the columns hold, once that is known."""
        if list(kinds) != list(self.kinds):
            self.kinds = tuple(kinds)
            self._strips.clear()
            self.refresh()

    def widen(self, by: int | None) -> None:
        """Make the cursor's column wider or narrower; None: as wide as what is in sight needs, and back."""
        if not self.table.columns:
            return
        layout, column = self.layout_, self.column
        if by is not None:
            layout.set_width(column, layout.widths[column] + by)
        elif layout.is_chosen(column):
            layout.set_width(column, None)
        else:
            top = self._top
            seen = [self.shown.row(at) for at in range(top, min(top + self.page, self.shown.count))]
            layout.set_width(column, max(layout.natural[column], natural_widths(self.table, seen)[column]))
        self._widths_changed()

    def set_width(self, column: int, width: int) -> None:
        """A width by the mouse."""
        self.layout_.set_width(column, width)
        self._widths_changed()

    def _widths_changed(self) -> None:
        self._strips.clear()
        self._resize()
        self.reveal()
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.layout_.fit(self.room)
        self._strips.clear()
        self._resize()
        self.reveal()

    def _whole_size(self) -> Size:
        return Size(self.numbers_width + self.layout_.total, self.header_rows + max(1, self.shown.count))

    def _resize(self) -> None:
        self._numbers_then = self.numbers_width
        self.virtual_size = self._whole_size()

    # Moving

    def go(self, row: int, column: int, *, extend: bool = False) -> None:
        """The cursor to a cell (the nearest one there is); with `extend` everything up to it is marked."""
        row = max(0, min(row, self.shown.count - 1))
        column = max(0, min(column, len(self.table.columns) - 1))
        before = self.area
        if extend or self.marking:
            self.corner = self.corner or (self.row, self.column)
        else:
            self.corner, self.shape = None, "cells"
        old = (self.row, self.column)
        self.row, self.column = row, column
        self.steps += 1
        self._drawn_again(before, old)
        self.reveal()
        self.post_message(self.Moved())

    def mark(self, shape: Shape) -> None:
        """Mark the cursor's row, its column, or all; the cursor stays where it is."""
        if not self.shown.count or not self.table.columns:
            return
        self.corner = self.corner or (self.row, self.column)
        self.shape = shape
        self.refresh()
        self.post_message(self.Moved())

    def unmark(self) -> bool:
        """Mark nothing any more; False when nothing was."""
        was = self.corner is not None or self.marking
        self.corner, self.marking, self.shape = None, False, "cells"
        if was:
            self.refresh()
            self.post_message(self.Moved())
        return was

    def start_marking(self) -> None:
        """From here on arrows mark."""
        self.marking = True
        self.corner = self.corner or (self.row, self.column)
        self.refresh()
        self.post_message(self.Moved())

    def _drawn_again(self, before: Area | None, old: tuple[int, int]) -> None:
        after = self.area
        if before is not None or after is not None:
            self.refresh()
            return
        self._refresh_row(old[0])
        self._refresh_row(self.row)
        if old[1] != self.column:
            self.refresh(Region(0, 0, self.size.width, self.header_rows))

    def _refresh_row(self, row: int) -> None:
        y = row - self._top + self.header_rows
        if self.header_rows <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def reveal(self) -> None:
        """Scroll as little as it takes to see the cursor."""
        if not self.room or not self.table.columns:
            return
        top, page = self._top, self.page
        y = self.row if self.row < top else self.row - page + 1 if self.row >= top + page else top
        x = self.layout_.scroll_for(self.column, round(self.scroll_x), self.room)
        if (x, y) != (round(self.scroll_x), top):
            self.scroll_to(x=x, y=y, animate=False)

"""The table viewer: one table on the whole screen, to be moved through, sorted, filtered, marked, taken along."""

from __future__ import annotations

from time import perf_counter
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from kai_tui.ui.tables.area import Shape
from kai_tui.ui.tables.grid import TableGrid
from kai_tui.ui.tables.keys import bindings
from kai_tui.ui.tables.viewer_taking import ViewerTaking


class TableViewer(ViewerTaking):
    """Result: what was marked, when the user wants to ask about it; else None."""

    AUTO_FOCUS: ClassVar[str | None] = "#table-grid"
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    DEFAULT_CSS = """
    TableViewer { background: $background; layout: vertical; align: left top; }
    TableViewer #table-filter-row { height: 1; display: none; background: $panel; }
    TableViewer #table-filter-row.-shown { display: block; layout: horizontal; }
    TableViewer #table-filter { border: none; height: 1; width: 1fr; padding: 0; background: $panel; }
    TableViewer #table-filter:focus { border: none; background: $panel; }
    TableViewer #table-filter-name { width: auto; max-width: 50%; color: $text-accent; padding: 0 1; }
    TableViewer #table-footer { background: $panel; color: $text-muted; }
    TableViewer #table-cell { background: $surface; }
    """

    def compose(self) -> ComposeResult:
        yield self.head
        with self.filter_row:
            yield Static(id="table-filter-name", markup=False)
            yield self.filter_input
        yield self.grid
        yield self.cell_line
        yield self.footer_line

    def on_mount(self) -> None:
        self.tell()
        self.begin()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.MouseEvent):
            self.touched = perf_counter()
        await super().on_event(event)

    # Moving

    def action_go(self, rows: int, columns: int, extend: bool = False) -> None:
        """The cursor to a neighbour."""
        self.grid.go(self.grid.row + rows, self.grid.column + columns, extend=extend)

    def action_page(self, direction: int, extend: bool = False) -> None:
        """A window up or down."""
        grid = self.grid
        grid.go(grid.row + direction * max(1, grid.page - 1), grid.column, extend=extend)

    def action_edge(self, side: str, extend: bool = False) -> None:
        """To the first or last column or row."""
        grid = self.grid
        last_row, last_column = grid.shown.count - 1, len(grid.table.columns) - 1
        row = {"top": 0, "bottom": last_row}.get(side, grid.row)
        column = {"left": 0, "right": last_column}.get(side, grid.column)
        grid.go(row, column, extend=extend)

    def action_sideways(self, direction: int) -> None:
        """A window to the side; the cursor comes along."""
        grid = self.grid
        target = round(grid.scroll_x) + direction * max(1, grid.room - 4)
        last = len(grid.table.columns) - 1
        target = max(0, min(target, grid.layout_.total - 1))
        found = grid.layout_.at(target)
        column = last if found is None else found
        if column == grid.column:
            column += direction
        grid.go(grid.row, column)

    def action_nudge(self, direction: int) -> None:
        """One character to the side."""
        self.grid.scroll_to(x=round(self.grid.scroll_x) + direction, animate=False)

    def action_widen(self, by: int) -> None:
        """The column wider or narrower."""
        self.grid.widen(by)

    def action_fit_width(self) -> None:
        """The column as wide as what is in sight, and back."""
        self.grid.widen(None)

    # Marking

    def action_mark(self, shape: Shape) -> None:
        """Mark a row, a column, all."""
        self.grid.mark(shape)

    def action_marking(self) -> None:
        """Start marking, or stop: what is marked stays."""
        if self.grid.marking:
            self.grid.marking = False
            self.tell()
        else:
            self.grid.start_marking()

    @on(TableGrid.Moved)
    def _moved(self, message: TableGrid.Moved) -> None:
        message.stop()
        self.summarize()
        self.tell()

    @on(TableGrid.SortWanted)
    def _sort_wanted(self, message: TableGrid.SortWanted) -> None:
        message.stop()
        self.grid.go(self.grid.row, message.column)
        self.action_sort()

    @on(TableGrid.Opened)
    def _opened(self, message: TableGrid.Opened) -> None:
        message.stop()
        self.action_open_cell()

    # Leaving

    def action_leave(self) -> None:
        """Back one step: marks, filter, order of the table, the table."""
        if self.grid.unmark():
            return
        if self.filter_text or self.filter_row.has_class("-shown"):
            self.drop_filter()
        else:
            self.finish(None)

    def action_close(self) -> None:
        """Close the table."""
        self.finish(None)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

"""The rows of the viewer: kinds found out, sorted, filtered; all in slices or a thread, so that keys never wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from time import perf_counter

from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.filtering import filtered_in_slices, read_filter
from kai_tui.conversation.tables.kinds import kinds_in_slices, likely_kinds
from kai_tui.conversation.tables.opening import Opening
from kai_tui.conversation.tables.sorting import sorted_in_slices
from kai_tui.conversation.tables.summing import Summary, Summed, summing
from kai_tui.conversation.tables.written_numbers import NumberForm
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.tables.lines import FactLine
from kai_tui.ui.tables.marked import Marked
from kai_tui.ui.tables.mouse import MouseGrid
from kai_tui.ui.tables.shown import Shown
from kai_tui.ui.tables.slices import in_slices
from kai_tui.ui.tables.viewer_words import cell_facts, footer_facts, head_facts
from kai_tui.ui.widgets.filter_input import FilterInput

AT_ONCE = 5_000
"""Rows that are sorted and filtered before the next key."""
TOLD_EVERY = 0.15
"""Seconds between two looks at how many rows were read."""
SUMMED_AT_ONCE = 400
"""Cells that are counted before the next frame; more in slices."""


class ViewerRows(Ask[Marked]):
    """The viewer's widgets and which rows they show."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(name="table-viewer")
        table = opening.table
        self.table: DataTable = table
        self._rest = opening.rest
        """Reads on; None when everything is read."""
        self.touched = 0.0
        """When (perf_counter) a key or the mouse last did something."""
        self.head = FactLine(id="table-head")
        self.filter_row = Horizontal(id="table-filter-row")
        self.filter_input = FilterInput(placeholder="words, or amount > 100", id="table-filter")
        self.filter_input.command = self._filter_command
        self.filter_input.edited = self._filter_edited
        self.grid = MouseGrid(table, id="table-grid")
        self.grid.set_kinds(likely_kinds(table))
        self.cell_line = FactLine(id="table-cell")
        self.footer_line = FactLine(id="table-footer")
        self.filter_text = ""
        self.filter_column: int | None = None
        """The only column that is searched; None: all."""
        self.filter_problem = ""
        """Why what was typed is no filter. Safe."""
        self.working = ""
        """What is being done, in a word."""
        self.summary: Summary | None = None
        """What is marked amounts to; None while it is counted."""
        self._forms: dict[int, NumberForm] = {}
        self._sorting: tuple[int, bool] | None = None
        """How the user wants it sorted; `grid.sorted_by` says how it is."""
        self._steps_then = 0
        """`grid.steps` when that was asked for."""
        self._judged = asyncio.Event()
        self._folded: list[str] = []
        """Texts of the rows, for the filter."""
        self._filtered: list[int] | None = None
        """Numbers of the rows the filter lets through, as they came; None: all."""

    def begin(self) -> None:
        """Find out what the columns hold, behind the first frame."""
        self.footer_line.show(footer_facts())
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.run_worker(self._judge, group="kinds", exclusive=True, exit_on_error=False)

    async def _judge(self) -> None:
        if self._rest is not None:
            self.working = "reading"
            whole = await in_slices(self._reading_on(self._rest), self._touched)
            self._rest = None
            self.working = ""
            if whole is not self.table:
                self.table = whole
                self.grid.take(whole)
            self._grown()
        kinds = await in_slices(kinds_in_slices(self.table), self._touched)
        self._judged.set()
        self.grid.set_kinds(kinds)
        self.tell()

    def _reading_on(self, rest: Iterator[DataTable | None]) -> Iterator[DataTable | None]:
        """Rows are shown as they come."""
        told = perf_counter()
        for found in rest:
            if found is None and perf_counter() - told > TOLD_EVERY:
                told = perf_counter()
                self._grown()
            yield found

    def _grown(self) -> None:
        self.grid.grown()
        self.tell()

    def _stop(self, group: str) -> None:
        self.workers.cancel_group(self, group)  # pyright: ignore[reportUnknownMemberType] its workers' results

    def _touched(self) -> float:
        return self.touched

    # Words

    def tell(self) -> None:
        """Say what is shown and where the cursor is."""
        if not self.standing:
            return
        grid = self.grid
        self.head.show(
            head_facts(
                self.table,
                grid.shown.count,
                grid.sorted_by,
                filtered=self._filtered is not None,
                problem=self.filter_problem,
                working=self.working,
            )
        )
        self.cell_line.show(cell_facts(grid, self.summary))

    # What is marked

    def summarize(self) -> None:
        """Count and sum what is marked."""
        self.summary = None
        area = self.grid.area
        self._stop("sum")
        if area is None:
            return
        steps = self._summing()
        if area.cells <= SUMMED_AT_ONCE and len(self.table.rows) <= SUMMED_AT_ONCE:
            self.summary = next((found for found in steps if found is not None), None)
        else:
            self.run_worker(partial(self._sum, steps), group="sum", exclusive=True, exit_on_error=False)

    def _summing(self) -> Iterator[Summary | None]:
        grid, area = self.grid, self.grid.here
        shown, rows = grid.shown, self.table.rows

        def column(index: int) -> Summed:
            def cells(start: int, end: int) -> list[str]:
                if shown.order is None:
                    return [row[index] for row in rows[start:end]]
                return [rows[at][index] for at in shown.order[start:end]]

            def written(start: int, end: int) -> list[str]:
                return [row[index] for row in rows[start:end]]

            return Summed(index, grid.kinds[index], cells, written, len(rows))

        columns = [column(index) for index in range(area.left, area.right)]
        return summing(columns, area.top, area.bottom, self._forms)

    async def _sum(self, steps: Iterator[Summary | None]) -> None:
        # The next key of a run of them will ask for another sum.
        await asyncio.sleep(0.05)
        self.summary = await in_slices(steps, self._touched)
        self.tell()

    # Order and filter

    def action_sort(self) -> None:
        """By the column under the cursor: up, down, as it came."""
        grid = self.grid
        if not self.table.columns:
            return
        now = self._sorting
        if now is None or now[0] != grid.column:
            self._sorting = (grid.column, False)
        else:
            self._sorting = (grid.column, True) if not now[1] else None
        self._arrange("sorting")

    def _arrange(self, doing: str) -> None:
        """Filter and sort anew, as wanted now, and show it: at once where that is quick."""
        self._steps_then = self.grid.steps
        if len(self.table.rows) <= AT_ONCE and self._judged.is_set():
            self._stop("rows")
            for _ in self._arranging():
                pass
        else:
            self.run_worker(
                partial(self._arrange_slowly, doing), group="rows", exclusive=True, exit_on_error=False
            )

    async def _arrange_slowly(self, doing: str) -> None:
        self.working = doing
        self.tell()
        await self._judged.wait()
        await in_slices(self._arranging(), self._touched)

    def _arranging(self) -> Iterator[bool | None]:
        """None after each breath, True when the rows are shown as wanted."""
        sorted_by = self._sorting
        found: list[int] | None = None
        order: list[int] | None = None
        problem = ""
        wanted = read_filter(self.filter_text, self.table, only=self.filter_column)
        if wanted is not None:
            problem = safe_line(wanted.note, 80)
            try:
                for step in filtered_in_slices(self.table, self.grid.kinds, wanted, self._folded):
                    found = step
                    yield None
            except ValueError as error:
                problem = safe_line(str(error), 80)
            order = found
        if sorted_by is not None:
            column, descending = sorted_by
            kind = self.grid.kinds[column]
            for step in sorted_in_slices(self.table, column, kind, found, descending=descending):
                order = step
                yield None
        self.working, self.filter_problem = "", problem
        self._filtered = found
        self.grid.empty_text = "No row has that. Esc shows all again." if self.table.rows else "No rows."
        newly = sorted_by is not None and sorted_by != self.grid.sorted_by
        # Who moved the cursor while it was sorted wants to stay where it is.
        to_top = newly and self.grid.steps == self._steps_then
        self.grid.show(Shown(self.table, order), sorted_by=sorted_by, to_top=to_top)
        self.tell()
        yield True

    def action_filter(self) -> None:
        """Type what rows must have."""
        self.filter_row.add_class("-shown")
        self._name_filter()
        # At once: letters typed in one go with the slash would sort, copy or mark.
        self.screen.set_focus(self.filter_input)

    def _name_filter(self) -> None:
        where = "all columns"
        if self.filter_column is not None:
            where = safe_line(self.table.columns[self.filter_column], 30) or "this column"
        self.query_one("#table-filter-name", Static).update(Content(f"/ in {where} (Tab)"))

    def _filter_command(self, key: str) -> bool:
        if key == "escape":
            self.drop_filter()
        elif key in ("enter", "down", "up"):
            self._leave_filter()
        elif key in ("tab", "shift+tab"):
            self.filter_column = self.grid.column if self.filter_column is None else None
            self._name_filter()
            if self.filter_text.strip():
                self._arrange("filtering")
        elif key in ("pageup", "pagedown"):
            self.grid.go(self.grid.row + (1 if key == "pagedown" else -1) * self.grid.page, self.grid.column)
        else:
            return False
        return True

    def _leave_filter(self) -> None:
        """Back to the grid; the filter stays while it says something."""
        self.screen.set_focus(self.grid)
        if not self.filter_text.strip():
            self.filter_row.remove_class("-shown")

    def drop_filter(self) -> None:
        """Show all rows again."""
        had = bool(self.filter_text.strip())
        self.filter_input.value = ""
        self.filter_text = ""
        self.filter_column = None
        self._leave_filter()
        if had:
            self._arrange("filtering")

    def _filter_edited(self, text: str) -> None:
        if text != self.filter_text:
            self.filter_text = text
            self._arrange("filtering")

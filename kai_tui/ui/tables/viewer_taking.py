"""What is taken out of the viewer: read as a whole, copied, saved, drawn as a chart, asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from kai_tui.conversation.tables.copying import copied
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.formats import Format
from kai_tui.conversation.tables.opening import Opening
from kai_tui.ui.app_of import app_of
from kai_tui.ui.tables.area import Area
from kai_tui.ui.tables.marked import Marked, part
from kai_tui.ui.tables.viewer_rows import ViewerRows
from kai_tui.ui.tables.viewer_words import column_name, counted

if TYPE_CHECKING:
    from kai_tui.ui.modals.save_as import Saved

QUICK = 20_000
"""Cells that are taken at once; more in a thread."""


class ViewerTaking(ViewerRows):
    """Dialogs above the viewer and what comes of them."""

    def __init__(self, opening: Opening | DataTable, copy: Callable[[str, str], None]) -> None:
        """`copy` takes a raw text and what it is, in safe words."""
        super().__init__(opening if isinstance(opening, Opening) else Opening(opening))
        self._copy = copy

    @property
    def _has_cells(self) -> bool:
        return bool(self.grid.shown.count and self.table.columns)

    # Reading

    def action_open_cell(self) -> None:
        """The whole cell under the cursor."""
        from kai_tui.ui.tables.cell_view import CellView

        if self._has_cells:
            grid = self.grid
            where = f"row {grid.shown.source(grid.row) + 1:,}"
            raw = grid.shown.cell(grid.row, grid.column)
            app_of(self).push_screen(CellView(self.table.columns[grid.column], raw, where, self._copy))

    def action_record(self) -> None:
        """The row under the cursor as a record."""
        from kai_tui.ui.tables.record_view import RecordView

        def back(place: int | None) -> None:
            if place is not None and place != self.grid.row:
                self.grid.go(place, self.grid.column)

        if self._has_cells:
            app_of(self).push_screen(RecordView(self.grid.shown, self.grid.row, self._copy), back)

    def action_help(self) -> None:
        """The keys."""
        from kai_tui.ui.tables.keys_help import KeysHelp

        app_of(self).push_screen(KeysHelp())

    def action_chart(self) -> None:
        """A chart of the cursor's column, or of two that are marked; of the marked rows, else of all that are shown."""
        if not self._has_cells:
            return
        grid, area = self.grid, self.grid.here
        columns = [grid.column]
        if area.columns == 2:
            columns = [area.left, area.left + 1]
        rows = (area.top, area.bottom) if area.rows > 1 else (0, grid.shown.count)

        async def work() -> None:
            from kai_tui.ui.tables.chart_view import ChartView

            await self._judged.wait()
            marked = await self._part(Area(rows[0], 0, rows[1], len(self.table.columns)))
            chart = ChartView(marked.table, grid.kinds, columns, marked.of_rows, self._copy)
            # A question may have come over the table meanwhile.
            if self.is_current:
                app_of(self).push_screen(chart)

        self.run_worker(work, group="chart", exclusive=True, exit_on_error=False)

    # Copying

    def action_copy(self) -> None:
        """What is marked, else the cell, as TSV without names; a single cell as it is."""
        if not self._has_cells:
            return
        area = self.grid.here
        if area.cells == 1:
            self._copy(self.grid.shown.cell(area.top, area.left), "the cell")
        else:
            self._copy_area(area, "tsv", names=area.shape == "all", what=self._words(area))

    def action_copy_menu(self) -> None:
        """Choose what is copied, and as what."""
        from kai_tui.ui.tables.copy_menu import CopyChoice, CopyMenu, Offer

        if not self._has_cells:
            return
        grid, shown = self.grid, self.grid.shown
        row, column, rows, columns = grid.row, grid.column, shown.count, len(self.table.columns)
        offers = [
            Offer("the cell", Area(row, column, row + 1, column + 1)),
            Offer("the row", Area(row, 0, row + 1, columns, "rows")),
            Offer(
                f"the column {column_name(self.table, column)}", Area(0, column, rows, column + 1, "columns")
            ),
        ]
        chosen = 0
        if grid.area is not None:
            chosen = len(offers)
            offers.append(Offer(f"what is marked: {self._words(grid.area)}", grid.area))
        shows = (
            "all rows that are shown"
            if shown.order is not None and rows != len(self.table.rows)
            else "the table"
        )
        offers.append(Offer(f"{shows}: {counted(rows, 'row')}", Area(0, 0, rows, columns, "all"), named=True))

        def take(choice: CopyChoice | None) -> None:
            if choice is not None:
                words = choice.offer.words.removeprefix("what is marked: ")
                if choice.offer.named:
                    words = words.partition(":")[0]
                self._copy_area(
                    choice.offer.area, choice.how, names=choice.names, what=words, whole=choice.offer.named
                )

        app_of(self).push_screen(CopyMenu(offers, chosen), take)

    def _words(self, area: Area) -> str:
        if area.cells == 1:
            return "the cell"
        return f"{counted(area.rows, 'row')} × {counted(area.columns, 'column')}"

    def _copy_area(self, area: Area, how: Format, *, names: bool, what: str, whole: bool = False) -> None:
        """`whole`: all rows that are shown, also those that are still being read."""

        async def work() -> None:
            if whole:
                taken = await self._all()
                words = f"{what}: {counted(taken.rows, 'row')}"
            else:
                taken, words = area, what
            text = await self._made(taken, how, names=names)
            self._copy(text, words)

        self.run_worker(work, group="copy", exclusive=True, exit_on_error=False)

    async def _made(self, area: Area, how: Format, *, names: bool) -> str:
        """The text of an area in a format."""
        shown = self.grid.shown

        def work() -> str:
            return copied(part(shown, area).table, how, names=names)

        return work() if area.cells <= QUICK else await asyncio.to_thread(work)

    def action_save(self) -> None:
        """What is marked, else all rows that are shown, to a file."""
        grid = self.grid
        if not self.table.columns:
            return
        area = grid.area

        async def work() -> None:
            from kai_tui.ui.modals.save_table import save_table

            marked = await self._part(area or await self._all())
            if self.is_current:
                app_of(self).push_screen(save_table(marked.table), saved)

        def saved(done: Saved | None) -> None:
            if done is not None:
                self.notify(done.sentence, timeout=14, markup=False)

        self.run_worker(work, group="save", exclusive=True, exit_on_error=False)

    async def _all(self) -> Area:
        """All rows that are shown, when the table was read to its end: a part of it must not pass for the whole."""
        await self._judged.wait()
        return Area(0, 0, self.grid.shown.count, len(self.table.columns), "all")

    async def _part(self, area: Area) -> Marked:
        """Those cells, as they are shown now."""
        shown = self.grid.shown
        return part(shown, area) if area.cells <= QUICK else await asyncio.to_thread(part, shown, area)

    # Asking

    def action_ask(self) -> None:
        """Close, and give what is marked to the prompt."""
        if not self._has_cells:
            return

        async def work() -> None:
            shown, area = self.grid.shown, self.grid.here
            marked: Marked = (
                part(shown, area) if area.cells <= QUICK else await asyncio.to_thread(part, shown, area)
            )
            self.finish(marked)

        self.run_worker(work, group="ask", exclusive=True, exit_on_error=False)

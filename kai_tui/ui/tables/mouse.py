"""The mouse in the grid: a click chooses, dragging marks, a header sorts, its edge makes the column wider."""

from __future__ import annotations

from typing import Literal

from textual import events

from kai_tui.ui.tables.grid import TableGrid

WHEEL_COLUMNS = 8
"""Cells that one step of the wheel goes sideways."""


class MouseGrid(TableGrid):
    """A grid one can click in."""

    _drags: Literal["", "cells", "rows", "edge"] = ""
    _edge: int = 0
    """The column whose edge is dragged."""

    def _column_at(self, x: int) -> int | None:
        inside = x - self.numbers_width
        return self.layout_.at(inside + round(self.scroll_x)) if inside >= 0 else None

    def _edge_at(self, x: int) -> int | None:
        """The column whose last blank is there."""
        column = self._column_at(x)
        inside = x - self.numbers_width + round(self.scroll_x)
        return column if column is not None and inside == self.layout_.starts[column + 1] - 1 else None

    def _place_at(self, y: int) -> int:
        return y - self.header_rows + self._top

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        await super()._on_mouse_down(event)
        if event.button != 1 or not self.table.columns:
            return
        if event.y < self.header_rows:
            edge = self._edge_at(event.x)
            if edge is not None:
                self._drags, self._edge = "edge", edge
                self.capture_mouse()
            return
        place = self._place_at(event.y)
        if place >= self.shown.count:
            return
        column = self._column_at(event.x)
        if event.x < self.numbers_width:
            self._drags = "rows"
            self.go(place, self.column, extend=event.shift)
            self.mark("rows")
        elif column is not None:
            self._drags = "cells"
            self.go(place, column, extend=event.shift)
        else:
            return
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Mark up to the pointer; beyond an edge the grid scrolls under it."""
        if not self._drags:
            return
        if self._drags == "edge":
            start = self.layout_.starts[self._edge]
            self.set_width(self._edge, event.x - self.numbers_width + round(self.scroll_x) - start - 1)
            return
        if event.y < self.header_rows:
            place = self._top - 1
        else:
            place = min(self._place_at(event.y), self._top + self.page)
        if event.x < self.numbers_width:
            column = self.layout_.at(round(self.scroll_x) - 1) or 0
        else:
            found = self._column_at(min(event.x, self.scrollable_content_region.width))
            column = len(self.table.columns) - 1 if found is None else found
        if self._drags == "rows":
            column = self.column
        place = max(0, min(place, self.shown.count - 1))
        if (place, column) != (self.row, self.column):
            self.go(place, column, extend=True)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._drags:
            self.release_mouse()
            self._drags = ""

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.y < self.header_rows:
            column = self._column_at(event.x)
            if column is not None and self._edge_at(event.x) is None:
                self.post_message(self.SortWanted(column))
        elif (
            event.chain == 2 and event.x >= self.numbers_width and self._place_at(event.y) < self.shown.count
        ):
            self.post_message(self.Opened())

    def _sideways(self, by: int) -> None:
        self.scroll_to(x=round(self.scroll_x) + by, animate=False)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        if event.shift or event.ctrl:
            event.stop()
            self._sideways(WHEEL_COLUMNS)
        else:
            super()._on_mouse_scroll_down(event)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        if event.shift or event.ctrl:
            event.stop()
            self._sideways(-WHEEL_COLUMNS)
        else:
            super()._on_mouse_scroll_up(event)

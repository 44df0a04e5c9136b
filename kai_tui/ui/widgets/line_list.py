"""A list with a cursor as one virtual widget: only the visible lines are ever drawn."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kai_tui.ui.widgets.one_line import clip

LETTERS = {"j": "down", "k": "up"}
"""Keys that move while the list itself has the focus; in a search they are letters."""


class LineList(ScrollView, can_focus=True):
    """One line for each thing. What stands in it and what keys mean is the derived list's.

    Styles are component classes `{prefix}--{name}`; `quiet` and `cursor` have to be among them.
    """

    DEFAULT_CSS = """
    LineList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        background: $surface;
    }
    """
    PREFIX: ClassVar[str] = "line-list"

    cursor_line: var[int] = var(0, init=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty_text = ""
        """Said when there is nothing to show."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many lines there are."""

    @abstractmethod
    def _tell_moved(self) -> None:
        """The cursor is at another line."""

    @abstractmethod
    def _cells(self, number: int, width: int) -> list[tuple[str, int, str]]:
        """Safe text, columns and style name of each cell of a line."""

    def _count_changed(self, at: int) -> None:
        """There are other lines; the cursor is at `at` now."""
        self.virtual_size = Size(self.size.width, self.count)
        self._refresh_scrollbars()
        self.set_reactive(LineList.cursor_line, at)
        self.refresh()

    def move(self, key: str) -> bool:
        """Do what a key that moves means; False when it means nothing."""
        page, every = max(1, self.size.height - 1), self.count
        steps = {
            "up": -1, "down": 1, "pageup": -page, "pagedown": page, "home": -every, "end": every,
        }  # fmt: skip
        if key not in steps:
            return False
        if every:
            self.cursor_line = min(max(self.cursor_line + steps[key], 0), every - 1)
        return True

    async def _on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < self.count:
            self.cursor_line = line

    def _on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(self.size.width, self.count)
        self.scroll_to_cursor()

    def watch_cursor_line(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)
        self.scroll_to_cursor()
        self._tell_moved()

    def scroll_to_cursor(self) -> None:
        """Bring the cursor into view."""
        line, top, height = self.cursor_line, self.scroll_offset.y, self.size.height
        if height and line < top:
            self.scroll_to(y=line, animate=False)
        elif height and line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        if width <= 0:
            return Strip.blank(0)
        if not self.count and y == 0:
            style = self.get_component_rich_style(f"{self.PREFIX}--quiet")
            return Strip([Segment(set_cell_size(clip(f" {self.empty_text}", width), width), style)], width)
        if number >= self.count:
            return Strip.blank(width, self.rich_style)
        cursor = [f"{self.PREFIX}--cursor"] if number == self.cursor_line else []

        def style_of(name: str) -> Style:
            return self.get_visual_style(f"{self.PREFIX}--{name}", *cursor).rich_style

        segments = [
            Segment(text + " " * max(0, columns - cell_len(text)), style_of(name))
            for text, columns, name in self._cells(number, width)
        ]
        return Strip(segments).adjust_cell_length(width, style_of("name"))

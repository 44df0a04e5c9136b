"""What the grid draws: cells in columns under a header that stays. Only what is in sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.ui.tables.area import Area, Shape, spanned
from kai_tui.ui.tables.cells import fitted
from kai_tui.ui.tables.layout import KIND_WORDS, NUMBERS, Layout, natural_widths, sample_of
from kai_tui.ui.tables.shown import Shown
from kai_tui.ui.transcript.textual_private import fills_its_lines

SHORT = 12
"""Rows of the window below which the kinds get no line of their own."""
_KEPT = 400
"""Drawn rows that are kept for the next frame."""


class DrawnGrid(ScrollView, can_focus=True, inherit_bindings=False):
    """A table as lines, with what it takes to draw them."""

    ALLOW_SELECT: ClassVar[bool] = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"table-grid--{name}"
        for name in ("cell", "empty", "header", "here", "kind", "number", "line", "marked", "cursor", "quiet")
    }
    DEFAULT_CSS = """
    DrawnGrid {
        height: 1fr;
        overflow-x: auto;
        overflow-y: scroll;
        scrollbar-size: 1 1;
        background: $background;
        & .table-grid--cell { color: $text; }
        & .table-grid--empty { color: $text-muted; }
        & .table-grid--header { color: $text; background: $panel; text-style: bold; }
        & .table-grid--here { color: $text-accent; background: $panel; text-style: bold; }
        & .table-grid--kind { color: $text-muted; background: $panel; }
        & .table-grid--number { color: $text-muted; background: $surface; }
        & .table-grid--line { background: $surface; }
        & .table-grid--marked { background: $block-cursor-background; color: $block-cursor-foreground; }
        & .table-grid--cursor { background: $text; color: $background; text-style: bold; }
        & .table-grid--quiet { color: $text-muted; text-style: italic; }
    }
    """

    def __init__(self, table: DataTable, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.auto_links = False
        self.shown = Shown(table)
        count = len(table.columns)
        self.sample = sample_of(table.rows, count)
        self.layout_ = Layout(natural_widths(table, self.sample))
        unknown: tuple[Kind, ...] = ("text",)
        self.kinds: Sequence[Kind] = unknown * count
        self.sorted_by: tuple[int, bool] | None = None
        """Column, and whether the largest comes first."""
        self.row = 0
        self.column = 0
        self.corner: tuple[int, int] | None = None
        """The corner opposite the cursor of what is marked; None: nothing is."""
        self.shape: Shape = "cells"
        self.marking = False
        """Whether arrows go on marking without Shift."""
        self.steps: int = 0
        """How often the cursor was moved."""
        self.empty_text = "No rows."
        self._strips: dict[int, Strip] = {}
        """Rows without cursor and marks as drawn at the present place, by number in the table."""
        self._drawn_at = (-1, -1, -1)
        self._numbers_then = 0
        self._styles: dict[tuple[str, ...], Style] = {}

    # What is there

    @property
    def table(self) -> DataTable:
        return self.shown.table

    @property
    def header_rows(self) -> int:
        return 1 if self.size.height < SHORT else 2

    @property
    def numbers_width(self) -> int:
        """Cells of the row numbers before the first column."""
        return len(f"{max(1, len(self.table.rows)):,}") + 2

    @property
    def room(self) -> int:
        """Cells for columns in the window."""
        return max(0, self.scrollable_content_region.width - self.numbers_width)

    @property
    def page(self) -> int:
        """Rows in the window."""
        return max(1, self.scrollable_content_region.height - self.header_rows)

    @property
    def area(self) -> Area | None:
        """What is marked; None when only the cursor is there."""
        if self.corner is None or not self.shown.count or not self.table.columns:
            return None
        return spanned(
            self.corner, (self.row, self.column), self.shape, self.shown.count, len(self.table.columns)
        )

    @property
    def here(self) -> Area:
        """What is marked, else the cell under the cursor; nothing in an empty table."""
        found = self.area
        if found is not None:
            return found
        if not self.shown.count or not self.table.columns:
            return Area(0, 0, 0, 0)
        return Area(self.row, self.column, self.row + 1, self.column + 1)

    @property
    def _top(self) -> int:
        return round(self.scroll_y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        bar = self.vertical_scrollbar
        # A scrollbar costs as much to draw as the grid: only when one would see the difference, in a long table
        # a whole cell of it.
        total, height = self.virtual_size.height, max(1, self.size.height)
        step = total / height / (1 if total > 50 * height else 8)
        at_an_end = new_value in (0, self.max_scroll_y)
        if self.show_vertical_scrollbar and (at_an_end or int(new_value / step) != int(bar.position / step)):
            bar.position = new_value
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}
        self._strips.clear()

    def _style(self, *names: str) -> Style:
        """Styles over each other; the same object as long as the theme is the same."""
        style = self._styles.get(names)
        if style is None:
            style = self.get_visual_style(*(f"table-grid--{name}" for name in names)).rich_style
            self._styles[names] = style
        return style

    def render_lines(self, crop: Region) -> list[Strip]:
        """Strips that fill their lines go to the screen as they are; they passed the filters when they were made."""
        if crop.x or not fills_its_lines(self):
            return super().render_lines(crop)
        frame = self._frame()
        return [self._line(y, frame) for y in range(crop.y, crop.bottom)]

    def render_line(self, y: int) -> Strip:
        return self._line(y, self._frame())

    def _frame(self) -> Frame:
        width = self.scrollable_content_region.width
        numbers = self.numbers_width
        room = max(0, width - numbers)
        x = round(self.scroll_x)
        if self._drawn_at != (x, width, numbers):
            self._strips.clear()
            self._drawn_at = (x, width, numbers)
        columns = self.layout_.between(x, room)
        return Frame(width, numbers, room, x, columns, self._top, self.header_rows, self.area)

    def _line(self, y: int, frame: Frame) -> Strip:
        width = frame.width
        if width <= 0:
            return Strip.blank(0)
        if y < frame.header:
            return self._header(y, frame)
        place = y - frame.header + frame.top
        if place >= self.shown.count or not self.table.columns:
            if y == frame.header:
                quiet = self._style("quiet")
                return self._filtered(
                    [Segment(" " + fitted(self.empty_text, width - 1, right=False), quiet)], width
                )
            return self._filtered([Segment(" " * width, self._style("cell"))], width)
        return self._row(place, frame)

    def _header(self, y: int, frame: Frame) -> Strip:
        runs = [(" " * frame.numbers, self._style("kind"))]
        base = self._style("kind" if y else "header")
        for column in frame.columns:
            cells = self.layout_.widths[column]
            right = self.kinds[column] in NUMBERS
            if y:
                text = f" {fitted(KIND_WORDS[self.kinds[column]], cells, right=right)} "
            else:
                text = self._heading(column, cells, right=right)
            style = self._style("here") if column == self.column and not y else base
            runs.append((text, style))
        return self._cropped(runs, frame, base)

    def _heading(self, column: int, cells: int, *, right: bool) -> str:
        """A column's name between its blanks; the arrow of the sorted one takes a blank."""
        name = fitted(self.table.columns[column], cells, right=right)
        if self.sorted_by is None or self.sorted_by[0] != column:
            return f" {name} "
        arrow = "▼" if self.sorted_by[1] else "▲"
        bare = name.strip()
        gap = " " * (len(name) - len(bare))
        return f"{gap}{arrow}{bare} " if right else f" {bare}{arrow}{gap}"

    def _row(self, place: int, frame: Frame) -> Strip:
        here = place == self.row
        first, end = frame.area.columns_in(place) if frame.area is not None else (0, 0)
        special = here or first < end
        source = self.shown.source(place)
        if not special and (strip := self._strips.get(source)) is not None:
            return strip
        row = self.shown.table.rows[source]
        widths, kinds, count = self.layout_.widths, self.kinds, len(row)
        ground = ("line",) if here else ()
        plain, empty = self._style("cell", *ground), self._style("empty", *ground)
        number = f"{source + 1:,} ".rjust(frame.numbers)
        runs = [(number, self._style("number", "here") if here else self._style("number"))]
        for column in frame.columns:
            raw = row[column] if column < count else ""
            text = fitted(raw, widths[column], right=kinds[column] in NUMBERS)
            style = plain if raw else empty
            if special and first <= column < end:
                style = self._style("cell" if raw else "empty", "marked")
            if here and column == self.column:
                style = self._style("cursor") if self.has_focus else self._style("marked")
                runs.append((f"▌{text}▐", style))
            else:
                runs.append((f" {text} ", style))
        strip = self._cropped(runs, frame, plain)
        if not special:
            if len(self._strips) > _KEPT:
                self._strips.clear()
            self._strips[source] = strip
        return strip

    def _cropped(self, runs: Sequence[tuple[str, Style]], frame: Frame, ground: Style) -> Strip:
        """The row's number and what the window shows of the columns; neighbours of one style are one segment."""
        columns, starts = frame.columns, self.layout_.starts
        number, its = runs[0]
        if not columns:
            rest = " " * max(0, frame.width - frame.numbers)
            return self._filtered([Segment(number, its), Segment(rest, ground)], frame.width)
        before = frame.x - starts[columns[0]]
        total = starts[columns[-1] + 1] - starts[columns[0]]
        over = total - before - frame.room
        if over > 0 and len(runs) > 2 and runs[-1][0].isascii():
            # Nearly always the last column is cut, and nearly always this way is open.
            text, style = runs[-1]
            runs = [*runs[:-1], (text[: len(text) - over], style)]
            total -= over
        segments: list[Segment] = []
        text, style = "", None
        for words, its_style in runs[1:]:
            if its_style is style:
                text += words
            else:
                if text:
                    segments.append(Segment(text, style))
                text, style = words, its_style
        if text:
            segments.append(Segment(text, style))
        if before or total > frame.room:
            segments = list(Strip(segments, total).crop(before, before + frame.room))
            total = min(total - before, frame.room)
        if total < frame.room:
            segments.append(Segment(" " * (frame.room - total), ground))
        return self._filtered([Segment(number, its), *segments], frame.width)

    def _filtered(self, segments: list[Segment], width: int) -> Strip:
        """A line that passed every filter: no strip is made twice for it."""
        ground = self.background_colors[1]
        for line_filter in self.get_line_filters():
            segments = line_filter.apply(segments, ground)
        return Strip(segments, width)


class Frame(NamedTuple):
    """What all lines of one picture have in common."""

    width: int
    numbers: int
    """Cells of the row numbers."""
    room: int
    """Cells for columns."""
    x: int
    columns: range
    """Those of which something is in sight."""
    top: int
    header: int
    """Lines of it."""
    area: Area | None

"""The window onto the document: width, scroll position, follow, and painting only what differs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from kai_tui.ui.transcript import selecting
from kai_tui.ui.transcript.document import Document, Place
from kai_tui.ui.transcript.items import Item, Surroundings
from kai_tui.ui.transcript.messages import FollowChanged
from kai_tui.ui.transcript.palette import palette_of
from kai_tui.ui.transcript.strips import Line
from kai_tui.ui.transcript.styles import Palette, plain_palette
from kai_tui.ui.transcript.textual_private import (
    extend_selection,
    fills_its_lines,
    filtered,
    place_scrollbar,
    set_virtual_size,
)

if TYPE_CHECKING:
    from kai_tui.ui.transcript.stops import Key, Stop

if TYPE_CHECKING:
    from typing import Any

    from textual.color import Color
    from textual.screen import Screen

CURSOR = "▌"
_CLEAN_KEPT = 400
"""Strips."""
_LEAST_WIDTH = 12
"""Cells; below that nothing is drawn."""


class Canvas(ScrollView):
    """Draws a `Document`. Whoever changes the document calls `_settle` afterwards."""

    def __init__(
        self,
        *,
        id: str | None = None,
        classes: str | None = None,
        assistant_name: str = "Kai",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.auto_links = False
        self._clock = clock
        self._around = Surroundings(None, clock)
        self._palette: Palette | None = None
        self._document = Document(self._around, plain_palette(), assistant_name)
        self._cursor: Stop | None = None
        """What is read; it is brought up to date by `_keep_cursor`."""
        self._read_before: dict[str, Key] = {}
        self._following = True
        self._unseen = 0
        """Lines that came below while the end was not followed."""
        self._told = (True, 0)
        self._shown: list[Strip | None] = []
        """Strips as last painted, by line of the window."""
        self._kept_character: tuple[Item | None, int, int] = (None, 0, 0)
        """What was kept at the top when the width changed last: its item, row, and character."""
        self._clean: dict[int, Strip] = {}
        """By identity: strips in which no filter found anything."""
        self._ground: Color | None = None
        """The colour behind the lines while nothing but they is drawn."""
        self._home: Screen[Any] | None = None
        """The screen it stands on, once it does."""
        self._painting = False
        self._moving = False
        """Whether we scroll ourselves."""

    # -- scrolling ---------------------------------------------------------------------------

    @property
    def _top(self) -> int:
        """The document's row at the top of the window."""
        return round(self.scroll_y)

    def _usable_width(self) -> int:
        width = self.scrollable_content_region.width if self.is_attached else 0
        return width if width >= _LEAST_WIDTH else 0

    def _settle(self, anchor: Place | None) -> None:
        """Measure what is visible, adjust the scroll position, paint what is different.

        What stands at `anchor` keeps its place on the screen unless the end is followed.
        """
        document = self._document
        height = self.size.height
        if not document.width or not height:
            return
        if self._following:
            document.measure_end(height)
            top = document.total - height
        else:
            row = document.row_of(anchor.item) if anchor is not None else None
            # Above it things may have grown since: it is looked for where it is now.
            start = self._top if row is None or anchor is None else row + anchor.line
            top = document.measure_around(start, height, anchor)
        self._resize_virtual()
        self._go(max(0, min(top, document.total - height)))
        self._repaint()
        self._close_far()

    def _close_far(self) -> None:
        """Messages that are far from what is in sight need nothing but their text."""
        if self._selection is None:
            besides = self._cursor.block if self._cursor is not None else None
            self._document.close_far(self._top, self.size.height, besides=besides)

    def _resize_virtual(self) -> None:
        """Tell the scrollbar the height; assigning `virtual_size` would lay out the whole screen."""
        size = Size(self._document.width, self._document.total)
        if size == self.virtual_size:
            return
        set_virtual_size(self, size)

    def _place_scrollbar(self) -> None:
        """Once all is settled: between a new height and a new position its thumb would jump to and fro."""
        # While it follows, a whole cell is fine enough: its thumb only shrinks.
        place_scrollbar(self, self._document.total, self.scroll_y, step=8 if self._following else 1)

    def _go(self, row: int) -> None:
        """Scroll without the corrections that scrolling by the user brings."""
        if row == self.scroll_y:
            return
        self._moving = True
        try:
            self.scroll_target_y = row
            self.scroll_y = row
        finally:
            self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        document = self._document
        height = self.size.height
        if self._moving:
            return
        old, new = round(old_value), round(new_value)
        if old == new or not document.width or not height:
            self._place_scrollbar()
            return
        # Going up, what is measured lies above what was seen: that must not move.
        near = abs(new - old) <= 2 * height
        anchor = document.place(old if near and new < old else new)
        top = document.measure_around(new, height, anchor)
        self._resize_virtual()
        top = max(0, min(top, document.total - height))
        if top != new:
            self.set_reactive(Widget.scroll_y, float(top))
            self.scroll_target_y += top - new
        self._set_following(top + height >= document.total)
        self._repaint()
        self._close_far()
        if self.is_attached:
            extend_selection(self.screen, self)

    def _set_following(self, following: bool) -> None:
        if following != self._following:
            self._following = following
            self._unseen = 0
        self._tell()

    def _tell(self) -> None:
        state = (self._following, self._unseen)
        if state != self._told:
            self._told = state
            self.post_message(FollowChanged(*state))

    def on_resize(self, event: events.Resize) -> None:
        width = self._usable_width()
        document = self._document
        if not width:
            return
        place = None if self._following or not document.width else document.place(self._top)
        self._shown = []
        if width == document.width:
            self._settle(place)
            return
        if place is None:
            document.set_width(width)
        else:
            self._resize_keeping(place, width)
        self._settle(None)

    def _resize_keeping(self, place: Place, width: int) -> None:
        """Change the width so that the character at the top stays at the top."""
        document = self._document
        line = document.rendered(place.item).lines[place.line]
        character = line.pieces[0].start if line.pieces else 0
        item, row, kept = self._kept_character
        if item is place.item and row == line.row and line.pieces and character <= kept < line.pieces[-1].end:
            # The window's edge is dragged: at every step the same character, or the place would creep away.
            character = kept
        self._kept_character = (place.item, line.row, character)
        document.set_width(width)
        document.measure(place.item)
        offset = 0
        for index, candidate in enumerate(document.rendered(place.item).lines):
            if candidate.row < line.row:
                offset = index + 1
            elif candidate.row == line.row and candidate.pieces and candidate.pieces[0].start <= character:
                offset = index
        start = document.row_of(place.item)
        if start is not None:
            self._resize_virtual()
            self._go(start + offset)

    # -- painting ----------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        self._ground = None
        self._clean.clear()
        self._shown = []

    def _current_palette(self) -> Palette:
        if not self.is_attached:
            return plain_palette()
        if self._palette is None:
            # Styles are updated on every change of focus; that must not draw everything again.
            fresh = palette_of(self)
            if not fresh.same_as(self._document.palette):
                self._document.set_palette(fresh)
            self._palette = self._document.palette
        return self._palette

    @property
    def _selection(self) -> Selection | None:
        # Asked several times a frame: `is_attached` and `text_selection` walk up the tree.
        if self._home is None and self.is_attached:
            self._home = self.screen
        return self._home.selections.get(self) if self._home is not None else None

    def _is_gap(self, place: Place) -> bool:
        return place.line == 0 and place.item.unit.block.gap_before(place.item)

    def _row_in(self, place: Place, line: Line) -> int:
        """A line's row in its item; the empty row before the item is row -1."""
        return line.row - (1 if place.item.unit.block.gap_before(place.item) else 0)

    def _decorated(self, place: Place, line: Line, selection: Selection | None) -> Strip:
        """A line with the selection and the cursor on it."""
        strip = line.strip
        item = place.item
        if selection is not None and line.pieces:
            span = selection.get_span(item.base + line.row)
            if span is not None:
                row = self._document.rendered(item).rows[line.row]
                strip = selecting.highlighted(line, row, strip, span, self._current_palette().selection)
        strip = self._with_finds(place, line, strip)
        cursor = self._cursor
        if cursor is not None and self.has_focus and cursor.covers(item, self._row_in(place, line)):
            mark = Segment(CURSOR, self._current_palette().get(("cursor",)))
            strip = Strip.join([Strip([mark], 1), strip.crop(1, strip.cell_length)])
        return self._overlaid(strip, place, line)

    def _overlaid(self, strip: Strip, place: Place, line: Line) -> Strip:
        """A line with what the reader's keys put over it; the parts of the transcript add theirs."""
        return strip

    def _with_finds(self, place: Place, line: Line, strip: Strip) -> Strip:
        """A line with what is looked for marked on it; see `FindableCanvas`."""
        return strip

    def _compose_lines(self, first: int, count: int) -> list[Strip]:
        """The strips of some lines of the window."""
        palette = self._current_palette()
        selection = self._selection
        blank = Strip.blank(self.size.width, palette.ground)
        return [
            blank if found is None else self._decorated(*found, selection)
            for found in self._document.lines(self._top + first, count)
        ]

    def _repaint(self) -> None:
        """Paint the lines that differ from what is shown."""
        height = self.size.height
        # Without the scrollbar, which is drawn for itself.
        width = self._document.width
        if not width or not height:
            return
        self._place_scrollbar()
        if len(self._shown) != height:
            self._shown = [None] * height
            self.refresh()
            return
        shown = self._shown
        start: int | None = None
        for y, strip in enumerate([*self._compose_lines(0, height), None]):
            before = shown[y] if y < height else None
            same = strip is None or strip is before or (before is not None and strip == before)
            if not same and start is None:
                start = y
            elif same and start is not None:
                self.refresh(Region(0, start, width, y - start))
                start = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines in `crop`. Our strips fill their line and live as long as what they show: as long as no
        style asks for more, Textual need not look at them again, and what only moved costs next to nothing."""
        self._painting = True
        try:
            if self._ground is None and fills_its_lines(self):
                self._ground = self.background_colors[1]
            ground = self._ground
            if crop.x or ground is None or not self._document.width:
                return super().render_lines(crop)
            strips = self._compose_lines(crop.y, crop.height)
            self._remember(crop.y, strips)
            return [self._through_filters(strip, ground) for strip in strips]
        finally:
            self._painting = False

    def _through_filters(self, strip: Strip, ground: Color) -> Strip:
        clean = self._clean
        if clean.get(id(strip)) is strip:
            return strip
        found = strip
        for line_filter in self.get_line_filters():
            found = filtered(found, line_filter, ground)
        if found is strip:
            if len(clean) > _CLEAN_KEPT:
                clean.clear()
            clean[id(strip)] = strip
        return found

    def render_line(self, y: int) -> Strip:
        if not self._document.width:
            return Strip.blank(self.size.width)
        if not self._painting:
            return self._with_offsets(y)
        strips = self._compose_lines(y, 1)
        self._remember(y, strips)
        return strips[0]

    def _remember(self, first: int, strips: list[Strip]) -> None:
        """These lines are painted now."""
        height = self.size.height
        if len(self._shown) != height:
            self._shown = [None] * height
        self._shown[first : first + len(strips)] = strips[: max(0, height - first)]

    def _with_offsets(self, y: int) -> Strip:
        """For Textual's mouse handling, which asks for a line outside painting."""
        document = self._document
        width = self.size.width
        wanted = self._top + y
        place = document.place(min(wanted, document.total - 1))
        if place is None:
            return Strip.blank(width)
        rendered = document.rendered(place.item)
        line = rendered.lines[place.line]
        row, number = rendered.rows[line.row], place.item.base + line.row
        if wanted >= document.total:
            return selecting.end_of(row, number, width)
        return selecting.with_offsets(line, row, number, width)

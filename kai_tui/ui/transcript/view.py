"""The transcript: one virtual view of the whole conversation (design.md §8).

Tokens reach the model by plain calls of `apply`; a tick of at most 30 Hz draws what changed, and
never takes more than a fifth of a core. Only lines that differ are painted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message as UiMessage
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from kai_tui.services.changes import MessageAdded, MessageChanged, MessagesReset, PartChanged, SessionChange
from kai_tui.ui.transcript import browse, selecting
from kai_tui.ui.transcript.document import Document, Place
from kai_tui.ui.transcript.items import Block, Surroundings, Unit
from kai_tui.ui.transcript.palette import palette_of
from kai_tui.ui.transcript.renderers.activity import ActivityUnit, WelcomeUnit, activity_text
from kai_tui.ui.transcript.source import TranscriptSource
from kai_tui.ui.transcript.strips import Line
from kai_tui.ui.transcript.styles import COMPONENT_CLASSES, STYLES, Palette, plain_palette
from kai_tui.ui.transcript.textual_private import extend_selection
from kai_tui.ui.transcript.wrap import cells

FRAME = 1 / 30
"""Seconds between two draws at least."""
SHARE = 4
"""A draw that took t seconds is followed by at least SHARE * t seconds without one."""
CLOCK = 0.5
"""Seconds between two looks at what changes with time."""
CURSOR = "▌"


class Transcript(ScrollView, can_focus=True):
    """Shows a chat session. Focused, it is browsed with a cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENT_CLASSES)
    DEFAULT_CSS = f"""
    Transcript {{
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $background;
        color: $text;
        {STYLES}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "Top", show=False),
        Binding("end", "scroll_end", "End", show=False),
        Binding("enter,space", "toggle", "Open or close", show=False),
        Binding("c,y", "copy", "Copy", show=False),
    ]

    class FollowChanged(UiMessage):
        """The end is followed or not; `new_lines` came below since it is not."""

        def __init__(self, following: bool, new_lines: int) -> None:
            super().__init__()
            self.following = following
            self.new_lines = new_lines

    class LinkChosen(UiMessage):
        """The user chose a link. `href` is raw foreign text; nothing was opened."""

        def __init__(self, href: str) -> None:
            super().__init__()
            self.href = href

    class CopyRequested(UiMessage):
        """The user wants the source of what is under the cursor. `text` is raw."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class ToolToggled(UiMessage):
        """A tool card or a thought was opened or closed."""

        def __init__(self, message_id: str, part_index: int) -> None:
            super().__init__()
            self.message_id = message_id
            self.part_index = part_index

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
        self._welcome: list[str] = []
        self._following = True
        self._told = (True, 0)
        self._unseen = 0
        self._cursor: Unit | None = None
        self._shown: list[Strip | None] = []
        """Strips as last painted, by line of the window."""
        self._painting = False
        self._moving = False
        """Whether we scroll ourselves."""
        # What `apply` noted for the next tick.
        self._parts: dict[tuple[str, int], None] = {}
        self._hot: tuple[str, int] = ("", -1)
        self._changed: dict[str, None] = {}
        self._renamed: list[tuple[str, str]] = []
        self._reset = False
        self._awake = False
        self._noted = False
        self._next_draw = 0.0
        self._last_clock = 0.0
        self._ticker: Timer | None = None

    # -- what others call --------------------------------------------------------------------

    def show(self, source: TranscriptSource | None) -> None:
        """Show this session, at its end; None shows nothing but the welcome."""
        self._around = Surroundings(source, self._clock)
        self._document = Document(self._around, self._current_palette(), self._document.name)
        self._document.width = self._text_region_width()
        self._forget_notes()
        self._cursor = None
        self._following = True
        self._unseen = 0
        if self.is_attached and self.screen.selections:
            self.screen.clear_selection()
        self._load()
        self._settle(None)
        self._wake()

    def apply(self, change: SessionChange) -> None:
        """Note a change; the next tick draws it. Costs about a microsecond for a delta."""
        if type(change) is PartChanged:
            hot = self._hot
            if change.part_index != hot[1] or change.message_id != hot[0]:
                self._hot = hot = (change.message_id, change.part_index)
                self._parts[hot] = None
        elif isinstance(change, MessagesReset):
            self._reset = True
        elif isinstance(change, MessageChanged):
            if change.old_id is not None:
                self._renamed.append((change.old_id, change.message_id))
            self._changed[change.message_id] = None
        elif isinstance(change, MessageAdded):
            self._changed[change.message_id] = None
        self._noted = True
        if not self._awake:
            self._wake()

    @property
    def follow(self) -> bool:
        """Whether the end is followed."""
        return self._following

    @follow.setter
    def follow(self, value: bool) -> None:
        if value:
            self.jump_to_end()
        else:
            self._set_following(False)

    def jump_to_end(self) -> None:
        """Show the end and follow it from now on."""
        self._following = True
        self._unseen = 0
        self._settle(None)
        self._tell()

    def set_welcome(self, lines: Sequence[str]) -> None:
        """What an empty chat shows: a heading, then suggested first questions."""
        self._welcome = list(lines)
        if not self._document.message_count:
            self._document.drop_loose()
            self._loose()
            self._settle(None)

    # -- the tick ----------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._ticker = self.set_interval(FRAME, self._tick)
        self._awake = True

    def _wake(self) -> None:
        if self._ticker is not None and not self._awake:
            self._awake = True
            self._ticker.resume()

    def _busy(self) -> bool:
        source = self._around.source
        return source is not None and source.turn.busy

    def _tick(self) -> None:
        now = time.perf_counter()
        if now < self._next_draw:
            return
        timed = self._busy() and now - self._last_clock >= CLOCK
        if not self._noted and not timed:
            if not self._busy() and self._ticker is not None:
                self._awake = False
                self._ticker.pause()
            return
        if timed:
            self._last_clock = now
        self._draw_changes()
        cost = time.perf_counter() - now
        self._next_draw = now + max(FRAME * 0.9, SHARE * cost)

    def _forget_notes(self) -> None:
        self._parts.clear()
        self._hot = ("", -1)
        self._changed.clear()
        self._renamed.clear()
        self._reset = False
        self._noted = False

    def _draw_changes(self) -> None:
        """Bring the document up to date and paint what is different."""
        source = self._around.source
        if source is None:
            self._forget_notes()
            return
        document = self._document
        anchor = None if self._following else document.place(self._top)
        before = document.total
        self._around.counting = self._selection is not None
        if self._reset or len(source.messages) < document.message_count:
            self._load()
            anchor = None
        else:
            self._sync(source)
        self._forget_notes()
        if not self._following:
            self._unseen += max(0, document.total - before)
        self._settle(anchor)
        self._tell()

    def _load(self) -> None:
        source = self._around.source
        self._document.load(source.messages if source is not None else ())
        self._cursor = None
        self._loose()

    def _sync(self, source: TranscriptSource) -> None:
        document = self._document
        for old_id, new_id in self._renamed:
            document.rename(old_id, new_id)
        messages = source.messages
        known = document.message_count
        touched: dict[int, Block] = {}
        if len(messages) > known:
            if known:
                touched[known - 1] = document.blocks[known - 1]
            for message in messages[known:]:
                block = document.append(message)
                touched[block.index] = block
        for message_id in self._changed:
            block = document.block_of(message_id)
            message = source.find(message_id)
            if block is None or message is None:
                continue
            touched[block.index] = block
            if block.message is not message:
                document.replace(block, message)
            elif block.items:
                block.items[0].forget()
        if document.message_count:
            # Whether the turn runs decides what its last message says of its parts.
            last = document.blocks[document.message_count - 1]
            if not self._parts or self._changed:
                touched[last.index] = last
            for unit in last.units:
                if unit.timed():
                    self._parts[(last.message.id if last.message else "", unit.part_index)] = None
        for block in touched.values():
            document.sync(block)
        for message_id, part_index in self._parts:
            block = document.block_of(message_id)
            if block is not None and block.index not in touched:
                document.sync_part(block, part_index)
        self._loose()

    def _loose(self) -> None:
        """The activity line at the end, or the welcome of an empty chat."""
        document = self._document
        loose = document.loose
        text = activity_text(self._around, document.name)
        if loose is not None and text is not None and isinstance(loose.units[0], ActivityUnit):
            loose.units[0].text = text
            document.sync(loose)
            return
        if loose is not None and text is None and not document.message_count:
            return
        document.drop_loose()
        if text is not None:
            document.append_loose(ActivityUnit, text)
        elif not document.message_count and self._welcome:
            document.append_loose(WelcomeUnit, self._welcome)

    # -- scrolling ---------------------------------------------------------------------------

    @property
    def _top(self) -> int:
        return round(self.scroll_y)

    def _text_region_width(self) -> int:
        width = self.scrollable_content_region.width if self.is_attached else 0
        return width if width >= 8 else 0

    def _settle(self, anchor: Place | None) -> None:
        """Measure what is visible, adjust the scroll position, paint what is different."""
        document = self._document
        height = self.size.height
        if not document.width or not height:
            return
        if self._following:
            document.measure_end(height)
            top = max(0, document.total - height)
        else:
            top = document.measure_around(self._top, height, anchor)
        self._resize_virtual()
        self._go(min(top, max(0, document.total - height)))
        self._repaint()

    def _resize_virtual(self) -> None:
        """Tell the scrollbar the height; assigning `virtual_size` would lay out the whole screen."""
        size = Size(self._document.width, self._document.total)
        if size == self.virtual_size:
            return
        self.set_reactive(Widget.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.refresh()

    def _go(self, row: int) -> None:
        if row == self.scroll_y:
            return
        self._moving = True
        try:
            self.scroll_target_y = row
            self.scroll_y = row
        finally:
            self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        document = self._document
        height = self.size.height
        if self._moving or not document.width or not height:
            return
        old, new = round(old_value), round(new_value)
        if old == new:
            return
        # Going up, what is measured lies above what was seen: that must not move.
        near = abs(new - old) <= 2 * height
        anchor = document.place(old if near and new < old else new)
        top = document.measure_around(new, height, anchor)
        self._resize_virtual()
        top = min(top, max(0, document.total - height))
        if top != new:
            self.set_reactive(Widget.scroll_y, float(top))
            self.scroll_target_y += top - new
        self._set_following(top + height >= document.total)
        self._repaint()
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
            self.post_message(self.FollowChanged(*state))

    def on_resize(self, event: events.Resize) -> None:
        width = self._text_region_width()
        document = self._document
        if not width:
            return
        if width == document.width:
            self._settle(None if self._following else document.place(self._top))
            return
        place = None if self._following or not document.width else document.place(self._top)
        if place is None:
            document.set_width(width)
        else:
            self._resize_keeping(place, width)
        self._shown = []
        self._settle(None)
        self.refresh()

    def _resize_keeping(self, place: Place, width: int) -> None:
        """Change the width so that the character at the top stays at the top."""
        document = self._document
        line = document.rendered(place.item).lines[place.line]
        character = line.pieces[0].start if line.pieces else 0
        document.set_width(width)
        document.measure(place.item)
        offset = 0
        for index, candidate in enumerate(document.rendered(place.item).lines):
            start = candidate.pieces[0].start if candidate.pieces else 0
            if (candidate.row, start) <= (line.row, character):
                offset = index
        row = document.row_of(place.item)
        if row is not None:
            self._resize_virtual()
            self._go(row + offset)

    # -- painting ----------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        self._shown = []

    def _current_palette(self) -> Palette:
        if not self.is_attached:
            return plain_palette()
        if self._palette is None:
            self._palette = palette_of(self)
            if self._palette != self._document.palette:
                self._document.set_palette(self._palette)
        return self._palette

    @property
    def _selection(self) -> Selection | None:
        return self.text_selection if self.is_attached else None

    def _decorated(self, place: Place, line: Line, selection: Selection | None) -> Strip:
        """A line with the selection and the cursor on it."""
        strip = line.strip
        item = place.item
        if selection is not None and line.pieces:
            span = selection.get_span(item.base + line.row)
            if span is not None:
                row = self._document.rendered(item).rows[line.row]
                strip = selecting.highlighted(line, row, strip, span, self._current_palette().selection)
        if item.unit is self._cursor and self.has_focus and not self._is_gap(place):
            mark = Segment(CURSOR, self._current_palette().get(("cursor",)))
            strip = Strip.join([Strip([mark], 1), strip.crop(1, strip.cell_length)])
        return strip

    def _is_gap(self, place: Place) -> bool:
        return place.line == 0 and place.item.unit.block.gap_before(place.item)

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
        width, height = self.size
        if not self._document.width or not height:
            return
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
        self._painting = True
        try:
            return super().render_lines(crop)
        finally:
            self._painting = False

    def render_line(self, y: int) -> Strip:
        document = self._document
        width = self.size.width
        if not document.width:
            return Strip.blank(width)
        if not self._painting:
            return self._with_offsets(y)
        strip = self._compose_lines(y, 1)[0]
        if len(self._shown) != self.size.height:
            self._shown = [None] * self.size.height
        if y < len(self._shown):
            self._shown[y] = strip
        return strip

    # -- the mouse and the selection ---------------------------------------------------------

    def _with_offsets(self, y: int) -> Strip:
        """For Textual's mouse handling, which asks for a line outside painting."""
        document = self._document
        place = document.place(min(self._top + y, document.total - 1))
        if place is None:
            return Strip.blank(self.size.width)
        rendered = document.rendered(place.item)
        line = rendered.lines[place.line]
        row = rendered.rows[line.row] if line.row < len(rendered.rows) else selecting.RowText("")
        return selecting.with_offsets(line, row, place.item.base + line.row, self.size.width)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else selecting.LAST_ROW
        text = selecting.selected_text(self._document.rows_between(first, last), selection)
        return text, "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._repaint()

    def on_click(self, event: events.Click) -> None:
        # Textual's own handler would select the whole transcript on a double click.
        event.prevent_default()
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = self._top + offset.y
        place = self._document.place(row) if row < self._document.total else None
        if place is None:
            return
        event.stop()
        rendered = self._document.rendered(place.item)
        line = rendered.lines[place.line]
        if line.row >= len(rendered.rows):
            return
        text = rendered.rows[line.row]
        number = place.item.base + line.row
        character = selecting.character_at(line, text, offset.x)
        if event.chain >= 2:
            chosen = None
            if event.chain >= 3:
                chosen = selecting.row_at(text, number)
            elif character is not None:
                chosen = selecting.word_at(text, character, number)
            self.screen.selections = {self: chosen} if chosen is not None else {}
            return
        if self._selection is not None:
            return
        href = text.link_at(character) if character is not None else None
        self._cursor = place.item.unit if place.item.unit.reachable else self._cursor
        if href is not None:
            self.post_message(self.LinkChosen(href))
        elif place.item is place.item.unit.items[0] and not self._is_gap(place):
            self._toggle(place.item.unit)
        self._repaint()

    # -- browsing ----------------------------------------------------------------------------

    def on_focus(self) -> None:
        if self._cursor is None or not self._visible(self._cursor):
            height = self.size.height
            self._cursor = (
                browse.last_stop(self._document)
                if self._following
                else browse.stop_at(self._document, self._top, self._top + height)
            )
        self._repaint()

    def on_blur(self) -> None:
        self._repaint()

    def _visible(self, unit: Unit) -> bool:
        span = browse.span_of(self._document, unit)
        return span is not None and span[0] < self._top + self.size.height and span[1] > self._top

    def _scroll_lines(self, lines: int) -> None:
        self.scroll_to(y=self._top + lines, animate=False)

    def _move(self, direction: int) -> None:
        """The cursor one unit on; through a unit taller than the window line by line."""
        document, height, top = self._document, self.size.height, self._top
        cursor = self._cursor
        span = browse.span_of(document, cursor) if cursor is not None else None
        if cursor is None or span is None or span[1] <= top or span[0] >= top + height:
            self._cursor = browse.stop_at(document, top, top + height) or browse.last_stop(document)
            self._repaint()
            return
        if direction > 0 and span[1] > top + height:
            self._scroll_lines(min(span[1] - top - height, max(1, height // 3)))
            return
        if direction < 0 and span[0] < top:
            self._scroll_lines(-min(top - span[0], max(1, height // 3)))
            return
        unit = next(browse.from_here(document, cursor, direction), None)
        if unit is None:
            self._scroll_lines(direction)
            return
        self._cursor = unit
        self._reveal(unit, direction)
        self._repaint()

    def _reveal(self, unit: Unit, direction: int) -> None:
        """Scroll as little as it takes to see a unit, or its near end when it is taller."""
        span = browse.span_of(self._document, unit)
        if span is None:
            return
        self._resize_virtual()
        top, height = self._top, self.size.height
        if direction > 0:
            if span[1] > top + height:
                self._scroll_lines(min(span[1] - top - height, max(1, span[0] - top)))
        elif span[0] < top:
            self._scroll_lines(-min(top - span[0], max(1, top + height - span[1])))

    def action_cursor_up(self) -> None:
        """The cursor to what stands above."""
        self._move(-1)

    def action_cursor_down(self) -> None:
        """The cursor to what stands below."""
        self._move(1)

    def _page(self, direction: int) -> None:
        height = self.size.height
        self._scroll_lines(direction * max(1, height - 2))
        top = self._top
        self._cursor = browse.stop_at(self._document, top, top + height) or self._cursor
        self._repaint()

    def action_page_up(self) -> None:
        self._page(-1)

    def action_page_down(self) -> None:
        self._page(1)

    def action_scroll_home(self) -> None:
        self.scroll_to(y=0, animate=False)
        self._cursor = browse.stop_at(self._document, 0, self.size.height)
        self._repaint()

    def action_scroll_end(self) -> None:
        self.jump_to_end()
        self._cursor = browse.last_stop(self._document)
        self._repaint()

    def _toggle(self, unit: Unit) -> None:
        if not unit.toggle():
            return
        document = self._document
        place = document.place(self._top)
        at_end = self._following
        document.sync(unit.block)
        if at_end:
            # What was opened stays in sight; the end is followed again when it is in sight.
            self._following = False
            self._settle(place)
            self._set_following(self._top + self.size.height >= document.total)
        else:
            self._settle(place)
            self._set_following(self._top + self.size.height >= document.total)
        message = unit.block.message
        self.post_message(self.ToolToggled(message.id if message is not None else "", unit.part_index))

    def action_toggle(self) -> None:
        """Open or close the tool card or thought under the cursor."""
        if self._cursor is not None:
            self._toggle(self._cursor)

    def action_copy(self) -> None:
        """Ask for the source of what is under the cursor to be copied."""
        if self._cursor is not None and (text := self._cursor.source()):
            self.post_message(self.CopyRequested(text))


__all__ = ["Transcript", "TranscriptSource"]
_ = cells, Offset

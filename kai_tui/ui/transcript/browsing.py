"""Mouse, selection and the cursor of the transcript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Offset
from textual.selection import Selection

from kai_tui.ui.transcript import selecting
from kai_tui.ui.transcript.canvas import Canvas
from kai_tui.ui.transcript.document import Place
from kai_tui.ui.transcript.items import Block, Unit
from kai_tui.ui.transcript.messages import ChoicePicked, CopyRequested, LinkChosen, ToolToggled

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message, ToolPart


class BrowsableCanvas(Canvas):
    """A canvas one can click in, select from, and walk through."""

    # -- selection ---------------------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else selecting.LAST_ROW
        return selecting.selected_text(self._document.rows_between(first, last), selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._repaint()

    def on_click(self, event: events.Click) -> None:
        # Textual's own handler would select the whole transcript on a double click.
        event.prevent_default()
        offset = event.get_content_offset(self)
        row = self._top + offset.y if offset is not None else -1
        place = self._document.place(row)
        if place is None or offset is None:
            return
        event.stop()
        if event.chain >= 2:
            self._select_at(place, offset, whole_row=event.chain >= 3)
        elif self._selection is None:
            self._choose_at(place, offset)

    def _character(self, place: Place, offset: Offset) -> tuple[selecting.RowText, int, int | None]:
        """The row under the pointer, its number, and the character if there is one."""
        rendered = self._document.rendered(place.item)
        line = rendered.lines[place.line]
        text = rendered.rows[line.row]
        return text, place.item.base + line.row, selecting.character_at(line, text, offset.x)

    def _select_at(self, place: Place, offset: Offset, *, whole_row: bool) -> None:
        text, number, character = self._character(place, offset)
        chosen = selecting.row_at(text, number) if whole_row else None
        if chosen is None and character is not None:
            chosen = selecting.word_at(text, character, number)
        self.screen.selections = {self: chosen} if chosen is not None else {}

    def _choose_at(self, place: Place, offset: Offset) -> None:
        text, _, character = self._character(place, offset)
        unit = place.item.unit
        if unit.reachable:
            self._cursor = unit
        href = text.link_at(character) if character is not None else None
        if href is not None:
            self.post_message(LinkChosen(href))
        elif place.item is unit.items[0] and not self._is_gap(place):
            self._toggle(unit)
        self._repaint()

    @property
    def call_under_cursor(self) -> ToolPart | None:
        """The tool call the reading cursor is on; None on anything else and while nothing is read."""
        from kai_tui.conversation.messages import ToolPart

        shows = self._cursor.shows if self._cursor is not None and self.has_focus else None
        return shows if isinstance(shows, ToolPart) else None

    @property
    def message_under_cursor(self) -> Message | None:
        """The message the reading cursor is on; None while the conversation is not being read."""
        return self._cursor.block.message if self._cursor is not None and self.has_focus else None

    def links_here(self) -> list[tuple[str, str]]:
        """Text and address (raw) of each link under the reading cursor; while nothing is read: those of the
        newest thing in sight that has any."""
        if self.has_focus:
            return self._links_of(self._cursor)
        seen: dict[Unit, None] = {}
        for found in self._document.lines(self._top, self.size.height):
            if found is not None:
                seen[found[0].item.unit] = None
        for unit in reversed(seen):
            if links := self._links_of(unit):
                return links
        return []

    def _links_of(self, unit: Unit | None) -> list[tuple[str, str]]:
        found: dict[str, str] = {}
        for item in unit.items if unit is not None else ():
            for row in self._document.texts_of(item):
                for start, end, href in row.links:
                    found.setdefault(href, row.text[start:end])
        return [(title, href) for href, title in found.items()]

    # -- the cursor --------------------------------------------------------------------------

    def on_focus(self) -> None:
        if self._cursor is not None and self._cursor.choice() is not None:
            # Where it was left; Enter right after coming back must send nothing.
            self._cursor = None
        self._keep_cursor(visible=True)
        self._repaint()

    def on_blur(self) -> None:
        self._repaint()

    def _keep_cursor(self, *, visible: bool = False) -> None:
        """Make sure the cursor stands on something that is there (and in sight)."""
        span = self._span(self._cursor)
        if span is None or (visible and not self._in_sight(span)):
            self._cursor = self._last_stop() if self._following else self._first_in_sight()

    def _in_sight(self, span: tuple[int, int]) -> bool:
        return span[0] < self._top + self.size.height and span[1] > self._top

    def _stops(self, block: Block) -> list[Unit]:
        self._document.expand(block)
        return [unit for unit in block.units if unit.items and unit.reachable]

    def _last_stop(self) -> Unit | None:
        for block in reversed(self._document.blocks):
            # Not a choice: Enter right after coming here must send nothing.
            if stops := [unit for unit in self._stops(block) if unit.choice() is None]:
                return stops[-1]
        return None

    def _first_in_sight(self) -> Unit | None:
        row = self._top
        end = row + self.size.height
        while row < end:
            place = self._document.place(row)
            if place is None:
                return None
            unit = place.item.unit
            if unit.reachable and unit.choice() is None and not self._is_gap(place):
                return unit
            row += 1
        return None

    def _neighbours(self, unit: Unit, direction: int) -> Iterator[Unit]:
        """The units after (1) or before (-1) `unit` on which the cursor may stand."""
        blocks = self._document.blocks
        start = unit.block.index
        stops = self._stops(unit.block)
        at = stops.index(unit) if unit in stops else -1
        yield from stops[at + 1 :] if direction > 0 else reversed(stops[: max(0, at)])
        for index in range(start + 1, len(blocks)) if direction > 0 else range(start - 1, -1, -1):
            found = self._stops(blocks[index])
            yield from found if direction > 0 else reversed(found)

    def _span(self, unit: Unit | None) -> tuple[int, int] | None:
        """First row and the row after the last of a unit; None when it is gone."""
        if unit is None or not unit.items:
            return None
        document = self._document
        first, last = unit.items[0], unit.items[-1]
        if document.row_of(first) is None or document.row_of(last) is None:
            return None
        document.measure(first)
        document.measure(last)
        start, end = document.row_of(first), document.row_of(last)
        assert start is not None
        assert end is not None
        return start + (1 if unit.block.gap_before(first) else 0), end + last.height

    def _scroll_lines(self, lines: int) -> None:
        self.scroll_to(y=self._top + lines, animate=False)

    def _move(self, direction: int) -> None:
        """The cursor one unit on; through a unit taller than the window in steps."""
        height, top = self.size.height, self._top
        cursor = self._cursor
        span = self._span(cursor)
        if cursor is None or span is None or not self._in_sight(span):
            self._cursor = self._first_in_sight() or self._last_stop()
            self._repaint()
            return
        step = max(1, height // 3)
        if direction > 0 and span[1] > top + height:
            self._scroll_lines(min(span[1] - top - height, step))
            return
        if direction < 0 and span[0] < top:
            self._scroll_lines(-min(top - span[0], step))
            return
        unit = next(self._neighbours(cursor, direction), None)
        if unit is None:
            self._scroll_lines(direction)
            return
        self._cursor = unit
        self._reveal(unit, direction)
        self._repaint()

    def _reveal(self, unit: Unit, direction: int) -> None:
        """Scroll as little as it takes to see a unit, or its near end when it is taller."""
        span = self._span(unit)
        if span is None:
            return
        self._resize_virtual()
        top, height = self._top, self.size.height
        if direction > 0 and span[1] > top + height:
            self._scroll_lines(min(span[1] - top - height, max(1, span[0] - top)))
        elif direction < 0 and span[0] < top:
            self._scroll_lines(-min(top - span[0], max(1, top + height - span[1])))

    def _page(self, direction: int) -> None:
        self._scroll_lines(direction * max(1, self.size.height - 2))
        self._cursor = self._first_in_sight() or self._cursor
        self._repaint()

    def jump_to_end(self) -> None:
        """Show the end and follow it from now on."""
        self._following = True
        self._unseen = 0
        self._settle(None)
        self._tell()

    # -- actions -----------------------------------------------------------------------------

    def action_cursor_up(self) -> None:
        """The cursor to what stands above."""
        self._move(-1)

    def action_cursor_down(self) -> None:
        """The cursor to what stands below."""
        self._move(1)

    def action_page_up(self) -> None:
        """A page up."""
        self._page(-1)

    def action_page_down(self) -> None:
        """A page down."""
        self._page(1)

    def action_scroll_home(self) -> None:
        """To the beginning."""
        self.scroll_to(y=0, animate=False)
        self._cursor = self._first_in_sight()
        self._repaint()

    def action_scroll_end(self) -> None:
        """To the end, which is followed from then on."""
        self.jump_to_end()
        self._cursor = self._last_stop()
        self._repaint()

    def action_toggle_item(self) -> None:
        """Open or close the tool card or thought under the cursor; pick the choice."""
        if self._cursor is not None:
            self._toggle(self._cursor)

    def _toggle(self, unit: Unit) -> None:
        choice = unit.choice()
        if choice is not None:
            live = choice in self._around.live_choices(unit.block.message)
            self.post_message(ChoicePicked(choice, live=live))
            return
        if not unit.toggle():
            return
        document = self._document
        place = document.place(self._top)
        document.sync(unit.block)
        # What was opened stays in sight; the end is followed again only when it is in sight too.
        self._following = False
        self._settle(place)
        self._set_following(self._top + self.size.height >= document.total)
        message = unit.block.message
        self.post_message(ToolToggled(message.id if message is not None else "", unit.part_index))

    def action_copy(self) -> None:
        """Ask for the source of what is under the cursor to be copied."""
        if self._cursor is not None and (text := self._cursor.source()):
            self.post_message(CopyRequested(text))

"""The reading cursor: from block to block, card to card, message to message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kai_tui.ui.transcript.canvas_part import CanvasPart
from kai_tui.ui.transcript.items import Block, Unit
from kai_tui.ui.transcript.messages import ChoicePicked, CursorMoved, ToolToggled

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message, ToolPart
    from kai_tui.ui.transcript.document import Place
    from kai_tui.ui.transcript.stops import Key, Stop


class Walking(CanvasPart):
    """A canvas one can walk through with a cursor."""

    _left_at: Key | None = None
    """Where the cursor was when everything was loaded anew."""

    @property
    def stop(self) -> Stop | None:
        """What the reading cursor is on; None while the conversation is not being read."""
        return self._cursor if self.has_focus else None

    def stops_in_sight(self) -> Iterator[Stop]:
        """What could have the cursor in the window, the newest first."""
        from kai_tui.ui.transcript import stops

        last: Stop | None = None
        for found in reversed(list(self._document.lines(self._top, self.size.height))):
            if found is None:
                continue
            place, line = found
            stop = stops.at_row(place.item, self._row_in(place, line)) if place.item.unit.reachable else None
            if stop is not None and not stop.same(last):
                last = stop
                yield stop

    @property
    def call_under_cursor(self) -> ToolPart | None:
        """The tool call the reading cursor is on; None on anything else and while nothing is read."""
        from kai_tui.conversation.messages import ToolPart

        shows = self._cursor.unit.shows if self._cursor is not None and self.has_focus else None
        return shows if isinstance(shows, ToolPart) else None

    @property
    def message_under_cursor(self) -> Message | None:
        """The message the reading cursor is on; None while the conversation is not being read."""
        return self._cursor.block.message if self._cursor is not None and self.has_focus else None

    def on_focus(self) -> None:
        if self._cursor is not None and self._cursor.unit.choice() is not None:
            # Where it was left; Enter right after coming back must send nothing.
            self._cursor = None
        self._keep_cursor(visible=True)
        self._repaint()
        self.post_message(CursorMoved())

    def on_blur(self) -> None:
        self._repaint()
        self.post_message(CursorMoved())

    def _stand(self, stop: Stop | None) -> None:
        """Put the cursor somewhere else."""
        before, self._cursor = self._cursor, stop
        if self.has_focus and (
            before is None or stop is None or before.key != stop.key or before.kind != stop.kind
        ):
            self.post_message(CursorMoved())

    def _keep_cursor(self, *, visible: bool = False) -> None:
        """Bring the cursor up to date; it stands on something that is there (and in sight)."""
        before, self._cursor = self._cursor, self._as_it_is_now()
        span = self._span(self._cursor)
        if span is None or (visible and not self._in_sight(span)):
            self._cursor = self._last_stop() if self._following else self._first_in_sight()
        now = self._cursor
        if now is not before and (
            now is None or not now.same(before) or before is None or now.kind != before.kind
        ):
            self.post_message(CursorMoved())

    def _as_it_is_now(self) -> Stop | None:
        from kai_tui.ui.transcript import stops

        cursor, key = self._cursor, self._left_at
        self._left_at = None
        if cursor is not None:
            found = stops.again(cursor)
            if found is not None:
                return found
            key = cursor.key
        if key is None:
            return None
        block = self._document.block_of(key.message_id)
        if block is None:
            return None
        self._document.expand(block)
        unit = next((unit for unit in block.units if unit.number == key.number and unit.items), None)
        return stops.find(unit, key.start) if unit is not None and unit.reachable else None

    def _in_sight(self, span: tuple[int, int]) -> bool:
        return span[0] < self._top + self.size.height and span[1] > self._top

    def _units(self, block: Block) -> list[Unit]:
        """The units of a message on which the cursor may stand."""
        self._document.expand(block)
        return [unit for unit in block.units if unit.items and unit.reachable]

    def _last_stop(self) -> Stop | None:
        from kai_tui.ui.transcript import stops

        for block in reversed(self._document.blocks):
            for unit in reversed(self._units(block)):
                # Not a choice: Enter right after coming here must send nothing.
                if unit.choice() is None and (found := stops.last_of(unit)) is not None:
                    return found
        return None

    def _first_in_sight(self) -> Stop | None:
        from kai_tui.ui.transcript import stops

        row = self._top
        for found in self._document.lines(row, self.size.height):
            if found is None:
                return None
            place, line = found
            unit = place.item.unit
            if unit.reachable and unit.choice() is None:
                stop = stops.at_row(place.item, self._row_in(place, line))
                if stop is not None:
                    return stop
        return None

    def _neighbours(self, stop: Stop, direction: int) -> Iterator[Stop]:
        """The stops after (1) or before (-1) another."""
        from kai_tui.ui.transcript import stops

        within = stops.after if direction > 0 else stops.before
        enter = stops.first_of if direction > 0 else stops.last_of
        one = within(stop)
        while one is not None:
            yield one
            one = within(one)
        for unit in self._units_from(stop.unit, direction):
            one = enter(unit)
            while one is not None:
                yield one
                one = within(one)

    def _units_from(self, unit: Unit, direction: int) -> Iterator[Unit]:
        """The units after (1) or before (-1) another."""
        blocks = self._document.blocks
        start = unit.block.index
        units = self._units(unit.block)
        at = units.index(unit) if unit in units else -1
        yield from units[at + 1 :] if direction > 0 else reversed(units[: max(0, at)])
        for index in range(start + 1, len(blocks)) if direction > 0 else range(start - 1, -1, -1):
            found = self._units(blocks[index])
            yield from found if direction > 0 else reversed(found)

    def _span(self, stop: Stop | None) -> tuple[int, int] | None:
        """First row and the row after the last of a stop; None when it is gone."""
        if stop is None or stop.last.item >= len(stop.unit.items):
            return None
        document = self._document
        first, last = stop.unit.items[stop.first.item], stop.unit.items[stop.last.item]
        if document.row_of(first) is None or document.row_of(last) is None:
            return None
        if not first.exact or not last.exact:
            anchor = document.place(self._top)
            document.measure(first)
            document.measure(last)
            self._hold(anchor)
        start, end = document.row_of(first), document.row_of(last)
        assert start is not None
        assert end is not None
        gap = 1 if stop.block.gap_before(first) else 0
        above = next(
            (n for n, line in enumerate(document.rendered(first).lines) if line.row >= stop.top + gap), gap
        )
        gap = 1 if stop.block.gap_before(last) else 0
        lines = document.rendered(last).lines
        below = next((n for n, line in enumerate(lines) if line.row >= stop.bottom + gap), len(lines))
        return start + above, end + below

    def _hold(self, anchor: Place | None) -> None:
        """What stood at the top stays there, though something above it has another height now."""
        row = self._document.row_of(anchor.item) if anchor is not None else None
        if anchor is not None and row is not None:
            self._resize_virtual()
            self._go(row + anchor.line)

    def _scroll_lines(self, lines: int) -> None:
        self.scroll_to(y=self._top + lines, animate=False)

    def _move(self, direction: int) -> None:
        """The cursor one block on; through a block taller than the window in steps."""
        height, top = self.size.height, self._top
        cursor = self._cursor
        span = self._span(cursor)
        if cursor is None or span is None or not self._in_sight(span):
            found = self._first_in_sight() or self._last_stop()
            self._stand(found)
            if found is not None:
                self._stay(found)
            self._repaint()
            return
        step = max(1, height // 3)
        if direction > 0 and span[1] > top + height:
            self._scroll_lines(min(span[1] - top - height + 1, step))
            return
        if direction < 0 and span[0] < top:
            self._scroll_lines(-min(top - span[0], step))
            return
        stop = next(self._neighbours(cursor, direction), None)
        if stop is None:
            self._scroll_lines(direction)
            return
        self._stand_on(stop, direction)

    def _stand_on(self, stop: Stop, direction: int) -> None:
        self._stand(stop)
        self._reveal(stop, direction)
        self._stay(stop)
        self._repaint()

    def _stay(self, stop: Stop) -> None:
        """While a reply streams, what one went to must not run away; at the newest block the end is followed again."""
        source = self._around.source
        if source is None or not source.turn.busy:
            return
        at_end = self._top + self.size.height >= self._document.total
        self._set_following(at_end and stop.same(self._last_stop()))

    def _reveal(self, stop: Stop, direction: int) -> None:
        """Scroll as little as it takes to see a block, or its near end when it is taller."""
        span = self._span(stop)
        if span is None:
            return
        self._resize_virtual()
        top, height = self._top, self.size.height
        # Something of what was in sight stays in sight, to hold on to.
        most = max(1, height - 2)
        # The way to the end lies over the last line while the end is out of sight.
        bottom = top + height - 1
        if direction > 0 and span[1] > bottom:
            self._scroll_lines(min(span[1] - bottom, max(1, span[0] - top), most))
        elif direction < 0 and span[0] < top:
            self._scroll_lines(-min(top - span[0], max(1, top + height - span[1]), most))

    def _page(self, direction: int) -> None:
        before = self._top
        self._scroll_lines(direction * max(1, self.size.height - 2))
        if direction > 0 and self._top == before:
            self._stand(self._last_stop() or self._cursor)
        else:
            self._stand(self._first_in_sight() or self._cursor)
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
        self._stand(self._first_in_sight())
        self._repaint()

    def action_scroll_end(self) -> None:
        """To the end, which is followed from then on."""
        self.jump_to_end()
        self._stand(self._last_stop())
        self._repaint()

    def action_toggle_item(self) -> None:
        """Open or close the tool card or thought under the cursor; pick the choice."""
        if self._cursor is not None:
            self._toggle(self._cursor.unit)

    def _toggle(self, unit: Unit) -> None:
        choice = unit.choice()
        if choice is not None:
            live = choice in self._around.live_choices(unit.block.message)
            self.post_message(ChoicePicked(choice, live=live))
            return
        if not unit.toggle():
            return
        unit.block.touched = True
        document = self._document
        place = document.place(self._top)
        document.sync(unit.block)
        # What was opened stays in sight; the end is followed again only when it is in sight too.
        self._following = False
        self._settle(place)
        self._set_following(self._top + self.size.height >= document.total)
        self._keep_cursor()
        self._repaint()
        message = unit.block.message
        self.post_message(ToolToggled(message.id if message is not None else "", unit.part_index))

    def action_next_message(self) -> None:
        """The cursor to the message below."""
        stop = self._cursor
        if stop is not None:
            self._to_message(stop.block.index + 1, 1)

    def action_previous_message(self) -> None:
        """The cursor to the beginning of its message, from there to the message above."""
        from kai_tui.ui.transcript import stops

        stop = self._cursor
        if stop is None:
            return
        units = self._units(stop.block)
        first = stops.first_of(units[0]) if units else None
        if first is not None and not first.same(stop):
            self._show_top(first)
        else:
            self._to_message(stop.block.index - 1, -1)

    def _to_message(self, index: int, direction: int) -> None:
        from kai_tui.ui.transcript import stops

        blocks = self._document.blocks
        while 0 <= index < len(blocks):
            units = self._units(blocks[index])
            first = stops.first_of(units[0]) if units else None
            if first is not None:
                self._show_top(first)
                return
            index += direction

    def _show_top(self, stop: Stop) -> None:
        """The cursor on a block, and what comes after it in sight too: its first line near the top."""
        self._stand(stop)
        span = self._span(stop)
        if span is not None:
            top, height = self._top, self.size.height
            if span[0] < top or span[0] >= top + height // 2:
                self._scroll_lines(span[0] - top - 1 if span[0] else -top)
        self._stay(stop)
        self._repaint()

"""What can be done with the block under the cursor: copy, save, lay out, see as a table, see as it was written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kai_tui.ui.transcript.document import Place
from kai_tui.ui.transcript.linking import Linking
from kai_tui.ui.transcript.messages import CopyRequested, CursorMoved, Remarked, SaveRequested, TableChosen
from kai_tui.ui.transcript.strips import Line
from kai_tui.ui.transcript.wrap import cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from kai_tui.conversation.tables.data_table import DataTable
    from kai_tui.ui.transcript.stops import Key, Stop

PROSE = frozenset({"paragraph", "heading", "list", "quote", "table", "thought", "raw"})
"""Kinds of stops whose source is markdown."""
_AT_ONCE = 3_000
"""Characters of SQL that are laid out without a thread: some 50 ms."""


class Acting(Linking):
    """A canvas whose blocks can be copied, saved and seen in other ways."""

    _read_before: dict[str, Key]
    """Where the cursor was in messages that are shown as they were written, by message."""

    # -- what it is --------------------------------------------------------------------------

    @property
    def source_under_cursor(self) -> str:
        """The source of what the reading cursor is on, raw; empty while nothing is read."""
        return self._cursor.source() if self._cursor is not None and self.has_focus else ""

    @property
    def prose_under_cursor(self) -> bool:
        """Whether that is markdown."""
        return self._cursor is not None and self._cursor.kind in PROSE

    @property
    def what_under_cursor(self) -> str:
        """What that is, in words: `the table`."""
        from kai_tui.ui.transcript.naming import what_is_copied

        return what_is_copied(self._cursor) if self._cursor is not None else "the block"

    # -- copy and save -----------------------------------------------------------------------

    def action_copy(self) -> None:
        """Ask for the source of what is under the cursor to be copied."""
        self._with_source(self._ask_to_copy)

    def _ask_to_copy(self, stop: Stop, text: str) -> None:
        from kai_tui.ui.transcript.naming import what_is_copied

        self.post_message(CopyRequested(text, what_is_copied(stop)))

    def action_save_block(self) -> None:
        """Ask for a file name for what is under the cursor."""
        stop = self._cursor
        if stop is not None and (
            stop.kind == "table" or (stop.kind in ("card", "more") and stop.unit.has_rows)
        ):
            self.run_worker(self._save_table(stop), group="source", exclusive=True, exit_on_error=False)
        else:
            self._with_source(self._ask_to_save)

    async def _save_table(self, stop: Stop) -> None:
        from kai_tui.conversation.tables.reading import table_of_markdown

        def read() -> DataTable | None:
            return stop.unit.table() or table_of_markdown(stop.source())

        table = await asyncio.to_thread(read)
        if table is not None:
            self.post_message(SaveRequested("", "", table))

    def _ask_to_save(self, stop: Stop, text: str) -> None:
        from kai_tui.ui.transcript.naming import suggested_name

        self.post_message(SaveRequested(text, suggested_name(stop, text)))

    def _with_source(self, then: Callable[[Stop, str], None]) -> None:
        """Do something with the source under the cursor, when there is any."""
        stop = self._cursor
        if stop is None:
            return
        if stop.kind == "table" and not stop.is_prose:
            # A tool's answer may have 100,000 rows.
            self.run_worker(self._read_and(stop, then), group="source", exclusive=True, exit_on_error=False)
        elif text := stop.source():
            then(stop, text)

    async def _read_and(self, stop: Stop, then: Callable[[Stop, str], None]) -> None:
        then(stop, await asyncio.to_thread(stop.source))

    def action_toggle_item(self) -> None:
        """Show a table in the viewer; else follow a link, open or close."""
        stop = self._cursor
        if stop is not None and stop.kind == "table" and self._link is None:
            self.post_message(TableChosen())
            return
        super().action_toggle_item()

    # -- SQL laid out ------------------------------------------------------------------------

    def action_lay_out(self) -> None:
        """Draw the SQL under the cursor laid out anew; again: as the model wrote it."""
        from kai_tui.conversation.sql_layout import is_sql
        from kai_tui.ui.transcript import laid_out

        stop = self._cursor
        if stop is None:
            return
        if stop.kind == "code" and laid_out.text_of(stop) is not None:
            self._draw_laid(stop, None)
            return
        code = stop.source()
        if stop.kind != "code" or not is_sql(code, stop.language):
            self.post_message(Remarked("Only SQL is laid out. Move to a block of SQL, then press p."))
        elif self._is_growing(stop):
            self.post_message(Remarked("This block is still being written. Press p when it is complete."))
        elif len(code) <= _AT_ONCE:
            from kai_tui.conversation.sql_layout import NotLaidOut
            from kai_tui.conversation.sql_layout import laid_out as made

            try:
                self._show_laid(stop, code, made(code))
            except NotLaidOut as why:
                self.post_message(Remarked(str(why)))
        else:
            self.run_worker(self._lay_out(stop, code), group="lay-out", exclusive=True, exit_on_error=False)

    async def _lay_out(self, stop: Stop, code: str) -> None:
        from kai_tui.conversation.sql_layout import NotLaidOut, laid_out
        from kai_tui.ui.transcript import stops

        try:
            made = await asyncio.to_thread(laid_out, code)
        except NotLaidOut as why:
            self.post_message(Remarked(str(why)))
            return
        now = stops.again(stop)
        if now is not None and now.same(stop):
            self._show_laid(now, code, made)

    def _show_laid(self, stop: Stop, code: str, made: str) -> None:
        if stop.source() != code:
            return  # it was written anew meanwhile
        if made == code:
            self.post_message(Remarked("This SQL is laid out already."))
            return
        self._draw_laid(stop, made)

    def _draw_laid(self, stop: Stop, text: str | None) -> None:
        from kai_tui.ui.transcript import laid_out

        place = self._document.place(self._top)
        laid_out.put(stop, text)
        stop.block.touched = True
        self.screen.clear_selection()
        self._settle_holding(place)
        if self._cursor is not None:
            # What came below is why it was laid out.
            self._reveal(self._cursor, 1)
            self._repaint()

    def _is_growing(self, stop: Stop) -> bool:
        """Whether more of a block may come."""
        unit = stop.unit
        return stop.last.item == len(unit.items) - 1 and self._around.live(unit.block.message)

    def _settle_holding(self, place: Place | None) -> None:
        """Draw what has another height now; what is in sight stays. The end is followed when it is in sight."""
        self._following = False
        self._settle(place)
        self._set_following(self._top + self.size.height >= self._document.total)
        self._keep_cursor()
        self.post_message(CursorMoved())
        self._repaint()

    # -- as it was written -------------------------------------------------------------------

    def action_raw_markdown(self) -> None:
        """Show the message under the cursor as it was written; again: as it is meant."""
        stop = self._cursor
        message = stop.block.message if stop is not None else None
        if stop is None or message is None:
            return
        if message.role == "user":
            self.post_message(Remarked("What you wrote is shown as you wrote it."))
            return
        if not message.text:
            self.post_message(Remarked("This answer has no text to show as it was written."))
            return
        block = stop.block
        if block.folded:
            self.post_message(
                Remarked("This message is folded. Enter opens it, then m shows it as it was written.")
            )
            return
        span = self._span(stop)
        line = max(0, span[0] - self._top) if span is not None else 0
        block.raw = not block.raw
        block.touched = True
        if block.raw:
            self._read_before[message.id] = stop.key
        self._document.sync(block)
        self.screen.clear_selection()
        key = None if block.raw else self._read_before.pop(message.id, None)
        if key is not None:
            self._cursor, self._left_at = None, key
        self._keep_cursor()
        self._put_at(line)

    def _put_at(self, line: int) -> None:
        """Scroll so that the cursor's block begins at a line of the window."""
        self._following = False
        span = self._span(self._cursor)
        self._resize_virtual()
        if span is not None:
            self._go(max(0, span[0] - line))
        self._settle_holding(self._document.place(self._top))

    # -- the hint ----------------------------------------------------------------------------

    def _overlaid(self, strip: Strip, place: Place, line: Line) -> Strip:
        strip = super()._overlaid(strip, place, line)
        stop = self._cursor
        if stop is None or not self.has_focus or stop.kind not in ("code", "table"):
            return strip
        item = place.item
        if item.unit is not stop.unit or item is not stop.unit.items[stop.first.item]:
            return strip
        if self._row_in(place, line) != stop.top:
            return strip
        lines = self._document.rendered(item).lines
        if place.line and lines[place.line - 1].row == line.row:
            return strip
        from kai_tui.ui.transcript.naming import hint_on

        return _at_right(strip, hint_on(stop), Style(color=self._current_palette().get(("muted",)).color))


def _at_right(strip: Strip, text: str, style: Style) -> Strip:
    """A strip with a text at its right end, when there is nothing there."""
    width, size = strip.cell_length, cells(text)
    shown = strip.text
    if len(shown) - len(shown.rstrip(" ")) < size + 4:
        return strip
    left = width - size - 2
    under = next((segment.style for segment in strip.crop(left, left + 1)), None)
    hint = Segment(text, (under or Style()) + style)
    return Strip.join([strip.crop(0, left), Strip([hint], size), strip.crop(width - 2, width)])

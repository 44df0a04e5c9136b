"""Mouse, selection and the cursor of the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Offset
from textual.selection import Selection

from kai_tui.ui.transcript import selecting
from kai_tui.ui.transcript.ahead import ReadsAhead
from kai_tui.ui.transcript.canvas import Canvas
from kai_tui.ui.transcript.document import Place
from kai_tui.ui.transcript.jumping import Jumping
from kai_tui.ui.transcript.marking import Marking
from kai_tui.ui.transcript.messages import CursorMoved, LinkChosen, TableChosen

if TYPE_CHECKING:
    from kai_tui.ui.transcript.stops import Key


class BrowsableCanvas(Jumping, Marking, ReadsAhead, Canvas):
    """A canvas one can click in, select from, and walk through."""

    _clicked: Key | None = None
    """Where the last click was; the click before it may have brought the focus, and the cursor with it."""

    # -- selection ---------------------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else selecting.LAST_ROW
        return selecting.selected_text(self._document.rows_between(first, last), selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._repaint()
        if self.has_focus:
            self.post_message(CursorMoved())

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
        from kai_tui.ui.transcript import stops

        text, _, character = self._character(place, offset)
        unit = place.item.unit
        line = self._document.rendered(place.item).lines[place.line]
        stop = stops.at_row(place.item, self._row_in(place, line))
        again = stop is not None and stop.key == self._clicked
        self._clicked = stop.key if stop is not None else None
        if unit.reachable:
            self._stand(stop or stops.first_of(unit))
        href = text.link_at(character) if character is not None else None
        if href is not None:
            self.post_message(LinkChosen(href))
        elif again and stop is not None and stop.kind == "table":
            # The first click chooses it, as on every block; the second one opens it.
            self.post_message(TableChosen())
        elif (place.item is unit.items[0] and not self._is_gap(place)) or (
            stop is not None and stop.kind == "more"
        ):
            self._toggle(unit)
        self._repaint()

"""What is looked for is marked where it stands, and the place one is at more strongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.style import Style
from textual.strip import Strip

from kai_tui.ui.app_of import app_of
from kai_tui.ui.transcript import selecting
from kai_tui.ui.transcript.browsing import BrowsableCanvas

if TYPE_CHECKING:
    from kai_tui.ui.transcript.document import Place, Standing
    from kai_tui.ui.transcript.finding import Finder, Spot
    from kai_tui.ui.transcript.items import Item, Unit
    from kai_tui.ui.transcript.strips import Line, RowText

_WITHOUT_COLOURS: Final = {"found": Style(underline=True), "found-here": Style(reverse=True)}
_MOST_SPANS: Final = 2_000
"""Texts whose places are kept; a window shows some fifty."""


class Begin(NamedTuple):
    """Where one was when the search began."""

    first: int
    """The messages in sight."""
    last: int
    top: tuple[int, int, int]
    """Unit, item and row at the top of the window."""
    standing: Standing | None
    following: bool


class MarkedCanvas(BrowsableCanvas):
    """A canvas that marks what `_finder` looks for."""

    _finder: Finder | None = None
    _spot: Spot | None = None
    """The place one is at."""
    _drawn: Spot | None = None
    """Where it is drawn: the same, but in what is laid out otherwise (raw markdown, SQL laid out)."""
    _spans: dict[str, list[tuple[int, int]]] | None = None

    def _where(self) -> Begin:
        document = self._document
        top, height = self._top, self.size.height
        first = document.place(top)
        last = document.place(min(top + height, document.total) - 1)
        most = max(0, document.message_count - 1)
        at = (0, 0, 0)
        if first is not None and first.item in first.item.unit.items:
            unit = first.item.unit
            line = document.rendered(first.item).lines[first.line]
            at = (unit.number, unit.items.index(first.item), self._row_in(first, line))
        return Begin(
            min(first.item.unit.block.index, most) if first is not None else 0,
            min(last.item.unit.block.index, most) if last is not None else most,
            at,
            document.standing(top),
            self._following,
        )

    def _item_of(self, unit: Unit, spot: Spot) -> Item | None:
        """The item in which a place is, as far as the unit is open."""
        if spot.item >= len(unit.items):
            return None
        item = unit.items[spot.item]
        rows = self._document.texts_of(item)
        number = spot.row + (1 if unit.block.gap_before(item) else 0)
        if number >= len(rows):
            return None
        return item if (spot.start, spot.end) in self._spans_in(rows[number]) else None

    def _laid_out_otherwise(self, unit: Unit, spot: Spot) -> tuple[Spot | None, Item]:
        """The place in a unit that shows its text in another form: the one that is as far from its beginning."""
        from kai_tui.ui.transcript.finding import Spot

        finder = self._finder
        assert finder is not None
        left = [each for each in finder.spots(spot.message_id) if each.unit == spot.unit].index(spot)
        last: tuple[Spot | None, Item] = (None, unit.items[0])
        for index, item in enumerate(unit.items):
            gap = 1 if unit.block.gap_before(item) else 0
            for row, text in enumerate(self._document.texts_of(item)):
                for start, end in self._spans_in(text):
                    last = (Spot(spot.message_id, spot.unit, index, row - gap, start, end), item)
                    if not left:
                        return last
                    left -= 1
        return last

    def _spans_in(self, row: RowText) -> list[tuple[int, int]]:
        finder, known = self._finder, self._spans
        if finder is None or known is None or row.findable == 0:
            return []
        text = row.text[: row.findable]
        spans = known.get(text)
        if spans is None:
            if len(known) > _MOST_SPANS:
                known.clear()
            spans = known[text] = finder.matcher.find(text)
        return spans

    def _with_finds(self, place: Place, line: Line, strip: Strip) -> Strip:
        item = place.item
        unit = item.unit
        if self._finder is None or not unit.findable or not line.pieces:
            return strip
        row = self._document.rendered(item).rows[line.row]
        spans = self._spans_in(row)
        if not spans:
            return strip
        colours = not app_of(self).no_color
        palette = self._current_palette()
        here = self._drawn if self._is_here(item, self._row_in(place, line)) else None
        for span in spans:
            name = "found-here" if here is not None and here.start == span[0] else "found"
            style = palette.get((name,)) if colours else _WITHOUT_COLOURS[name]
            strip = selecting.highlighted(line, row, strip, span, style)
        return strip

    def _is_here(self, item: Item, row: int) -> bool:
        spot = self._drawn
        if spot is None or row != spot.row:
            return False
        unit, message = item.unit, item.unit.block.message
        return (
            unit.number == spot.unit
            and message is not None
            and message.id == spot.message_id
            and spot.item < len(unit.items)
            and unit.items[spot.item] is item
        )

"""Finding in the conversation on screen: what is found is marked, and one can go from place to place.

A folded card is opened when one goes to a place inside it, and folded again when one goes on.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from textual.timer import Timer

from kai_tui.ui.transcript.document import Place
from kai_tui.ui.transcript.find_marks import Begin, MarkedCanvas
from kai_tui.ui.transcript.messages import Found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kai_tui.ui.transcript.finding import Finder, Spot
    from kai_tui.ui.transcript.items import Block, Unit

SLICE = 0.005
"""Seconds of looking before keys are heard."""
AT_ONCE = 0.002
"""Seconds of it right behind a key; a short chat is looked through by then."""
TOLD = 0.1
"""Seconds between two words about how often it was found so far."""
REST = 0.003
"""Seconds between two slices."""
AGAIN = 0.4
"""Seconds at least until messages that change are looked through again."""
SHARE = 4
"""Looking again that took t seconds is done again after SHARE * t seconds at the earliest."""


class FindableCanvas(MarkedCanvas):
    """A canvas in which something can be looked for."""

    _begin: Begin | None = None
    _last: Spot | None = None
    """The place one was at when the query was changed."""
    _going: int = 0
    """Steps (down, or up when negative) that wait until it is known where they lead."""
    _picking = False
    """Whether the first place is still to be chosen."""
    _unfolded: tuple[Unit, int, bool] | None = None
    """What was opened to show a place, how far it was open before, and whether its message was touched."""
    _stale: set[str] | None = None
    _later: Timer | None = None
    _search: asyncio.Task[None] | None = None
    _cost = 0.0
    """Seconds it took to look through what changed last."""
    _told_at = 0.0
    _place_drawn = True
    """Whether the place one is at is drawn: a narrow window leaves columns of a table out, and cuts lines."""
    _found_told: tuple[int, int, bool, bool] = (-1, 0, False, True)

    # -- what others call --------------------------------------------------------------------

    @property
    def finding(self) -> bool:
        """Whether something is looked for."""
        return self._finder is not None

    def find(self, query: str) -> None:
        """Look for something from where the search began; `Found` tells how often it is there."""
        from kai_tui.ui.transcript.finding import Finder

        if self._finder is None:
            self._finder = Finder(self._around)
            self._begin = self._where()
        begin = self._begin
        assert begin is not None
        self._finder.seek(query, begin.last)
        self._spans = {}
        self._last, self._spot, self._going = self._spot or self._last, None, 0
        self._drawn = None
        self._picking = bool(self._finder.matcher)
        if not self._picking:
            self._fold_back()
            self._return()
        self._look_on()
        self._repaint()

    def find_next(self, direction: int) -> None:
        """To the next place (1) or the one before (-1); from the last on to the first."""
        finder = self._finder
        if finder is None or not finder.matcher:
            return
        self._going += direction
        self._look_on()

    def end_finding(self, *, back: bool) -> None:
        """Look for nothing any more; `back`: be again where one was before."""
        if self._finder is None:
            return
        if back:
            self._fold_back()
            self._return()
        self._unfolded = None
        self._forget_finding()
        if not self._following and self._at_end():
            self._set_following(True)
        self._repaint()

    # -- looking -----------------------------------------------------------------------------

    def _forget_finding(self) -> None:
        if self._search is not None:
            self._search.cancel()
        if self._later is not None:
            self._later.stop()
        self._finder = self._begin = self._spot = self._drawn = self._last = self._search = self._later = None
        self._stale = self._spans = self._unfolded = None
        self._going, self._picking = 0, False
        self._found_told = (-1, 0, False, True)

    def _look_on(self) -> None:
        """Go on looking, in slices beside everything else."""
        finder = self._finder
        if finder is None:
            return
        self._work(finder, AT_ONCE)
        if (finder.busy or self._going) and (self._search is None or self._search.done()):
            self._search = asyncio.create_task(self._look(), name="find in the chat")

    async def _look(self) -> None:
        while (finder := self._finder) is not None:
            await asyncio.sleep(REST)
            if finder is not self._finder:
                continue
            self._work(finder, SLICE)
            if not finder.busy and not self._going:
                return

    def _work(self, finder: Finder, seconds: float) -> None:
        began = perf_counter()
        finder.work(seconds)
        self._cost += perf_counter() - began
        self._after_slice()

    def _after_slice(self) -> None:
        from kai_tui.ui.transcript.finding import NotLooked

        try:
            if self._picking:
                self._pick()
            while self._going:
                self._step(1 if self._going > 0 else -1)
        except NotLooked:
            pass
        self._tell_found()

    def _tell_found(self) -> None:
        finder = self._finder
        now = perf_counter()
        # While it is counted a tenth of a second is soon enough: it costs a walk over all messages.
        if finder is None or (finder.busy and now - self._told_at < TOLD):
            return
        self._told_at = now
        number = finder.number_of(self._spot) if self._spot is not None else None
        told = (number or 0, finder.total, finder.complete, self._place_drawn)
        if told != self._found_told:
            self._found_told = told
            self.post_message(Found(told[0], told[1], complete=told[2], in_sight=told[3]))

    def _pick(self) -> None:
        """The first place: in sight, else the nearest above, else the first below."""
        finder, begin = self._finder, self._begin
        assert finder is not None
        assert begin is not None
        in_sight = finder.next(begin.first, lambda spot: _key(spot) >= begin.top, 1, begin.last + 1)
        if (still := self._still_there()) is not None:
            self._picking = False
            self._go_to(still, shown=True)
            return
        self._return()
        shown = self._first_shown()
        found = (
            shown
            or in_sight
            or finder.next(begin.first, lambda spot: _key(spot) < begin.top, -1)
            or finder.next(begin.last, lambda _: True, 1)
        )
        self._picking = False
        if found is not None:
            self._go_to(found, shown=shown is not None)
        else:
            self._fold_back()
            self._return()

    def _still_there(self) -> Spot | None:
        """The place one was at, when it holds what was added to the query too."""
        last, finder = self._last, self._finder
        if last is None or finder is None:
            return None
        return next((each for each in finder.spots(last.message_id) if each[:5] == last[:5]), None)

    def _first_shown(self) -> Spot | None:
        """The first place that can be seen without moving or opening anything."""
        finder = self._finder
        for found in self._document.lines(self._top, self.size.height):
            if found is None or finder is None:
                break
            place, line = found
            unit, message = place.item.unit, place.item.unit.block.message
            if message is None or not unit.findable or not line.pieces:
                continue
            row = self._row_in(place, line)
            for spot in finder.spots(message.id):
                if (
                    spot.unit == unit.number
                    and spot.row == row
                    and any(piece.start <= spot.start < piece.end for piece in line.pieces)
                    and self._item_of(unit, spot) is place.item
                ):
                    return spot
        return None

    def _step(self, direction: int) -> None:
        finder, spot = self._finder, self._spot
        assert finder is not None
        block = self._document.block_of(spot.message_id) if spot is not None else None
        if spot is None or block is None:
            found = None
        elif direction > 0:
            found = finder.next(block.index, lambda each: each > spot, 1)
        else:
            found = finder.next(block.index, lambda each: each < spot, -1)
        if found is None:
            end = 0 if direction > 0 else self._document.message_count - 1
            found = finder.next(end, lambda _: True, direction)
        if found is None:
            self._going = 0
            return
        self._going -= direction
        self._go_to(found)

    def on_unmount(self) -> None:
        self._forget_finding()

    def _find_anew(self) -> None:
        """Everything was read anew: look for the same once more; one stays where one is."""
        from kai_tui.ui.transcript.finding import Finder

        finder, begin = self._finder, self._begin
        if finder is None or begin is None:
            return
        self._finder = Finder(self._around)
        self._finder.seek(finder.matcher.query, begin.last)
        self._unfolded = None
        self._look_on()

    def _look_again(self, changed: Iterable[str], *, known: int, gone: Iterable[str] = ()) -> None:
        """These messages changed, or came: look through them soon, not at every word that comes."""
        finder = self._finder
        if finder is None:
            return
        for message_id in gone:
            finder.drop(message_id)
        finder.grown(known)
        self._stale = (self._stale or set()) | set(changed)
        if self._later is None:
            self._later = self.set_timer(max(AGAIN, SHARE * self._cost), self._look_at_changes)

    def _look_at_changes(self) -> None:
        self._later = None
        finder = self._finder
        if finder is None:
            return
        if self._search is not None and not self._search.done():
            self._later = self.set_timer(AGAIN, self._look_at_changes)
            return
        stale, self._stale = self._stale, None
        self._cost = 0.0
        finder.forget(stale or ())
        self._look_on()

    # -- going there -------------------------------------------------------------------------

    def _return(self) -> None:
        """Be again where one was when the search began."""
        begin = self._begin
        if begin is None:
            return
        if begin.following:
            self.jump_to_end()
            return
        row = self._document.row_standing(begin.standing) if begin.standing is not None else None
        if row is not None:
            self._scroll_to_row(row, None)

    def _scroll_to_row(self, row: int, anchor: Place | None) -> None:
        document = self._document
        self._following = False
        self._resize_virtual()
        above = (document.row_of(anchor.item) or 0) + anchor.line - row if anchor is not None else 0
        self._go(max(0, min(row, document.total - self.size.height)))
        self._settle(anchor or document.place(self._top))
        # Settling puts the place at the top, and measures; what stands above it belongs to it.
        for _ in range(2 if anchor is not None else 0):
            at = document.row_of(anchor.item) if anchor is not None else None
            if anchor is not None and at is not None:
                self._go(max(0, min(at + anchor.line - above, document.total - self.size.height)))
                self._settle(document.place(self._top))
        source = self._around.source
        # What comes must not push away what was found.
        comes = anchor is not None and source is not None and source.turn.busy
        self._set_following(not comes and self._at_end())

    def _at_end(self) -> bool:
        return self._top + self.size.height >= self._document.total

    def _go_to(self, spot: Spot, *, shown: bool = False) -> None:
        """Show a place, with room around it; nothing moves for one that is `shown` already."""
        from kai_tui.ui.transcript import stops

        document, height = self._document, self.size.height
        self._spot = self._drawn = spot
        block = document.block_of(spot.message_id)
        if block is None or not document.width or not height:
            return
        unit = self._opened(block, spot)
        if unit is None or not unit.items:
            return
        item = self._item_of(unit, spot)
        if item is None:
            self._drawn, item = self._laid_out_otherwise(unit, spot)
            spot = self._drawn or spot._replace(row=0, start=0)
        document.measure(item)
        lines = document.rendered(item).lines
        wanted = spot.row + (1 if block.gap_before(item) else 0)
        row_lines = [n for n, each in enumerate(lines) if each.row == wanted]
        holding = [n for n in row_lines if any(one.start <= spot.start < one.end for one in lines[n].pieces)]
        self._place_drawn = bool(holding)
        line = (holding or row_lines or [0])[0]
        start = document.row_of(item)
        if start is None:
            return
        row, top = start + line, self._top
        room = 0 if shown else min(3, height // 4)
        if not top + room <= row < top + height - room:
            top = row - height // 3
        self._scroll_to_row(top, Place(item, line))
        self._cursor = stops.at_row(item, spot.row) or self._cursor
        self._repaint()

    def _opened(self, block: Block, spot: Spot) -> Unit | None:
        """The unit of a place, opened as far as it takes."""
        document = self._document
        document.expand(block)
        if self._unfolded is not None and self._unfolded[0].block is not block:
            self._fold_back()
        touched = block.touched
        if block.folded:
            # One that was asked again: it stays open, like one that is opened by hand.
            block.opened = block.touched = touched = True
            document.sync(block)
        unit = next((each for each in block.units if each.number == spot.unit), None)
        if self._unfolded is not None and self._unfolded[0] is not unit:
            self._fold_back()
        if unit is None or self._item_of(unit, spot) is not None:
            return unit
        depth = unit.depth()
        unit.open_to(_ALL)
        if unit.depth() > depth:
            block.touched = True
            document.sync(block)
            if self._unfolded is None:
                self._unfolded = (unit, depth, touched)
        return unit

    def _fold_back(self) -> None:
        """Fold what was opened to show a place; what stands at the top of the window stays there."""
        if self._unfolded is None:
            return
        unit, depth, touched = self._unfolded
        self._unfolded = None
        block, document = unit.block, self._document
        if unit not in block.units or unit.depth() <= depth:
            return  # the user folded it, or it is gone
        place = document.place(self._top)
        unit.open_to(depth)
        block.touched = touched
        document.sync(block)
        row = document.row_of(place.item) if place is not None else None
        if place is not None and row is not None:
            self._resize_virtual()
            self._go(row + place.line)


_ALL = 9
"""Deeper than anything can be opened."""


def _key(spot: Spot) -> tuple[int, int, int]:
    return spot.unit, spot.item, spot.row

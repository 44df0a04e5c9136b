"""Jump mode: a label over everything in sight that can be reached; typing it goes there."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from kai_tui.ui.transcript.document import Place
from kai_tui.ui.transcript.linking import LinkAt, Linking
from kai_tui.ui.transcript.messages import CursorMoved, LinkChosen
from kai_tui.ui.transcript.strips import Line

if TYPE_CHECKING:
    from kai_tui.ui.transcript.stops import Stop

HOME_ROW = "asdfghjkl"
_LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class Target(NamedTuple):
    """What a label stands for: a link, or else the block."""

    stop: Stop
    link: LinkAt | None = None


def labels(count: int) -> list[str]:
    """As many labels: a letter of the home row, two letters for those at the end when there are more.

    None begins like another. There are no more than 676.
    """
    letters = HOME_ROW if count <= len(HOME_ROW) ** 2 else _LETTERS
    size = len(letters)
    firsts = min(size, max(0, -(-(count - size) // (size - 1))))
    alone, begin = letters[: size - firsts], letters[size - firsts :]
    return [*alone, *map("".join, product(begin, letters))][:count]


class Jumping(Linking):
    """A canvas with a jump mode."""

    _targets: dict[str, Target] | None = None
    """What the labels stand for; None outside of jump mode."""
    _typed = ""
    _followed_before = False

    @property
    def jumping(self) -> bool:
        """Whether a label is awaited."""
        return self._targets is not None

    def action_jump_mode(self) -> None:
        """Show the labels."""
        targets = self._reachable_in_sight()
        if not targets:
            return
        # What the labels stand on must not move under the eyes.
        self._followed_before = self._following
        self._following = False
        self._targets = dict(zip(labels(len(targets)), targets, strict=False))
        self._typed = ""
        self.post_message(CursorMoved())
        self._repaint()

    def _reachable_in_sight(self) -> list[Target]:
        from kai_tui.ui.transcript import stops

        found: list[Target] = []
        known: Stop | None = None
        for each in self._document.lines(self._top, self.size.height):
            if each is None:
                break
            place, line = each
            item = place.item
            if not item.unit.reachable:
                continue
            row = self._row_in(place, line)
            if known is None or not known.covers(item, row):
                known = stops.at_row(item, row)
                if known is not None:
                    found.append(Target(known))
            if known is None:
                continue
            text = self._document.rendered(item).rows[line.row]
            for start, end, href in text.links:
                # A link over two lines has its label on the line where it begins.
                if any(piece.start <= start < piece.end for piece in line.pieces):
                    link = LinkAt(item, line.row, start, end, href, text.text[start:end])
                    found.append(Target(known, link))
        return found

    def _leave_jump_mode(self) -> None:
        self._targets = None
        self._typed = ""
        if self._followed_before and self._top + self.size.height >= self._document.total:
            self._following = True
        self._followed_before = False
        self._set_following(self._following)
        self.post_message(CursorMoved())
        self._repaint()

    def on_blur(self) -> None:
        if self._targets is not None:
            self._leave_jump_mode()
        super().on_blur()

    def on_mouse_down(self) -> None:
        if self._targets is not None:
            self._leave_jump_mode()

    def on_key(self, event: events.Key) -> None:
        """While a label is awaited every key is one, or ends it."""
        targets = self._targets
        if targets is None:
            return
        event.stop()
        event.prevent_default()
        typed = self._typed + (event.character or "").lower()
        if event.key == "backspace" and self._typed:
            self._typed = ""
            self._repaint()
        elif event.is_printable and typed in targets:
            self._leave_jump_mode()
            self._jump_to(targets[typed])
        elif event.is_printable and any(label.startswith(typed) for label in targets):
            self._typed = typed
            self._repaint()
        else:
            self._leave_jump_mode()

    def _jump_to(self, target: Target) -> None:
        from kai_tui.ui.transcript import stops

        stop = stops.again(target.stop)
        if stop is None:
            return
        self._stand(stop)
        self._stay(stop)
        if target.link is not None and target.link in self._links_under(stop):
            self._mark_link(target.link)
            self.post_message(LinkChosen(target.link.href))
        self._repaint()

    # -- painting ----------------------------------------------------------------------------

    def _overlaid(self, strip: Strip, place: Place, line: Line) -> Strip:
        strip = super()._overlaid(strip, place, line)
        if self._targets is None:
            return strip
        row = self._row_in(place, line)
        begins = place.line == 0 or self._document.rendered(place.item).lines[place.line - 1].row != line.row
        for label, (stop, link) in self._targets.items():
            if not label.startswith(self._typed):
                continue
            if link is not None:
                if link.item is place.item and link.row == line.row:
                    column = self._column_of(link, place, line)
                    if column is not None:
                        strip = self._labelled(strip, label, column)
            elif stop.covers(place.item, row) and (self._begins_here(stop, place, row) and begins):
                strip = self._labelled(strip, label, 0)
        return strip

    def _begins_here(self, stop: Stop, place: Place, row: int) -> bool:
        """Whether a row is the first of a block, or the first of it in sight."""
        item = place.item
        if item is stop.unit.items[stop.first.item] and row == stop.top:
            return True
        start = self._document.row_of(item)
        return start is not None and start + place.line == self._top

    def _column_of(self, link: LinkAt, place: Place, line: Line) -> int | None:
        from kai_tui.ui.transcript.wrap import cells

        text = self._document.rendered(place.item).rows[line.row].text
        for piece in line.pieces:
            if piece.start <= link.start < piece.end:
                return piece.column + cells(text[piece.start : link.start])
        return None

    def _labelled(self, strip: Strip, label: str, column: int) -> Strip:
        shown = self._current_palette().get(("jump-label",))
        typed = len(self._typed)
        parts = [Segment(label[:typed], shown + Style(dim=True)), Segment(label[typed:], shown)]
        drawn = Strip([part for part in parts if part.text], len(label))
        width = strip.cell_length
        return Strip.join([strip.crop(0, column), drawn, strip.crop(column + len(label), width)])

"""Links by keyboard: Tab walks over those under the cursor, and says where each leads before it is followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from kai_tui.ui.transcript import selecting
from kai_tui.ui.transcript.document import Place
from kai_tui.ui.transcript.items import Item, Unit
from kai_tui.ui.transcript.messages import CursorMoved, LinkChosen, Remarked
from kai_tui.ui.transcript.strips import Line
from kai_tui.ui.transcript.walking import Walking
from kai_tui.ui.transcript.wrap import cut

if TYPE_CHECKING:
    from kai_tui.ui.transcript.stops import Stop

_MOST = 40
"""Items of a block in which links are looked for; of a longer one those that are near."""
_NEAR = 60
"""Blocks that are looked through for a link."""


class LinkAt(NamedTuple):
    """A link of the conversation."""

    item: Item
    row: int
    """The empty row before the item counted, as lines do."""
    start: int
    end: int
    href: str
    """Raw."""
    title: str


class Linking(Walking):
    """A canvas whose links can be reached by keyboard."""

    _link: LinkAt | None = None
    """The one that Enter follows."""
    _pointed: LinkAt | None = None
    """The one under the mouse."""

    @property
    def link(self) -> str | None:
        """Where the link leads that Enter follows; raw. None while it follows none."""
        return self._link.href if self._link is not None and self.has_focus else None

    def links_here(self) -> list[tuple[str, str]]:
        """Text and address (raw) of each link under the reading cursor; while nothing is read: those of the
        newest thing in sight that has any."""
        if self.has_focus:
            return _told(self._links_under(self._cursor))
        seen: dict[Unit, None] = {}
        for found in self._document.lines(self._top, self.size.height):
            if found is not None:
                seen[found[0].item.unit] = None
        for unit in reversed(seen):
            if links := _told(self._links_in(unit.items)):
                return links
        return []

    def _links_under(self, stop: Stop | None) -> Iterator[LinkAt]:
        if stop is None or stop.kind in ("code", "raw"):
            return iter(())
        # A card's are also those in what it shows when it is open.
        items = stop.unit.items if stop.kind == "card" else stop.items
        if len(items) > _MOST:
            items = [item for item in items if self._is_near(item)]
        return self._links_in(items, None if stop.kind == "card" else stop)

    def _is_near(self, item: Item) -> bool:
        """Whether an item is in sight, or a page from it."""
        row, height = self._document.row_of(item), self.size.height
        return row is not None and self._top - height <= row + item.height and row <= self._top + 2 * height

    def _links_in(self, items: Sequence[Item], stop: Stop | None = None) -> Iterator[LinkAt]:
        for item in items:
            gap = 1 if item.unit.block.gap_before(item) else 0
            for number, row in enumerate(self._document.texts_of(item)):
                if stop is not None and not stop.covers(item, number - gap):
                    continue
                for start, end, href in row.links:
                    yield LinkAt(item, number, start, end, href, row.text[start:end])

    # -- walking over them -------------------------------------------------------------------

    def _stand(self, stop: Stop | None) -> None:
        self._link = None
        super()._stand(stop)

    def _keep_cursor(self, *, visible: bool = False) -> None:
        super()._keep_cursor(visible=visible)
        if self._link is not None and self._link not in self._links_under(self._cursor):
            self._link = None

    def action_next_link(self) -> None:
        """The next link under the cursor; where there is none, the first one below it."""
        self._step_link(1)

    def action_previous_link(self) -> None:
        """The link before it; where there is none, the last one above."""
        self._step_link(-1)

    def _step_link(self, step: int) -> None:
        links = list(self._links_under(self._cursor))
        if not links:
            self._find_link(step)
            return
        marked = self._link
        at = links.index(marked) if marked is not None and marked in links else -1 if step > 0 else 0
        self._mark_link(links[(at + step) % len(links)])

    def _find_link(self, step: int) -> None:
        cursor = self._cursor
        for stop in islice(self._neighbours(cursor, step), _NEAR) if cursor is not None else ():
            links = list(self._links_under(stop))
            if links:
                self._stand_on(stop, step)
                self._mark_link(links[0 if step > 0 else -1])
                return
        self.post_message(
            Remarked(
                "There is no link below that is near. Shift+Tab looks above."
                if step > 0
                else "There is no link above that is near. Tab looks below."
            )
        )

    def _mark_link(self, link: LinkAt) -> None:
        self._link = link
        row = self._row_of_link(link)
        if row is not None:
            top, height = self._top, self.size.height
            if row < top:
                self._scroll_lines(row - top)
            elif row >= top + height - 2:
                # The last lines are for where it leads, and for the way to the end.
                self._scroll_lines(row - top - height + 3)
        self.post_message(CursorMoved())
        self._repaint()

    def _row_of_link(self, link: LinkAt) -> int | None:
        document = self._document
        if document.row_of(link.item) is None:
            return None
        document.measure(link.item)
        start = document.row_of(link.item)
        assert start is not None
        for index, line in enumerate(document.rendered(link.item).lines):
            if line.row == link.row and any(piece.end > link.start for piece in line.pieces):
                return start + index
        return start

    def action_toggle_item(self) -> None:
        """Follow the link that is marked, else what Enter means on the block."""
        if self._link is not None:
            self.post_message(LinkChosen(self._link.href))
            return
        stop = self._cursor
        if stop is not None and is_for_links(stop) and (links := list(self._links_under(stop))):
            if len(links) == 1:
                self.post_message(LinkChosen(links[0].href))
            else:
                self._mark_link(links[0])
            return
        super().action_toggle_item()

    # -- the mouse ---------------------------------------------------------------------------

    def on_mouse_move(self, event: events.MouseMove) -> None:
        link = None if event.button or self._selection is not None else self._link_at(event)
        if link != self._pointed:
            self._pointed = link
            self._repaint()

    def on_leave(self) -> None:
        if self._pointed is not None:
            self._pointed = None
            self._repaint()

    def _link_at(self, event: events.MouseMove) -> LinkAt | None:
        offset = event.get_content_offset(self)
        place = self._document.place(self._top + offset.y) if offset is not None else None
        if place is None or offset is None:
            return None
        rendered = self._document.rendered(place.item)
        line = rendered.lines[place.line]
        row = rendered.rows[line.row]
        character = selecting.character_at(line, row, offset.x) if row.links else None
        if character is None:
            return None
        for start, end, href in row.links:
            if start <= character < end:
                return LinkAt(place.item, line.row, start, end, href, row.text[start:end])
        return None

    # -- painting ----------------------------------------------------------------------------

    def _overlaid(self, strip: Strip, place: Place, line: Line) -> Strip:
        strip = super()._overlaid(strip, place, line)
        link = self._link
        if link is None or link.item is not place.item or link.row != line.row or not self.has_focus:
            return strip
        row = self._document.rendered(place.item).rows[line.row]
        return selecting.highlighted(
            line, row, strip, (link.start, link.end), self._current_palette().selection
        )

    def _compose_lines(self, first: int, count: int) -> list[Strip]:
        strips = super()._compose_lines(first, count)
        link = self._link if self.has_focus and self._link is not None else self._pointed
        if link is None:
            return strips
        # Over the last line, or the one above it where the way to the end is shown; not over the link itself.
        last = max(0, self.size.height - (1 if self._told[0] else 2))
        row = self._row_of_link(link)
        if row is None:
            return strips
        at = last if row - self._top < last else 0
        if first <= at < first + count:
            strips[at - first] = self._where_it_leads(link.href)
        return strips

    def _where_it_leads(self, href: str) -> Strip:
        """One line: the host first, as the browser will look it up, then the address."""
        from kai_tui.conversation.safe_text import safe_exact
        from kai_tui.ui.modals.open_link import host_of, refusal

        palette, width = self._current_palette(), self.size.width
        why = refusal(href.strip())
        ground = palette.get(("code-block",))
        if why is None:
            host = safe_exact(host_of(href.strip())).text
            parts = [("  → ", ("muted",)), (cut(host, width - 8), ("strong",)), ("  ", ())]
        else:
            parts = [("  ! ", ("warning",)), (cut(why, width - 8), ("warning",)), ("  ", ())]
        segments = [Segment(text, palette.get(("code-block", *style))) for text, style in parts]
        room = width - sum(segment.cell_length for segment in segments) - 2
        if room > 8:
            segments.append(Segment(cut(safe_exact(href).text, room), palette.get(("code-block", "muted"))))
        return Strip(segments).adjust_cell_length(width, ground)


def is_for_links(stop: Stop) -> bool:
    """Whether there is nothing to do with a block but to follow its links."""
    return stop.kind == "links" or (stop.kind == "note" and not stop.unit.opens())


def _told(links: Iterator[LinkAt]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for link in links:
        found.setdefault(link.href, link.title)
    return [(title, href) for href, title in found.items()]

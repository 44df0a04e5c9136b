"""The page the user comes to next is drawn while nothing happens: of a key, only painting is left then."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from kai_tui.ui.transcript.blocks import LONG, size_of
from kai_tui.ui.transcript.canvas_part import CanvasPart

if TYPE_CHECKING:
    from textual.timer import Timer

    from kai_tui.ui.transcript.document import Document

WAIT = 0.012
"""Seconds after what was shown until the next page is begun: it is painted first."""
PAUSE = 0.004
"""Seconds between two slices, for keys and frames."""
SLICE = 0.003
"""Seconds of a slice, about: an item that was begun is drawn to its end."""
MOST = 200
"""Items drawn ahead at most, so that what is in sight stays among those that are kept."""


def prepare(document: Document, top: int, height: int, *, up: bool, seconds: float = SLICE) -> bool:
    """Draw what is missing of the page above or below; whether there is more to do.

    Heights become exact: rows below move, and who calls this keeps what is in sight where it is.
    """
    ends, drawn = time.perf_counter() + seconds, document.renders
    row, missing = (top - 1, height) if up else (top + height, height)
    for _ in range(MOST):
        if missing <= 0 or not 0 <= row < document.total:
            return False
        if document.renders != drawn and time.perf_counter() >= ends:
            return True
        block = document.blocks[document.heights.find(row)[0]]
        if block.items is None and size_of(block.message) > LONG:
            return False  # to split it takes longer than a slice
        before = document.total
        place = document.place(row)
        if place is None:
            return False
        document.rendered(place.item)
        if up:
            # What was above the row grew with it: the same row from below.
            row += document.total - before
            again = document.place(row)
            if again is None:
                return False
            missing -= again.line + 1
            row -= again.line + 1
        else:
            size = max(1, place.item.height - place.line)
            missing -= size
            row += size
    return False


class ReadsAhead(CanvasPart):
    """Goes on to the next page in slices after every scroll by the user; another scroll begins anew."""

    _ahead: Timer | None = None

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._moving and self.is_attached and round(old_value) != round(new_value):
            self._read_ahead(WAIT, up=new_value < old_value)

    def _read_ahead(self, wait: float, *, up: bool) -> None:
        if self._ahead is not None:
            self._ahead.stop()
        self._ahead = self.set_timer(wait, partial(self._slice_ahead, up))

    def _slice_ahead(self, up: bool) -> None:
        self._ahead = None
        document, height = self._document, self.size.height
        # Rows that are selected stay where they are, and so does the end that is followed.
        if self._following or self._selection is not None or not document.width or not height:
            return
        standing, before = document.place(self._top), document.total
        more = prepare(document, self._top, height, up=up)
        row = document.row_of(standing.item) if standing is not None else None
        if document.total != before and row is not None and standing is not None:
            self._resize_virtual()
            self._go(max(0, min(row + standing.line, document.total - height)))
            self._place_scrollbar()
        if more:
            self._read_ahead(PAUSE, up=up)


__all__ = ["ReadsAhead", "prepare"]

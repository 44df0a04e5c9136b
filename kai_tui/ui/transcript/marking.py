"""Selecting by keyboard: blocks, words, everything."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

from kai_tui.ui.transcript import selecting
from kai_tui.ui.transcript.acting import Acting
from kai_tui.ui.transcript.messages import CopyRequested

if TYPE_CHECKING:
    from kai_tui.ui.transcript.stops import Stop

_ROWS = 1_000
"""Rows of a block in which one can select words; longer ones are code or data, selected by blocks or with the mouse."""


class Marking(Acting):
    """A canvas in which one can select without a mouse."""

    _marked_from: Stop | None = None
    """The block at which a selection of blocks began."""
    _marked: Selection | None = None
    """What was selected by keyboard last."""

    def action_select_down(self) -> None:
        """Select the block under the cursor, then those below it too."""
        self._extend(1)

    def action_select_up(self) -> None:
        """Select the block under the cursor, then those above it too."""
        self._extend(-1)

    def action_select_all(self) -> None:
        """Select the whole conversation."""
        self._mark(SELECT_ALL)

    def action_next_word(self) -> None:
        """Select the next word of the block under the cursor."""
        self._to_word(1, extend=False)

    def action_previous_word(self) -> None:
        """Select the word before it."""
        self._to_word(-1, extend=False)

    def action_select_right(self) -> None:
        """Select up to the end of the next word."""
        self._to_word(1, extend=True)

    def action_select_left(self) -> None:
        """Give the last selected word free."""
        self._to_word(-1, extend=True)

    def action_copy(self) -> None:
        """What is selected, else the block."""
        text = self.screen.get_selected_text() if self._selection is not None else None
        if text:
            self.post_message(CopyRequested(text, "what is selected"))
        else:
            super().action_copy()

    def _mark(self, selection: Selection) -> None:
        self._marked = selection
        self.screen.selections = {self: selection}

    @property
    def _own(self) -> bool:
        """Whether what is selected was selected by keyboard."""
        return self._marked is not None and self._selection == self._marked

    # -- blocks ------------------------------------------------------------------------------

    def _extend(self, direction: int) -> None:
        cursor = self._cursor
        if cursor is None:
            return
        if not self._own or self._marked_from is None:
            self._marked_from = cursor
        else:
            stop = next(self._neighbours(cursor, direction), None)
            if stop is not None:
                self._stand_on(stop, direction)
        selection = self._between(self._marked_from, self._cursor or cursor)
        if selection is not None:
            self._mark(selection)

    def _between(self, one: Stop, other: Stop) -> Selection | None:
        """The selection of all rows from one block to another, both included."""
        ends = [self._numbers(stop) for stop in (one, other)]
        found = [each for each in ends if each is not None]
        if not found:
            return None
        first, last = min(each[0] for each in found), max(each[1] for each in found)
        length = next((len(row.text) for _, row in self._document.rows_between(last, last)), 0)
        return Selection(Offset(0, first), Offset(length, last))

    def _numbers(self, stop: Stop) -> tuple[int, int] | None:
        """The selection rows of a block: its first and its last."""
        from kai_tui.ui.transcript import stops

        now = stops.again(stop)
        if now is None:
            return None
        first, last = now.items[0], now.items[-1]
        start = first.base + now.top + (1 if now.block.gap_before(first) else 0)
        rows = len(self._document.texts_of(last))
        end = last.base + min(now.bottom + (1 if now.block.gap_before(last) else 0), rows) - 1
        return start, max(start, end)

    # -- words -------------------------------------------------------------------------------

    def _to_word(self, step: int, *, extend: bool) -> None:
        cursor = self._cursor
        numbers = self._numbers(cursor) if cursor is not None else None
        if numbers is None:
            return
        words = [
            (number, start, end)
            for number, row in islice(self._document.rows_between(*numbers), _ROWS)
            for start, end in selecting.words_of(row)
        ]
        if not words:
            return
        now = self._marked if self._own else None
        if now is None or now.start is None or now.end is None:
            at = 0 if step > 0 else len(words) - 1
            self._select_words(words[at], words[at])
            return
        begun, ended = (now.start.y, now.start.x), (now.end.y, now.end.x)
        first = next((n for n, (row, start, _) in enumerate(words) if (row, start) >= begun), 0)
        last = next((n for n, (row, _, end) in enumerate(words) if (row, end) >= ended), len(words) - 1)
        edge = first if step < 0 and not extend else last
        at = max(0, min(edge + step, len(words) - 1))
        if not extend:
            self._select_words(words[at], words[at])
        else:
            first = min(first, at)
            self._select_words(words[first], words[at])

    def _select_words(self, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
        self._marked_from = None
        self._mark(Selection(Offset(first[1], first[0]), Offset(last[2], last[0])))

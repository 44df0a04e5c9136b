"""The decisions of the ledger as one virtual widget: only the visible rows are ever drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.message import Message

from kai_tui.services.ledger_book import Book, Record, matching
from kai_tui.services.ledger_words import short_outcome
from kai_tui.services.local_dates import moment, short_day
from kai_tui.ui.widgets.filter_input import FilterInput
from kai_tui.ui.widgets.line_list import LETTERS, LineList
from kai_tui.ui.widgets.one_line import clip

_WHEN = 14
_DECISION = 13
_OUTCOME = 11
_ACCOUNT = 18
_ROOM_FOR_OUTCOME = 56
_ROOM_FOR_ACCOUNT = 110
_BY = {"grant": "your rule", "read-only switch": "read-only"}


def decision_mark(record: Record) -> tuple[str, str]:
    """A decision in a word or two, and the style of it."""
    said = record.text("decision")
    words = _BY.get(record.text("by"), said)
    if said == "denied":
        return words, "denied"
    if words != "approved":
        return words, "unasked"
    return "with changes" if record.edits else words, "approved"


def when_words(record: Record) -> str:
    """Day and time here; empty for what is no moment."""
    at = record.text("at")
    found = moment(at)
    return f"{short_day(at)} {found.astimezone():%H:%M}" if found is not None else ""


class LedgerList(LineList):
    """Decisions with a cursor, the newest of each account first."""

    DEFAULT_CSS = """
    LedgerList {
        & .ledger-list--name { color: $foreground; }
        & .ledger-list--quiet { color: $text-muted; }
        & .ledger-list--approved { color: $text-success; }
        & .ledger-list--denied { color: $text-error; }
        & .ledger-list--unasked { color: $text-warning; }
        & .ledger-list--cursor { background: $boost; }
        &:focus .ledger-list--cursor, &.-driven .ledger-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"ledger-list--{name}" for name in ("name", "quiet", "approved", "denied", "unasked", "cursor")
    }
    PREFIX = "ledger-list"

    @dataclass
    class Moved(Message):
        """The cursor is at another decision."""

        record: Record | None

    def __init__(self, filter_input: FilterInput, *, id: str | None = None) -> None:
        """`filter_input` gets the keys after `/`."""
        super().__init__(id=id)
        self._filter_input = filter_input
        self._handing_over = False
        self._books: Sequence[Book] = ()
        self._needle = ""
        self.shown: list[tuple[Book, Record]] = []
        """The decisions that match the search."""

    @property
    def count(self) -> int:
        """How many decisions match the search."""
        return len(self.shown)

    @property
    def record(self) -> Record | None:
        """The decision under the cursor."""
        return self.shown[self.cursor_line][1] if 0 <= self.cursor_line < self.count else None

    @property
    def chosen(self) -> list[tuple[Book, list[Record]]]:
        """What is shown, by account."""
        return [(book, matching(book.records, self._needle)) for book in self._books]

    @property
    def needle(self) -> str:
        """What is searched for."""
        return self._needle

    def show(self, books: Sequence[Book]) -> None:
        """Other ledgers; the cursor stays with its decision."""
        self._books = books
        self._fill()

    def filter(self, needle: str) -> None:
        """Show only decisions in which all of these words occur."""
        self._needle = needle.strip()
        self._fill()
        self.scroll_to_cursor()

    def _fill(self) -> None:
        held = self.record.row.hash if self.record is not None else ""
        self.shown = [(book, record) for book, records in self.chosen for record in records]
        hashes = [record.row.hash for _, record in self.shown]
        line = hashes.index(held) if held in hashes else min(self.cursor_line, max(0, self.count - 1))
        self._count_changed(line)
        self._tell_moved()

    def _tell_moved(self) -> None:
        self.post_message(self.Moved(self.record))

    async def _on_key(self, event: events.Key) -> None:
        if self._handing_over:
            self._filter_input.take(event)
        elif event.key == "slash":
            # Keys typed right behind the slash still come here until the focus has moved: they are no commands.
            self._handing_over = True
            self._filter_input.focus()
        elif not self.move(LETTERS.get(event.key, event.key)):
            return
        event.stop()
        event.prevent_default()

    def _on_blur(self, event: events.Blur) -> None:
        super()._on_blur(event)
        self._handing_over = False

    def _cells(self, number: int, width: int) -> list[tuple[str, int, str]]:
        from kai_tui.conversation.safe_text import safe_exact, safe_line

        book, record = self.shown[number]
        outcome = _OUTCOME if width >= _ROOM_FOR_OUTCOME else 0
        account = _ACCOUNT if width >= _ROOM_FOR_ACCOUNT and len(self._books) > 1 else 0
        room = max(8, width - _WHEN - _DECISION - outcome - account)
        words, style = decision_mark(record)
        what = record.text("sentence") or record.text("tool")
        end = "denied" if record.last == "failed" else "quiet"
        cells = [
            (f" {clip(when_words(record), _WHEN - 2)}", _WHEN, "quiet"),
            (clip(safe_line(words, 20), _DECISION - 1), _DECISION, style),
            (clip(safe_exact(what[: 4 * room], one_line=True).text, room - 1), room, "name"),
        ]
        if outcome:
            cells.append(
                (
                    clip(safe_line(short_outcome(record.last, started=record.started), 40), outcome - 1),
                    outcome,
                    end,
                )
            )
        if account:
            cells.append((clip(safe_line(book.label, 40), account - 1), account, "quiet"))
        return cells

"""The list of waiting questions: one line each, the object and the risk before everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.message import Message

from kai_tui.ui.inbox_rows import (
    InboxRow,
    Key,
    age_words,
    answer_tone,
    answer_words,
    effect_tone,
    effect_words,
)
from kai_tui.ui.widgets.line_list import LineList
from kai_tui.ui.widgets.one_line import clip

_EFFECT = 11
_AGE = 7
_ANSWER = 13
_PLACE = 24
WIDE = 104
"""Columns from which the chat or the account stands beside the object."""
MIDDLE = 56
"""From which the age does."""
NARROW = 40
"""From which the effect does."""


class InboxList(LineList):
    """Has no focus of its own: the dialog hears all keys first."""

    DEFAULT_CSS = """
    InboxList {
        & .inbox-list--name { color: $foreground; }
        & .inbox-list--quiet { color: $text-muted; }
        & .inbox-list--warning { color: $text-warning; }
        & .inbox-list--bad { color: $text-error; }
        & .inbox-list--good { color: $text-success; }
        & .inbox-list--cursor { background: $boost; }
        &.-driven .inbox-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"inbox-list--{name}" for name in ("name", "quiet", "warning", "bad", "good", "cursor")
    }
    PREFIX = "inbox-list"
    can_focus = False

    @dataclass
    class Moved(Message):
        """Another question is under the cursor."""

    def __init__(self, wall: Callable[[], float], *, id: str | None = None) -> None:
        """`wall` gives seconds since the epoch."""
        super().__init__(id=id)
        self._wall = wall
        self._rows: tuple[InboxRow, ...] = ()

    @property
    def count(self) -> int:
        return len(self._rows)

    @property
    def row(self) -> InboxRow | None:
        """The question under the cursor."""
        return self._rows[self.cursor_line] if 0 <= self.cursor_line < len(self._rows) else None

    def show(self, rows: Sequence[InboxRow], *, first: str | None = None) -> None:
        """Other rows; the cursor stays with its question. `first`: with the first question of this chat instead."""
        held: Key | None = self.row.key if self.row is not None else None
        if first is not None:
            held = next((row.key for row in rows if row.key[1] == first), held)
        self._rows = tuple(rows)
        keys = [row.key for row in self._rows]
        at = keys.index(held) if held in keys else min(max(self.cursor_line, 0), max(0, len(keys) - 1))
        self._count_changed(at)
        self._tell_moved()

    def heading(self, width: int) -> str:
        """What stands over the columns."""
        room, place, effect, age = _columns(width)
        names = (("question", room), ("where", place), ("does", effect), ("asked", age))
        return ("   " + "".join(f"{name:<{columns}}" for name, columns in names if columns) + "answer")[
            :width
        ]

    def _tell_moved(self) -> None:
        self.post_message(self.Moved())

    def _cells(self, number: int, width: int) -> list[tuple[str, int, str]]:
        from kai_tui.conversation.safe_text import safe_exact, safe_line

        row = self._rows[number]
        room, place, effect, age = _columns(width)
        words = clip(safe_exact(row.asked.sentence or row.asked.tool_name, one_line=True).text, room - 1)
        live = row.approval is not None
        where = row.asked.chat_title if row.elsewhere is None else row.elsewhere.account.label
        cells = [
            (f" {row.bracket or ' '} ", 3, "quiet"),
            (words, max(room, cell_len(words)), "name" if live else "quiet"),
        ]
        if place:
            cells.append((clip(safe_line(where, 200), place - 2), place, "quiet"))
        if effect:
            tone = effect_tone(row.asked.effect) if live else "quiet"
            cells.append((effect_words(row.asked.effect), effect, tone))
        if age:
            cells.append((age_words(row.asked.asked_at, self._wall()), age, "quiet"))
        return [*cells, (answer_words(row), _ANSWER, answer_tone(row))]


def _columns(width: int) -> tuple[int, int, int, int]:
    """Of question, place, effect and age; what there is no room for is 0: the lines below the list say it."""
    place = _PLACE if width >= WIDE else 0
    age = _AGE if width >= MIDDLE else 0
    effect = _EFFECT if width >= NARROW else 0
    return max(8, width - 3 - effect - age - _ANSWER - place), place, effect, age

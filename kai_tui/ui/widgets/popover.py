"""A short list right above the prompt: what could be meant by what is being typed.

It only draws: keys stay with the prompt, which hands them to the desk that filled this list. So it can be shown
a frame late without a key being lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.geometry import Offset, Region
from textual.message import Message

from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.widgets.line_list import LineList
from kai_tui.ui.widgets.one_line import clip

MOST_ROWS = 8
"""Rows of the list; with its border it is two more."""
LEAST_ROWS = 1
LONGEST = 300
"""Characters of a text that are looked at: no row shows more."""


class PopoverRow(NamedTuple):
    """One thing that could be meant. Texts are raw."""

    name: str
    note: str = ""
    """What it is, in quiet letters behind the name."""
    end: str = ""
    """At the right edge: a key, a size."""
    marks: tuple[int, ...] = ()
    """Characters of `name` that were typed."""


class Popover(LineList, can_focus=False):
    """Lies over the conversation; the layout under it does not move."""

    DEFAULT_CSS = """
    Popover {
        display: none;
        layer: over;
        position: absolute;
        border: round $border-blurred;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        background: $surface;
        scrollbar-size-vertical: 1;
        &.-open { display: block; }
        & .popover--name { color: $text; }
        & .popover--mark { color: $text-primary; text-style: bold; }
        & .popover--quiet { color: $text-muted; }
        & .popover--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "popover--name",
        "popover--mark",
        "popover--quiet",
        "popover--cursor",
    }
    PREFIX: ClassVar[str] = "popover"

    @dataclass
    class Picked(Message):
        """A row was clicked."""

        number: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[PopoverRow] = ()
        self._names = 0
        """Columns of the widest name on the list."""

    @property
    def count(self) -> int:
        return len(self._rows)

    def fill(self, rows: Sequence[PopoverRow], cursor: int, title: str, hint: str, empty: str = "") -> None:
        """Show these rows, the cursor on one of them. Texts are raw."""
        self.empty_text = empty
        self.border_title = Content(safe_line(title, 200)) if title else None
        self.border_subtitle = Content(hint) if hint else None
        if rows is not self._rows:
            self._rows = rows
            self._names = max((cell_len(safe_line(row.name[:LONGEST])) for row in rows[:200]), default=0)
            self._count_changed(cursor)
        else:
            self.cursor_line = cursor
        self.scroll_to_cursor()

    def place(self, prompt: Region) -> None:
        """Stand on the upper edge of the prompt, as high as the rows need and the screen has room for."""
        rows = min(max(self.count, LEAST_ROWS), MOST_ROWS, prompt.y - 2)
        fits = rows >= LEAST_ROWS and prompt.width > 8
        self.set_class(fits, "-open")
        if not fits:
            return
        self.styles.width, self.styles.height = prompt.width, rows + 2
        self.styles.offset = Offset(prompt.x, prompt.y - rows - 2)

    def close(self) -> None:
        """Nothing to offer."""
        self.remove_class("-open")

    def _on_resize(self, event: events.Resize) -> None:
        super()._on_resize(event)
        self.scroll_to_cursor()

    def _tell_moved(self) -> None:
        """The desk moves the cursor itself."""

    async def _on_click(self, event: events.Click) -> None:
        event.stop()
        line = event.y - 1 + self.scroll_offset.y
        if 0 <= line < self.count:
            self.post_message(self.Picked(line))

    def _cells(self, number: int, width: int) -> list[tuple[str, int, str]]:
        row = self._rows[number]
        end = clip(safe_line(row.end[:LONGEST]), max(0, width // 3))
        room = width - 2 - (cell_len(end) + 2 if end else 0)
        # Of the row's width alone, so that all notes begin in one column.
        names = min(self._names, max(width // 2, 12), room) if row.note else room
        name = safe_line(row.name[:LONGEST])
        # What had to be made safe has other places: then nothing is marked.
        marks = frozenset(row.marks) if name == row.name[:LONGEST] else frozenset[int]()
        shown = clip(name, min(room, names if row.note else room))
        cells: list[tuple[str, int, str]] = [(" ", 1, "name")]
        for text, marked in _runs(shown, marks):
            cells.append((text, cell_len(text), "mark" if marked else "name"))
        used = cell_len(shown)
        note_room = room - names - 2
        if row.note and note_room > 6:
            cells.append((" " * (names - used + 2), names - used + 2, "quiet"))
            note = clip(safe_line(row.note[:LONGEST]), note_room)
            cells.append((note, cell_len(note), "quiet"))
            used = names + 2 + cell_len(note)
        if end:
            gap = max(1, width - 2 - used - cell_len(end))
            cells.append((" " * gap, gap, "quiet"))
            cells.append((end, cell_len(end), "quiet"))
        return cells


def _runs(text: str, marks: frozenset[int]) -> list[tuple[str, bool]]:
    """The text in pieces that are marked as a whole or not at all."""
    if not marks:
        return [(text, False)]
    runs: list[tuple[str, bool]] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or (at in marks) != (start in marks):
            runs.append((text[start:at], start in marks))
            start = at
    return runs

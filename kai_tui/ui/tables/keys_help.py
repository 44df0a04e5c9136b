"""The viewer's keys, from its one list."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kai_tui.ui.modals.base import Ask
from kai_tui.ui.tables.cells import EMPTY
from kai_tui.ui.tables.keys import KEYS, names_of

_COLUMN = 22
_MOUSE = (
    ("Click", "The cell; on a header: sort; on a row number: mark the row."),
    ("Double click", "The whole cell."),
    ("Drag", "Mark cells; on a header's right edge: the column's width."),
    ("Wheel", "Up and down; with Shift to the side."),
)
_SIGNS = (
    (EMPTY, "An empty cell: missing, null or an empty text; they look alike in what the server sent."),
    ("…", "The cell goes on: Enter shows all of it."),
    ("␣", "A space at the edge of a cell."),
    ("⏎", "A line break in a cell."),
)
_FILTER = (
    ("west 2026", "Rows that have both words, in any column. \"in quotes\" is one word."),
    ("amount > 100", "Also >= < <= = != with numbers, dates (2026-11) and texts."),
    ("> 100", "The same for this column, after Tab."),
    ('note = ""', "Rows in which the column is empty; != those in which it is not."),
)  # fmt: skip


class KeysHelp(Ask[None]):
    """Scrolls; Esc closes it."""

    AUTO_FOCUS: ClassVar[str | None] = "#table-help"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1,q", "leave", "Close", show=False)]
    DEFAULT_CSS = """
    KeysHelp .dialog { width: 88; height: 94%; padding: 0 1 0 2; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    KeysHelp #table-help-text { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__(name="table-help")

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="table-help", classes="dialog") as box:
            box.border_title = Content("Keys of the table")
            box.border_subtitle = Content("↑ ↓ scroll · Esc closes")
            yield Static(id="table-help-text", markup=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        text = self.query_one("#table-help-text", Static)
        text.update(help_text(max(20, text.content_size.width)))


def help_text(width: int) -> Content:
    """All keys and signs, wrapped."""
    groups = [(name, [(names_of(key), key.help) for key in keys if key.help]) for name, keys in KEYS]
    groups += [("Mouse", list(_MOUSE)), ("Filter", list(_FILTER)), ("Signs", list(_SIGNS))]
    column = min(_COLUMN, width // 3)
    lines: list[Content] = []
    for name, rows in groups:
        lines += [Content(""), Content.styled(name, "bold $text-accent")]
        for left, right in rows:
            keys = textwrap.wrap(left, column - 2) or [""]
            words = textwrap.wrap(right, width - column)
            for number in range(max(len(keys), len(words))):
                key = keys[number] if number < len(keys) else ""
                rest = words[number] if number < len(words) else ""
                lines.append(Content.assemble((f"{key:<{column}}", "bold"), rest))
    return Content("\n").join(lines[1:])

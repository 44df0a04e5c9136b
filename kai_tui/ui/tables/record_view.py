"""A row as a record: names and values below each other; the next and the one before from inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from kai_tui.conversation.safe_text import safe_code, safe_line
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.formats import as_tsv
from kai_tui.ui.modals.reading_view import Paragraph, Passage
from kai_tui.ui.tables.cell_view import laid_out
from kai_tui.ui.tables.cells import EMPTY
from kai_tui.ui.tables.reading import Reading
from kai_tui.ui.tables.shown import Shown
from kai_tui.ui.widgets.one_line import clip

_NAMES = 26
_NARROW = 60
"""Columns of the screen below which values stand below their names."""


class RecordView(Reading):
    """Shows one row at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,n", "step(1)", show=False),
        Binding("left,h,p", "step(-1)", show=False),
        Binding("r", "leave", show=False),
    ]

    def __init__(self, shown: Shown, place: int, copy: Callable[[str, str], None]) -> None:
        super().__init__(name="table-record", keys="← → other row · ↑ ↓ scroll · c copy · Esc back")
        self._shown, self._place = shown, place
        self._copy = copy

    def titles(self) -> tuple[str, str]:
        shown = self._shown
        number = shown.source(self._place) + 1
        return f"Row {number:,}", f"{self._place + 1:,} of {shown.count:,} shown"

    def paragraphs(self) -> Sequence[Paragraph]:
        names = [
            safe_line(name, 200) or f"column {at + 1}" for at, name in enumerate(self._shown.table.columns)
        ]
        narrow = self.size.width < _NARROW
        width = min(_NAMES, max(map(cell_len, names), default=0))
        found: list[Paragraph] = []
        for at, name in enumerate(names):
            raw = self._shown.cell(self._place, at)
            text = safe_code(laid_out(raw) or raw) if raw else EMPTY
            style = "value" if raw else "names"
            wrap = "cells" if laid_out(raw) else "words"
            if narrow:
                found += [Passage(name, "key"), Passage(text, style, "  ", "  ", wrap=wrap)]
                continue
            shown = clip(name, width)
            if shown != name:
                # The whole name, above its value.
                found.append(Passage(name, "key"))
                shown = ""
            lead = f"{shown}{' ' * (width - cell_len(shown))}  "
            found.append(Passage(text, style, lead, " " * (width + 2), lead_style="key", wrap=wrap))
        return found

    def action_step(self, by: int) -> None:
        """The next row or the one before."""
        place = self._place + by
        if 0 <= place < self._shown.count:
            self._place = place
            self.show()

    def action_leave(self) -> None:
        """Back; the viewer's cursor goes to this row."""
        self.finish(self._place)

    def action_copy(self) -> None:
        """Copy names and values as two columns."""
        table = self._shown.table
        pairs = [(name, self._shown.cell(self._place, at)) for at, name in enumerate(table.columns)]
        text = as_tsv(DataTable(("", ""), pairs)).split("\n", 1)[1]
        self._copy(text, "the record")

"""A table to be read before a decision: columns share the room, cells fold, nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from rich.cells import cell_len

from kai_tui.ui.modals.change_lines import exact_lines
from kai_tui.ui.modals.reading_view import Line, Passage, Span, fold_words

_LEAD = "  "
_BETWEEN = " │ "


class GridParagraph:
    """Rows of raw cells under the names of their columns."""

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = ()
    ) -> None:
        """`styles`: one for each row, or none."""
        self._columns = columns
        self._rows = rows
        self._styles = styles

    @cached_property
    def _cells(self) -> list[list[str]]:
        """All cells as exact text, names first; rows that are too short are filled up."""
        wide = max([len(self._columns), *map(len, self._rows)], default=0)
        rows = [list(self._columns), *map(list, self._rows)]
        return [["⏎\n".join(exact_lines(cell)) for cell in row] + [""] * (wide - len(row)) for row in rows]

    def fold(self, width: int) -> Sequence[Line]:
        from kai_tui.ui.transcript.table_shape import fitted

        if not self._cells or not self._cells[0]:
            return []
        room = max(1, width - len(_LEAD))
        natural = [max(_wide(row[at]) for row in self._cells) for at in range(len(self._cells[0]))]
        widths = fitted(natural, room)
        return list(self._as_table(widths) if widths is not None else self._as_list(width))

    def _style(self, number: int) -> str:
        return self._styles[number] if number < len(self._styles) else "value"

    def _as_table(self, widths: Sequence[int]) -> Iterator[Line]:
        names, *rows = self._cells
        if any(names):
            yield from _row(names, widths, "head")
            yield Line("─┼─".join("─" * width for width in widths), "line", _LEAD)
        for number, row in enumerate(rows):
            yield from _row(row, widths, self._style(number))

    def _as_list(self, width: int) -> Iterator[Line]:
        """Names and values below each other, where columns have no room."""
        names, *rows = self._cells
        for number, row in enumerate(rows):
            if number:
                yield Line("", "value", _LEAD)
            for name, value in zip(names, row, strict=True):
                if name:
                    yield from Passage(name, "head", _LEAD, _LEAD, wrap="words").fold(width)
                yield from Passage(value, self._style(number), "    ", "    ", wrap="words").fold(width)


def _wide(cell: str) -> int:
    return max(map(cell_len, cell.split("\n")))


def _row(row: Sequence[str], widths: Sequence[int], style: str) -> Iterator[Line]:
    folded = [fold_words(cell, width) for cell, width in zip(row, widths, strict=True)]
    for at in range(max(map(len, folded))):
        text = ""
        spans: list[Span] = []
        for lines, width in zip(folded, widths, strict=True):
            if text or spans:
                spans.append(Span(len(text), len(text) + len(_BETWEEN), "line"))
                text += _BETWEEN
            cell = (lines[at] if at < len(lines) else "").rstrip(" ")
            text += cell + " " * (width - cell_len(cell))
            spans.append(Span(len(text), len(text), "line"))
        yield Line(text, style, _LEAD, spans=tuple(span for span in spans if span.end > span.start))

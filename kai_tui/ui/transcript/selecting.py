"""Selection by what the text says, not by where it is drawn.

An offset is (character in the row, number of the row), so it stays true while a reply streams and
when the window changes its width.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from kai_tui.ui.transcript.strips import Line, RowText
from kai_tui.ui.transcript.wrap import break_cells, cells

LAST_ROW = 10**18
"""After every row there can be."""
_WORD = re.compile(r"[\w.\-/@:#]+")


def with_offsets(line: Line, row: RowText, number: int, width: int) -> Strip:
    """The line as Textual's mouse handling wants it: every character knows its offset."""
    segments: list[Segment] = []
    column = end = 0
    for piece in line.pieces:
        before = Style.from_meta({"offset": (piece.start, number)})
        segments.extend(Segment(" ", before) for _ in range(piece.column - column))
        text = row.text[piece.start : piece.end]
        if cells(text) == len(text):
            segments.append(Segment(text, before))
        else:
            segments.extend(_by_cell(text, piece.start, number))
        column = piece.column + cells(text)
        end = piece.end
    after = Style.from_meta({"offset": (end, number)})
    segments.extend(Segment(" ", after) for _ in range(width - column))
    return Strip(segments)


def _by_cell(text: str, start: int, number: int) -> Iterator[Segment]:
    """A segment for each cell: Textual would take the right half of a wide character for the next one."""
    for first, _, size in split_graphemes(text)[0]:
        style = Style.from_meta({"offset": (start + first, number)})
        for _ in range(size):
            yield Segment(" ", style)


def end_of(row: RowText, number: int, width: int) -> Strip:
    """A line below the end: all of it is the end of the last row."""
    after = Style.from_meta({"offset": (len(row.text), number)})
    return Strip([Segment(" ", after) for _ in range(width)])


def highlighted(line: Line, row: RowText, strip: Strip, span: tuple[int, int], style: Style) -> Strip:
    """The strip with the selected characters in the selection's colours."""
    start, end = span
    if end < 0:
        end = len(row.text)
    for piece in line.pieces:
        first, last = max(start, piece.start), min(end, piece.end)
        if first >= last:
            continue
        left = piece.column + cells(row.text[piece.start : first])
        right = left + cells(row.text[first:last])
        parts = list(strip.divide([left, right, strip.cell_length] if left else [right, strip.cell_length]))
        selected = 1 if left else 0
        if selected < len(parts):
            over = Style(
                color=style.color, bgcolor=style.bgcolor, reverse=style.reverse, underline=style.underline
            )
            parts[selected] = Strip(
                [Segment(text, (under or Style()) + over) for text, under, _ in parts[selected]],
                parts[selected].cell_length,
            )
            strip = Strip.join(parts)
    return strip


def selected_text(rows: Iterable[tuple[int, RowText]], selection: Selection) -> str:
    """What a selection copies: the text without padding, borders and soft line breaks."""
    lines: list[str] = []
    for number, row in rows:
        span = selection.get_span(number)
        if span is None:
            continue
        start, end = span
        if row.copied == "":
            # A label (of a code block): not even an empty line.
            continue
        whole = start <= 0 and (end < 0 or end >= len(row.text))
        if whole and row.copied is not None:
            lines.append(row.copied)
        else:
            lines.append(row.text[start:] if end < 0 else row.text[start:end])
    return "\n".join(lines).rstrip("\n")


def character_at(line: Line, row: RowText, column: int) -> int | None:
    """The character drawn at `column` of a line; None where there is none."""
    for piece in line.pieces:
        text = row.text[piece.start : piece.end]
        inside = column - piece.column
        if 0 <= inside < cells(text):
            if inside == 0:
                return piece.start
            return piece.start + break_cells(text, max(1, inside))[0][1]
    return None


def word_at(row: RowText, character: int, number: int) -> Selection | None:
    """The word around a character."""
    for match in _WORD.finditer(row.text):
        if match.start() <= character < match.end():
            return Selection(Offset(match.start(), number), Offset(match.end(), number))
    return None


def words_of(row: RowText) -> list[tuple[int, int]]:
    """Where each word of a row begins and ends."""
    return [match.span() for match in _WORD.finditer(row.text)]


def row_at(row: RowText, number: int) -> Selection:
    """The whole row."""
    return Selection(Offset(0, number), Offset(len(row.text), number))

"""Rows into the terminal's lines at one width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kai_tui.ui.transcript.rows import Block, Lead, Link, Row, Span, Table
from kai_tui.ui.transcript.styles import Palette
from kai_tui.ui.transcript.wrap import break_cells, break_words, cells, cut

Run = tuple[int, int, Style]
"""A stretch of text in one style."""

CONTINUED = "↳ "
"""Before the further lines of a long line of code."""


class Piece(NamedTuple):
    """Where on a line a stretch of its row's text stands."""

    column: int
    start: int
    end: int


class Line(NamedTuple):
    """One line of the terminal: what is drawn, and which text that is."""

    strip: Strip
    row: int
    """Logical row, counted inside the item."""
    pieces: tuple[Piece, ...]


class RowText(NamedTuple):
    """What a logical row gives to selection and links."""

    text: str
    copied: str | None = None
    links: Sequence[Link] = ()
    findable: int | None = None
    """How many of its characters are looked through in a search; None: all."""

    def link_at(self, offset: int) -> str | None:
        """The address behind a character, if any."""
        for start, end, href in self.links:
            if start <= offset < end:
                return href
        return None


class Rendered(NamedTuple):
    """An item at one width."""

    lines: list[Line]
    rows: list[RowText]


class Gutter(NamedTuple):
    """What stands left of the text: the speaker's name on the first line, a bar or nothing below."""

    first: tuple[Lead, ...]
    rest: tuple[Lead, ...]
    width: int
    """Cells; both leads are as wide."""


@lru_cache(maxsize=2048)
def _blank(width: int, style: Style) -> Segment:
    return Segment(" " * width, style)


def flatten(length: int, spans: Sequence[Span], base: tuple[str, ...], palette: Palette) -> list[Run]:
    """Overlapping spans as stretches side by side that cover the whole text."""
    ground = palette.get(base)
    if not spans:
        return [(0, length, ground)]
    runs: list[Run] = []
    position = 0
    for start, end, name in spans:
        if start < position:
            break
        if start > position:
            runs.append((position, start, ground))
        runs.append((start, end, palette.get((*base, name))))
        position = end
    else:
        if position < length:
            runs.append((position, length, ground))
        return runs
    points = sorted({0, length, *(span.start for span in spans), *(span.end for span in spans)})
    runs.clear()
    for start, end in pairwise(points):
        names = tuple(name for first, last, name in spans if first <= start and last >= end)
        runs.append((start, end, palette.get(base + names)))
    return runs


class Sheet:
    """Collects the lines of an item. A line is begun, filled from left to right, and ended."""

    def __init__(self, width: int, palette: Palette, gutter: Gutter) -> None:
        self.palette = palette
        self.room = width - gutter.width - 1
        """Cells for the text; one cell stays free at the right."""
        self.lines: list[Line] = []
        self.rows: list[RowText] = []
        self._width = width
        self._gutter = gutter
        self._segments: list[Segment] = []
        self._pieces: list[Piece] = []
        self._column = 0
        self._begun = False

    @property
    def left(self) -> int:
        """Cells still free for text on the begun line."""
        return self._width - 1 - self._column

    def row(self, text: RowText) -> int:
        """Count a new logical row; its number."""
        self.rows.append(text)
        return len(self.rows) - 1

    def begin(self) -> None:
        """Start a line with its gutter."""
        self._clear()
        self.leads(self._gutter.rest if self._begun else self._gutter.first)
        self._begun = True

    def bare_line(self, row: int, leads: tuple[Lead, ...]) -> None:
        """A line without the gutter."""
        self._clear()
        self.leads(leads)
        self.end(row)

    def _clear(self) -> None:
        self._segments = []
        self._pieces = []
        self._column = 0

    def put(self, text: str, *styles: str) -> None:
        """Decoration: belongs to no row."""
        if text:
            self._segments.append(Segment(text, self.palette.get(styles)))
            self._column += cells(text)

    def leads(self, leads: tuple[Lead, ...]) -> None:
        """Several decorations."""
        for text, style in leads:
            self.put(text, style)

    def text(self, text: str, runs: Sequence[Run], start: int, end: int, offset: int = 0) -> None:
        """A stretch of the row's text. `text` itself starts at `offset` in the row."""
        self._pieces.append(Piece(self._column, start + offset, end + offset))
        segments = self._segments
        for first, last, style in runs:
            if last <= start:
                continue
            if first >= end:
                break
            part = text[max(first, start) : min(last, end)]
            segments.append(Segment(part, style))
            self._column += cells(part)

    def end(self, row: int, base: str = "") -> None:
        """Finish the line: padded to the full width, filled when `base` has a background."""
        palette = self.palette
        segments = self._segments
        missing = self._width - self._column
        if missing > 1 and base and palette.fills(base):
            segments.append(_blank(missing - 1, palette.get((base,))))
            missing = 1
        if missing > 0:
            segments.append(_blank(missing, palette.ground))
            strip = Strip(segments, self._width)
        elif missing < 0:
            strip = Strip(segments, self._column).crop(0, self._width)
        else:
            strip = Strip(segments, self._width)
        self.lines.append(Line(strip, row, tuple(self._pieces)))


def _lead_cells(leads: tuple[Lead, ...]) -> int:
    return sum(cells(text) for text, _ in leads)


def _breaks(row: Row, room: int) -> Iterator[tuple[int, int]]:
    if row.wrap == "words":
        yield from break_words(row.text, room)
        return
    if row.wrap == "cells":
        size = len(row.text)
        first = break_cells(row.text, room)[0]
        yield first
        if first[1] < size:
            start = first[1]
            for a, b in break_cells(row.text[start:], max(2, room - len(CONTINUED))):
                yield start + a, start + b


def text_of(row: Row) -> RowText:
    """What a row gives to selection, links and search."""
    findable = 0 if row.findable is None and row.wrap == "cut" else row.findable
    return RowText(row.text, row.copied, row.links, findable)


def put_row(sheet: Sheet, row: Row) -> None:
    """Draw one row."""
    lead, rest = row.lead, row.rest
    room = sheet.room - _lead_cells(lead)
    if room < 6 and lead:
        # Too deep for this window: the text matters more than its indent.
        lead = rest = ()
        room = sheet.room
    base = row.base
    names = (base,) if base else ()
    number = sheet.row(text_of(row))
    if row.wrap == "cut":
        _put_summary(sheet, row, number, lead, names)
        return
    runs = flatten(len(row.text), row.spans, names, sheet.palette)
    for index, (start, end) in enumerate(_breaks(row, max(2, room))):
        sheet.begin()
        sheet.leads(rest if index else lead)
        if index and row.wrap == "cells":
            sheet.put(CONTINUED, *names, "line")
        sheet.text(row.text, runs, start, end)
        if row.right and not index:
            _put_right(sheet, row.right)
        sheet.end(number, base)


def _put_right(sheet: Sheet, right: tuple[Lead, ...]) -> None:
    space = sheet.left - _lead_cells(right)
    if space > 0:
        sheet.put(" " * space)
        sheet.leads(right)


def _put_summary(sheet: Sheet, row: Row, number: int, lead: tuple[Lead, ...], names: tuple[str, ...]) -> None:
    """One line whatever the width: the text is cut, what stands at the right is kept."""
    sheet.begin()
    sheet.leads(lead)
    right = row.right
    room = sheet.left - _lead_cells(right) - (2 if right else 0)
    if room < 12 and right:
        right = ()
        room = sheet.left
    shown = cut(row.text, max(1, room))
    spans = [Span(a, min(b, len(shown)), style) for a, b, style in row.spans if a < len(shown)]
    runs = flatten(len(shown), spans, names, sheet.palette)
    kept = len(shown) - (1 if shown != row.text else 0)
    sheet.text(shown, runs, 0, kept)
    if kept < len(shown):
        sheet.put(shown[kept:], *names, "muted")
    _put_right(sheet, right)
    sheet.end(number, row.base)


def layout(
    blocks: Sequence[Block],
    width: int,
    palette: Palette,
    gutter: Gutter,
    *,
    gap: bool = False,
    heading: tuple[Lead, ...] = (),
) -> Rendered:
    """Draw rows and tables at `width` cells; every strip is exactly that wide.

    `gap` puts an empty row before them, `heading` a line with the speaker's name (narrow windows).
    """
    from kai_tui.ui.transcript.table_layout import put_table

    sheet = Sheet(width, palette, gutter)
    if blocks and gap:
        sheet.bare_line(sheet.row(RowText("")), ())
    if blocks and heading:
        sheet.bare_line(len(sheet.rows), heading)
    for block in blocks:
        if isinstance(block, Table):
            put_table(sheet, block)
        else:
            put_row(sheet, block)
    return Rendered(sheet.lines, sheet.rows)


def texts(blocks: Sequence[Block], *, gap: bool = False) -> list[RowText]:
    """The rows' texts, as `layout` counts them, without drawing."""
    from kai_tui.ui.transcript.table_layout import row_of_text

    found: list[RowText] = [RowText("")] if blocks and gap else []
    for block in blocks:
        if isinstance(block, Table):
            found.extend(row_of_text(row) for row in block.rows)
        else:
            found.append(text_of(block))
    return found

"""Tables at a width: columns share the room, cells wrap, nothing is ever left out."""

from __future__ import annotations

import re

from kai_tui.ui.transcript.rows import Align, Cell, Table
from kai_tui.ui.transcript.strips import RowText, Run, Sheet, flatten
from kai_tui.ui.transcript.wrap import break_words, cells

SEPARATOR = " │ "
_NUMBER = re.compile(r"^[-+−]?[€$£]?\s?\d[\d\s,.'’_]*\s?(?:%|[a-zA-Z€$£]{1,3})?$")
_LEAST = 5
"""Narrowest useful column; below that the rows become lists of names and values."""


def natural_widths(table: Table) -> list[int]:
    """What each column wants, in cells."""
    widths = [0] * len(table.aligns)
    for row in table.rows:
        for index, cell in enumerate(row):
            widths[index] = max(widths[index], cells(cell.text))
    return widths


def fitted(natural: list[int], room: int) -> list[int] | None:
    """Widths that fill at most `room` together; None when the columns would be too narrow.

    Narrow columns keep what they want; the others share the rest.
    """
    room -= len(SEPARATOR) * (len(natural) - 1)
    if sum(natural) <= room:
        return [max(1, width) for width in natural]
    least = sum(min(width, _LEAST) for width in natural)
    if least > room:
        return None
    widths = list(natural)
    open_columns = sorted(range(len(natural)), key=lambda index: natural[index])
    left = room
    while open_columns:
        share = left // len(open_columns)
        index = open_columns[0]
        if natural[index] <= share:
            open_columns.pop(0)
            left -= natural[index]
            continue
        for position, column in enumerate(open_columns):
            widths[column] = share + (1 if position < left - share * len(open_columns) else 0)
        break
    return [max(1, width) for width in widths]


def _aligns(table: Table) -> list[Align]:
    """Columns of nothing but numbers stand at the right, unless the table says otherwise."""
    body = table.rows[1:] if table.header else table.rows
    aligns = list(table.aligns)
    for index, align in enumerate(aligns):
        if align != "left":
            continue
        texts = [row[index].text for row in body if row[index].text]
        if texts and all(_NUMBER.match(text) for text in texts):
            aligns[index] = "right"
    return aligns


def row_text(row: list[Cell]) -> str:
    """A table row as text: cells apart by tabs."""
    return "\t".join(cell.text for cell in row)


def row_of_text(row: list[Cell]) -> RowText:
    """What a table row gives to selection and links."""
    links = [
        link._replace(start=link.start + offset, end=link.end + offset)
        for cell, offset in zip(row, _offsets(row), strict=True)
        for link in cell.links
    ]
    return RowText(row_text(row), None, links)


def put_table(sheet: Sheet, table: Table) -> None:
    """Draw a table."""
    room = sheet.room - sum(cells(lead.text) for lead in table.lead)
    widths = fitted(table.natural or natural_widths(table), room)
    if widths is None:
        _put_records(sheet, table)
        return
    aligns = _aligns(table)
    wrapped = [any(cells(cell.text) > widths[i] for i, cell in enumerate(row)) for row in table.rows]
    last = len(table.rows) - 1
    for index, row in enumerate(table.rows):
        head = table.header and index == 0
        number = _put_table_row(sheet, table, row, widths, aligns, head)
        # Rows of one line need nothing between them; around a taller one it shows where it ends.
        if head or (index < last and (wrapped[index] or wrapped[index + 1])):
            _put_rule(sheet, table, widths, number, "─" if head else "┄")


def _put_rule(sheet: Sheet, table: Table, widths: list[int], row: int, dash: str) -> None:
    sheet.begin()
    sheet.leads(table.lead)
    cross = "┼" if dash == "─" else "│"
    sheet.put(f"{dash}{cross}{dash}".join(dash * width for width in widths), "line")
    sheet.end(row)


def _put_table_row(
    sheet: Sheet, table: Table, row: list[Cell], widths: list[int], aligns: list[Align], head: bool
) -> int:
    number = sheet.row(row_of_text(row))
    base = ("table-head",) if head else ()
    runs: list[list[Run]] = []
    breaks: list[list[tuple[int, int]]] = []
    for cell, width in zip(row, widths, strict=True):
        runs.append(flatten(len(cell.text), cell.spans, base, sheet.palette))
        breaks.append(break_words(cell.text, width))
    offsets = _offsets(row)
    for line in range(max(len(parts) for parts in breaks)):
        sheet.begin()
        sheet.leads(table.lead)
        for index, cell in enumerate(row):
            if index:
                sheet.put(SEPARATOR, "line")
            part = breaks[index][line] if line < len(breaks[index]) else None
            shown = cell.text[part[0] : part[1]] if part is not None else ""
            space = widths[index] - cells(shown)
            before = {"left": 0, "right": space, "center": space // 2}[aligns[index]]
            sheet.put(" " * before)
            if part is not None:
                _put_cell(sheet, cell, runs[index], part, offsets[index])
            if index < len(row) - 1:
                sheet.put(" " * (space - before))
        sheet.end(number)
    return number


def _offsets(row: list[Cell]) -> list[int]:
    """Where each cell's text starts in the row's text."""
    offsets: list[int] = []
    position = 0
    for cell in row:
        offsets.append(position)
        position += len(cell.text) + 1
    return offsets


def _put_cell(sheet: Sheet, cell: Cell, runs: list[Run], part: tuple[int, int], offset: int) -> None:
    start, end = part
    sheet.text(cell.text, runs, start, end, offset)


def _put_records(sheet: Sheet, table: Table) -> None:
    """The narrow form: each row as a list of names and values."""
    names = [cell.text for cell in table.rows[0]] if table.header else table.names
    body = table.rows[1:] if table.header else table.rows
    if table.header:
        # The header row stays a row of its own, so that rows count the same at every width.
        sheet.row(RowText(row_text(table.rows[0])))
    for index, row in enumerate(body):
        number = sheet.row(RowText(row_text(row)))
        if index:
            sheet.begin()
            sheet.put("┄" * max(2, sheet.room // 2), "line")
            sheet.end(number)
        for column, (cell, offset) in enumerate(zip(row, _offsets(row), strict=True)):
            name = names[column] if column < len(names) else ""
            if not cell.text:
                continue
            for start, end in break_words(name, max(2, sheet.room)) if name else ():
                sheet.begin()
                sheet.put(name[start:end], "table-head")
                sheet.end(number)
            runs = flatten(len(cell.text), cell.spans, (), sheet.palette)
            for part in break_words(cell.text, max(2, sheet.room - 2)):
                sheet.begin()
                sheet.put("  ")
                _put_cell(sheet, cell, runs, part, offset)
                sheet.end(number)

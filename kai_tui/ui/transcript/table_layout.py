"""Tables at a width. Prose in cells wraps and is all there; of wide tables and of records a calm part is drawn, with a
line that says what is missing and which key shows it. Copying and the viewer have everything."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from kai_tui.ui.transcript.rows import Cell, Shape, Table
from kai_tui.ui.transcript.strips import RowText, Sheet, flatten
from kai_tui.ui.transcript.table_shape import MORE, SEPARATOR, Plan, planned, shape_of
from kai_tui.ui.transcript.wrap import break_words, cells, cut


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
    shape = table.shape or shape_of(table)
    plan = planned(shape, sheet.room - sum(cells(lead.text) for lead in table.lead), data=table.data)
    if plan.form == "records":
        _put_records(sheet, table)
    elif plan.form == "cut":
        _put_cut(sheet, table, shape, plan.widths)
    else:
        _put_whole(sheet, table, shape, plan)


# -- everything, wrapped -------------------------------------------------------------------------------


def _put_whole(sheet: Sheet, table: Table, shape: Shape, plan: Plan) -> None:
    widths = plan.widths
    wrapped = [any(cells(cell.text) > widths[i] for i, cell in enumerate(row)) for row in table.rows]
    last = len(table.rows) - 1
    for index, row in enumerate(table.rows):
        head = table.header and index == 0
        number = sheet.row(row_of_text(row))
        _put_wrapped_row(sheet, table, row, shape, widths, number, head=head)
        if head:
            _put_rule(sheet, table, widths, number)
        elif index < last and (wrapped[index] or wrapped[index + 1]):
            # Rows of one line need nothing between them; around a taller one it shows where it ends.
            _put_gap(sheet, table, widths, number)


def _put_rule(sheet: Sheet, table: Table, widths: Sequence[int], row: int) -> None:
    _put_line(sheet, table, "─┼─".join("─" * width for width in widths), row)


def _put_gap(sheet: Sheet, table: Table, widths: Sequence[int], row: int) -> None:
    _put_line(sheet, table, SEPARATOR.join(" " * width for width in widths).rstrip(), row)


def _put_line(sheet: Sheet, table: Table, text: str, row: int) -> None:
    sheet.begin()
    sheet.leads(table.lead)
    sheet.put(text, "line")
    sheet.end(row)


def _put_wrapped_row(
    sheet: Sheet,
    table: Table,
    row: list[Cell],
    shape: Shape,
    widths: Sequence[int],
    number: int,
    *,
    head: bool,
) -> None:
    base = ("table-head",) if head else ()
    runs = [flatten(len(cell.text), cell.spans, base, sheet.palette) for cell in row]
    breaks = [list(break_words(cell.text, width)) for cell, width in zip(row, widths, strict=True)]
    offsets = _offsets(row)
    for line in range(max(len(parts) for parts in breaks)):
        sheet.begin()
        sheet.leads(table.lead)
        for index, cell in enumerate(row):
            part = breaks[index][line] if line < len(breaks[index]) else None
            shown = cell.text[part[0] : part[1]] if part is not None else ""
            before, after = _spaces(shape, widths, index, cells(shown))
            if index:
                sheet.put(SEPARATOR, "line")
            sheet.put(" " * before)
            if part is not None:
                sheet.text(cell.text, runs[index], part[0], part[1], offsets[index])
            if index < len(row) - 1:
                sheet.put(" " * after)
        sheet.end(number)


def _spaces(shape: Shape, widths: Sequence[int], index: int, used: int) -> tuple[int, int]:
    """The empty cells before and behind a text of a column."""
    space = max(0, widths[index] - used)
    before = {"left": 0, "right": space, "center": space // 2}[shape.aligns[index]]
    return before, space - before


# -- a line a row --------------------------------------------------------------------------------------


def _put_cut(sheet: Sheet, table: Table, shape: Shape, widths: Sequence[int]) -> None:
    for index, row in enumerate(table.rows):
        head = table.header and index == 0
        number = sheet.row(row_of_text(row))
        if head:
            sheet.begin()
            sheet.leads(table.lead)
            sheet.put(cut(_what_is_missing(shape, widths), max(1, sheet.left)), "muted")
            sheet.end(number)
        _put_cut_row(sheet, table, row, shape, widths, number, head=head)
        if head:
            _put_rule(sheet, table, widths, number)


def _what_is_missing(shape: Shape, widths: Sequence[int]) -> str:
    """ "12 columns, 5 shown, 1 of them cut · t opens the table"."""
    from kai_tui.ui.transcript.renderers.status import key_of

    count, shown = len(shape.widths), len(widths)
    narrowed = sum(want > width for want, width in zip(shape.widths, widths, strict=False))
    words = "1 column" if count == 1 else f"{count} columns"
    if shown < count:
        words += f", {shown} shown"
        words += f", {narrowed} of them cut" if narrowed else ""
    else:
        words += f", {narrowed} cut"
    return f"{words} · {key_of('browse')}, t opens the table"


def _put_cut_row(
    sheet: Sheet,
    table: Table,
    row: list[Cell],
    shape: Shape,
    widths: Sequence[int],
    number: int,
    *,
    head: bool,
) -> None:
    base = ("table-head",) if head else ()
    sheet.begin()
    sheet.leads(table.lead)
    for index, (offset, width) in enumerate(zip(_offsets(row), widths, strict=False)):
        cell = row[index]
        shown = cut(cell.text, width)
        kept = len(shown) if shown == cell.text else max(0, len(shown) - 1)
        before, after = _spaces(shape, widths, index, cells(shown))
        if index:
            sheet.put(SEPARATOR, "line")
        sheet.put(" " * before)
        sheet.text(cell.text, flatten(len(cell.text), cell.spans, base, sheet.palette), 0, kept, offset)
        sheet.put(shown[kept:], *base, "muted")
        if index < len(widths) - 1 or len(widths) < len(row):
            sheet.put(" " * after)
    if head and len(widths) < len(row):
        sheet.put(MORE, "muted")
    sheet.end(number)


# -- names and values ----------------------------------------------------------------------------------


def _put_records(sheet: Sheet, table: Table) -> None:
    """The narrow form: each row as names and values, side by side where the names leave room."""
    names = [cell.text for cell in table.rows[0]] if table.header else table.names
    body = table.rows[1:] if table.header else table.rows
    if table.header:
        # The header row stays a row of its own, so that rows count the same at every width.
        sheet.row(RowText(row_text(table.rows[0])))
    longest = max(map(cells, names), default=0)
    beside = longest + 2 if longest <= sheet.room // 3 else 0
    for index, row in enumerate(body):
        number = sheet.row(row_of_text(row))
        if index or not table.header:
            sheet.begin()
            sheet.put("─" * min(max(2, sheet.room), longest + 2), "line")
            sheet.end(number)
        for column, (cell, offset) in enumerate(zip(row, _offsets(row), strict=True)):
            if cell.text:
                _put_value(sheet, names[column] if column < len(names) else "", cell, offset, number, beside)


def _put_value(sheet: Sheet, name: str, cell: Cell, offset: int, number: int, beside: int) -> None:
    if not beside and name:
        for start, end in break_words(name, max(2, sheet.room)):
            sheet.begin()
            sheet.put(name[start:end], "table-head")
            sheet.end(number)
    indent = beside or 2
    runs = flatten(len(cell.text), cell.spans, (), sheet.palette)
    for line, (start, end) in enumerate(break_words(cell.text, max(2, sheet.room - indent))):
        sheet.begin()
        lead = name if beside and not line else ""
        sheet.put(lead, "table-head")
        sheet.put(" " * (indent - cells(lead)))
        sheet.text(cell.text, runs, start, end, offset)
        sheet.end(number)


def _offsets(row: list[Cell]) -> list[int]:
    """Where each cell's text starts in the row's text."""
    return list(accumulate((len(cell.text) + 1 for cell in row[:-1]), initial=0)) if row else []

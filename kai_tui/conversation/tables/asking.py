"""A part of a table as context for a question: what it is in a line, then the cells. Nothing is left out unsaid."""

from __future__ import annotations

from typing import Final, NamedTuple

from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.formats import as_markdown, csv_parts

MOST: Final = 60_000
"""Characters of cells; about 20,000 tokens."""
MOST_IN_CELL: Final = 2_000
"""Characters of one cell."""
_MARKDOWN_ROWS: Final = 30
_NAMES: Final = 8
"""Columns that are named in the heading; the cells' own header names all."""
_NAME: Final = 60


class Context(NamedTuple):
    """What goes into the prompt. Raw: cells are what a tool or a model wrote."""

    heading: str
    """One line: how much of which table."""
    cells: str
    """The cells with their columns' names: a markdown table, or CSV in a fence where there are many."""

    @property
    def text(self) -> str:
        """Both."""
        return f"{self.heading}\n{self.cells}\n"


def context_of(part: DataTable, *, of_rows: int, of_columns: int, first_row: int = 0) -> Context:
    """The context for `part` of a table of `of_rows` rows and `of_columns` columns.

    `first_row`: number in the whole table of the part's first row, 0 when that is not known. At most `MOST` characters
    of cells: the heading says how many rows are left out, a cut cell how many characters.
    """
    body, rows, cut = _written(part)
    whole = len(part.rows) == of_rows and len(part.columns) == of_columns
    title = " ".join(part.title.split())[:_NAME]
    words = f"the table “{title}”" if title else "the table"
    if whole:
        heading = f"All of {words}, {_count(of_rows, 'row')} × {_count(of_columns, 'column')}"
    else:
        heading = f"{_part_words(part, of_rows, first_row)} of {words}, {_column_words(part, of_columns)}"
    left_out: list[str] = []
    if rows < len(part.rows):
        left_out.append(
            f"only the first {_count(rows, 'row')} of them, the other {len(part.rows) - rows:,} are too much"
        )
    if cut:
        left_out.append("1 long cell cut" if cut == 1 else f"{cut:,} long cells cut")
    return Context(f"{heading}{' (' + ', '.join(left_out) + ')' if left_out else ''}:", body)


def _count(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number:,} {word}s"


def _part_words(part: DataTable, of_rows: int, first_row: int) -> str:
    count = len(part.rows)
    if count == of_rows:
        return f"All {_count(of_rows, 'row')}" if of_rows != 1 else "The row"
    if count == 1 and first_row:
        return f"Row {first_row:,} of {of_rows:,}"
    return f"{_count(count, 'row')} of {of_rows:,}"


def _column_words(part: DataTable, of_columns: int) -> str:
    count = len(part.columns)
    if count == of_columns:
        return "all columns" if of_columns != 1 else "its column"
    names = [" ".join(name.split())[:_NAME] for name in part.columns[:_NAMES]]
    more = f" and {count - _NAMES} more" if count > _NAMES else ""
    return f"{'column' if count == 1 else 'columns'} {', '.join(names)}{more} of {of_columns}"


def _written(part: DataTable) -> tuple[str, int, int]:
    """The cells, how many rows of them, and how many cells were cut."""
    rows: list[tuple[str, ...]] = []
    size = cut = 0
    for row in part.rows:
        shortened = tuple(map(_shortened, row))
        size += sum(map(len, shortened)) + 3 * len(row)
        if size > MOST and rows:
            break
        cut += sum(cell != before for cell, before in zip(shortened, row, strict=True))
        rows.append(shortened)
    table = DataTable(tuple(map(_shortened, part.columns)), rows)
    if len(rows) <= _MARKDOWN_ROWS:
        return as_markdown(table).rstrip("\n"), len(rows), cut
    text = "".join(csv_parts(table))
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}csv\n{text}{fence}", len(rows), cut


def _shortened(cell: str) -> str:
    if len(cell) <= MOST_IN_CELL:
        return cell
    return f"{cell[:MOST_IN_CELL]}… ({len(cell) - MOST_IN_CELL:,} more characters)"

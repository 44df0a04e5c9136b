"""What the viewer says in its lines: about the table, the cell, what is marked, the keys."""

from __future__ import annotations

from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.kinds import is_number
from kai_tui.conversation.tables.summing import Summary, average, in_words
from kai_tui.ui.tables.area import Area
from kai_tui.ui.tables.cells import EMPTY
from kai_tui.ui.tables.grid import TableGrid
from kai_tui.ui.tables.keys import footer
from kai_tui.ui.widgets.one_line import Fact

KINDS: dict[Kind, str] = {
    "text": "text",
    "integer": "whole numbers",
    "decimal": "decimals",
    "boolean": "yes or no",
    "date": "dates",
    "timestamp": "points in time",
    "empty": "nothing in it",
}
_QUIET = "$text-muted"
_NAME = 40
_VALUE = 400


def counted(number: int, word: str) -> str:
    """`1 row`, `1,234 rows`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def head_facts(
    table: DataTable,
    shown: int,
    sorted_by: tuple[int, bool] | None,
    *,
    filtered: bool,
    problem: str,
    working: str,
) -> list[Fact]:
    """The line above the grid."""
    title = safe_line(table.title, 200) or "Table"
    rows = f"{shown:,} of {counted(len(table.rows), 'row')}" if filtered else counted(shown, "row")
    facts = [
        Fact(title, "bold", 5, least=8),
        Fact(rows, "bold $text-accent" if filtered else _QUIET, 9),
        Fact(counted(len(table.columns), "column"), _QUIET, 3),
    ]
    if sorted_by is not None:
        name = column_name(table, sorted_by[0])
        facts.append(
            Fact(f"by {name} {'▼' if sorted_by[1] else '▲'}", _QUIET, 4, "▼" if sorted_by[1] else "▲")
        )
    if working:
        facts.append(Fact(f"{working}…", "$text-accent", 7))
    if problem:
        facts.append(Fact(f"! {problem}", "$text-warning", 8, least=6))
    return facts


def column_name(table: DataTable, column: int) -> str:
    """A column's name, safe; one without a name by its number."""
    return safe_line(table.columns[column], _NAME) or f"column {column + 1}"


def cell_facts(grid: TableGrid, summary: Summary | None) -> list[Fact]:
    """The line below the grid: the cell under the cursor, or what is marked and what it amounts to."""
    table, area = grid.table, grid.area
    if not grid.shown.count or not table.columns:
        return [Fact("Nothing to show.", _QUIET, 1)]
    if area is None:
        raw = grid.shown.cell(grid.row, grid.column)
        value = safe_line(raw, _VALUE)
        if not value:
            value = f"{EMPTY} empty" if not raw else "only spaces"
        return [
            Fact(f"{grid.shown.source(grid.row) + 1:,}", _QUIET, 2),
            Fact(column_name(table, grid.column), "$text-accent", 3, least=6),
            Fact(KINDS[grid.kinds[grid.column]], _QUIET, 1),
            Fact(value, "", 4, least=10),
        ]
    facts = [Fact(_marked(area, grid), "bold $text-accent", 9)]
    if grid.marking:
        facts.append(Fact("marking: arrows, Esc", _QUIET, 1, "marking"))
    if summary is None:
        return [*facts, Fact("counting…", _QUIET, 2)]
    facts.append(Fact(f"{summary.filled:,} filled", _QUIET, 3))
    if summary.numbers and summary.least is not None and summary.most is not None:
        mean, exact = average(summary)
        if not all(is_number(grid.kinds[at]) for at in range(area.left, area.right)):
            facts.append(Fact(counted(summary.numbers, "number"), _QUIET, 4))
        facts += [
            Fact(f"sum {in_words(summary.total)}", "", 8),
            Fact(f"avg {in_words(mean, exact=exact)}", "", 7),
            Fact(f"min {in_words(summary.least)}", "", 6),
            Fact(f"max {in_words(summary.most)}", "", 5),
        ]
    if summary.earliest:
        facts.append(
            Fact(f"{safe_line(summary.earliest, _NAME)} to {safe_line(summary.latest, _NAME)}", "", 4)
        )
    return facts


def _marked(area: Area, grid: TableGrid) -> str:
    if area.shape == "all":
        return f"all {counted(area.cells, 'cell')}"
    if area.shape == "rows":
        return counted(area.rows, "row")
    if area.shape == "columns":
        return counted(area.columns, "column") if area.columns > 1 else column_name(grid.table, area.left)
    if area.cells == 1:
        return "1 cell"
    return f"{area.rows:,} × {area.columns:,} cells"


def footer_facts() -> list[Fact]:
    """The keys, the most important last to go."""
    return [Fact(f"{key} {word}", "", weight) for key, word, weight in footer()]

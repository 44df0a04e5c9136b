"""What a question about cells takes along: which part of which table, the cells, and what was left out."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.tables.asking import MOST, MOST_IN_CELL, context_of
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.reading import table_of_markdown
from tests.hostile_cases import hostile_cases
from tests.some import examples, for_all


@pytest.mark.parametrize(
    ("rows", "columns", "of", "first", "heading"),
    [
        (3, 2, (3, 2), 1, "All of the table “Orders”, 3 rows × 2 columns:"),
        (3, 2, (4988, 12), 7, "3 rows of 4,988 of the table “Orders”, columns c0, c1 of 12:"),
        (1, 1, (4988, 12), 7, "Row 7 of 4,988 of the table “Orders”, column c0 of 12:"),
        (1, 2, (9, 2), 0, "1 row of 9 of the table “Orders”, all columns:"),
        (9, 1, (9, 2), 1, "All 9 rows of the table “Orders”, column c0 of 2:"),
        (2, 10, (9, 20), 1, "2 rows of 9 of the table “Orders”, columns c0, c1, c2, c3, c4, c5, c6, c7 and 2 more of 20:"),
    ],
)  # fmt: skip
def test_the_heading_says_which_part_it_is(
    rows: int, columns: int, of: tuple[int, int], first: int, heading: str
) -> None:
    part = DataTable(tuple(f"c{n}" for n in range(columns)), [("x",) * columns] * rows, "Orders")
    assert context_of(part, of_rows=of[0], of_columns=of[1], first_row=first).heading == heading


def test_few_rows_are_a_markdown_table_and_many_are_csv() -> None:
    few = DataTable(("a", "b"), [("1", "x|y")] * 3)
    context = context_of(few, of_rows=9, of_columns=2)
    assert context.text.endswith(context.cells + "\n")
    found = table_of_markdown(context.cells)
    assert found is not None
    assert list(found.rows) == list(few.rows)
    many = DataTable(("a", "b"), [(str(n), "```") for n in range(100)])
    cells = context_of(many, of_rows=100, of_columns=2).cells
    first, *lines, last = cells.split("\n")
    assert (first, last) == ("````csv", "````")
    assert list(csv.reader(io.StringIO("\n".join(lines)))) == [["a", "b"], *map(list, many.rows)]


def test_what_is_too_much_is_left_out_and_said() -> None:
    part = DataTable(("a",), [("x" * 100,)] * 10_000, "Big")
    context = context_of(part, of_rows=10_000, of_columns=1)
    rows = context.cells.count("\n") - 2
    assert rows < 10_000
    assert (
        f"only the first {rows:,} rows of them, the other {10_000 - rows:,} are too much" in context.heading
    )
    assert len(context.text) < MOST + 1_000
    long = DataTable(("a",), [("y" * (MOST_IN_CELL + 5),)])
    context = context_of(long, of_rows=1, of_columns=1)
    assert "(1 long cell cut)" in context.heading
    assert "… (5 more characters)" in context.cells


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=80),
    st.integers(0, 1000), st.integers(0, 5),
)  # fmt: skip
@examples(200)
def test_any_part_has_a_heading_of_one_line(rows: list[tuple[str, str]], more: int, further: int) -> None:
    part = DataTable(("a\nb", "c"), rows, "t\nu")
    context = context_of(part, of_rows=len(rows) + more, of_columns=2 + further)
    assert "\n" not in context.heading
    assert context.heading.endswith(":")


@for_all(hostile_cases())
def test_hostile_cells_stay_between_their_fences(case: object) -> None:
    text: str = getattr(case, "text", "")[:500]
    part = DataTable((text, "b"), [(text, "1")] * 40, text)
    context = context_of(part, of_rows=40, of_columns=2)
    fence = context.cells.partition("csv")[0]
    assert set(fence) == {"`"}
    assert context.cells.count(fence) == 2
    assert len(context.text) < 200_000

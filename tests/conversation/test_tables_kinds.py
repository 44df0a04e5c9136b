"""What a column is, and its rows in order and searched."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.kinds import SLICE, kind_of, kinds, kinds_in_slices, likely_kinds
from kai_tui.conversation.tables.matching import folded_rows, matching
from kai_tui.conversation.tables.ordering import ordered
from kai_tui.conversation.tables.written_numbers import number_form
from tests.hostile_cases import hostile_cases
from tests.some import examples, for_all


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("empty", []),
        ("empty", ["", "", "—"]),
        ("integer", ["0", "-12", "", "999999999999999"]),
        ("integer", ["1,234", "7", "1,000,000"]),
        ("integer", ["1 234", "12 345 678"]),
        ("integer", ["1.234.567", "12"]),
        ("integer", ["$5", "-$1,200", "N/A"]),
        ("integer", ["12 %", "5%", "-3 %", "+7%"]),
        ("decimal", ["1.5", "2", "-0.25", "1e-3", ".5"]),
        ("decimal", ["1,234.50", "0.1"]),
        ("decimal", ["1.234,50", "7,5"]),
        ("decimal", ["12.5 ms", "1 ms"]),
        ("decimal", ["€ 1.5", "€ 20"]),
        ("boolean", ["true", "FALSE", ""]),
        ("boolean", ["yes", "no"]),
        ("boolean", ["✓", "", "✗"]),
        ("date", ["2026-02-28", "", "2024-02-29"]),
        ("date", ["31.12.2026", "1. 2. 2026"]),
        ("timestamp", ["2026-02-28T10:00:00Z", "2026-02-28 10:00:00.123+02:00", "2026-02-28"]),
        ("text", ["00123", "00124"]),
        ("text", ["12345678901234567890"]),
        ("text", ["1234567890123456"]),
        ("text", ["+420777123456"]),
        ("text", ["1", "2", "three"]),
        ("text", ["$5", "€5"]),
        ("text", ["5 KB", "3 MB"]),
        ("text", ["5", "5 %"]),
        ("text", ["1,23,456"]),
        ("text", ["2026-02-30"]),
        ("text", ["2026-13-01T00:00:00"]),
        ("text", ["10/11/2026"]),
        ("text", ["1 234,567 890"]),
        ("text", ["١٢٣"]),
        ("text", ["1٢"]),
        ("text", ["2026-01-0٢"]),
        ("text", ["²"]),
        ("text", ["1_"]),
        ("text", ["1\n"]),
        ("text", [" 1"]),
        ("text", ["-"] * 3 + ["x"]),
    ],
)
def test_a_column_is_what_all_its_filled_cells_are(kind: Kind, cells: list[str]) -> None:
    assert kind_of(cells) == kind


def test_one_cell_far_below_the_sample_decides() -> None:
    cells = ["1"] * (3 * SLICE)
    table = DataTable(("n",), [(cell,) for cell in [*cells, "x"]])
    assert likely_kinds(table) == ("integer",)
    assert kinds(table) == ("text",)
    assert kind_of([*cells, "1.5"]) == "decimal"
    assert kind_of(["", *["—"] * 3 * SLICE, "5"]) == "integer"


def test_the_slices_end_in_the_same_kinds() -> None:
    rows = [(str(n), f"2026-01-{n % 28 + 1:02}", "x") for n in range(2 * SLICE + 1)]
    table = DataTable(("a", "b", "c"), rows)
    found = [each for each in kinds_in_slices(table) if each is not None]
    assert found == [kinds(table)] == [("integer", "date", "text")]


@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=30))
@examples(200)
def test_integers_are_integers_however_they_are_grouped(values: list[int]) -> None:
    for cells in (
        [str(v) for v in values],
        [f"{v:,}" for v in values],
        [f"{v:,} %".replace(",", " ") for v in values],
    ):
        assert kind_of(cells) == "integer"
        form = number_form(cells)
        assert form is not None
        assert form.values(cells) == values


@given(st.lists(st.text(max_size=8), max_size=20))
@examples(100)
def test_any_text_has_a_kind_and_its_numbers_are_floats(cells: list[str]) -> None:
    kind = kind_of(cells)
    if kind in ("integer", "decimal"):
        form = number_form(cells)
        assert form is not None
        assert len(form.values(cells)) == len(cells)
    else:
        assert number_form(cells) is None


# -- order ---------------------------------------------------------------------------------------------


def _in_order(cells: list[str], kind: Kind, *, descending: bool = False) -> list[str]:
    table = DataTable(("c",), [(cell,) for cell in cells])
    return [cells[row] for row in ordered(table, 0, kind, descending=descending)]


def test_numbers_are_in_order_of_their_value_and_what_is_missing_is_last() -> None:
    cells = ["10", "", "9", "-1", "—", "1.5"]
    assert _in_order(cells, "decimal") == ["-1", "1.5", "9", "10", "", "—"]
    assert _in_order(cells, "decimal", descending=True) == ["10", "9", "1.5", "-1", "", "—"]


def test_a_digit_that_no_float_holds_still_decides() -> None:
    cells = ["0.1000000000000000002", "0.1000000000000000001", "0.1"]
    assert _in_order(cells, "decimal") == cells[::-1]


def test_text_is_in_order_without_regard_to_case_and_accents() -> None:
    assert _in_order(["b", "Čech", "a", "Cash", "Z", "cesta"], "text") == [
        "a",
        "b",
        "Cash",
        "Čech",
        "cesta",
        "Z",
    ]


def test_times_are_in_order_over_zones() -> None:
    cells = ["2026-01-01T12:00:00+02:00", "2026-01-01T11:00:00Z", "2026-01-01 09:00:00"]
    assert _in_order(cells, "timestamp") == [cells[2], cells[0], cells[1]]


def test_a_kind_the_cells_are_not_is_ordered_as_text() -> None:
    for kind in ("integer", "date", "timestamp"):
        assert _in_order(["b", "a", "5"], kind) == ["5", "a", "b"]


@given(
    st.lists(st.sampled_from(["", "1", "2", "10", "—", "x", "X", "2026-01-01", "true"]), max_size=30),
    st.booleans(),
)
@examples(200)
def test_an_order_is_a_permutation_and_stable(cells: list[str], descending: bool) -> None:
    table = DataTable(("c",), [(cell,) for cell in cells])
    rows = ordered(table, 0, kind_of(cells), descending=descending)
    assert sorted(rows) == list(range(len(cells)))
    for cell in set(cells):
        same = [row for row in rows if cells[row] == cell]
        assert same == sorted(same)


@given(st.lists(st.decimals(-(10**9), 10**9, places=3).map(str), min_size=1, max_size=30))
@examples(100)
def test_an_order_of_numbers_is_an_order(cells: list[str]) -> None:
    from decimal import Decimal

    found = [Decimal(cell) for cell in _in_order(cells, kind_of(cells))]
    assert found == sorted(found)


# -- searching -----------------------------------------------------------------------------------------

_PEOPLE = DataTable(
    ("name", "city"), [("Ada Lovelace", "London"), ("Alan", "Wilmslow"), ("GRACE", "New York")]
)


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("", [0, 1, 2]), ("  ", [0, 1, 2]), ("a", [0, 1, 2]), ("ADA", [0]), ("lon love", [0]), ("ada wilm", []),
        ('"new york"', [2]), ('"york new"', []), ("grace", [2]), ('"', [0, 1, 2]), ("lovelace london", [0]),
    ],
)  # fmt: skip
def test_a_row_matches_when_every_word_stands_in_it(words: str, rows: list[int]) -> None:
    assert matching(_PEOPLE, words) == rows
    assert matching(_PEOPLE, words, folded=folded_rows(_PEOPLE)) == rows
    assert matching(_PEOPLE, words, among=[2, 0, 1]) == [row for row in (2, 0, 1) if row in rows]


def test_a_word_is_not_found_across_two_cells() -> None:
    assert matching(_PEOPLE, "lovelacelondon") == []


@for_all(hostile_cases())
def test_hostile_cells_have_kinds_orders_and_are_found(case: object) -> None:
    text: str = getattr(case, "text", "")
    table = DataTable((text, "b"), [(text, "1"), ("x", text), ("", "")], text)
    for index, kind in enumerate(kinds(table)):
        assert sorted(ordered(table, index, kind, descending=False)) == [0, 1, 2]
    matching(table, text)


def test_a_hundred_thousand_rows_are_a_matter_of_moments() -> None:
    """A bound that only a quadratic step breaks; `benchmarks/tables.py` has the figures."""
    from time import process_time

    random.seed(6)
    rows = [(str(random.randrange(10**6)), f"{random.random():.4f}", f"name {n}") for n in range(100_000)]
    table = DataTable(("id", "share", "name"), rows)
    started = process_time()
    assert kinds(table) == ("integer", "decimal", "text")
    assert len(ordered(table, 1, "decimal", descending=True)) == 100_000
    assert len(matching(table, "name 99")) > 100
    assert process_time() - started < 5

"""Tables in slices: the same as at once, exact, and with small steps."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from decimal import Context, Decimal
from time import thread_time
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.safe_text import safe_copy
from kai_tui.conversation.tables.copying import copied
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.filtering import column_named, filtered_in_slices, read_filter
from kai_tui.conversation.tables.kinds import kinds
from kai_tui.conversation.tables.opening import FIRST, opening_of_result
from kai_tui.conversation.tables.ordering import ordered
from kai_tui.conversation.tables.reading import table_of_result
from kai_tui.conversation.tables.sorting import sorted_in_slices
from kai_tui.conversation.tables.summing import Summary, Summed, average, in_words, summing

T = TypeVar("T")


def last(steps: Iterator[T | None]) -> T:
    """The first value that is not None."""
    return next(found for found in steps if found is not None)


def one_column(*cells: str) -> DataTable:
    return DataTable(("value",), [(cell,) for cell in cells])


def summed(*cells: str) -> Summary:
    table = one_column(*cells)

    def part(start: int, end: int) -> list[str]:
        return list(cells[start:end])

    column = Summed(0, kinds(table)[0], part, part, len(cells))
    return last(summing([column], 0, len(cells), {}))


# -- sums ----------------------------------------------------------------------------------------


def test_ten_times_a_tenth_is_one() -> None:
    found = summed(*["0.1"] * 10)
    assert found.total == Decimal(1)
    assert in_words(found.total) == "1.0"
    assert average(found) == (Decimal("0.1"), True)


def test_long_decimals_keep_every_digit() -> None:
    found = summed("0.1234567890123456789012345678", "100000000000000.0000000000000000000000000001")
    assert found.total == Decimal("100000000000000.1234567890123456789012345679")


def test_what_is_not_there_is_not_counted() -> None:
    found = summed("1", "", "N/A", "2", "-")
    assert (found.filled, found.numbers, found.total) == (2, 2, Decimal(3))
    assert (found.least, found.most) == (Decimal(1), Decimal(2))


def test_an_average_that_never_ends_says_that_it_is_rounded() -> None:
    mean, exact = average(summed("1", "1", "0"))
    assert not exact
    assert in_words(mean, exact=exact) == "≈ 0.6667"


def test_one_cell_decides_what_the_points_of_all_others_mean() -> None:
    found = summed(*["1.234"] * 600, "1.234,50")
    assert found.total == Decimal("1234") * 600 + Decimal("1234.50")


def test_dates_have_a_first_and_a_last() -> None:
    found = summed("2026-02-01", "", "2025-12-31", "2026-01-15")
    assert (found.filled, found.earliest, found.latest) == (3, "2025-12-31", "2026-02-01")


def test_texts_are_filled_but_no_numbers() -> None:
    found = summed("a", "00123", "")
    assert (found.filled, found.numbers, found.least) == (2, 0, None)


def test_huge_numbers_neither_overflow_nor_fill_the_line() -> None:
    found = summed("1e99", "1e99", "-1e-99")
    # With less precision than 200 digits the third number would be lost.
    assert found.total == Context(prec=300).subtract(Decimal("2e99"), Decimal("1e-99"))
    assert found.total != Decimal("2e99")
    assert len(in_words(found.total)) < 40
    assert in_words(found.total).startswith("≈ ")


# -- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("integer", lambda r: str(r.randrange(50))),
        ("decimal", lambda r: f"{r.randrange(5000) / 100:.2f}"),
        ("text", lambda r: r.choice(("ábc", "Abd", "zz", "a"))),
        ("date", lambda r: f"2026-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}"),
        ("boolean", lambda r: r.choice(("true", "false"))),
    ],
)
def test_sorting_in_slices_is_the_order_found_at_once(kind: Kind, make: object, *, descending: bool) -> None:
    assert callable(make)
    random_ = random.Random(7)
    cells = ["" if random_.random() < 0.1 else str(make(random_)) for _ in range(3_500)]
    table = one_column(*cells)
    expected = ordered(table, 0, kind, descending=descending)
    assert last(sorted_in_slices(table, 0, kind, None, descending=descending)) == expected
    among = list(range(0, 3_500, 3))
    chosen = set(among)
    found = last(sorted_in_slices(table, 0, kind, among, descending=descending))
    assert found == [row for row in expected if row in chosen]


def test_no_step_of_a_long_sort_takes_long() -> None:
    random_ = random.Random(1)
    table = one_column(*[f"name {random_.random()}" for _ in range(100_000)])
    longest, began = 0.0, thread_time()
    for _ in sorted_in_slices(table, 0, "text", None, descending=False):
        longest, began = max(longest, thread_time() - began), thread_time()
    # Of this thread's own time: 30 ms, the last merge; sorted at once it takes half a second.
    assert longest < 0.25


# -- filter --------------------------------------------------------------------------------------

ORDERS = DataTable(
    ("Region", "amount", "ordered on", "note"),
    [
        ("West", "1,000.50", "2026-01-31", "late"),
        ("west", "99", "2026-02-01", ""),
        ("East", "100", "2026-02-28", "a = b"),
        ("", "", "", "Late again"),
    ],
)


def rows(text: str, only: int | None = None, table: DataTable = ORDERS) -> list[int]:
    wanted = read_filter(text, table, only=only)
    assert wanted is not None
    return last(filtered_in_slices(table, kinds(table), wanted, []))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("west", [0, 1]),
        ("WEST late", [0]),
        ("late", [0, 3]),
        ('"late again"', [3]),
        ("amount > 100", [0]),
        ("amount>=100", [0, 2]),
        ("amount < 1,000.50", [1, 2]),
        ("amount != 100", [0, 1]),
        ("amo = 100", [2]),
        ('"ordered on" >= 2026-02', [1, 2]),
        ('"ordered on" < 2026-02-28 west', [0, 1]),
        ("region = west", [0, 1]),
        ('region = ""', [3]),
        ('note != ""', [0, 2, 3]),
        ("amount >", [0, 1, 2, 3]),
    ],
)
def test_filters(text: str, expected: list[int]) -> None:
    if text == "amount >":
        # Not finished yet: it asks for the words so far.
        wanted = read_filter(text, ORDERS)
        assert wanted is None
        return
    assert rows(text) == expected


def test_words_and_comparisons_of_one_column() -> None:
    assert rows("late", only=3) == [0, 3]
    assert rows("late", only=0) == []
    assert rows("> 99", only=1) == [0, 2]


def test_a_column_that_is_not_there_is_said_and_searched_as_words() -> None:
    wanted = read_filter("amuont > 100", ORDERS)
    assert wanted is not None
    assert "amuont" in wanted.note
    assert wanted.words == ("amuont", ">", "100")


def test_words_with_a_sign_in_them_are_words() -> None:
    assert rows('"a = b"') == [2]


@pytest.mark.parametrize("text", ["amount > much", "amount < nan", '"ordered on" > yesterday'])
def test_a_comparison_that_makes_no_sense_says_why(text: str) -> None:
    with pytest.raises(ValueError, match="compare it with"):
        rows(text)


def test_a_column_by_the_beginning_of_its_name_when_only_one_begins_so() -> None:
    table = DataTable(("amount", "amber", "region"), [])
    assert column_named("AMOUNT", table) == 0
    assert column_named("reg", table) == 2
    assert column_named("am", table) is None


@given(st.text(alphabet='ab "<>=!1.,-', max_size=30), st.sampled_from([None, 0, 1, 2, 3]))
def test_nothing_typed_breaks_the_filter(text: str, only: int | None) -> None:
    wanted = read_filter(text, ORDERS, only=only)
    if wanted is not None:
        try:
            found = last(filtered_in_slices(ORDERS, kinds(ORDERS), wanted, []))
        except ValueError:
            return
        assert found == sorted(set(found))


# -- copying -------------------------------------------------------------------------------------


def test_empty_cells_are_copied_one_by_one_and_not_as_a_gap() -> None:
    table = DataTable(("a", "b"), [("first", "1"), *[("", "")] * 300, ("last\x1b[2J", "2")])
    column = DataTable(("a",), [(row[0],) for row in table.rows])
    text = safe_copy(copied(column, "tsv", names=False))
    assert text.count("\n") == 301
    assert "empty lines" not in text
    assert "\x1b" not in text
    wide = DataTable(tuple(map(str, range(300))), [("",) * 300])
    assert safe_copy(copied(wide, "tsv", names=False)) == "\t" * 299


# -- opening -------------------------------------------------------------------------------------


def result_of(lines: list[list[str]]) -> dict[str, str]:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return {"csv_data": out.getvalue(), "query_name": "Long"}


def test_a_long_result_shows_its_first_rows_and_reads_the_others_bit_by_bit() -> None:
    lines = [["id", "text"], *([str(number), "x" * 40] for number in range(9_000))]
    output = result_of(lines)
    opening = opening_of_result(output)
    assert opening is not None
    assert len(opening.table.rows) == FIRST
    assert opening.rest is not None
    whole = last(opening.rest)
    assert whole is opening.table
    expected = table_of_result(output)
    assert expected is not None
    assert (whole.columns, list(whole.rows), whole.title) == (expected.columns, list(expected.rows), "Long")


def test_a_later_row_with_too_many_cells_gets_columns_for_them() -> None:
    lines = [["id", "text"], *([str(number), "x" * 40] for number in range(9_000)), ["9001", "a", "b"]]
    output = result_of(lines)
    opening = opening_of_result(output)
    assert opening is not None
    assert opening.rest is not None
    whole = last(opening.rest)
    assert whole.columns == ("id", "text", "")
    assert whole.rows[-1] == ("9001", "a", "b")
    assert whole.rows[0] == ("0", "x" * 40, "")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_inside_cells_stay_as_they_are(end: str) -> None:
    rows = [f'{number},"one{end}two, ""three"""{end}' for number in range(9_000)]
    output = {"csv_data": f"id,text{end}{end}" + "".join(rows) + "9001,last", "query_name": "Long"}
    opening = opening_of_result(output)
    assert opening is not None
    assert opening.rest is not None
    whole, expected = last(opening.rest), table_of_result(output)
    assert expected is not None
    assert list(whole.rows) == list(expected.rows)
    assert whole.rows[0] == ("0", f'one{end}two, "three"')
    assert whole.rows[-1] == ("9001", "last")


def test_a_cell_of_a_megabyte_is_a_cell() -> None:
    output = {"csv_data": f'id,text\n1,"{"x" * 1_000_000}"\n2,y\n'}
    opening = opening_of_result(output)
    assert opening is not None
    whole = last(opening.rest) if opening.rest is not None else opening.table
    expected = table_of_result(output)
    assert expected is not None
    assert [len(row[1]) for row in whole.rows] == [1_000_000, 1] == [len(row[1]) for row in expected.rows]


def test_what_is_no_table_opens_nothing() -> None:
    assert opening_of_result("words") is None
    assert opening_of_result({"isError": True, "content": [{"text": "no"}]}) is None

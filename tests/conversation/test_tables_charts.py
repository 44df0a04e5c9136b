"""Charts: what is drawn is what the cells say, within the room there is."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.tables.chart_scale import alike, exact, number_ticks, time_ticks
from kai_tui.conversation.tables.charts import TOGETHER, Chart, Together, Way, chart_of, ways_for
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.kinds import kinds
from tests.hostile_cases import hostile_cases
from tests.some import examples, for_all

SIZES = [(60, 15), (120, 30), (24, 6)]


def drawn(
    table: DataTable, *columns: int, size: tuple[int, int] = (60, 15), way: Way | None = None,
    together: Together = "sum",
) -> Chart:  # fmt: skip
    chart = chart_of(table, kinds(table), columns, *size, way=way, together=together)
    assert isinstance(chart, Chart)
    return chart


def text(chart: Chart) -> list[str]:
    return ["".join(stretch for stretch, _ in line).rstrip() for line in chart.lines]


def bars(chart: Chart) -> list[str]:
    """The lines without those that stand between two bars."""
    return [line for line in text(chart) if line.strip() != "│"]


def column(*cells: str) -> DataTable:
    return DataTable(("n",), [(cell,) for cell in cells])


def pairs(*rows: tuple[str, str], names: tuple[str, str] = ("region", "amount")) -> DataTable:
    return DataTable(names, list(rows))


def test_bars_are_as_long_as_their_numbers_and_say_them() -> None:
    chart = drawn(pairs(("West", "$40"), ("East", "$10"), ("North", "$0"), ("South", "$20.50")), 0, 1)
    assert chart.title == "amount ($) by region"
    assert not chart.grouped
    lines = bars(chart)
    lengths = [line.count("█") for line in lines]
    assert lengths[0] == pytest.approx(4 * lengths[1], abs=4)
    assert lengths[2] == 0
    assert [line.split()[-1] for line in lines] == ["$40.0", "$10.0", "$0.0", "$20.5"]


def test_what_is_below_zero_goes_to_the_left_of_it() -> None:
    lines = bars(drawn(pairs(("Jan", "12"), ("Feb", "-6"), ("Mar", "-0.1")), 0, 1))
    zero = lines[0].index("│")
    assert [line.index("│") for line in lines] == [zero] * 3
    assert "█" not in lines[0][:zero]
    assert "█" not in lines[1][zero:]
    assert lines[2][zero - 1] == "▐", "the smallest value is seen, too"


def test_equal_names_are_put_together_and_it_is_said_how() -> None:
    table = pairs(("West", "1"), ("East", "5"), ("West", "3"), ("East", ""))
    chart = drawn(table, 0, 1)
    assert (chart.title, chart.grouped) == ("sum of amount by region", True)
    assert [line.split()[-1] for line in bars(chart)] == ["4", "5"]
    assert chart.note == "1 row without a value is left out."
    found = {
        each: [line.split()[-1] for line in bars(drawn(table, 0, 1, together=each))] for each in TOGETHER
    }
    assert found == {
        "sum": ["4", "5"], "mean": ["2", "5"], "count": ["2", "1"], "highest": ["3", "5"], "lowest": ["1", "5"]
    }  # fmt: skip
    assert drawn(table, 0, 1, together="count").title == "number of amount by region"


def test_too_many_bars_are_the_largest_and_it_is_said() -> None:
    chart = drawn(pairs(*((f"name {n}", str(n - 20)) for n in range(40))), 0, 1, size=(60, 10))
    assert len(chart.lines) == 10
    assert chart.note == "The 10 largest of 40."
    assert text(chart)[0].startswith("name 0 ")


def test_one_value_is_called_so() -> None:
    assert drawn(column("1263"), 0).note == "One value: 1,263."
    assert drawn(column("1263", ""), 0).note == "One value: 1,263. 1 row without a value is left out."


def test_a_histogram_counts_every_value_once() -> None:
    chart = drawn(column(*["1"] * 8, *["2"] * 4, "5", "", "—"), 0)
    assert chart.title == "how often each n occurs"
    assert chart.note == "13 values from 1 to 5. 2 rows without a value are left out."
    lines = text(chart)
    heights = [
        sum(line[5 + index * 11] in "▁▂▃▄▅▆▇█" for line in lines if len(line) > 5 + index * 11)
        for index in (0, 1, 4)
    ]
    assert heights == [13, 7, 2]
    assert lines[-1].split() == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "cells", [["5"], ["5"] * 9, ["-3.5", "-3.5"], ["0"], ["1e99", "-1e99"], ["1e-90", "2e-90"]]
)
@pytest.mark.parametrize("way", ["histogram", "line"])
def test_one_value_and_equal_and_huge_and_tiny_ones_are_drawn(
    cells: list[str], size: tuple[int, int], way: Way
) -> None:
    lines = text(drawn(column(*cells), 0, size=size, way=way))
    assert len(lines) == max(3, size[1] - 2) + 2
    assert all(len(line) <= size[0] for line in lines)
    assert re.search("[▁-█\u2801-\u28ff]", "".join(lines))


def test_a_line_goes_through_its_lowest_and_highest_point() -> None:
    rows = [(f"2026-01-{day:02}", str(day if day != 15 else 1000)) for day in range(1, 29)]
    chart = drawn(pairs(*reversed(rows), names=("day", "orders")), 0, 1)
    assert chart.title == "orders by day"
    lines = text(chart)
    assert re.search("[\u2801-\u28ff]", lines[0])
    assert "2026-01-" in lines[-1]
    assert any(line.lstrip().startswith("800 ┤") for line in lines)


def test_many_points_keep_their_extremes() -> None:
    cells = ["5"] * 100_000
    cells[50_001] = "900"
    cells[70_003] = "-100"
    lines = text(drawn(column(*cells), 0, way="line"))
    assert re.search("[\u2801-\u28ff]", lines[0])
    assert re.search("[\u2801-\u28ff]", lines[-3])


def test_two_numbers_are_dots_each_in_its_place() -> None:
    lines = text(drawn(pairs(("0", "0"), ("10", "10")), 0, 1))
    dots = [(row, line.index(found[0])) for row, line in enumerate(lines) if (found := re.findall("•", line))]
    assert dots == [(0, 59), (12, 4)]


@pytest.mark.parametrize(
    ("cells", "ways"),
    [(("a", "1"), ("bars",)), (("2026-01-01", "1"), ("line", "bars")), (("1", "2"), ("dots", "line")), (("a", "b"), ("counts",)), (("", "1"), ("histogram", "line")), (("", ""), ())],
)  # fmt: skip
def test_what_columns_hold_decides_how_they_can_be_drawn(
    cells: tuple[str, str], ways: tuple[Way, ...]
) -> None:
    table = pairs(cells)
    assert ways_for(kinds(table), (0, 1)) == ways
    if not ways:
        assert (
            chart_of(table, kinds(table), (0, 1), 60, 15)
            == "There is nothing in this column that could be drawn."
        )


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "日本", "", "x" * 70]), st.floats(-1e9, 1e9).map(lambda f: f"{f:.3f}")), min_size=1, max_size=40),
    st.sampled_from(SIZES),
)  # fmt: skip
@examples(200)
def test_bars_never_leave_their_room(rows: list[tuple[str, str]], size: tuple[int, int]) -> None:
    for columns in ((0, 1), (1,), (0,)):
        chart = chart_of(pairs(*rows), kinds(pairs(*rows)), columns, *size)
        if isinstance(chart, Chart):
            assert len(chart.lines) <= size[1]
            assert size == (24, 6) or all(len(line) <= size[0] for line in text(chart))


@given(
    st.lists(st.tuples(st.dates().map(str), st.floats(-1e12, 1e12)), min_size=1, max_size=60),
    st.sampled_from(SIZES),
)
@examples(200)
def test_plots_never_leave_their_room(rows: list[tuple[str, float]], size: tuple[int, int]) -> None:
    table = pairs(*((day, f"{value:.2f}") for day, value in rows))
    for columns in ((0, 1), (1,)):
        for way in ways_for(kinds(table), columns):
            chart = drawn(table, *columns, size=size, way=way)
            assert len(chart.lines) <= size[1]
            assert size == (24, 6) or all(len(line) <= size[0] for line in text(chart))


@given(st.floats(-1e15, 1e15), st.floats(1e-6, 1e15), st.integers(2, 12))
@examples(300)
def test_ticks_are_round_in_order_and_within(low: float, size: float, most: int) -> None:
    high = low + size
    if high == low:
        return
    ticks = number_ticks(low, high, most)
    assert len(ticks) <= most
    values = [tick.value for tick in ticks]
    assert values == sorted(values)
    slack = size * 1e-6 + abs(low) * 1e-15
    assert all(low - slack <= value <= high + slack for value in values)
    if abs(low) < size * 1e3 and size < 1e14:
        assert len({tick.label for tick in ticks}) == len(ticks)


@given(st.floats(-6.3e10, 2.6e11), st.floats(1, 1e11), st.integers(2, 10))
@examples(300)
def test_times_on_an_axis_are_within_it(low: float, size: float, most: int) -> None:
    ticks = time_ticks(low, min(low + size, 2.5e11), most)
    assert all(low <= tick.value <= low + size for tick in ticks)
    assert len(ticks) <= most + 1


def test_numbers_are_written_with_the_digits_that_mean_something() -> None:
    assert [exact(value) for value in (0, 5, -1200, 1.5, 0.1 + 0.2, 1e20, 0.00001)] == [
        "0", "5", "-1,200", "1.5", "0.3", "1e+20", "1e-05",
    ]  # fmt: skip
    assert alike([1, 2.25]) == ["1.00", "2.25"]
    assert not math.isnan(float(exact(1e15)))


@for_all(hostile_cases())
def test_hostile_names_are_drawn_and_do_nothing(case: object) -> None:
    raw: str = getattr(case, "text", "")[:2_000]
    table = DataTable((raw, raw), [(raw, "1"), ("x", "2"), (raw + "y", "-1")], raw)
    shown = drawn(table, 0, 1)
    everything = shown.title + "".join(text(shown))
    assert not set(everything) & set("\x00\x07\x1b\x9b\u202e\u2066\n\r\ud800")

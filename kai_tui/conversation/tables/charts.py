"""Small charts of a table's columns, drawn with block and braille characters.

What is drawn is what the cells say: bars start at zero, no value is left out unsaid, equal names are put together and
the title says how. Lines come as stretches of text with what they are, so that the screen can colour them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.tables.blank import BLANK
from kai_tui.conversation.tables.chart_bars import histogram, lying_bars
from kai_tui.conversation.tables.chart_lines import Cells, Ink, Line
from kai_tui.conversation.tables.chart_plot import plot
from kai_tui.conversation.tables.chart_scale import exact
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.kinds import column, is_number
from kai_tui.conversation.tables.moments import moments
from kai_tui.conversation.tables.written_numbers import number_form

__all__ = ["Chart", "Ink", "Line", "Together", "Way", "chart_of", "ways_for"]

Way: TypeAlias = Literal["histogram", "line", "bars", "counts", "dots"]
Together: TypeAlias = Literal["sum", "mean", "count", "highest", "lowest"]
TOGETHER: Final[tuple[Together, ...]] = get_args(Together)
_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as it stands on the screen. All text is safe."""

    title: str
    """What it shows: "sum of amount ($) by region"."""
    lines: Sequence[Line]
    note: str = ""
    """What was left out or put together, in a sentence; "" when nothing was."""
    grouped: bool = False
    """Whether rows were put together, so that another way to do that shows something else."""


def ways_for(kinds: Sequence[Kind], columns: Sequence[int]) -> tuple[Way, ...]:
    """How these columns can be drawn, the most fitting first; empty when they cannot. Two of them at most count."""
    x, y = _pair(kinds, columns)
    if y is None:
        return () if x is None or kinds[x] == "empty" else ("counts",)
    if x is None:
        return ("histogram", "line")
    if kinds[x] in ("date", "timestamp"):
        return ("line", "bars")
    if is_number(kinds[x]):
        return ("dots", "line")
    return ("bars",)


def _pair(kinds: Sequence[Kind], columns: Sequence[int]) -> tuple[int | None, int | None]:
    """What goes along and what goes up."""
    numeric = [index for index in columns if is_number(kinds[index])]
    others = [index for index in columns if not is_number(kinds[index]) and kinds[index] != "empty"]
    if not numeric:
        return (others[0] if others else columns[0] if columns else None), None
    if others:
        return others[0], numeric[0]
    return (numeric[0], numeric[1]) if len(numeric) > 1 else (None, numeric[0])


def chart_of(
    table: DataTable,
    kinds: Sequence[Kind],
    columns: Sequence[int],
    width: int,
    height: int,
    *,
    way: Way | None = None,
    together: Together = "sum",
    cells: Cells = len,
) -> Chart | str:
    """A chart of one or two columns in `width` × `height` cells; a sentence when there is nothing to draw.

    100,000 rows take about 0.2 s: use a thread. `cells`: how wide a text is on the screen.
    """
    ways = ways_for(kinds, columns)
    if not ways:
        return "There is nothing in this column that could be drawn."
    way = way if way in ways else ways[0]
    x, y = _pair(kinds, columns)
    width, height = max(24, width), max(6, height)
    if y is None:
        assert x is not None
        return _counts(table, x, width, height, cells)
    form = number_form(column(table, y))
    if form is None:
        return "There is no number in this column."
    values = [None if value is None else float(value) for value in form.values(column(table, y))]
    upward = _Values(safe_line(table.columns[y], _NAME) or "the column", form.unit, values)
    if x is None:
        whole = kinds[y] == "integer"
        return (
            _histogram(upward, width, height, whole=whole)
            if way == "histogram"
            else _by_row(upward, width, height)
        )
    along = safe_line(table.columns[x], _NAME) or "the column"
    if way == "bars":
        return _bars(table, x, along, upward, together, width, height, cells)
    return _plotted(table, kinds, x, along, upward, together, width, height, way)


@dataclass(frozen=True, slots=True)
class _Values:
    """The column that goes up."""

    name: str
    unit: str
    values: Sequence[float | None]

    @property
    def words(self) -> str:
        return f"{self.name} ({self.unit})" if self.unit else self.name


def _missing(count: int) -> str:
    if not count:
        return ""
    return (
        "1 row without a value is left out."
        if count == 1
        else f"{count:,} rows without a value are left out."
    )


def _histogram(up: _Values, width: int, height: int, *, whole: bool) -> Chart | str:
    values = [value for value in up.values if value is not None]
    if not values:
        return "Every cell of this column is empty."
    words = f"{len(values):,} values from {exact(min(values))} to {exact(max(values))}"
    if len(values) == 1:
        words = f"One value: {exact(values[0])}"
    note = f"{words}. {_missing(len(up.values) - len(values))}".strip()
    return Chart(f"how often each {up.words} occurs", histogram(values, width, height, whole=whole), note)


def _by_row(up: _Values, width: int, height: int) -> Chart | str:
    points = [(float(row), value) for row, value in enumerate(up.values, 1) if value is not None]
    if not points:
        return "Every cell of this column is empty."
    lines = plot([x for x, _ in points], [y for _, y in points], width, height, joined=True)
    return Chart(f"{up.words} by row", lines, _missing(len(up.values) - len(points)))


def _counts(table: DataTable, x: int, width: int, height: int, cells: Cells) -> Chart | str:
    counts: dict[str, float] = {}
    texts = column(table, x)
    for text in texts:
        if text not in BLANK:
            counts[text] = counts.get(text, 0) + 1
    if not counts:
        return "Every cell of this column is empty."
    name = safe_line(table.columns[x], _NAME) or "the column"
    missing = _missing(len(texts) - int(sum(counts.values())))
    ranked = sorted(counts.items(), key=lambda each: -each[1])
    return _drawn_bars(
        f"rows of each {name}", ranked, len(ranked) > height, missing, "", width, height, cells
    )


def _bars(
    table: DataTable,
    x: int,
    along: str,
    up: _Values,
    together: Together,
    width: int,
    height: int,
    cells: Cells,
) -> Chart | str:
    groups: dict[str, list[float]] = {}
    for name, value in zip(column(table, x), up.values, strict=True):
        if value is not None:
            groups.setdefault(name, []).append(value)
    if not groups:
        return "There is no row with a value."
    grouped = any(len(values) > 1 for values in groups.values())
    merged = {name: merge(values, together) if grouped else values[0] for name, values in groups.items()}
    title = f"{_merged_words(together, up, grouped)} by {along}"
    missing = _missing(sum(value is None for value in up.values))
    items = list(merged.items())
    too_many = len(items) > height
    if too_many:
        items.sort(key=lambda each: -abs(each[1]))
    unit = "" if grouped and together == "count" else up.unit
    return _drawn_bars(title, items, too_many, missing, unit, width, height, cells, grouped=grouped)


def _drawn_bars(
    title: str, items: Sequence[tuple[str, float]], too_many: bool, missing: str, unit: str, width: int, height: int,
    cells: Cells, *, grouped: bool = False,
) -> Chart:  # fmt: skip
    shown = items[:height] if too_many else items
    names = [safe_line(name, _NAME) or "(empty)" for name, _ in shown]
    note = f"The {len(shown):,} largest of {len(items):,}. {missing}" if too_many else missing
    lines = lying_bars(
        names, [value for _, value in shown], width, unit, cells, apart=2 * len(shown) - 1 <= height
    )
    return Chart(title, lines, note.strip(), grouped)


def merge(values: Sequence[float], together: Together) -> float:
    """Several values as one."""
    if together == "count":
        return float(len(values))
    if together == "highest":
        return max(values)
    if together == "lowest":
        return min(values)
    return sum(values) / (len(values) if together == "mean" else 1)


def _merged_words(together: Together, up: _Values, grouped: bool) -> str:
    if not grouped:
        return up.words
    return f"number of {up.name}" if together == "count" else f"{together} of {up.words}"


def _plotted(
    table: DataTable, kinds: Sequence[Kind], x: int, along: str, up: _Values, together: Together, width: int,
    height: int, way: Way,
) -> Chart | str:  # fmt: skip
    times = kinds[x] in ("date", "timestamp")
    places = _times(column(table, x)) if times else _numbers(column(table, x))
    points = [(a, b) for a, b in zip(places, up.values, strict=True) if a is not None and b is not None]
    if not points:
        return "There is no row with both values."
    missing = _missing(len(up.values) - len(points))
    grouped = False
    if way == "line":
        groups: dict[float, list[float]] = {}
        for a, b in points:
            groups.setdefault(a, []).append(b)
        grouped = len(groups) < len(points)
        points = sorted(
            (a, merge(values, together) if grouped else values[0]) for a, values in groups.items()
        )
    xs, ys = [a for a, _ in points], [b for _, b in points]
    lines = plot(xs, ys, width, height, joined=way == "line", times=times)
    return Chart(f"{_merged_words(together, up, grouped)} by {along}", lines, missing, grouped)


def _times(texts: Sequence[str]) -> list[float | None]:
    return [None if moment is None else moment.timestamp() for moment in moments(texts)]


def _numbers(texts: Sequence[str]) -> list[float | None]:
    form = number_form(texts)
    return (
        [None if value is None else float(value) for value in form.values(texts)] if form is not None else []
    )

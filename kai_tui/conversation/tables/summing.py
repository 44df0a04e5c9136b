"""Count, sum, average, least and most of cells, exact: decimals as they are written, never floats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from typing import TypeAlias

from kai_tui.conversation.tables.blank import BLANK
from kai_tui.conversation.tables.data_table import Kind
from kai_tui.conversation.tables.kinds import is_number
from kai_tui.conversation.tables.moments import moments
from kai_tui.conversation.tables.written_numbers import NumberForm, forms

STEP = 500
"""Cells between two breaths: about half a millisecond."""
_DIGITS = 400
"""Written numbers have at most two digits of exponent (`kinds`): sums of them need fewer than that."""
_EXACT = Context(prec=_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)
_SAMPLE = 50
_LONGEST = 36
"""Characters of a number in words; longer ones are rounded and say so."""

_Moment: TypeAlias = tuple[datetime, str]
"""A point in time and the cell that says it."""
Cells = Callable[[int, int], Sequence[str]]
"""The cells of a column from one row to before another."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a block of cells amounts to."""

    filled: int = 0
    numbers: int = 0
    total: Decimal = Decimal(0)
    least: Decimal | None = None
    most: Decimal | None = None
    places: int = 0
    """The most digits after the point of any number."""
    earliest: str = ""
    """The cells with the first and the last point in time, as they are written; "" when there is none."""
    latest: str = ""


def column_form(count: int, cells: Cells) -> Iterator[NumberForm | None]:
    """How a column of so many cells writes its numbers, as the last value; None after each breath.

    One cell such as `1.234,50` decides what `1.234` means in all others, so every cell is looked at.
    """
    sample: list[str] = []
    for start in range(0, count, STEP):
        sample += [cell for cell in cells(start, min(start + STEP, count)) if cell not in BLANK]
        if len(sample) >= _SAMPLE:
            break
        yield None
    for form in forms(sample[:_SAMPLE]):
        for start in range(0, count, STEP):
            if not form.fits(cells(start, min(start + STEP, count))):
                break
            yield None
        else:
            yield form
            return
    yield NumberForm()


@dataclass(frozen=True, slots=True)
class Summed:
    """A column of which cells are summed."""

    name: int
    kind: Kind
    cells: Cells
    """As they are shown."""
    written: Cells
    """All cells of the column, as they came: they decide how its numbers are written."""
    count: int
    """Of all its cells."""


def summing(
    columns: Sequence[Summed], first: int, end: int, known: dict[int, NumberForm]
) -> Iterator[Summary | None]:
    """What the cells of some columns amount to, from row `first` to before `end`; None after each breath.

    `known` keeps how the numbers of a column (by name) are written, for the next time.
    """
    filled = count = places = 0
    total = Decimal(0)
    least: Decimal | None = None
    most: Decimal | None = None
    times: tuple[_Moment, _Moment] | None = None
    for column in columns:
        numeric = is_number(column.kind)
        if numeric and column.name not in known:
            for found in column_form(column.count, column.written):
                if found is None:
                    yield None
                else:
                    known[column.name] = found
        for start in range(first, end, STEP):
            texts = [cell for cell in column.cells(start, min(start + STEP, end)) if cell not in BLANK]
            filled += len(texts)
            if numeric and texts:
                form = known[column.name]
                values = [Decimal(cell if form.style == "plain" else form.bare(cell)) for cell in texts]
                for value in values:
                    total = _EXACT.add(total, value)
                    exponent = value.as_tuple().exponent
                    if isinstance(exponent, int) and -exponent > places:
                        places = -exponent
                count += len(values)
                low, high = min(values), max(values)
                least = low if least is None or low < least else least
                most = high if most is None or high > most else most
            elif column.kind in ("date", "timestamp") and texts:
                times = _wider(times, texts)
            yield None
    earliest, latest = (times[0][1], times[1][1]) if times is not None else ("", "")
    yield Summary(filled, count, total, least, most, places, earliest, latest)


def _wider(times: tuple[_Moment, _Moment] | None, texts: Sequence[str]) -> tuple[_Moment, _Moment] | None:
    """The first and the last point in time so far."""
    found = [(moment, text) for moment, text in zip(moments(texts), texts, strict=True) if moment is not None]
    if times is not None:
        found += times
    return (min(found), max(found)) if found else None


def average(summary: Summary) -> tuple[Decimal, bool]:
    """The average, and whether it is exact. Rounded to two places more than the numbers have (at least four).

    Raises:
        ValueError: there are no numbers.
    """
    if not summary.numbers:
        raise ValueError("no numbers")
    context = Context(prec=_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)
    value = context.divide(summary.total, Decimal(summary.numbers))
    if not context.flags[Inexact]:
        return value, True
    return context.quantize(value, Decimal(1).scaleb(-max(4, summary.places + 2))), False


def in_words(value: Decimal, *, exact: bool = True) -> str:
    """A number for people: `1,234.50`; `≈` before one that is rounded."""
    text = f"{value:,f}"
    if len(text) > _LONGEST:
        rounded = f"{value:.12E}"
        return f"≈ {rounded}" if Decimal(rounded) != value or not exact else rounded
    return text if exact else f"≈ {text}"

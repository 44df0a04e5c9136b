"""Rows by what was typed: words that stand in them, and comparisons such as `amount > 100`. Pure, in slices."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from kai_tui.conversation.tables.blank import BLANK
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.kinds import is_number
from kai_tui.conversation.tables.matching import words_of
from kai_tui.conversation.tables.moments import moments
from kai_tui.conversation.tables.summing import column_form
from kai_tui.conversation.tables.written_numbers import NumberForm

STEP: Final = 500
"""Rows between two breaths: a millisecond or two."""
_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne, "=": operator.eq, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_COMPARISON: Final = re.compile(
    r'("[^"]*"|[^\s"<>=!]+)?\s*(>=|<=|!=|==|=|>|<)\s*("[^"]*"|[^\s"<>=!]+)?|"[^"]*"'
)
"""A comparison, or words in quotes, in which nothing is one."""
LONGEST: Final = 1_000
"""Characters of a filter that are looked at."""
_APART: Final = "\x1f"
_MONTHS: Final = re.compile(r"\d{4}(-\d\d)?")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One column against one value."""

    column: int
    sign: str
    value: str
    """As it was typed; "" asks for empty cells."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What rows must have, all of it."""

    words: tuple[str, ...] = ()
    only: int | None = None
    """The only column in which words are looked for."""
    comparisons: tuple[Comparison, ...] = ()
    note: str = ""
    """What in the typed text was not understood as it may have been meant. Raw."""


def read_filter(text: str, table: DataTable, *, only: int | None = None) -> Filter | None:
    """What was typed as a filter; None when it asks for nothing. `only`: the column that is meant without a name."""
    comparisons: list[Comparison] = []
    note = ""
    rest: list[str] = []
    at, text = 0, text[:LONGEST]
    for found in _COMPARISON.finditer(text):
        name, sign, value = found.groups()
        if sign is None:
            continue
        column = only if name is None else column_named(name.strip('"'), table)
        if column is None:
            if name is not None and value is not None:
                note = f"There is no column “{name}”: looked for the words."
            continue
        rest.append(text[at : found.start()])
        at = found.end()
        if value is not None:
            comparisons.append(Comparison(column, "=" if sign == "==" else sign, value.strip('"')))
    rest.append(text[at:])
    words = tuple(words_of(" ".join(rest)))
    return Filter(words, only, tuple(comparisons), note) if words or comparisons else None


def column_named(name: str, table: DataTable) -> int | None:
    """The column of a name, whatever its case; else the only one that begins so."""
    folded = [each.strip().casefold() for each in table.columns]
    wanted = name.strip().casefold()
    if wanted in folded:
        return folded.index(wanted)
    near = [index for index, each in enumerate(folded) if wanted and each.startswith(wanted)]
    return near[0] if len(near) == 1 else None


def filtered_in_slices(
    table: DataTable, kinds: Sequence[Kind], wanted: Filter, folded: list[str]
) -> Iterator[list[int] | None]:
    """None after each breath, and at last the numbers of the rows that have it all.

    `folded` keeps the rows' texts for the next search of the same table; begin with an empty list.

    Raises:
        ValueError: a comparison makes no sense; the sentence says why.
    """
    found: Sequence[int] = range(len(table.rows))
    for comparison in wanted.comparisons:
        for step in _compared(table, kinds[comparison.column], comparison, found):
            yield None
            if step is not None:
                found = step
    if wanted.words:
        if wanted.only is None:
            for start in range(len(folded), len(table.rows), STEP):
                folded.extend([_APART.join(row).casefold() for row in table.rows[start : start + STEP]])
                yield None
        kept: list[int] = []
        first, *others = sorted(wanted.words, key=len, reverse=True)
        for start in range(0, len(found), STEP * 4):
            part = found[start : start + STEP * 4]
            if wanted.only is None:
                kept += [
                    row
                    for row in part
                    if first in folded[row] and all(word in folded[row] for word in others)
                ]
            else:
                texts = [(row, table.rows[row][wanted.only].casefold()) for row in part]
                kept += [row for row, text in texts if first in text and all(word in text for word in others)]
            yield None
        found = kept
    yield list(found)


def _compared(
    table: DataTable, kind: Kind, comparison: Comparison, among: Sequence[int]
) -> Iterator[list[int] | None]:
    rows, index = table.rows, comparison.column
    compare = _SIGNS[comparison.sign]
    value = comparison.value
    if value == "":
        # Nothing typed between quotes: empty cells, or those that are not.
        test: Callable[[str], bool] = lambda cell: compare(cell in BLANK, True)  # noqa: E731
    elif is_number(kind):
        form = NumberForm()
        for found in column_form(len(rows), lambda start, end: [row[index] for row in rows[start:end]]):
            form = found or form
            yield None
        number = _number(value, form, table.columns[index])
        test = lambda cell: cell not in BLANK and compare(_exact(cell, form), number)  # noqa: E731
    elif kind in ("date", "timestamp"):
        moment = _moment(value, table.columns[index])
        test = lambda cell: cell not in BLANK and compare(moments([cell])[0], moment)  # noqa: E731
    else:
        folded = value.casefold()
        test = lambda cell: cell not in BLANK and compare(cell.strip().casefold(), folded)  # noqa: E731
    kept: list[int] = []
    for start in range(0, len(among), STEP):
        kept += [row for row in among[start : start + STEP] if test(rows[row][index])]
        yield None
    yield kept


def _exact(cell: str, form: NumberForm) -> Decimal:
    return Decimal(cell if form.style == "plain" else form.bare(cell))


def _number(text: str, form: NumberForm, name: str) -> Decimal:
    try:
        number = Decimal(text)
        if number.is_finite():
            return number
    except InvalidOperation:
        pass
    if form.style != "plain" and form.fits([text]) and text not in BLANK:
        return Decimal(form.bare(text))
    raise ValueError(f"“{name}” holds numbers: compare it with a number.")


def _moment(text: str, name: str) -> datetime:
    if _MONTHS.fullmatch(text):
        text = f"{text}-01-01" if len(text) == 4 else f"{text}-01"
    moment = moments([text])[0]
    if moment is None:
        raise ValueError(f"“{name}” holds dates: compare it with one, such as 2026-11-30.")
    return moment

"""What a column is: judged by every filled cell, never by a sample alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

from kai_tui.conversation.tables.blank import BLANK
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.moments import are_dates, are_timestamps
from kai_tui.conversation.tables.written_numbers import forms

SLICE: Final = 5_000
"""Cells judged between two breaths: a few milliseconds."""
_SAMPLE: Final = 50
TRUE: Final = frozenset({"true", "yes", "✓", "✔", "✅", "☑"})
FALSE: Final = frozenset({"false", "no", "✗", "✘", "❌", "☐"})

_Test: TypeAlias = Callable[[Sequence[str]], bool]


def kinds(table: DataTable) -> tuple[Kind, ...]:
    """The kind of every column. 100,000 rows of 12 columns take a few tenths of a second: use slices or a thread."""
    return tuple(kind_of(column(table, index)) for index in range(len(table.columns)))


def likely_kinds(table: DataTable, sample: int = 400) -> tuple[Kind, ...]:
    """The kinds of the first rows: what may be shown until `kinds_in_slices` has judged all. Quick at any size."""
    return kinds(DataTable(table.columns, table.rows[:sample]))


def kinds_in_slices(table: DataTable) -> Iterator[tuple[Kind, ...] | None]:
    """None after each breath of work, and at last the kinds: for a loop that has to stay awake."""
    found: list[Kind] = []
    for index in range(len(table.columns)):
        cells = column(table, index)
        yield None
        for kind in _judged(cells):
            if kind is not None:
                found.append(kind)
            yield None
    yield tuple(found)


def kind_of(cells: Sequence[str]) -> Kind:
    """What all filled cells of one column are."""
    return next(kind for kind in _judged(cells) if kind is not None)


def column(table: DataTable, index: int) -> list[str]:
    """The cells of a column."""
    return [row[index] for row in table.rows]


def is_number(kind: Kind) -> bool:
    """Whether one can compute with such a column."""
    return kind in ("integer", "decimal")


def _judged(cells: Sequence[str]) -> Iterator[Kind | None]:
    sample = list(islice((cell for cell in cells if cell not in BLANK), _SAMPLE))
    if not sample:
        yield "empty"
        return
    for kind, fits in _candidates(sample):
        if not fits(sample):
            continue
        for start in range(0, len(cells), SLICE):
            if not fits(cells[start : start + SLICE]):
                break
            yield None
        else:
            yield kind
            return
    yield "text"


def _candidates(sample: Sequence[str]) -> Iterator[tuple[Kind, _Test]]:
    """What the column may be, strictest first."""
    for form in forms(sample):
        yield "integer", form.fits_integers
        yield "decimal", form.fits
    yield "date", are_dates
    yield "timestamp", are_timestamps
    yield "boolean", _are_booleans


def _are_booleans(cells: Sequence[str]) -> bool:
    return all(word in BLANK or word.casefold() in TRUE or word.casefold() in FALSE for word in set(cells))

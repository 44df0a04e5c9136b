"""Axes: round numbers and days between a lowest and a highest value, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k"))
_HOURS: Final = 3600.0
_DAY: Final = 24 * _HOURS
_TIME_STEPS: Final = (
    1, 5, 15, 30, 60, 300, 900, 1800, _HOURS, 3 * _HOURS, 6 * _HOURS, 12 * _HOURS, _DAY, 2 * _DAY, 3 * _DAY, 5 * _DAY, 7 * _DAY, 14 * _DAY,
)  # fmt: skip
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
"""The calendar's ends, in seconds."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis."""

    value: float
    label: str


def spread(values: Sequence[float], *, times: bool = False) -> tuple[float, float]:
    """The lowest and the highest value, never the same: one value stands in the middle."""
    low, high = min(values), max(values)
    if low == high:
        room = _DAY if times else abs(low) / 10 or 1.0
        return low - room, high + room
    return low, high


def nice_step(size: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, … (or their fractions) that is not below `size`."""
    if size <= 0:
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(size))
    for factor in (1, 2, 5, 10):
        if magnitude * factor >= size * (1 - 1e-9):
            return magnitude * factor
    return magnitude * 10


def number_ticks(low: float, high: float, most: int) -> list[Tick]:
    """As many round numbers from `low` to `high` as there are up to `most`."""
    step = nice_step((high - low) / (most + 1))
    while len(places := _multiples(low, high, step)) > most:
        step = nice_step(step * 1.5)
    values = [place * step for place in places]
    return [Tick(value, label) for value, label in zip(values, labels(values, step), strict=True)]


def _multiples(low: float, high: float, step: float) -> range:
    return range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)


def labels(values: Sequence[float], step: float) -> list[str]:
    """The numbers of one axis, all written alike: 0, 2.5k, 5.0k."""
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e15 or (0 < largest < 1e-4):
        digits = min(16, max(3, math.ceil(math.log10(largest / step) - 1e-9) + 1))
        return [f"{value:.{digits}g}" for value in values]
    by, unit = next(((by, unit) for by, unit in _UNITS if largest >= by), (1.0, ""))
    by = 1e3 if unit == "k" else by
    decimals = min(6, max(0, -math.floor(math.log10(step / by) + 1e-9)))
    return [f"{value / by:,.{decimals}f}{unit}" if value else "0" for value in values]


def exact(value: float) -> str:
    """A number as one writes it, with all digits that mean something."""
    return alike([value])[0]


def alike(values: Sequence[float]) -> list[str]:
    """Numbers below each other: as many decimals as the one with most of them needs."""
    decimals = max(map(_decimals, values), default=0)
    return [
        f"{value:.6g}" if abs(value) >= 1e15 or 0 < abs(value) < 1e-4 else f"{value:,.{decimals}f}"
        for value in values
    ]


def _decimals(value: float) -> int:
    if value == 0 or not 1e-4 <= abs(value) < 1e15 or value == int(value):
        return 0
    most = min(6, max(0, 5 - math.floor(math.log10(abs(value)))))
    return len(f"{value:.{max(2, most)}f}".rstrip("0").partition(".")[2])


def time_ticks(low: float, high: float, most: int) -> list[Tick]:
    """As many days, months or hours from `low` to `high` as there are up to `most`; both in seconds of UTC."""
    for step in _TIME_STEPS:
        if (high - low) / step > most + 1:
            continue
        # Weeks are counted from the first day: no week of the calendar is meant.
        start = math.ceil(low / _DAY) * _DAY if step > _DAY else math.ceil(low / step) * step
        moments = [start + place * step for place in range(max(0, math.floor((high - start) / step) + 1))]
        if len(moments) <= most:
            pattern = "%Y-%m-%d" if step >= _DAY else "%m-%d %H:%M" if high - low > _DAY else "%H:%M"
            pattern = "%H:%M:%S" if step < 60 else pattern
            return [Tick(moment, _time(moment).strftime(pattern)) for moment in moments]
    found: list[Tick] = []
    for months in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 12_000):
        found = _month_ticks(low, high, months, most + 1)
        if len(found) <= most:
            break
    return found


def _month_ticks(low: float, high: float, months: int, most: int) -> list[Tick]:
    start = _time(low)
    number = start.year * 12 + start.month - 1
    number = -(-number // months) * months
    found: list[Tick] = []
    while len(found) < most and number // 12 <= 9999:
        moment = datetime(max(1, number // 12), number % 12 + 1, 1, tzinfo=UTC).timestamp()
        if moment > high:
            break
        if moment >= low:
            found.append(
                Tick(
                    moment,
                    f"{number // 12:04}" if months >= 12 else f"{number // 12:04}-{number % 12 + 1:02}",
                )
            )
        number += months
    return found


def _time(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(min(max(seconds, _FIRST), _LAST)))

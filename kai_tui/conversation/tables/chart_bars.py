"""Bars: lying ones for categories, standing ones for how often values occur."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kai_tui.conversation.tables.chart_lines import EIGHTHS, LEVELS, Cells, Line, axis_of, below, beside, fit
from kai_tui.conversation.tables.chart_scale import Tick, alike, labels, nice_step, number_ticks


def lying_bars(
    names: Sequence[str], values: Sequence[float], width: int, unit: str, cells: Cells, *, apart: bool = False
) -> list[Line]:
    """A bar for each name, from a common zero; what is below zero goes to the left of it. Names are safe text.

    `apart`: an empty line between two.
    """
    words = [_with_unit(word, unit) for word in alike(values)]
    right = max(map(len, words), default=0)
    left = min(max(map(cells, names), default=0), max(6, width // 3))
    room = max(4, width - left - right - 4)
    lowest, highest = min(0.0, *values), max(0.0, *values)
    span = highest - lowest or 1.0
    zero = round(room * -lowest / span)
    lines: list[Line] = []
    for name, value, word in zip(names, values, words, strict=True):
        line: Line = [(fit(name, left, cells) + " ", "label")]
        if lowest < 0:
            line.extend(_left_bar(min(0.0, value) / span * room, zero))
        bar = _right_bar(max(0.0, value) / span * room, room - zero)
        line.append(("│", "axis"))
        line.append((bar, "bar"))
        line.append((" " * (room - zero - len(bar)) + " " + word.rjust(right), "value"))
        if apart and lines:
            lines.append([(" " * (left + 1 + (zero if lowest < 0 else 0)), "label"), ("│", "axis")])
        lines.append(line)
    return lines


def _right_bar(size: float, most: int) -> str:
    eighths = min(round(size * 8), most * 8)
    if size > 0 and not eighths:
        eighths = 1  # a value that is there is seen
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _left_bar(size: float, most: int) -> Line:
    halves = min(round(-size * 2), most * 2)
    if size < 0 and not halves:
        halves = 1
    bar = "▐" * (halves % 2) + "█" * (halves // 2)
    return [(" " * (most - len(bar)), "axis"), (bar, "negative")]


def _with_unit(text: str, unit: str) -> str:
    if not unit:
        return text
    if unit not in "$€£¥₹₿":
        return f"{text} {unit}"
    return f"-{unit}{text[1:]}" if text.startswith("-") else f"{unit}{text}"


def histogram(values: Sequence[float], width: int, height: int, *, whole: bool) -> list[Line]:
    """How many values are in each of some ranges of the same size. `whole`: they are whole numbers."""
    low, high = min(values), max(values)
    step, first, count = _ranges(low, high, len(values), max(4, (width - 8) // 2), whole=whole)
    counts = [0] * count
    for value in values:
        counts[min(count - 1, max(0, math.floor((value - first) / step + 1e-9)))] += 1
    rows = max(3, height - 2)
    most = max(counts)
    ticks = [tick for tick in number_ticks(0, most, max(2, rows // 3)) if tick.value == int(tick.value)]
    if ticks[-1].value < most * 0.8:
        ticks.append(Tick(most, labels([most], 1)[0]))
    marks, left = beside(
        ticks, lambda value: rows - max(1, round(value / most * rows)) if value else -1, rows
    )
    each = max(1, (width - left) // count)
    gap = 1 if each > 2 else 0
    lines: list[Line] = []
    for row in range(rows):
        line = axis_of(marks, row, left)
        text = ""
        for number in counts:
            eighths = number / most * rows * 8 - (rows - 1 - row) * 8
            level = min(8, max(0, round(eighths)))
            if number and row == rows - 1:
                level = max(1, level)
            text += LEVELS[level] * (each - gap) + " " * gap
        lines.append([*line, (text.rstrip(), "bar")])
    edges = [first + index * step for index in range(count + 1)]
    whole_bins = whole and step == 1
    shown = edges[:-1] if whole_bins else edges
    words = labels(shown, step)
    shift = (each - gap) // 2 if whole_bins else 0

    def place(value: float) -> int:
        return min(count * each - 1, round((value - first) / step) * each + shift)

    return lines + below(
        [Tick(value, word) for value, word in zip(shown, words, strict=True)], place, left, count * each
    )


def _ranges(low: float, high: float, count: int, most: int, *, whole: bool) -> tuple[float, float, int]:
    """Size, start and number of the ranges: round numbers, about as many as the number of values deserves."""
    if low == high:
        step = 1.0 if whole else nice_step(abs(low) / 10 or 1.0)
        return step, low if whole else math.floor(low / step) * step, 1
    wanted = max(4, min(most, 30, math.ceil(math.log2(count) + 1) * 2))
    step = nice_step((high - low) / wanted)
    if whole:
        step = max(1.0, step)
        if high - low < min(most, 40):
            step = 1.0
    first = math.floor(low / step + 1e-9) * step
    number = max(1, math.floor((high - first) / step + 1e-9) + 1)
    if not whole and number > 1 and math.isclose(first + (number - 1) * step, high):
        number -= 1  # the highest value belongs to the last range
    while number > most:
        return _ranges(low, high, count, most - 1, whole=False)
    return step, first, number

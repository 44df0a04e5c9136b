"""Points and lines in a grid of braille dots: two across and four down in every cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kai_tui.conversation.tables.chart_lines import Line, axis_of, below, beside
from kai_tui.conversation.tables.chart_scale import Tick, number_ticks, spread, time_ticks

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))

_FEW = 80
"""Points up to which each is a big dot: a single one of braille is hard to see."""
_POINT = "•"


def plot(
    xs: Sequence[float], ys: Sequence[float], width: int, height: int, *, joined: bool, times: bool = False
) -> list[Line]:
    """Points, joined by lines in the order of their x, or not. `times`: x is seconds of UTC.

    Where several points fall on one column of dots, a joined line covers all from the lowest to the highest.
    """
    rows = max(3, height - 2)
    low, high = spread(ys)
    ticks = number_ticks(low, high, max(2, rows // 3 + 1))
    low, high = min(low, ticks[0].value if ticks else low), max(high, ticks[-1].value if ticks else high)

    def up(value: float) -> int:
        return round((value - low) / (high - low) * (rows * 4 - 1))

    marks, left = beside(ticks, lambda value: rows - 1 - up(value) // 4, rows)
    columns = max(4, width - left)
    first, last = spread(xs, times=times)

    def along(value: float) -> int:
        return round((value - first) / (last - first) * (columns * 2 - 1))

    grid = [[0] * columns for _ in range(rows)]
    for column, bottom, top in _spans(xs, ys, along, up) if joined else _points(xs, ys, along, up):
        for dot in range(bottom, top + 1):
            down = rows * 4 - 1 - dot
            grid[down // 4][column // 2] |= _DOTS[down % 4][column % 2]
    few = not joined and len(xs) <= _FEW
    zero = rows - 1 - up(0.0) // 4 if low < 0 < high else -1
    lines: list[Line] = []
    for row, cells in enumerate(grid):
        line = axis_of(marks, row, left)
        text = "".join(
            (_POINT if few else chr(0x2800 + dots)) if dots else "╌" if row == zero else " " for dots in cells
        )
        lines.append([*line, *_zero_apart(text)] if row == zero else [*line, (text.rstrip(), "bar")])
    most = max(2, columns // 12)
    bottom_ticks: Sequence[Tick] = (time_ticks if times else number_ticks)(first, last, most)
    return lines + below(bottom_ticks, lambda value: along(value) // 2, left, columns)


def _zero_apart(text: str) -> Line:
    """The row of zero: where nothing is drawn its line is, in the colour of axes."""
    parts: Line = []
    for sign in text:
        ink = "axis" if sign == "╌" else "bar"
        if parts and parts[-1][1] == ink:
            parts[-1] = (parts[-1][0] + sign, ink)
        else:
            parts.append((sign, ink))
    return parts


def _points(
    xs: Sequence[float], ys: Sequence[float], along: Callable[[float], int], up: Callable[[float], int]
) -> Iterable[tuple[int, int, int]]:
    for x, y in zip(xs, ys, strict=True):
        dot = up(y)
        yield along(x), dot, dot


def _spans(
    xs: Sequence[float], ys: Sequence[float], along: Callable[[float], int], up: Callable[[float], int]
) -> Iterable[tuple[int, int, int]]:
    """For each column of dots from where to where it is filled. `xs` are in order."""
    before: tuple[int, int] | None = None
    for x, y in zip(xs, ys, strict=True):
        column, dot = along(x), up(y)
        if before is None:
            yield column, dot, dot
        elif column == before[0]:
            yield column, min(dot, before[1]), max(dot, before[1])
        else:
            yield from _step(before, (column, dot))
        before = (column, dot)


def _step(start: tuple[int, int], end: tuple[int, int]) -> Iterable[tuple[int, int, int]]:
    """A line between two dots, column by column."""
    across, rise = end[0] - start[0], end[1] - start[1]
    last = start[1]
    for step in range(1, across + 1):
        now = start[1] + round(rise * step / across)
        low, high = min(last, now), max(last, now)
        if high - low > 1:
            # Steep: half of it in the column before, so that the line has no steps.
            middle = (low + high) // 2
            before, here = (
                ((low, middle), (middle + 1, high)) if now > last else ((middle + 1, high), (low, middle))
            )
            yield start[0] + step - 1, *before
            yield start[0] + step, *here
        else:
            yield start[0] + step, now, now
        last = now

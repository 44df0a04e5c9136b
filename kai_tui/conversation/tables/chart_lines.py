"""Pieces all charts are put together from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

from kai_tui.conversation.tables.chart_scale import Tick

Ink: TypeAlias = Literal["bar", "negative", "axis", "label", "value"]
"""What a stretch of a line is, for its colour."""
Stretch: TypeAlias = tuple[str, Ink]
Line: TypeAlias = list[Stretch]
Cells: TypeAlias = Callable[[str], int]
"""How wide a text is on the screen."""

EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
LEVELS: Final = " ▁▂▃▄▅▆▇█"


def fit(text: str, width: int, cells: Cells) -> str:
    """A text in exactly `width` cells, cut with an ellipsis."""
    if cells(text) > width:
        end = len(text)
        while end and cells(text[:end]) > width - 1:
            end -= 1
        text = text[:end].rstrip() + "…" if width > 0 else ""
    return text + " " * (width - cells(text))


def below(ticks: Sequence[Tick], place: Callable[[float], int], left: int, width: int) -> list[Line]:
    """The axis below a chart and its labels: those that would touch the one before are left out."""
    line = ["─"] * width
    words = [" "] * width
    free = 0
    for tick in ticks:
        column = place(tick.value)
        if not 0 <= column < width:
            continue
        start = min(max(0, column - len(tick.label) // 2), width - len(tick.label))
        if start < free or start < 0:
            continue
        line[column] = "┬"
        words[start : start + len(tick.label)] = tick.label
        free = start + len(tick.label) + 2
    return [
        [(" " * (left - 1) + "└", "axis"), ("".join(line), "axis")],
        [(" " * left, "label"), ("".join(words).rstrip(), "label")],
    ]


def beside(ticks: Sequence[Tick], row_of: Callable[[float], int], height: int) -> tuple[dict[int, str], int]:
    """Which label stands at which row (0 is the top), and how many cells all of them need with their axis."""
    rows: dict[int, str] = {}
    for tick in ticks:
        row = row_of(tick.value)
        if 0 <= row < height:
            rows.setdefault(row, tick.label)
    return rows, max(map(len, rows.values()), default=0) + 2


def axis_of(rows: dict[int, str], row: int, left: int) -> Line:
    """What stands left of a chart at a row."""
    label = rows.get(row)
    return [((label or "").rjust(left - 2) + " ", "label"), ("┤" if label is not None else "│", "axis")]

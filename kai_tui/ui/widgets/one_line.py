"""Facts side by side in one row: when the row is narrow, the least important go first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

ELLIPSIS = "…"


class Fact(NamedTuple):
    """One thing a row says. `text` is safe already."""

    text: str
    style: str
    """Name of a component class of the widget."""
    weight: int
    """The lower, the sooner it is left out."""
    short: str = ""
    """Said instead before anything is left out for good."""
    least: int = 0
    """Cells it may be cut down to, with an ellipsis; 0: it is never cut."""


def fit(facts: Sequence[Fact], width: int, between: int) -> list[Fact]:
    """Those facts, in order, that fit into `width` cells with `between` cells from one to the next.

    The least weighty is first cut, then said shorter, then left out. The weightiest always stays, cut if need be.
    """
    kept = [fact for fact in facts if fact.text]
    while kept:
        over = sum(cell_len(fact.text) for fact in kept) + between * (len(kept) - 1) - width
        if over <= 0:
            break
        index = min(range(len(kept)), key=lambda place: kept[place].weight)
        fact = kept[index]
        room = cell_len(fact.text) - over
        if fact.least and room >= fact.least:
            kept[index] = Fact(clip(fact.text, room), fact.style, fact.weight)
        elif fact.short:
            kept[index] = Fact(fact.short, fact.style, fact.weight)
        elif len(kept) == 1:
            return [Fact(clip(fact.text, width), fact.style, fact.weight)] if width > 0 else []
        else:
            del kept[index]
    return kept


def clip(text: str, width: int) -> str:
    """At most `width` cells of a text; an ellipsis where it was cut."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def segments(facts: Sequence[Fact], styles: dict[str, Style], divider: str, plain: Style) -> list[Segment]:
    """The facts as segments of a strip, a divider between them."""
    row: list[Segment] = []
    for fact in facts:
        if row:
            row.append(Segment(divider, plain))
        row.append(Segment(fact.text, styles[fact.style]))
    return row

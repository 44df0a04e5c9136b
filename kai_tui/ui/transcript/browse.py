"""The cursor over the units of the transcript."""

from __future__ import annotations

from collections.abc import Iterator

from kai_tui.ui.transcript.document import Document
from kai_tui.ui.transcript.items import Block, Unit


def _stops(document: Document, block: Block) -> list[Unit]:
    document.expand(block)
    return [unit for unit in block.units if unit.items and unit.reachable]


def from_here(document: Document, unit: Unit, direction: int) -> Iterator[Unit]:
    """The units after (1) or before (-1) `unit` on which the cursor may stand."""
    start = unit.block.index
    stops = _stops(document, unit.block)
    at = stops.index(unit) if unit in stops else -1
    yield from stops[at + 1 :] if direction > 0 else reversed(stops[: max(0, at)])
    following = range(start + 1, len(document.blocks)) if direction > 0 else range(start - 1, -1, -1)
    for index in following:
        found = _stops(document, document.blocks[index])
        yield from found if direction > 0 else reversed(found)


def stop_at(document: Document, row: int, end: int) -> Unit | None:
    """The first unit in these rows on which the cursor may stand."""
    while row < end:
        place = document.place(row)
        if place is None:
            return None
        unit = place.item.unit
        if unit.reachable:
            return unit
        row += place.item.height - place.line
    return None


def last_stop(document: Document) -> Unit | None:
    """The last unit on which the cursor may stand."""
    for block in reversed(document.blocks):
        stops = _stops(document, block)
        if stops:
            return stops[-1]
    return None


def span_of(document: Document, unit: Unit) -> tuple[int, int] | None:
    """First row and the row after the last of a unit; measures it. None when it is gone."""
    if not unit.items:
        return None
    # The first and the last item decide what is seen when the cursor comes here.
    document.measure(unit.items[0])
    document.measure(unit.items[-1])
    start = document.row_of(unit.items[0])
    last = document.row_of(unit.items[-1])
    if start is None or last is None:
        return None
    if unit.block.gap_before(unit.items[0]):
        start += 1
    return start, last + unit.items[-1].height

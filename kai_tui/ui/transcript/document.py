"""The whole conversation as lines: what stands where, measured only where somebody looks.

Knows nothing of Textual's widgets. Rows count from the top of the conversation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.ui.transcript.contents import Contents
from kai_tui.ui.transcript.gutters import gutter_of
from kai_tui.ui.transcript.items import BLOCK_ROWS, Item, Surroundings
from kai_tui.ui.transcript.strips import Line, Rendered, RowText, layout, texts
from kai_tui.ui.transcript.styles import Faded, Palette

if TYPE_CHECKING:
    from kai_tui.ui.transcript.rows import Block as RowBlock

KEPT = 240
"""Items whose strips are kept."""
_NOTHING = Rendered([], [])


def blocks_of(item: Item) -> Sequence[RowBlock]:
    """An item's rows as they are drawn now."""
    if item.instead is None:
        return item.unit.blocks(item)
    from kai_tui.ui.transcript.laid_out import drawn

    return drawn(item, item.instead)


class Place(NamedTuple):
    """A line of the conversation: its item and the line inside it."""

    item: Item
    line: int


class Standing(NamedTuple):
    """A place that holds when everything is read anew: a line of an item of a unit of a message, by their numbers."""

    message_id: str
    unit: int
    item: int
    line: int


class Document(Contents):
    """Blocks, their heights, and their strips at one width and palette."""

    def __init__(self, around: Surroundings, palette: Palette, name: str = "Kai") -> None:
        super().__init__(around)
        self.palette = palette
        self._faded = Faded(palette)
        self.name = name
        self.renders = 0
        """Items drawn so far; tests bound it."""

    @property
    def total(self) -> int:
        """Height of everything, in lines."""
        return self.heights.total

    # -- measuring ---------------------------------------------------------------------------

    def set_width(self, width: int) -> None:
        """Draw at another width; everything is estimated anew."""
        if width == self.width:
            return
        self.width = width
        self._forget_strips()
        text_width = self._text_width
        heights = self._estimates()
        heights += [block.height for block in self.blocks[len(heights) :]]
        for block in self.blocks.made():
            if block.items is None:
                block.estimated = heights[block.index]
                continue
            for item in block.items:
                item.forget()
                item.height = item.unit.estimate(item, text_width) + (1 if block.gap_before(item) else 0)
            block.heights.rebuild([item.height for item in block.items])
            heights[block.index] = block.height
        self.heights.rebuild(heights)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours; heights stay."""
        self.palette = palette
        self._faded = Faded(palette)
        self._forget_strips()

    def _forget_strips(self) -> None:
        for item in self._kept:
            item.rendered = None
        self._kept.clear()

    def rendered(self, item: Item) -> Rendered:
        """An item's lines; drawn when they are not at hand."""
        rendered = item.rendered
        if rendered is None:
            rendered = item.rendered = self._draw(item)
            self._kept.pop(item, None)
            self._kept[item] = None
            if len(self._kept) > KEPT:
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                oldest.rendered = None
            if item.exact:
                # What it says may have changed since it was measured (a delivery, a duration), before
                # anybody told: its height must be that of the lines that are drawn.
                self._set_height(item, len(rendered.lines))
        return rendered

    def _draw(self, item: Item) -> Rendered:
        if self.width < 4:
            return _NOTHING
        self.renders += 1
        block = item.unit.block
        first = block.items is not None and bool(block.items) and block.items[0] is item
        gutter, heading = gutter_of(block, self.name, self.width, first=first)
        gap = block.gap_before(item)
        palette = self._faded if block.superseded else self.palette
        return layout(blocks_of(item), self.width, palette, gutter, gap=gap, heading=heading)

    def texts_of(self, item: Item) -> Sequence[RowText]:
        """An item's selectable rows."""
        if item.rendered is not None:
            return item.rendered.rows
        return texts(blocks_of(item), gap=item.unit.block.gap_before(item))

    def measure(self, item: Item) -> None:
        """Make an item's height exact."""
        if item.exact:
            return
        height = len(self.rendered(item).lines)
        item.exact = True
        self._set_height(item, height)

    def _set_height(self, item: Item, height: int) -> None:
        block = item.unit.block
        difference = height - item.height
        if difference:
            item.height = height
            index = block.position(item)
            if index is None:
                return  # it is not shown any more
            block.heights.add(index, difference)
            self.heights.add(block.index, difference)

    # -- places ------------------------------------------------------------------------------

    def place(self, row: int) -> Place | None:
        """What stands at `row`; makes and measures it. None below the end or when nothing is there."""
        for _ in range(1_000):
            if not 0 <= row < self.total:
                return None
            index, inside = self.heights.find(row)
            block = self.blocks[index]
            if block.items is None:
                self.expand(block)
                continue
            self.open.seen(block)
            position, line = block.heights.find(inside)
            item = block.items[position]
            if not item.exact:
                self.measure(item)
                continue
            return Place(item, line)
        return None

    def row_of(self, item: Item) -> int | None:
        """The row at which an item starts; None when it is gone."""
        block = item.unit.block
        if block.index >= len(self.blocks) or self.blocks[block.index] is not block:
            return None
        position = block.position(item)
        if position is None:
            return None
        return self.heights.before(block.index) + block.heights.before(position)

    @property
    def last_id(self) -> str | None:
        """The id of the last message."""
        return self._messages[-1].id if self._messages else None

    def lines_after(self, message_id: str) -> int:
        """Lines below a message; none when it is gone."""
        index = self._places().get(message_id)
        return self.total - self.heights.before(index + 1) if index is not None else 0

    def standing(self, row: int) -> Standing | None:
        """Where a row is, to be found again when everything was read anew."""
        place = self.place(row)
        unit = place.item.unit if place is not None else None
        if place is None or unit is None or unit.block.message is None:
            return None
        return Standing(unit.block.message.id, unit.number, unit.items.index(place.item), place.line)

    def row_standing(self, standing: Standing) -> int | None:
        """The row of such a place now; None when its message is gone."""
        block = self.block_of(standing.message_id)
        if block is None:
            return None
        self.expand(block)
        unit = next((each for each in block.units if each.number == standing.unit and each.items), None)
        if unit is None:
            return self.heights.before(block.index)
        item = unit.items[min(standing.item, len(unit.items) - 1)]
        self.measure(item)
        row = self.row_of(item)
        return row + min(standing.line, max(0, item.height - 1)) if row is not None else None

    def measure_end(self, height: int) -> None:
        """Measure the last `height` lines."""
        missing = height
        for block in reversed(self.blocks):
            if missing <= 0:
                return
            self.expand(block)
            for item in reversed(block.items or ()):
                self.measure(item)
                missing -= item.height
                if missing <= 0:
                    return

    def measure_around(self, row: int, height: int, anchor: Place | None) -> int:
        """Measure the lines from `row` on; the row at which they start then.

        What stands at `anchor` stays where it was on the screen.
        """
        before = self.row_of(anchor.item) if anchor is not None else None
        for _ in range(50):
            renders = self.heights.total, self.renders
            y = max(0, min(row, self.total - 1))
            end = y + height
            while y < end:
                found = self.place(y)
                if found is None:
                    break
                y += found.item.height - found.line
            after = self.row_of(anchor.item) if anchor is not None else None
            if before is not None and after is not None and after != before:
                row += after - before
                before = after
            elif (self.heights.total, self.renders) == renders:
                break
        return max(0, row)

    def lines(self, row: int, count: int) -> Iterator[tuple[Place, Line] | None]:
        """`count` lines from `row` on; None below the end."""
        end = row + count
        while row < end:
            found = self.place(row)
            if found is None:
                yield from (None for _ in range(end - row))
                return
            drawn = self.rendered(found.item).lines
            for index in range(found.line, min(len(drawn), found.line + end - row)):
                yield Place(found.item, index), drawn[index]
                row += 1

    # -- selection ---------------------------------------------------------------------------

    def rows_between(self, start: int, end: int) -> Iterator[tuple[int, RowText]]:
        """Selection rows from `start` to `end` (both included) with their numbers."""
        for number in range(max(0, start // BLOCK_ROWS), min(len(self.blocks), end // BLOCK_ROWS + 1)):
            block = self.blocks[number]
            if block.message is None:
                continue
            was_open = block.items is not None
            self.expand(block)
            items = block.items or []
            for index, item in enumerate(items):
                if item.base > end:
                    return
                if index + 1 < len(items) and items[index + 1].base <= start:
                    continue
                for row, text in enumerate(self.texts_of(item), item.base):
                    if start <= row <= end:
                        yield row, text
            if not was_open:
                self.close(block)

"""The whole conversation as lines: what stands where, measured only where somebody looks.

Knows nothing of Textual's widgets. Rows count from the top of the conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.ui.transcript.gutters import gutter_of
from kai_tui.ui.transcript.heights import Heights
from kai_tui.ui.transcript.items import BLOCK_ROWS, Block, Item, Surroundings, Unit
from kai_tui.ui.transcript.strips import Line, Rendered, RowText, layout, texts
from kai_tui.ui.transcript.styles import Faded, Palette

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message

KEPT = 240
"""Items whose strips are kept."""
_NOTHING = Rendered([], [])
_NO_UNITS: Mapping[int, Unit] = MappingProxyType({})


class Place(NamedTuple):
    """A line of the conversation: its item and the line inside it."""

    item: Item
    line: int


class Document:
    """Blocks, their heights, and their strips at one width and palette."""

    def __init__(self, around: Surroundings, palette: Palette, name: str = "Kai") -> None:
        self.around = around
        self.palette = palette
        self._faded = Faded(palette)
        self.name = name
        self.width = 0
        self.blocks: list[Block] = []
        self.heights = Heights()
        self.renders = 0
        """Items drawn so far; tests bound it."""
        self._by_id: dict[str, Block] = {}
        self._kept: dict[Item, None] = {}
        self._loose = 0
        """Blocks at the end that belong to no message (activity, welcome)."""

    @property
    def total(self) -> int:
        """Height of everything, in lines."""
        return self.heights.total

    # -- content -----------------------------------------------------------------------------

    def load(self, messages: Sequence[Message]) -> None:
        """Show these messages instead of what was shown."""
        self.blocks = []
        self._by_id = {}
        self._kept = {}
        self._loose = 0
        for message in messages:
            self._new_block(message)
        self.heights.rebuild([block.estimated for block in self.blocks])

    def _new_block(self, message: Message | None) -> Block:
        block = Block(len(self.blocks), message, self.around)
        self.blocks.append(block)
        if message is not None:
            self._by_id[message.id] = block
            block.superseded = self.around.superseded(message)
            block.estimated = 1 if block.superseded else self._estimate(message)
        return block

    def _estimate(self, message: Message) -> int:
        """Lines of a message that was never near the viewport."""
        from kai_tui.conversation.messages import GrowingPart

        width = max(20, self.width - 9)
        lines = 1
        for part in message.parts:
            lines += 2 + len(part) * 5 // (4 * width) if isinstance(part, GrowingPart) else 1
        return lines

    def append(self, message: Message) -> Block:
        """A message stands at the end."""
        self.drop_loose()
        block = self._new_block(message)
        self.heights.append(block.estimated)
        return block

    def append_loose(self, make: Callable[[Block], Unit]) -> Block:
        """A block without a message at the very end, of one unit."""
        block = self._new_block(None)
        block.units = [make(block)]
        block.items = []
        block.heights = Heights()
        self.heights.append(0)
        self._loose += 1
        self.sync(block)
        return block

    def drop_loose(self) -> None:
        """Take away the blocks without a message."""
        for _ in range(self._loose):
            self.blocks.pop()
            self.heights.pop()
        self._loose = 0

    @property
    def loose(self) -> Block | None:
        """The last block without a message."""
        return self.blocks[-1] if self._loose else None

    @property
    def message_count(self) -> int:
        return len(self.blocks) - self._loose

    def block_of(self, message_id: str) -> Block | None:
        """The block of a message."""
        return self._by_id.get(message_id)

    def rename(self, old_id: str, new_id: str) -> None:
        """A message got another id."""
        block = self._by_id.pop(old_id, None)
        if block is not None:
            self._by_id[new_id] = block

    def replace(self, block: Block, message: Message) -> None:
        """A message was read anew: draw it from the start."""
        block.message = message
        block.superseded = self.around.superseded(message)
        self._by_id[message.id] = block
        before = {unit.part_index: unit for unit in block.units if unit.shows is not None}
        block.units, block.offered = [], ()
        if block.items is None:
            block.estimated = self._estimate(message)
            self._block_height(block)
            return
        block.items = []
        block.heights = Heights()
        self._build(block, before)
        self._block_height(block)
        if block.index + 1 < len(self.blocks):
            self._stand_close(self.blocks[block.index + 1])

    def _stand_close(self, block: Block) -> None:
        """A superseded pair that is folded stands together, without an empty row between."""
        above = self.blocks[block.index - 1] if block.index else None
        close = block.folded and above is not None and above.folded
        if close != block.close:
            block.close = close
            if block.items:
                block.items[0].forget()

    def sync(self, block: Block) -> None:
        """Read what changed in a block: new parts, grown parts, its footer."""
        if block.items is None:
            self.expand(block)
            return
        message = block.message
        if message is not None:
            asked_again = block.superseded != self.around.superseded(message)
            if asked_again or block.shown_open != block.opened or not block.shows_parts():
                # Or a step was thrown away (SDK 7), or parts were read anew.
                self.replace(block, message)
                return
            known = max((unit.part_index for unit in block.units), default=-1)
            if not block.folded:
                self._add_units(block, message, known + 1)
        for unit in block.units:
            self._sync_unit(block, unit)
        self._fit_choices(block)
        self._block_height(block)

    def sync_part(self, block: Block, part_index: int) -> None:
        """Read one part only: the hot path."""
        if block.items is None:
            self.expand(block)
            return
        parts = block.message.parts if block.message is not None else []
        for unit in reversed(block.units):
            if unit.part_index == part_index and parts[part_index : part_index + 1] == [unit.shows]:
                empty = not unit.items
                self._sync_unit(block, unit)
                if empty != (not unit.items):
                    # Whether a text is the last of its answer decides what may be picked.
                    break
                self._fit_choices(block)
                self._block_height(block)
                return
        self.sync(block)

    def _fit_choices(self, block: Block) -> None:
        """A unit for each choice the answer ends in, above its footer."""
        message = block.message
        if message is None or message.role != "assistant" or block.items is None:
            return
        from kai_tui.ui.transcript.units import choice_units, offered_by

        offered = offered_by(block, message)
        before = len(block.offered)
        if offered == block.offered:
            return
        footer = block.units[-1]
        stop = len(block.items) - len(footer.items)
        block.offered = offered
        block.units[-1 - before : -1] = units = choice_units(block, offered)
        width = self._text_width
        items: list[Item] = []
        for unit in units:
            unit.sync()
            for item in unit.items:
                item.height = unit.estimate(item, width) + (1 if block.gap_before(item) else 0)
                items.append(item)
        block.splice(stop - before, stop, items)
        for item in footer.items:
            item.forget()

    def _sync_unit(self, block: Block, unit: Unit) -> None:
        before = len(unit.items)
        changed = unit.sync()
        if changed is None:
            return
        after = unit.items
        offset = block.offset_of(unit)
        if (before == 0) != (not after):
            # Whether there is a unit above decides about the gap of the next one.
            self._forget_next(block, unit, offset + before)
        width = self._text_width
        for item in after[changed:]:
            if not item.exact:
                item.height = unit.estimate(item, width) + (1 if block.gap_before(item) else 0)
        block.splice(offset + changed, offset + before, after[changed:])

    def _forget_next(self, block: Block, unit: Unit, index: int) -> None:
        assert block.items is not None
        if index < len(block.items):
            block.items[index].forget()

    @property
    def _text_width(self) -> int:
        return max(20, self.width - 9)

    def _block_height(self, block: Block) -> None:
        before = self.heights[block.index]
        if block.height != before:
            self.heights.add(block.index, block.height - before)

    def expand(self, block: Block) -> None:
        """Make a block's items."""
        if block.items is not None:
            return
        block.items = []
        block.heights = Heights()
        self._build(block)
        self._block_height(block)

    def _build(self, block: Block, before: Mapping[int, Unit] = _NO_UNITS) -> None:
        message = block.message
        if message is None:
            return
        from kai_tui.ui.transcript.units import footer_for, superseded_head

        head = superseded_head(block, message)
        self._stand_close(block)
        block.units = [*head, footer_for(block, message)] if not block.folded else head
        if not block.folded:
            self._add_units(block, message, 0)
        for unit in block.units:
            if unit.part_index in before:
                unit.keep(before[unit.part_index])
        for unit in block.units:
            self._sync_unit(block, unit)
        self._fit_choices(block)

    def _add_units(self, block: Block, message: Message, start: int) -> None:
        from kai_tui.ui.transcript.units import unit_for

        for index in range(start, len(message.parts)):
            unit = unit_for(block, message, index, message.parts[index])
            if unit is not None:
                block.units.insert(len(block.units) - 1 - len(block.offered), unit)

    # -- measuring ---------------------------------------------------------------------------

    def set_width(self, width: int) -> None:
        """Draw at another width; everything is estimated anew."""
        if width == self.width:
            return
        self.width = width
        self._forget_strips()
        text_width = self._text_width
        for block in self.blocks:
            if block.items is None:
                if block.message is not None:
                    block.estimated = self._estimate(block.message)
                continue
            for item in block.items:
                item.forget()
                item.height = item.unit.estimate(item, text_width) + (1 if block.gap_before(item) else 0)
            block.heights.rebuild([item.height for item in block.items])
        self.heights.rebuild([block.height for block in self.blocks])

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
        return layout(item.unit.blocks(item), self.width, palette, gutter, gap=gap, heading=heading)

    def texts_of(self, item: Item) -> Sequence[RowText]:
        """An item's selectable rows."""
        if item.rendered is not None:
            return item.rendered.rows
        return texts(item.unit.blocks(item), gap=item.unit.block.gap_before(item))

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
            assert index is not None
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
        for block in self.blocks[max(0, start // BLOCK_ROWS) : end // BLOCK_ROWS + 1]:
            if block.message is None:
                continue
            self.expand(block)
            items = block.items or []
            for index, item in enumerate(items):
                if item.base > end:
                    return
                if index + 1 < len(items) and items[index + 1].base <= start:
                    continue
                for number, text in enumerate(self.texts_of(item), item.base):
                    if start <= number <= end:
                        yield number, text

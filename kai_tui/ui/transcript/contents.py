"""What a conversation is made of: a block for every message, its units made when somebody looks, its height.

Knows nothing of Textual's widgets, of colours or of lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from kai_tui.ui.transcript.blocks import LONG, Blocks, OpenBlocks, estimate, estimates, hold, let_go, size_of
from kai_tui.ui.transcript.heights import Heights
from kai_tui.ui.transcript.items import Block, Item, Surroundings, Unit

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message

_NO_UNITS: Mapping[int, Unit] = MappingProxyType({})


class Contents:
    """Blocks and their heights at one width."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.width = 0
        self._messages: list[Message] = []
        self.blocks = Blocks(0, self._make)
        self.open = OpenBlocks()
        """Blocks that have items."""
        self.heights = Heights()
        self._by_id: dict[str, int] | None = None
        """Where messages stand; made when somebody asks."""
        self._before: dict[str, Block] = {}
        """Blocks in which the user opened something, before all was read anew."""
        self._kept: dict[Item, None] = {}
        """Items whose strips are kept, the oldest first."""
        self._loose = 0
        """Blocks at the end that belong to no message (activity, welcome)."""

    def load(self, messages: Sequence[Message], instead_of: Contents | None = None) -> None:
        """Show these messages instead of what was shown, here or in another document. What the user opened stays open."""
        before = instead_of or self
        before.leave()
        for block in before.open:
            if block.message is not None and (block.touched or size_of(block.message) > LONG):
                self._before[block.message.id] = block
        self._messages = list(messages)
        self.blocks = Blocks(len(self._messages), self._make)
        self.open = OpenBlocks()
        self._by_id = None
        self._kept = {}
        self._loose = 0
        self.heights.rebuild(self._estimates())

    def leave(self) -> None:
        """Nobody looks at its messages any more."""
        for block in self.open:
            let_go(block.message)

    def _estimates(self) -> list[int]:
        superseded = self.around.superseded
        found = estimates(self._messages, self._text_width)
        return [
            1 if superseded(message) else lines for message, lines in zip(self._messages, found, strict=True)
        ]

    def _make(self, index: int) -> Block:
        """The block of a message that nobody looked at so far."""
        message = self._messages[index]
        block = Block(index, message, self.around)
        block.superseded = self.around.superseded(message)
        block.estimated = self.heights[index]
        return block

    def _new_block(self, message: Message | None) -> Block:
        block = Block(len(self.blocks), message, self.around)
        self.blocks.append(block)
        if message is not None:
            self._messages.append(message)
            if self._by_id is not None:
                self._by_id[message.id] = block.index
            block.superseded = self.around.superseded(message)
            block.estimated = 1 if block.superseded else estimate(message, self._text_width)
        return block

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
        index = self._places().get(message_id)
        return self.blocks[index] if index is not None else None

    def _places(self) -> dict[str, int]:
        if self._by_id is None:
            self._by_id = {message.id: index for index, message in enumerate(self._messages)}
        return self._by_id

    def rename(self, old_id: str, new_id: str) -> None:
        """A message got another id."""
        index = self._places().pop(old_id, None)
        if index is not None:
            self._places()[new_id] = index

    def replace(self, block: Block, message: Message) -> None:
        """A message was read anew: draw it from the start."""
        if block.items is not None:
            let_go(block.message)
            hold(message)
        block.message = self._messages[block.index] = message
        block.superseded = self.around.superseded(message)
        self._places()[message.id] = block.index
        before = {unit.part_index: unit for unit in block.units if unit.shows is not None}
        block.units, block.offered = [], ()
        if block.items is None:
            block.estimated = estimate(message, self._text_width)
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
            turned = block.shown_open != block.opened or block.shown_raw != block.raw
            if asked_again or turned or not block.shows_parts():
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

    def read_ahead(self, message_id: str, part_index: int) -> None:
        """Take in what a part has more by now, without showing it: then its `sync_part` is short."""
        block = self.block_of(message_id)
        if block is None or block.message is None or not block.items:
            return
        parts = block.message.parts
        for unit in reversed(block.units):
            if unit.part_index == part_index:
                if part_index < len(parts) and parts[part_index] is unit.shows:
                    unit.read_ahead()
                return

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
        hold(block.message)
        self.open.seen(block)
        before = self._before.pop(block.message.id, None) if self._before and block.message else None
        if before is None:
            self._build(block)
        else:
            block.touched, block.opened, block.raw = before.touched, before.opened, before.raw
            self._build(block, {unit.part_index: unit for unit in before.units if unit.shows is not None})
        self._block_height(block)

    def close(self, block: Block) -> None:
        """Drop a block's items; its height stays."""
        if block.items is None:
            return
        block.estimated = block.height
        for item in block.items:
            item.rendered = None
            self._kept.pop(item, None)
        block.forget_items()
        let_go(block.message)
        self.open.gone(block)

    def close_far(self, top: int, height: int, *, besides: Block | None = None) -> None:
        """Drop the items of blocks that are far from the rows in sight, when there are many of them."""
        far = self.open.too_many()
        if not far:
            return
        first, last = self.heights.find(top)[0] - 2, self.heights.find(top + height)[0] + 2
        end = len(self.blocks) - 2
        for block in far:
            if (
                not first <= block.index <= last
                and block.index < end
                and not block.touched
                and block is not besides
            ):
                self.close(block)

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

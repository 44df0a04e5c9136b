"""The assistant's prose."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.conversation.messages import TextPart
from kai_tui.ui.transcript.items import Block, Item, Unit
from kai_tui.ui.transcript.renderers.prose import ProseItems
from kai_tui.ui.transcript.rows import Block as RowBlock


class TextUnit(Unit):
    """A text part as markdown."""

    def __init__(self, block: Block, number: int, part_index: int, part: TextPart) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self._prose = ProseItems(self, self.base)

    def sync(self) -> int | None:
        part = self.part
        changed = self._prose.pull(part, final=part.done or not self.around.live(self.block.message))
        self.items = self._prose.items
        return changed

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        return self._prose.blocks(item)

    def estimate(self, item: Item, width: int) -> int:
        return self._prose.estimate(item, width)

    def source(self) -> str:
        return self.part.text

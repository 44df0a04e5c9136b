"""What the user wrote: plain text beside a bar, line by line as it was typed or pasted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from kai_tui.conversation.messages import TextPart
from kai_tui.conversation.safe_text import safe_prose
from kai_tui.ui.transcript.items import ITEM_ROWS, Block, Item, Unit
from kai_tui.ui.transcript.renderers.plain import estimated_lines, pieces
from kai_tui.ui.transcript.rows import Block as RowBlock


class UserTextUnit(Unit):
    """A text part of a user's message. Not markdown: people paste code."""

    def __init__(self, block: Block, number: int, part_index: int, part: TextPart) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self._length = -1

    def sync(self) -> int | None:
        part = self.part
        if len(part) == self._length:
            return None
        self._length = len(part)
        text = safe_prose(part.text).strip("\n")
        self.items = [
            Item(self, piece, self.base + index * ITEM_ROWS)
            for index, piece in enumerate(pieces(text) if text else ())
        ]
        return 0

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        from kai_tui.ui.transcript.markdown import plain_rows

        return plain_rows(cast("str", item.content))

    def estimate(self, item: Item, width: int) -> int:
        return estimated_lines(cast("str", item.content), width)

    def source(self) -> str:
        return self.part.text

"""The assistant's text as it was written: markdown that nothing interprets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from kai_tui.conversation.messages import TextPart
from kai_tui.conversation.safe_text import safe_code
from kai_tui.ui.transcript.items import ITEM_ROWS, Block, Item
from kai_tui.ui.transcript.renderers.text import TextUnit
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row

if TYPE_CHECKING:
    from kai_tui.ui.transcript.pieces import Kind, Piece

LINES = 40
"""Lines in one item."""
CHARACTERS = 4_000
"""Characters after which an item ends in the middle of a line."""
_MARGIN = Lead(" ", "code-block")


class RawTextUnit(TextUnit):
    """A text part line by line. The choices it ends in stand in it and below it."""

    kind: ClassVar[Kind] = "raw"

    def __init__(self, block: Block, number: int, part_index: int, part: TextPart) -> None:
        super().__init__(block, number, part_index, part)
        self._head = Item(self, None, self.base)
        self._settled = 0
        """Items that have their whole text."""
        self._start = 0
        """Where the text of the item behind them starts."""
        self._size = -1

    def sync(self) -> int | None:
        part = self.part
        self._prose_end(final=part.done or not self.around.live(self.block.message))
        size = len(part)
        if size == self._size:
            return None
        if size < self._size:
            self._settled = self._start = 0
        self._size = size
        first = 1 + self._settled if self.items else 0
        kept = [self._head, *self.items[1 : 1 + self._settled]]
        rest, at = part.since(self._start), 0
        while (end := _cut(rest, at)) is not None:
            kept.append(Item(self, rest[at:end], self._base_of(len(kept))))
            self._settled += 1
            at = end
        self._start += at
        if at < len(rest):
            kept.append(Item(self, rest[at:], self._base_of(len(kept))))
        self.items = kept
        return first

    def _base_of(self, index: int) -> int:
        return self.base + index * ITEM_ROWS

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        from kai_tui.ui.transcript.code import expand_tabs

        if item is self._head:
            label = Lead("markdown, as it was written", "code-label")
            return [Row("", lead=(_MARGIN, label), base="code-block", copied="")]
        rows: list[RowBlock] = []
        for line in safe_code(cast("str", item.content).removesuffix("\n")).split("\n"):
            shown = expand_tabs(line)
            copied = line if shown != line else None
            rows.append(Row(shown, base="code-block", lead=(_MARGIN,), rest=(_MARGIN,), copied=copied))
        return rows

    def estimate(self, item: Item, width: int) -> int:
        if item is self._head:
            return 1
        text = cast("str", item.content)
        return max(1, text.count("\n")) + len(text) * 3 // (4 * width)

    def pieces(self, index: int) -> Sequence[Piece] | None:
        return None

    def item_at(self, start: int) -> int:
        return 0


def _cut(text: str, start: int) -> int | None:
    """Where the text of an item ends that is complete; None while it may still grow."""
    end = start - 1
    for _ in range(LINES):
        end = text.find("\n", end + 1)
        if end < 0 or end - start >= CHARACTERS:
            break
    else:
        return end + 1
    return start + CHARACTERS if len(text) - start > CHARACTERS else None

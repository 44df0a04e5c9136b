"""What the user wrote: plain text beside a bar, line by line as it was typed or pasted.

A quote in front of it (a forked chat's first message) is one line, the whole of it on demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from kai_tui.conversation.messages import TextPart
from kai_tui.conversation.quoting import split_quote
from kai_tui.conversation.safe_text import safe_prose
from kai_tui.ui.transcript.items import ITEM_ROWS, Block, Item, Unit
from kai_tui.ui.transcript.renderers.plain import estimated_lines, pieces
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row

if TYPE_CHECKING:
    from kai_tui.ui.transcript.pieces import Kind


class UserTextUnit(Unit):
    """A text part of a user's message. Not markdown: people paste code."""

    kind: ClassVar[Kind] = "question"
    findable: ClassVar[bool] = True

    def __init__(self, block: Block, number: int, part_index: int, part: TextPart) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self._length = -1
        self._quote = ""
        self._said = ""
        # Before it is sent the user sees all of it.
        self.open = self._is_draft()
        self._was_open = self.open
        self._head = Item(self, None, self.base)

    def _is_draft(self) -> bool:
        source, message = self.around.source, self.block.message
        return source is not None and message is not None and source.delivery(message.id) == "draft"

    def sync(self) -> int | None:
        part = self.part
        if len(part) == self._length and self.open == self._was_open:
            return None
        self._length = len(part)
        self._was_open = self.open
        self._quote, self._said = split_quote(part.text)
        texts = [safe_prose(self._said).strip("\n")]
        if self._quote:
            self._head.forget()
            texts = [self._quoted() if self.open else "", *texts]
        self.items = [self._head] if self._quote else []
        for number, text in enumerate(texts):
            gap = bool(self.items)
            for piece in pieces(text) if text else ():
                # The quote stands right below its line, what was said after an empty row.
                first = gap and (not self._quote or number == 1)
                base = self.base + len(self.items) * ITEM_ROWS
                self.items.append(Item(self, piece, base, gap=first))
                gap = False
        return 0

    def _quoted(self) -> str:
        return safe_prose(self._quote).strip("\n")

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        from kai_tui.ui.transcript.markdown import plain_rows

        if item is self._head:
            mark = "▾ " if self.open else "▸ "
            text = f"quoted from an earlier chat, {len(self._quote):,} characters"
            return [Row(text, base="muted", lead=(Lead(mark, "muted"),), wrap="cut")]
        rows = plain_rows(cast("str", item.content))
        if self._is_quoted(item):
            for row in rows:
                if isinstance(row, Row):
                    row.base = row.base or "quote"
        return rows

    def _is_quoted(self, item: Item) -> bool:
        """Whether an item is of the quote: those before the first with an empty row above it."""
        if not self._quote or not self.open:
            return False
        for each in self.items[1:]:
            if each.gap:
                return False
            if each is item:
                return True
        return False

    def estimate(self, item: Item, width: int) -> int:
        return 1 if item is self._head else estimated_lines(cast("str", item.content), width)

    def source(self) -> str:
        return self.part.text

    def opens(self) -> bool:
        return bool(self._quote)

    def toggle(self) -> bool:
        if not self._quote:
            return False
        self.open = not self.open
        return True

    def depth(self) -> int:
        return int(self.open)

    def open_to(self, depth: int) -> None:
        self.open = depth > 0

    def keep(self, before: Unit) -> None:
        self.open = isinstance(before, UserTextUnit) and before.open

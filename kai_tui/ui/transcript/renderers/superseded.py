"""A question that was asked again, and its answer: one dim line each, the whole of it on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kai_tui.conversation.messages import Message
from kai_tui.conversation.quoting import split_quote
from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.transcript.items import Block, Item, Tone, Unit
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row, Span

_WORD = "superseded"
_LOOKED_AT = 2_000
"""Characters of a message that are looked at for its line."""


class SupersededUnit(Unit):
    """Stands before the parts of such a message, and instead of them while it is closed."""

    tone: ClassVar[Tone] = "card"

    def __init__(self, block: Block, message: Message) -> None:
        super().__init__(block, -1)
        self._message = message

    def sync(self) -> int | None:
        content = (self._message.id, self.block.opened)
        return self.set_single(content, changed=bool(self.items) and self.items[0].content != content)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        mark = "▾ " if self.block.opened else "▸ "
        said = "" if self.block.opened else safe_line(self._said(), 300)
        text = f"{_WORD}  {said}" if said else _WORD
        spans = [Span(0, len(_WORD), "em")]
        return [Row(text, spans, base="muted", lead=(Lead(mark, "muted"),), wrap="cut")]

    def _said(self) -> str:
        text = self._message.text[:_LOOKED_AT]
        if self._message.role == "user":
            return " ".join(split_quote(self._message.text)[1][:_LOOKED_AT].split())
        from kai_tui.ui.transcript.plain_text import plain_text

        return " ".join(plain_text(text).split())

    def source(self) -> str:
        return self._message.text

    def opens(self) -> bool:
        return True

    def toggle(self) -> bool:
        self.block.opened = not self.block.opened
        return True

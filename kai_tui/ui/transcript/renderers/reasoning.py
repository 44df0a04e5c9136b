"""What the model thought: one line, open on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from kai_tui.conversation.messages import ReasoningPart
from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.transcript.items import ITEM_ROWS, Block, Item, Tone, Unit
from kai_tui.ui.transcript.renderers.duration import words_for
from kai_tui.ui.transcript.renderers.prose import ProseItems
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row, Span, Table

if TYPE_CHECKING:
    from kai_tui.ui.transcript.pieces import Kind

_TAIL = 400
"""Characters from the end of a running thought that are looked at for its last line."""


class ReasoningUnit(Unit):
    """A reasoning part."""

    tone: ClassVar[Tone] = "card"
    kind: ClassVar[Kind] = "thought"
    findable: ClassVar[bool] = True

    def __init__(self, block: Block, number: int, part_index: int, part: ReasoningPart) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self.open = False
        self._header = Item(self, None, self.base)
        self._shown: tuple[object, ...] = ()
        self._prose = ProseItems(self, self.base + ITEM_ROWS)

    @property
    def _running(self) -> bool:
        return not self.part.done and self.around.live(self.block.message)

    def sync(self) -> int | None:
        part = self.part
        running = self._running
        if not len(part) and not running:
            # A thought without words (some models hide them): nothing to show.
            changed = 0 if self.items else None
            self.items = []
            self._shown = ()
            return changed
        shown = (running, self.open, self._seconds(), len(part) if running and not self.open else 0)
        header_changed = shown != self._shown
        self._shown = shown
        if header_changed:
            self._header.forget()
        was_open = len(self.items) > 1
        changed: int | None = None
        if self.open:
            found = self._prose.pull(part, final=not running)
            changed = None if found is None else found + 1
            if not was_open:
                changed = 1
        elif was_open:
            changed = 1
        self.items = [self._header, *self._prose.items] if self.open else [self._header]
        return 0 if header_changed else changed

    def _seconds(self) -> int | None:
        message = self.block.message
        seconds = self.around.seconds(message, self.part_index) if message is not None else None
        return None if seconds is None else round(seconds)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        if item is self._header:
            return [self._summary()]
        blocks = self._prose.blocks(item)
        for block in blocks:
            if isinstance(block, Table):
                block.lead = (Lead("  ", ""), *block.lead)
            else:
                block.lead = (Lead("  ", ""), *block.lead)
                block.rest = (Lead("  ", ""), *block.rest)
                block.base = block.base or "thought"
        return blocks

    def _summary(self) -> Row:
        mark = "▾ " if self.open else "▸ "
        seconds = self._seconds()
        if not self._running:
            text = f"Thought for {words_for(seconds)}" if seconds else "Thought"
            return Row(text, base="thought", lead=(Lead(mark, "thought"),), wrap="cut")
        text = f"Thinking… {words_for(seconds)}" if seconds is not None else "Thinking…"
        spans = [Span(0, len(text), "thought")]
        if not self.open:
            part = self.part
            last = part.since(max(0, len(part) - _TAIL)).strip().rpartition("\n")[2]
            if last:
                text += "  " + safe_line(last)
        return Row(text, spans, base="muted", lead=(Lead(mark, "thought"),), wrap="cut")

    def estimate(self, item: Item, width: int) -> int:
        return 1 if item is self._header else self._prose.estimate(item, width)

    def source(self) -> str:
        return self.part.text

    def opens(self) -> bool:
        return len(self.part) > 0

    def toggle(self) -> bool:
        if not len(self.part):
            return False
        self.open = not self.open
        return True

    def depth(self) -> int:
        return int(self.open)

    def open_to(self, depth: int) -> None:
        self.open = depth > 0

    def keep(self, before: Unit) -> None:
        self.open = isinstance(before, ReasoningUnit) and before.open

    def timed(self) -> bool:
        return self._running

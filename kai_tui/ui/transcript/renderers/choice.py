"""A choice under an answer: numbered while it can be picked, quiet afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from kai_tui.conversation.choices import Choice
from kai_tui.ui.transcript.items import Block, Item, Tone, Unit
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row

if TYPE_CHECKING:
    from kai_tui.ui.transcript.pieces import Kind

KEYS = 9
"""Choices that have a number key."""


class ChoiceUnit(Unit):
    """One of them. Only those of the newest answer are live."""

    tone: ClassVar[Tone] = "card"
    kind: ClassVar[Kind] = "choice"
    findable: ClassVar[bool] = True

    def __init__(self, block: Block, number: int, index: int, choice: Choice) -> None:
        super().__init__(block, number)
        self._index = index
        self._choice = choice
        self._live = False

    def sync(self) -> int | None:
        live = self._choice in self.around.live_choices(self.block.message)
        changed = live != self._live
        self._live = live
        return self.set_single(None, changed=changed)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        shown = self._choice.shown
        if not self._live:
            return [_row("·  ", shown, "muted", "muted")]
        if self._index < KEYS:
            return [_row(f"{self._index + 1}  ", shown, "choice-number", "suggestion")]
        return [_row("→  ", shown, "suggestion", "suggestion")]

    def estimate(self, item: Item, width: int) -> int:
        return 1 + len(self._choice.text) // max(1, width)

    def source(self) -> str:
        return self._choice.text

    def choice(self) -> Choice | None:
        return self._choice


def _row(mark: str, text: str, mark_style: str, style: str) -> Row:
    return Row(text, base=style, lead=(Lead(mark, mark_style),), rest=(Lead(" " * len(mark), ""),))

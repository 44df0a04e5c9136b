"""The assistant's prose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from kai_tui.conversation.choices import INFO, Choice, ChoiceWatch, broke_off, closing_text
from kai_tui.conversation.messages import TextPart
from kai_tui.ui.transcript.items import Block, Item, Unit
from kai_tui.ui.transcript.renderers.prose import ProseItems
from kai_tui.ui.transcript.rows import Block as RowBlock

if TYPE_CHECKING:
    from kai_tui.ui.transcript.pieces import Piece


class TextUnit(Unit):
    """A text part as markdown, without the choices it ends in: those stand below the answer."""

    findable: ClassVar[bool] = True

    def __init__(self, block: Block, number: int, part_index: int, part: TextPart) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self.choices: Sequence[Choice] = ()
        self._prose = ProseItems(self, self.base)
        self._watch = ChoiceWatch()
        self._watched = 0
        self._complete = False
        self._plain = -1
        """Length of a complete text in which no choices are."""
        self._taken_over = False

    def keep(self, before: Unit) -> None:
        if not isinstance(before, TextUnit):
            return
        if before.part is self.part and not self.around.counting:
            # Splitting a long text again would take longer than reading it did.
            self._prose.take_over(before._prose)
            self._taken_over = True
        else:
            self._prose.keep(before._prose)

    def sync(self) -> int | None:
        part = self.part
        final = part.done or not self.around.live(self.block.message)
        changed = self._prose.pull(part, final=final, end=self._prose_end(final=final))
        self.items = self._prose.items
        if self._taken_over:
            self._taken_over = False
            return 0
        return changed

    def read_ahead(self) -> None:
        if not self.part.done and self.around.live(self.block.message):
            self._prose.read_ahead(self.part, self._prose_end(final=False))

    def _prose_end(self, *, final: bool) -> int:
        """Where the prose ends that can be shown now: what may become choices is held back."""
        part, message = self.part, self.block.message
        if len(part) == self._plain or (final and not self._watched and INFO not in part.text):
            self._plain = len(part)
            return self._plain
        if len(part) < self._watched or (self._complete and len(part) > self._watched):
            self._watch, self._watched, self._complete = ChoiceWatch(), 0, False
        if len(part) > self._watched:
            self._watch.feed(part.since(self._watched))
            self._watched = len(part)
        if final and not self._complete:
            cut = message is not None and not part.done and broke_off(message)
            self._watch.finish(keep_open=not cut)
            self._complete = True
        closing = message is not None and closing_text(message) is part
        self.choices = self._watch.choices if closing else ()
        return self._watch.prose if closing else len(part)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        return self._prose.blocks(item)

    def pieces(self, index: int) -> Sequence[Piece] | None:
        return self._prose.pieces(index)

    def item_at(self, start: int) -> int:
        return self._prose.item_at(start)

    def estimate(self, item: Item, width: int) -> int:
        return self._prose.estimate(item, width)

    def source(self) -> str:
        return self.part.text

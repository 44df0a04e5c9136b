"""Growing prose as items: settled chunks stay, only the live tail is rendered again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from kai_tui.ui.transcript.items import ITEM_ROWS, Item, Unit
from kai_tui.ui.transcript.rows import Block, row_count
from kai_tui.ui.transcript.splitter import Chunk, Splitter

if TYPE_CHECKING:
    from kai_tui.ui.transcript.laid_out import Laid
    from kai_tui.ui.transcript.pieces import Piece


_LONGEST_STOP = 40
"""Items of prose the cursor takes as one block at most; to find where a longer list begins would take too long."""


class Grows(Protocol):
    """A text that is read from where it was left."""

    def __len__(self) -> int: ...
    def since(self, start: int) -> str:
        """What came after the first `start` characters."""
        ...


class ProseItems:
    """Keeps a run of a unit's items in step with a text that may still grow."""

    def __init__(self, unit: Unit, base: int) -> None:
        self.items: list[Item] = []
        self._unit = unit
        self._base = base
        self._splitter = Splitter()
        self._settled = 0
        self._fed = 0
        self._finished = False
        self._tail: Chunk | None = None
        self._references: dict[str, object] = {}
        self._laid: dict[int, tuple[str, dict[int, Laid]]] = {}
        """What the user laid out in the prose that was shown before: by item, with its source."""
        self._starts: list[int] = []
        """Where in the text each item's chunk starts."""

    def pull(self, part: Grows, *, final: bool, end: int | None = None) -> int | None:
        """Take what was added, up to `end`; the index of the first changed item or None."""
        restarted = False
        size = len(part) if end is None else end
        if size < self._fed or (self._finished and size > self._fed):
            self._restart()
            restarted = True
        if size > self._fed:
            self._splitter.feed(part.since(self._fed)[: size - self._fed])
            self._fed = size
        if final and not self._finished:
            self._splitter.finish()
            self._finished = True
        changed = self._take()
        return 0 if restarted else changed

    def read_ahead(self, part: Grows, end: int) -> None:
        """Split what was added, up to `end`; `pull` makes items of it."""
        if self._fed < end and not self._finished:
            self._splitter.feed(part.since(self._fed)[: end - self._fed])
            self._fed = end

    def take_over(self, before: ProseItems) -> None:
        """Go on with what was split of the same text for a unit that is not shown any more."""
        self._splitter, self._settled, self._fed = before._splitter, before._settled, before._fed
        self._finished, self._tail = before._finished, before._tail
        self._references, self._starts, self.items = before._references, before._starts, before.items
        for item in self.items:
            item.unit = self._unit
            item.base += self._base - before._base
            item.forget()

    def keep(self, before: ProseItems) -> None:
        """Take over what the user did with the prose that showed this text before."""
        for index, item in enumerate(before.items):
            if item.instead is not None:
                self._laid[index] = (cast("Chunk", item.content).source, item.instead)

    def _restart(self) -> None:
        self._splitter = Splitter()
        self._settled = self._fed = 0
        self._finished = False
        self._tail = None
        self._references = {}
        self._starts = []
        self.items = []

    def _take(self) -> int | None:
        splitter = self._splitter
        fresh = splitter.settled[self._settled :]
        tail = None if self._finished else splitter.tail()
        if not fresh and tail == self._tail:
            return None
        first = index = self._settled
        for chunk in fresh:
            self._put(index, chunk)
            index += 1
        self._settled = index
        self._tail = tail
        if tail is not None:
            self._put(index, tail)
            index += 1
        del self.items[index:]
        if self._found_references(fresh, tail):
            for item in self.items:
                item.forget()
            return 0
        return first

    def _put(self, index: int, chunk: Chunk) -> None:
        if index == len(self._starts):
            before = cast("Chunk", self.items[index - 1].content) if index else None
            self._starts.append(self._starts[-1] + len(before.source) if before is not None else 0)
        if index < len(self.items):
            item = self.items[index]
            item.content = chunk
            item.forget()
        else:
            self.items.append(Item(self._unit, chunk, self._next_base(index)))
            item = self.items[index]
        if index in self._laid and self._laid[index][0] == chunk.source:
            item.instead = self._laid[index][1]
        item.gap = chunk.gap

    def _next_base(self, index: int) -> int:
        """Selection rows follow on without a hole while something is selected, so that they stay true."""
        if index == 0:
            return self._base
        before = self.items[index - 1]
        if not self._unit.around.counting:
            return before.base + ITEM_ROWS
        blocks = self.blocks(before)
        rows = row_count(blocks) + (1 if blocks and before.unit.block.gap_before(before) else 0)
        return before.base + max(rows, 1)

    def _found_references(self, fresh: Sequence[Chunk], tail: Chunk | None) -> bool:
        chunks = [*fresh, tail] if tail is not None else fresh
        if not any("]:" in chunk.source for chunk in chunks):
            return False
        from kai_tui.ui.transcript.markdown import find_references

        # A definition that is still being written must not stay in its half form.
        settled = [
            find_references(chunk.source, self._references) for chunk in fresh if chunk.kind == "prose"
        ]
        return any(settled)

    def blocks(self, item: Item) -> list[Block]:
        """The rows of one of the items."""
        from kai_tui.ui.transcript.markdown import blocks_of

        return blocks_of(cast("Chunk", item.content), self._references)

    def item_at(self, start: int) -> int:
        """The item in which character `start` of the text is."""
        return max(0, min(bisect_right(self._starts, start), len(self.items)) - 1)

    def pieces(self, index: int) -> Sequence[Piece]:
        """What the cursor stops at in an item. Costs as much as drawing it, once."""
        from kai_tui.ui.transcript.pieces import belongs

        found = self._outline(index)
        if not found or not index or found[0].chunk is not None or index % _LONGEST_STOP == 0:
            return found
        chunk = cast("Chunk", self.items[index].content)
        above = self._outline(index - 1)
        if above and belongs(above[-1], found[0], cut=True, gap=chunk.gap):
            return [found[0]._replace(goes_on=True), *found[1:]]
        return found

    def _outline(self, index: int) -> Sequence[Piece]:
        item = self.items[index]
        if item.pieces is None:
            from kai_tui.ui.transcript.outline import pieces_of

            item.pieces = pieces_of(cast("Chunk", item.content), self._starts[index], self._references)
        return item.pieces

    def estimate(self, item: Item, width: int) -> int:
        """Its lines, from its line ends and its length."""
        chunk = cast("Chunk", item.content)
        lines = chunk.source.count("\n") + len(chunk.source) * 3 // (4 * width)
        return max(1, lines) + (1 if chunk.gap else 0)

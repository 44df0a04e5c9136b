"""A document the assistant writes: one line that grows, its text on demand (imbrace.md §4)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from kai_tui.conversation.messages import DataPart
from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.ui.transcript.items import ITEM_ROWS, Block, Item, Tone, Unit
from kai_tui.ui.transcript.renderers.duration import words_for
from kai_tui.ui.transcript.renderers.prose import ProseItems
from kai_tui.ui.transcript.renderers.text_so_far import TextSoFar
from kai_tui.ui.transcript.renderers.tool_card import DONE, FAILED, INTERRUPTED, RUNNING, CardState
from kai_tui.ui.transcript.renderers.tool_data import Detail, card_pieces, table_details, text_details
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row, Span

if TYPE_CHECKING:
    from kai_tui.ui.transcript.pieces import Kind, Piece

DOCUMENT = "data-document"

KINDS = {
    "text": "text",
    "code": "code",
    "sheet": "table",
    "image": "picture",
    "imbrace-databoard": "data board",
}
MOST_ROWS = 2_000
"""Rows of a sheet that are drawn as a table."""

_STATES = {
    "streaming": RUNNING._replace(words="writing"),
    "done": DONE,
    "failed": FAILED,
    "cut": INTERRUPTED._replace(words="cut off"),
}
_ELSEWHERE = "The chat has only the title of this document; its text is kept on the server."
_PICTURE = "A picture cannot be shown here."


class DocumentUnit(Unit):
    """A document part. Its data is replaced by every event; see `LiveDocument`."""

    tone: ClassVar[Tone] = "card"
    kind: ClassVar[Kind] = "card"
    findable: ClassVar[bool] = True

    def __init__(self, block: Block, number: int, part_index: int, part: DataPart) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self.open = False
        self._header = Item(self, None, self.base)
        self._drawn: Row | None = None
        self._shown: object = None
        self._prose: ProseItems | None = None
        self._text = TextSoFar()

    def _said(self, name: str) -> str:
        return said(self.part, name)

    @property
    def _state(self) -> CardState:
        state = self._said("state")
        if state == "streaming" and not self.around.live(self.block.message):
            state = "cut"
        return _STATES.get(state, DONE)

    def sync(self) -> int | None:
        row = self._summary()
        changed: int | None = None
        if not self.items or row != self._drawn:
            self._header.forget()
            self._drawn = row
            changed = 0
        content = self._said("content")
        if not self.open:
            if len(self.items) > 1:
                changed = 1 if changed is None else changed
            self.items = [self._header]
            self._prose, self._shown = None, None
            return changed
        found = self._opened(content)
        if found is not None and changed is None:
            changed = found
        return changed

    def _opened(self, content: str) -> int | None:
        """Bring the items of the opened card up to date; the index of the first changed one."""
        state = self._state
        if self._said("kind") in ("", "text") and content:
            restarted = not self._text.take(content, done=state is not RUNNING and state.words != "writing")
            if self._prose is None or restarted:
                self._prose = ProseItems(self, self.base + ITEM_ROWS)
            found = self._prose.pull(self._text, final=self._text.done)
            fresh = len(self.items) == 1
            self.items = [self._header, *self._prose.items]
            return 1 if fresh or restarted else None if found is None else found + 1
        shown = (content, state)
        if shown == self._shown and len(self.items) > 1:
            return None
        self._shown = shown
        details = self._details(content)
        self.items = [
            self._header,
            *(Item(self, each, self.base + number * ITEM_ROWS) for number, each in enumerate(details, 1)),
        ]
        return 1

    def _details(self, content: str) -> Sequence[Detail]:
        kind = self._said("kind")
        if not content:
            waits = self._state.words == "writing"
            return [Detail("label", "Nothing is written yet." if waits else _ELSEWHERE)]
        if kind == "image":
            return [Detail("label", f"{_PICTURE} It has {len(content):,} characters.")]
        if kind == "sheet":
            table = _table(content)
            if table is not None:
                return list(table_details(table[0], table[1:]))
        return list(text_details("code", content))

    def _summary(self) -> Row:
        state = self._state
        title = safe_line(self._said("title"), 200).strip() or "A document"
        kind = KINDS.get(self._said("kind"), safe_line(self._said("kind"), 30) or "text")
        text = f"{title}  {kind}"
        content = self._said("content")
        writing = state.words == "writing"
        if writing and not self.open and kind in ("text", "code"):
            last = content[-400:].strip().rpartition("\n")[2]
            if last:
                text += f"  {safe_line(last)}"
        spans = [Span(0, len(title), "tool"), Span(len(title), len(text), "muted")]
        size = _size(content, kind)
        right = [
            Lead(
                state.words if state is not DONE or not size else size,
                state.style if state is not DONE else "muted",
            )
        ]
        if size and state is not DONE:
            right.append(Lead(f"  {size}", "muted"))
        message = self.block.message
        seconds = self.around.seconds(message, self.part_index) if writing and message is not None else None
        if seconds is not None:
            right.append(Lead("  " + words_for(int(seconds)), "muted"))
        return state.row(text, spans, right, findable=len(title), open=self.open)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        if item is self._header:
            assert self._drawn is not None
            return [self._drawn]
        if isinstance(item.content, Detail):
            return item.content.blocks()
        assert self._prose is not None
        return [indented(block) for block in self._prose.blocks(item)]

    def pieces(self, index: int) -> Sequence[Piece] | None:
        if self._prose is None or not index:
            return card_pieces(self.items, index) if len(self.items) > 1 else None
        # Place 0 is the card's own line.
        return [piece._replace(start=piece.start + 1) for piece in self._prose.pieces(index - 1)]

    def item_at(self, start: int) -> int:
        return self._prose.item_at(start - 1) + 1 if self._prose is not None and start else 0

    def estimate(self, item: Item, width: int) -> int:
        if item is self._header:
            return 1
        if isinstance(item.content, Detail):
            return item.content.lines + len(item.content.text) * 3 // (4 * width)
        return self._prose.estimate(item, width) if self._prose is not None else 1

    def source(self) -> str:
        return self._said("content") or self._said("title")

    def table(self) -> DataTable | None:
        if self._said("kind") != "sheet":
            return None
        rows = _table(self._said("content"))
        return (
            DataTable(tuple(rows[0]), [tuple(row) for row in rows[1:]], self._said("title")) if rows else None
        )

    @property
    def has_rows(self) -> bool:
        return self._said("kind") == "sheet" and bool(self._said("content"))

    def opens(self) -> bool:
        return True

    def toggle(self) -> bool:
        self.open = not self.open
        return True

    def depth(self) -> int:
        return int(self.open)

    def open_to(self, depth: int) -> None:
        self.open = depth > 0

    def keep(self, before: Unit) -> None:
        self.open = isinstance(before, DocumentUnit) and before.open

    def timed(self) -> bool:
        return self._state.words == "writing"


def said(part: DataPart, name: str) -> str:
    """A text of a part's data; empty for anything else."""
    data: Any = part.fields.get("data")
    value: Any = cast("dict[str, Any]", data).get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def indented(block: RowBlock) -> RowBlock:
    """Below its card."""
    block.lead = (Lead("  ", ""), *block.lead)
    if isinstance(block, Row):
        block.rest = (Lead("  ", ""), *block.rest)
    return block


def _size(content: str, kind: str) -> str:
    if not content or kind == "picture":
        return ""
    if kind == "text":
        words = len(content.split())
        return f"{words:,} word{'' if words == 1 else 's'}"
    lines = content.count("\n") + (not content.endswith("\n"))
    return f"{lines:,} line{'' if lines == 1 else 's'}"


def _table(content: str) -> list[list[str]] | None:
    """A sheet's CSV as rows, the header first; None for what is no such thing."""
    try:
        rows = [row for row in csv.reader(io.StringIO(content)) if row]
    except csv.Error:
        return None
    if not rows or len(rows) > MOST_ROWS:
        return None
    columns = max(len(row) for row in rows)
    return [row + [""] * (columns - len(row)) for row in rows]

"""A sub-agent at work for the agent one talks to: one line, what it said and did on demand (imbrace.md §4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from kai_tui.conversation.messages import DataPart
from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.transcript.items import ITEM_ROWS, Block, Item, Tone, Unit
from kai_tui.ui.transcript.renderers.document_card import said
from kai_tui.ui.transcript.renderers.duration import words_for
from kai_tui.ui.transcript.renderers.tool_card import DONE, FAILED, INTERRUPTED, RUNNING, CardState
from kai_tui.ui.transcript.renderers.tool_data import Detail, card_pieces, text_details
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row, Span

if TYPE_CHECKING:
    from kai_tui.ui.transcript.pieces import Kind, Piece

SUB_AGENT = "data-sub-agent"

_STATES = {
    "streaming": RUNNING._replace(words="at work"),
    "done": DONE,
    "failed": FAILED,
    "cut": INTERRUPTED._replace(words="cut off"),
}


class SubAgentUnit(Unit):
    """A sub-agent part. Its data is replaced by every event; see `LiveSubAgent`."""

    tone: ClassVar[Tone] = "card"
    kind: ClassVar[Kind] = "card"
    findable: ClassVar[bool] = True

    def __init__(self, block: Block, number: int, part_index: int, part: DataPart) -> None:
        super().__init__(block, number, part_index, part)
        self.part = part
        self.open = False
        self._drawn: Row | None = None
        self._shown: object = None

    @property
    def _data(self) -> dict[str, Any]:
        data: Any = self.part.fields.get("data")
        return cast("dict[str, Any]", data) if isinstance(data, dict) else {}

    def _said(self, name: str) -> str:
        return said(self.part, name)

    @property
    def _calls(self) -> list[tuple[str, bool]]:
        """Names of the tools it used, and whether they answered."""
        calls: Any = self._data.get("calls")
        rows = cast("list[Any]", calls) if isinstance(calls, list) else []
        found = (cast("dict[str, Any]", row) for row in rows if isinstance(row, dict))
        return [(str(row.get("tool") or "a tool"), row.get("done") is True) for row in found]

    @property
    def _state(self) -> CardState:
        state = self._said("state")
        if state == "streaming" and not self.around.live(self.block.message):
            state = "cut"
        return _STATES.get(state, DONE)

    def sync(self) -> int | None:
        row = self._summary()
        changed: int | None = None
        if not self.items:
            self.items = [Item(self, None, self.base)]
            changed = 0
        elif row != self._drawn:
            self.items[0].forget()
            changed = 0
        self._drawn = row
        shown = (self.open, self._said("text"), self._calls, self._said("error")) if self.open else None
        if shown != self._shown:
            self._shown = shown
            details = self._details() if self.open else []
            self.items = [
                self.items[0],
                *(Item(self, each, self.base + number * ITEM_ROWS) for number, each in enumerate(details, 1)),
            ]
            changed = 1 if changed is None else changed
        return changed

    def _details(self) -> list[Detail]:
        details: list[Detail] = []
        if self._said("error"):
            details += text_details("error", self._said("error"))
        for tool, done in self._calls:
            details.append(Detail("text", f"{'✓' if done else '●'} {safe_line(tool, 80)}"))
        details += text_details("text", self._said("text"))
        return details or [Detail("label", "It said nothing.")]

    def _summary(self) -> Row:
        state = self._state
        name = safe_line(self._said("agent"), 60).strip() or "A sub-agent"
        calls = self._calls
        running = state.words == "at work"
        more = ""
        if state is FAILED:
            more = safe_line(self._said("error"), 200)
        elif running and calls and not calls[-1][1]:
            more = f"uses {safe_line(calls[-1][0], 60)}"
        elif not self.open:
            more = safe_line(self._said("text")[-400:].strip().rpartition("\n")[2])
        text = f"{name}  {more}" if more else name
        spans = [Span(0, len(name), "tool"), Span(len(name), len(text), "muted")]
        right = [Lead(state.words, state.style)]
        if calls:
            right.append(Lead(f"  {len(calls)} call{'' if len(calls) == 1 else 's'}", "muted"))
        message = self.block.message
        seconds = self.around.seconds(message, self.part_index) if running and message is not None else None
        if seconds is not None:
            right.append(Lead("  " + words_for(int(seconds)), "muted"))
        return state.row(text, spans, right, findable=len(name), open=self.open)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        if isinstance(item.content, Detail):
            return item.content.blocks()
        assert self._drawn is not None
        return [self._drawn]

    def pieces(self, index: int) -> Sequence[Piece] | None:
        return card_pieces(self.items, index) if len(self.items) > 1 else None

    def estimate(self, item: Item, width: int) -> int:
        if not isinstance(item.content, Detail):
            return 1
        return item.content.lines + len(item.content.text) * 3 // (4 * width)

    def source(self) -> str:
        calls = "\n".join(tool for tool, _ in self._calls)
        return "\n\n".join(each for each in (self._said("agent"), calls, self._said("text")) if each)

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
        self.open = isinstance(before, SubAgentUnit) and before.open

    def timed(self) -> bool:
        return self._state.words == "at work"

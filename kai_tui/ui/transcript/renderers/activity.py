"""Lines that belong to no message: what the assistant is doing now, and the welcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kai_tui.conversation.messages import ReasoningPart, TextPart, ToolPart
from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.transcript.items import Block, Item, Surroundings, Tone, Unit
from kai_tui.ui.transcript.renderers.duration import words_for
from kai_tui.ui.transcript.renderers.status import key_of
from kai_tui.ui.transcript.rows import Block as RowBlock
from kai_tui.ui.transcript.rows import Lead, Row

QUIET = 2.0
"""Seconds without an event after which the wait is said, also in the middle of an answer."""


def activity_text(around: Surroundings, name: str) -> str | None:
    """`Kai is thinking… 3 s` while nothing else shows that the turn lives; None when something does."""
    source = around.source
    if source is None:
        return None
    turn = source.turn
    if turn.phase not in ("sending", "streaming"):
        return None
    now = around.clock()
    if turn.silence == "long" and turn.quiet_since is not None:
        # Instead of everything else, also beside a tool that runs: the server may be gone.
        quiet = words_for(int(max(0.0, now - turn.quiet_since)))
        return f"Still nothing for {quiet}: {key_of('stop_reply')} stops, or keep waiting"
    messages = source.messages
    last = messages[-1] if messages else None
    begun = last is not None and last.role == "assistant" and around.live(last) and bool(last.parts)
    since = turn.started
    if begun and last is not None:
        part = last.parts[-1]
        if isinstance(part, ReasoningPart) and not part.done and len(part):
            return None
        if isinstance(part, ToolPart) and not part.settled:
            return None
        since = max(turn.last_event, turn.started)
        if now - since < QUIET and isinstance(part, TextPart):
            return None
    what = safe_line(turn.status) if turn.status else f"{name} is thinking…"
    return f"{what} {words_for(int(max(0.0, now - since)))}"


class ActivityUnit(Unit):
    """The line itself."""

    tone: ClassVar[Tone] = "note"
    reachable: ClassVar[bool] = False

    def __init__(self, block: Block, text: str) -> None:
        super().__init__(block, 0)
        self.text = text

    def sync(self) -> int | None:
        return self.set_single(self.text, changed=bool(self.items) and self.items[0].content != self.text)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        return [Row(self.text, base="thought", lead=(Lead("● ", "tool-running"),), wrap="cut")]


class WelcomeUnit(Unit):
    """What an empty chat shows: a few lines, the first of them louder."""

    tone: ClassVar[Tone] = "note"
    reachable: ClassVar[bool] = False

    def __init__(self, block: Block, lines: Sequence[str]) -> None:
        super().__init__(block, 0)
        self._lines = list(lines)

    def sync(self) -> int | None:
        return self.set_single(None, changed=False)

    def blocks(self, item: Item) -> Sequence[RowBlock]:
        rows: list[RowBlock] = [Row("")]
        for index, line in enumerate(self._lines):
            text = safe_line(line)
            if index == 0:
                rows.append(Row(text, base="heading"))
            else:
                mark = Lead("→ ", "suggestion") if text else Lead("", "")
                rest = Lead("  ", "") if text else Lead("", "")
                rows.append(Row(text, base="muted", lead=(mark,), rest=(rest,)))
        return rows

    def estimate(self, item: Item, width: int) -> int:
        return len(self._lines) + 1

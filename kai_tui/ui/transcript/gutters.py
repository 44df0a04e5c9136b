"""What stands left of a message: who speaks, the user's bar, the vote."""

from __future__ import annotations

from kai_tui.ui.transcript.items import Block
from kai_tui.ui.transcript.rows import Lead
from kai_tui.ui.transcript.strips import Gutter
from kai_tui.ui.transcript.wrap import cells, cut

NARROW = 50
"""Below this width the speaker's name stands on a line of its own."""
MARGIN = Lead("  ", "")
"""Left of everything; the cursor is drawn on its first cell."""
_LABEL = 6


def gutter_of(block: Block, name: str, width: int, *, first: bool) -> tuple[Gutter, tuple[Lead, ...]]:
    """The gutter of a block's item, and the line above it in narrow windows."""
    message = block.message
    label, style, bar = cut(name, 9), "assistant", ""
    if message is None:
        label, style = "", ""
    elif message.role == "user":
        label, style, bar = "You", "you", "▌ "
    elif message.role == "system":
        label, style = "Note", "muted"
    marks = _vote(block)
    if width < NARROW:
        side = Lead(f" {bar[0]}" if bar else "  ", "you-bar")
        heading = (MARGIN, Lead(label, style), marks) if first and label else ()
        return Gutter((side,), (side,), 2), heading
    space = max(_LABEL, cells(label) + 2)
    taken = cells(label) + cells(marks.text)
    end = Lead(bar, "you-bar")
    blank = Lead(" " * (space - cells(bar)), "")
    shown = (MARGIN, Lead(label, style), marks, Lead(" " * max(0, space - taken - cells(bar)), ""), end)
    rest = (MARGIN, blank, end)
    return Gutter(shown if first else rest, rest, 2 + space), ()


def _vote(block: Block) -> Lead:
    """A mark beside the name of an answer the user voted on."""
    source = block.around.source
    message = block.message
    if source is None or message is None or message.role != "assistant":
        return Lead("", "")
    vote = source.vote_of(message.id)
    if vote is None:
        return Lead("", "")
    return Lead(" ▲", "tool-done") if vote else Lead(" ▼", "tool-failed")

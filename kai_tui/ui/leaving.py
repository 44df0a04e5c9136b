"""What would be left in the middle: said before an account is left or the program ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.conversation.safe_text import safe_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kai_tui.services.attention import ChatState

MOST_NAMED = 4
TITLE_LENGTH = 50


def left_in_the_middle(running: Sequence[ChatState], queued: int) -> Content:
    """`running` as `Attention.running` gives it; `queued` messages wait to be sent."""
    replies = sum(each.want == "working" for each in running)
    decisions = sum(each.decisions for each in running)
    counts: list[str] = []
    if replies:
        counts.append("1 reply runs" if replies == 1 else f"{replies} replies run")
    if decisions:
        counts.append("1 decision waits" if decisions == 1 else f"{decisions} decisions wait")
    parts: list[str | tuple[str, str]] = [(" and ".join(counts) + ":", "bold")]
    for each in running[:MOST_NAMED]:
        sign, style = ("● ", "$text-accent") if each.want == "working" else ("! ", "$text-warning")
        parts += [("\n" + sign, style), safe_line(each.title.strip(), TITLE_LENGTH) or "Untitled chat"]
    if len(running) > MOST_NAMED:
        parts.append(f"\n  and {len(running) - MOST_NAMED} more")
    parts.append("\n\n")
    if replies:
        parts.append("What came so far is kept, but kai-tui stops listening. ")
    if decisions:
        parts.append("Nothing is decided by leaving: you are asked again. ")
    if queued:
        one = queued == 1
        parts.append(f"{queued} waiting {'message is' if one else 'messages are'} kept. ")
    return Content.assemble(*parts)

"""The messages that wait, over the prompt: the oldest first, at most as many rows as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action

if TYPE_CHECKING:
    from kai_tui.services.turn import Queued

ROWS = 3
ROWS_WHEN_SHORT = 2

_INDENT = "        "
"""As wide as the word before the first message."""


def queue_lines(
    queue: Sequence[Queued], width: int, rows: int, files: Callable[[str], int] = lambda message_id: 0
) -> Content:
    """`files`: how many go with a message. The queue in at most `rows` rows of `width` cells. When it is paused the first row says what sends it."""
    from rich.cells import cell_len

    paused = queue[0].paused
    back, every = (key_name(action(name).keys[0]) for name in ("edit_queued", "show_queue"))
    lines: list[Content] = []
    hint = f"{back} takes back · {every} all"
    if paused:
        words = (
            ("paused: ", "bold $text-warning"),
            (f"Enter on the empty prompt sends the next · {every} all", "$text-muted"),
        )
        lines.append(Content.assemble(*words))
    shown = min(len(queue), rows - len(lines))
    left = len(queue) - shown
    for number, each in enumerate(queue[:shown]):
        first, last = number == 0 and not paused, number == shown - 1
        tail = f"+{left} more" if last and left else ""
        if first:
            tail = f"{tail} · {hint}" if tail else hint
        tail = tail if width >= 60 or not first else f"{every} all"
        lead = "queued: " if first else _INDENT
        room = max(8, width - cell_len(lead) - (cell_len(tail) + 3 if tail else 0))
        with_it = files(each.id)
        if with_it:
            word = "file" if with_it == 1 else "files"
            tail = f"+{with_it} {word} · {tail}" if tail else f"+{with_it} {word}"
            room = max(8, width - cell_len(lead) - cell_len(tail) - 3)
        lines.append(_line(lead, each.text, room, tail, width))
    return Content("\n").join(lines)


def _line(lead: str, text: str, room: int, tail: str, width: int) -> Content:
    from rich.cells import cell_len

    from kai_tui.conversation.safe_text import safe_line

    shown = safe_line(" ".join(text.split()), room)
    gap = " " * max(2, width - cell_len(lead) - cell_len(shown) - cell_len(tail)) if tail else ""
    return Content.assemble((lead, "$text-muted"), shown, (gap + tail, "$text-muted"))

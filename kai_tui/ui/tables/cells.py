"""One cell as it is drawn: safe, in one line, cut at its width, numbers to the right."""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size

from kai_tui.conversation.safe_text import safe_line

EMPTY = "∅"
"""Stands where nothing is: what is missing, null, or an empty text."""
CUT = "…"
_PLAIN = re.compile(r"[!-~](?:[ -~]*[!-~])?").fullmatch
_EDGES = re.compile(r"^ +| +$")
_GAP = " " * 9
_EMOJI = re.compile("[\U0001f000-\U0001faff\ufe0f]")
_GLUE = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
"""What makes one emoji of several. Terminals differ in how wide they draw that; of the parts they all know it."""


def one_line(raw: str, room: int) -> str:
    """A raw cell as one safe line. Of a long one only as much as `room` cells could show (and a bit more).

    Blanks at its edges are shown as `␣`: they are part of the value. Emoji that are put together are shown in their
    parts: a column that one terminal draws wider than another would push all others aside.
    """
    if len(raw) > 4 * room + 64:
        raw = raw[: 4 * room + 64] + CUT
    if _PLAIN(raw) and _GAP not in raw:
        return raw
    if not raw:
        return EMPTY
    shown: str = safe_line(raw)
    if _EMOJI.search(shown):
        shown = _GLUE.sub("", shown)
    if raw[0] != " " and raw[-1] != " ":
        return shown
    before = len(raw) - len(raw.lstrip(" "))
    after = len(raw) - len(raw.rstrip(" ")) if before < len(raw) else 0
    return _blanks(before) + shown + _blanks(after)


def _blanks(count: int) -> str:
    return "␣" * count if count <= 3 else f"⟨{count} spaces⟩"


def width_of(text: str) -> int:
    """Cells of a safe line."""
    return len(text) if text.isascii() else cell_len(text)


def fitted(raw: str, width: int, *, right: bool) -> str:
    """A raw cell in exactly `width` cells; what does not fit ends in an ellipsis."""
    text = one_line(raw, width)
    if text.isascii():
        size = len(text)
        if size > width:
            return text[: width - 1] + CUT if width > 0 else ""
    else:
        size = cell_len(text)
        if size > width:
            # A wide character at the edge may leave a cell over.
            cut = set_cell_size(text, max(0, width - 1)) + CUT
            return cut if width > 0 else ""
    pad = " " * (width - size)
    return pad + text if right else text + pad

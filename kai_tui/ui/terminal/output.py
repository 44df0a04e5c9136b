"""The second and third wall before the terminal (P11, design.md §3).

The first wall is `safe_text`, which shows what it takes away. These two only see to it that a text
which missed its door still can not act: `SafeFilter` on every line a widget draws, `walled` on
everything the driver writes.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style
    from textual.color import Color

_NEVER_DRAWN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e001f]|(?<![\U0001f3f4\U000e0061-\U000e007a\U000e0030-\U000e0039])[\U000e0020-\U000e007f]+"
)
"""What no drawn text may hold. Tag characters stay only behind a black flag (U+1F3F4)."""


class SafeFilter(LineFilter):
    """Takes control and bidi characters and terminal links out of every line, whatever widget drew it.

    Textual keeps the filtered strips per filter object: make one and share it. A repaint of a
    screen costs about 0.03 ms.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same list when there is nothing to take out, which is nearly always."""
        search = _NEVER_DRAWN.search
        for segment in segments:
            text, style, control = segment
            if control is None and (search(text) is not None or _has_link(style)):
                break
        else:
            return segments
        return [segment if segment.control else _clean(segment) for segment in segments]


class StyledFilter(LineFilter):
    """Gives every segment a style: Textual's filter for NO_COLOR cannot take one without."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same list when every segment has a style."""
        if all(segment.style is not None for segment in segments):
            return segments
        from rich.style import Style

        plain = Style.null()
        return [
            segment if segment.style is not None else Segment(segment.text, plain) for segment in segments
        ]


def _has_link(style: Style | None) -> bool:
    return style is not None and style.link is not None


def _clean(segment: Segment) -> Segment:
    text, style, _ = segment
    clean = _NEVER_DRAWN.sub("", text)
    lost = cell_len(text) - cell_len(clean)
    if lost > 0:
        clean += " " * lost
    if style is not None and style.link is not None:
        style = style.update_link(None)
    return Segment(clean, style)


_OURS: Final = re.compile(
    r"""(?:
        [^\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]++   # text and line feeds
      | \x1b\[[0-9;:]*+[mHABCDJK]              # colours, cursor, erase (inline mode)
      | \x1b\[\?(?:7|25|100[0-6]|1015|1016|1049|2004|2026|2048)[hl]   # modes of our own
      | \x1b\[(?:>[0-9]+|<)u                   # kitty keys
      | \x1b\[\?20(?:26|48)\$p | \x1b\[6n      # questions
      | \x1b\]22;[a-z-]{0,20}\x07              # pointer shape
    )*+""",
    re.VERBOSE,
)
"""All that Textual itself writes. Everything else is foreign."""

_BELL: Final = "\x07"


def walled(data: str) -> str:
    """What the driver may write of `data`: our own control sequences and text, nothing else.

    A control character that begins nothing of ours is taken out. A bell passes only alone, as
    Textual sends it, never from within a frame; the clipboard has a door of its own.
    """
    end = _end_of_ours(data, 0)
    if end == len(data) or data == _BELL:
        return data
    out: list[str] = []
    start = 0
    while end < len(data):
        out.append(data[start:end])
        start = end + 1
        end = _end_of_ours(data, start)
    out.append(data[start:end])
    return "".join(out)


def _end_of_ours(data: str, start: int) -> int:
    match = _OURS.match(data, start)
    return match.end() if match is not None else start


class LastingFile:
    """The terminal as a file that never fails: when the terminal is gone, what is written is lost.

    Textual's writer thread dies at the first error, and the program then waits for it for ever.
    `on_lost` is called once, in the writer's thread.
    """

    def __init__(self, file: TextIO, on_lost: Callable[[], None]) -> None:
        self._file = file
        self._on_lost = on_lost
        self.lost = False

    def write(self, text: str) -> int:
        """Write, or forget."""
        if not self.lost:
            try:
                self._file.write(text)
            except UnicodeEncodeError:
                encoding = self._file.encoding or "ascii"
                self.write(text.encode(encoding, "replace").decode(encoding))
            except (OSError, ValueError):
                self._give_up()
        return len(text)

    def flush(self) -> None:
        """Flush, or forget."""
        if not self.lost:
            try:
                self._file.flush()
            except (OSError, ValueError):
                self._give_up()

    def fileno(self) -> int:
        """The real descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether it is still a terminal."""
        return not self.lost and self._file.isatty()

    def _give_up(self) -> None:
        self.lost = True
        with suppress(Exception):
            self._on_lost()


def say(text: str) -> None:
    """Tell the user on the real stderr, also while Textual has redirected it. Never raises."""
    stream = sys.__stderr__
    if stream is not None:
        with suppress(OSError, ValueError):
            stream.write(f"{text}\n")
            stream.flush()

"""Suggested next steps under an answer, as choices to pick from (kai.md §10).

They are the last fenced block of an answer's text, its info string `next_actions`, a bullet per
suggestion. Nothing but blanks may follow it, and nothing but bullets may stand in it: whatever is
not surely such a block stays ordinary text, so that no text is ever lost to a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kai_tui.conversation.messages import TextPart, ToolPart
from kai_tui.conversation.prose_text import Safe, safe_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kai_tui.conversation.events import FinishReason
    from kai_tui.conversation.messages import Message

INFO: Final = "next_actions"
"""The block's info string."""
MOST: Final = 20
"""A block of more items is a list to read, not a choice."""
LONGEST: Final = 4_000
"""Characters of one item; a block with a longer one is text."""
SHOWN: Final = 300
"""Characters of a choice that are shown."""

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*(.*)$")
_MAY_OPEN = re.compile(r"^ {0,3}(`+|~+)[ \t]*(\S*)(.*)$")
_BULLET = re.compile(r"^[ \t]*[-*](?:[ \t]+(.*))?$")
_FENCE_LINE: Final = 1_000
"""Characters of a line that decide whether it is a fence."""
_KEPT: Final = LONGEST + 100
"""Characters of an unfinished line that are kept."""
_BLANK: Final = 200
"""Characters a text of nothing but blanks may have. Longer ones are not looked at: this is asked every frame."""
_BROKEN: Final[frozenset[FinishReason]] = frozenset(
    ("length", "content-filter", "cancelled", "error", "lost", "elsewhere")
)
"""Answers that ended so may have been cut in the middle of an item."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something the user can say by picking it."""

    text: str
    """What is sent: raw, as the server wrote it."""
    in_full: bool = False
    """Whether it is safe text that stands on the screen from its first character to its last."""

    @property
    def shown(self) -> Safe:
        """What is drawn."""
        return safe_line(self.text, SHOWN)

    @property
    def sendable(self) -> bool:
        """Whether it is shown whole and exactly as it would be sent. Else it is only put into the prompt."""
        return self.in_full or self.shown == self.text


def choices(texts: Iterable[str]) -> tuple[Choice, ...]:
    """Choices of these texts; blank ones are left out."""
    return tuple(Choice(text) for text in texts if text.strip())


def closing_text(message: Message) -> TextPart | None:
    """The part of an answer that may end in choices: its last text, unless a tool call comes after it."""
    if message.role != "assistant":
        return None
    for part in reversed(message.parts):
        if isinstance(part, ToolPart):
            return None
        if isinstance(part, TextPart) and (len(part) > _BLANK or part.text.strip()):
            return part
    return None


def broke_off(message: Message) -> bool:
    """Whether an answer's last words may be missing; an open block at its end is then no choice."""
    return message.finish is not None and message.finish.reason in _BROKEN


def choices_of(message: Message, *, running: bool = False) -> tuple[Choice, ...]:
    """What an answer offers. `running`: its turn goes on, and an open block may still grow."""
    part = closing_text(message)
    if part is None:
        return ()
    watch = ChoiceWatch()
    watch.feed(part.text)
    if part.done or not running:
        watch.finish(keep_open=part.done or not broke_off(message))
    return watch.choices


@dataclass(frozen=True, slots=True)
class _Fence:
    marker: str
    indent: int

    def closed_by(self, line: str) -> bool:
        match = _FENCE.match(line)
        return (
            match is not None
            and match[2][0] == self.marker[0]
            and len(match[2]) >= len(self.marker)
            and len(match[1]) <= self.indent + 3
            and not match[3].strip()
        )


class ChoiceWatch:
    """Reads a text as it grows and says how much of it is prose for good, and which choices end it.

    Decides by whole lines only, so where the deltas fell changes nothing. Costs about as much as
    splitting the new text into lines.
    """

    __slots__ = (
        "_closed",
        "_fence",
        "_items",
        "_line",
        "_line_at",
        "_line_length",
        "_offer",
        "_start",
        "choices",
    )

    def __init__(self) -> None:
        self.choices: tuple[Choice, ...] = ()
        """What the block at the end offers, once it is closed or the text is finished."""
        self._line = ""
        """The line that is not complete; of a very long one only the beginning."""
        self._line_at = 0
        """Where it begins."""
        self._line_length = 0
        self._fence: _Fence | None = None
        """An open fence that is not our block's."""
        self._offer: _Fence | None = None
        """The fence of a block that may be ours."""
        self._start = 0
        """Where that block begins."""
        self._items: list[str] = []
        self._closed = False

    @property
    def prose(self) -> int:
        """How many characters are ordinary text whatever comes; the rest may become choices. Only grows."""
        if self._offer is not None:
            return self._start
        if self._fence is None and _may_open(self._line):
            return self._line_at
        return self._line_at + self._line_length

    def feed(self, text: str) -> None:
        """Take the next piece of the text."""
        for index, piece in enumerate(text.split("\n")):
            if index:
                self._end_line()
                self._line_at += 1
            self._line_length += len(piece)
            room = _KEPT - len(self._line)
            if room > 0:
                self._line += piece[:room]
        if self._offer is not None and (self._line.strip() if self._closed else len(self._line) > LONGEST):
            self._reject()

    def finish(self, *, keep_open: bool) -> None:
        """The text is complete. `keep_open`: a block that was never closed counts too."""
        self._end_line()
        if self._offer is not None and not self._closed:
            if keep_open:
                self._close()
            else:
                self._reject()

    def _end_line(self) -> None:
        self._take(self._line.rstrip("\r"))
        self._line_at += self._line_length
        self._line, self._line_length = "", 0

    def _take(self, line: str) -> None:
        if self._offer is not None:
            if self._belongs(line, self._offer):
                return
            self._reject()
        head = line[:_FENCE_LINE]
        if self._fence is not None:
            if self._fence.closed_by(head):
                self._fence = None
            return
        match = _FENCE.match(head)
        if match is None or (match[2][0] == "`" and "`" in match[3]):
            return
        fence = _Fence(match[2], len(match[1]))
        if match[3].split()[:1] == [INFO] and match[1] in ("", " ", "  ", "   "):
            self._offer, self._start = fence, self._line_at
            self._items, self._closed = [], False
        else:
            self._fence = fence

    def _belongs(self, line: str, offer: _Fence) -> bool:
        """Whether the block may still be ours with this line."""
        if not line.strip():
            return True
        if self._closed or len(line) > LONGEST:
            return False
        if offer.closed_by(line[:_FENCE_LINE]):
            self._close()
            return True
        bullet = _BULLET.match(line)
        if bullet is None:
            return False
        item = (bullet[1] or "").strip(" \t")
        if item:
            self._items.append(item)
        return len(self._items) <= MOST

    def _close(self) -> None:
        self._closed = True
        self.choices = choices(self._items)

    def _reject(self) -> None:
        """The block is ordinary code after all; what follows it is read anew."""
        self._fence = None if self._closed else self._offer
        self._offer, self._closed = None, False
        self.choices = ()


def _may_open(line: str) -> bool:
    """Whether an unfinished line may become the first line of our block."""
    match = _MAY_OPEN.match(line)
    if match is None:
        return len(line) <= 3 and not line.strip(" ")
    marker, info, rest = match.groups()
    if not info:
        return not rest
    if len(marker) < 3 or (marker[0] == "`" and "`" in rest):
        return False
    return info == INFO or (not rest and INFO.startswith(info))

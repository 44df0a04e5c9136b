"""What the user allowed for a while, one line for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.message import Message

from kai_tui.ui.widgets.line_list import LETTERS, LineList
from kai_tui.ui.widgets.one_line import clip

if TYPE_CHECKING:
    from kai_tui.services.grants import Grant

TAKES_BACK = frozenset(("delete", "backspace", "d"))
_WHERE_COLUMN = 14
_LEFT_COLUMN = 20


class GrantList(LineList):
    """Grants with a cursor; one key takes back the one under it."""

    DEFAULT_CSS = """
    GrantList {
        height: auto;
        max-height: 5;
        & .grant-list--name { color: $foreground; }
        & .grant-list--about { color: $text-accent; }
        & .grant-list--quiet { color: $text-muted; }
        & .grant-list--left { color: $text-warning; }
        & .grant-list--cursor { background: $boost; }
        &:focus .grant-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"grant-list--{name}" for name in ("name", "about", "quiet", "left", "cursor")
    }
    PREFIX = "grant-list"

    @dataclass
    class Moved(Message):
        """The cursor is at another grant, or they changed."""

        grant: Grant | None

    @dataclass
    class TakenBack(Message):
        """The user wants this one to end."""

        grant: Grant

    def __init__(self, clock: Callable[[], float], *, id: str | None = None) -> None:
        """`clock` gives monotonic seconds."""
        super().__init__(id=id)
        self._clock = clock
        self._grants: Sequence[Grant] = ()
        self.empty_text = "Nothing. A question offers it: “Allow for a while…”"

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._grants)

    @property
    def grant(self) -> Grant | None:
        """The one under the cursor."""
        return self._grants[self.cursor_line] if 0 <= self.cursor_line < len(self._grants) else None

    def show(self, grants: Sequence[Grant]) -> None:
        """Other grants; the cursor stays with its own."""
        held = self.grant.number if self.grant is not None else None
        self._grants = tuple(grants)
        numbers = [each.number for each in grants]
        last = max(0, len(numbers) - 1)
        self.styles.height = max(1, min(5, len(numbers)))
        self._count_changed(numbers.index(held) if held in numbers else min(self.cursor_line, last))
        self._tell_moved()

    def _tell_moved(self) -> None:
        self.post_message(self.Moved(self.grant))

    async def _on_key(self, event: events.Key) -> None:
        grant = self.grant
        if event.key in TAKES_BACK:
            if grant is not None:
                self.post_message(self.TakenBack(grant))
        elif not self.move(LETTERS.get(event.key, event.key)):
            return
        event.stop()
        event.prevent_default()

    def _cells(self, number: int, width: int) -> list[tuple[str, int, str]]:
        from kai_tui.conversation.safe_text import safe_exact

        grant = self._grants[number]
        room = max(16, width - _WHERE_COLUMN - _LEFT_COLUMN - 1)
        name = clip(safe_exact(grant.terms.tool, one_line=True).text, room)
        of = grant.terms.of
        about = "anything" if of is None else safe_exact(of.id or of.kind, one_line=True).text
        rest = room - len(name) - 2
        return [
            (f" {name}  ", len(name) + 3, "name"),
            (clip(about, max(0, rest - 1)), max(0, rest), "about"),
            ("this account" if grant.terms.chat_id is None else "one chat", _WHERE_COLUMN, "quiet"),
            (clip(left_words(grant, self._clock()), _LEFT_COLUMN), _LEFT_COLUMN, "left"),
        ]


def left_words(grant: Grant, now: float) -> str:
    """What is left of it: `9 min 41 s, 4 calls`."""
    parts: list[str] = []
    if grant.until is not None:
        seconds = max(0, ceil(grant.until - now))
        parts.append(f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60:02} s")
    if grant.left is not None:
        parts.append("1 call" if grant.left == 1 else f"{grant.left} calls")
    return ", ".join(parts) or "until you leave"

"""The list of tools: one virtual widget, only the visible rows are ever drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.message import Message

from kai_tui.services.tool_permissions import ToolRow
from kai_tui.ui.widgets.filter_input import FilterInput
from kai_tui.ui.widgets.line_list import LETTERS, LineList
from kai_tui.ui.widgets.one_line import clip

if TYPE_CHECKING:
    from kai_tui.backends.base import Permission

PERMISSION_KEYS: dict[str, Permission] = {"a": "always_allow", "s": "always_ask", "b": "blocked"}
_KIND_COLUMN = 8
_PERMISSION_COLUMN = 17
_STATE_COLUMN = 11
_STATES = {"": "", "saving": "saving…", "saved": "✓ saved", "failed": "✗ not saved"}


def kind_words(row: ToolRow) -> str:
    """Whether a tool changes something. What the server does not mark as reading counts as writing."""
    return "reads" if row.info.read_only else "writes"


def permission_words(row: ToolRow) -> str:
    """What happens when the assistant calls it."""
    permission = row.permission
    if permission is None:
        return "runs (default)" if row.info.read_only else "asks (default)"
    known = {"always_allow": "always runs", "always_ask": "always asks", "blocked": "blocked"}
    # A word of a newer server is shown as it came.
    return known.get(permission, permission)


class ToolList(LineList):
    """Tools with a cursor; keys ask for another permission of the tool under it."""

    DEFAULT_CSS = """
    ToolList {
        & .tool-list--name { color: $foreground; }
        & .tool-list--quiet { color: $text-muted; }
        & .tool-list--writes { color: $text-warning; }
        & .tool-list--blocked { color: $text-error; }
        & .tool-list--saved { color: $text-success; }
        & .tool-list--cursor { background: $boost; }
        &:focus .tool-list--cursor, &.-driven .tool-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"tool-list--{name}" for name in ("name", "quiet", "writes", "blocked", "saved", "cursor")
    }

    PREFIX = "tool-list"

    @dataclass
    class Moved(Message):
        """The cursor is at another tool, or the tool changed."""

        row: ToolRow | None

    @dataclass
    class Wanted(Message):
        """The user wants another permission for a tool. Nothing is changed yet."""

        row: ToolRow
        permission: Permission

    def __init__(self, filter_input: FilterInput, *, id: str | None = None) -> None:
        """`filter_input` gets the keys after `/`."""
        super().__init__(id=id)
        self._filter_input = filter_input
        self._handing_over = False
        self._rows: tuple[ToolRow, ...] = ()
        self._shown: tuple[ToolRow, ...] = ()
        self._needle = ""

    @property
    def count(self) -> int:
        """How many tools match the search."""
        return len(self._shown)

    # Rows

    def show(self, rows: Sequence[ToolRow]) -> None:
        """Other rows; the cursor stays with its tool."""
        held = self.row.info.name if self.row is not None else None
        self._rows = tuple(rows)
        self._filter_rows(held)

    def filter(self, needle: str) -> None:
        """Show only tools with these words in name, description, kind or permission."""
        held = self.row.info.name if self.row is not None else None
        self._needle = needle
        self._filter_rows(held)
        self.scroll_to_cursor()

    @property
    def row(self) -> ToolRow | None:
        """The tool under the cursor."""
        return self._shown[self.cursor_line] if 0 <= self.cursor_line < len(self._shown) else None

    @property
    def shown(self) -> Sequence[ToolRow]:
        """The tools that match the search."""
        return self._shown

    def _filter_rows(self, held: str | None) -> None:
        words = self._needle.lower().split()
        self._shown = tuple(row for row in self._rows if all(word in _searched(row) for word in words))
        names = [row.info.name for row in self._shown]
        line = names.index(held) if held in names else min(max(self.cursor_line, 0), max(0, len(names) - 1))
        self._count_changed(line)
        self._tell_moved()

    def _tell_moved(self) -> None:
        self.post_message(self.Moved(self.row))

    # Moving and choosing

    async def _on_key(self, event: events.Key) -> None:
        row = self.row
        if self._handing_over:
            self._filter_input.take(event)
        elif event.key == "slash":
            # Keys typed right behind the slash still come here until the focus has moved: they are no commands.
            self._handing_over = True
            self._filter_input.focus()
        elif event.key in PERMISSION_KEYS:
            if row is not None:
                self.post_message(self.Wanted(row, PERMISSION_KEYS[event.key]))
        elif not self.move(LETTERS.get(event.key, event.key)):
            return
        event.stop()
        event.prevent_default()

    def _on_blur(self, event: events.Blur) -> None:
        super()._on_blur(event)
        self._handing_over = False

    # Drawing

    def _cells(self, number: int, width: int) -> list[tuple[str, int, str]]:
        from kai_tui.conversation.safe_text import safe_exact, safe_line

        row = self._shown[number]
        state = _STATES[row.saving]
        fixed = _KIND_COLUMN + _PERMISSION_COLUMN + _STATE_COLUMN
        room = max(8, width - fixed - 2)
        name = clip(safe_exact(row.info.name, one_line=True).text, room)
        permission = clip(safe_line(permission_words(row), 60), _PERMISSION_COLUMN - 1)
        return [
            (" " + name, room + 2, "name"),
            (kind_words(row), _KIND_COLUMN, "quiet" if row.info.read_only else "writes"),
            (permission, _PERMISSION_COLUMN, _permission_style(row)),
            (state, _STATE_COLUMN, "blocked" if row.saving == "failed" else "saved"),
        ]


def _permission_style(row: ToolRow) -> str:
    if row.permission == "blocked":
        return "blocked"
    # What changes things without a question must not be overlooked.
    return "writes" if row.permission == "always_allow" and not row.info.read_only else "quiet"


def _searched(row: ToolRow) -> str:
    return f"{row.info.name} {row.info.description} {kind_words(row)} {permission_words(row)}".lower()

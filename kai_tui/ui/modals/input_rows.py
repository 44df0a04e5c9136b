"""The values of an input, one line each: which one is being edited, which are changed, which cannot be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from textual.message import Message

from kai_tui.conversation.edited_input import InputField
from kai_tui.ui.widgets.line_list import LineList

State: TypeAlias = Literal["same", "changed", "wrong"]

_MARKS: dict[State, str] = {"same": "  ", "changed": "● ", "wrong": "! "}
MASK = "••••••••"


@dataclass(frozen=True, slots=True)
class InputRow:
    """A value as it stands in the list. `text` is raw: what would be in the editor."""

    field: InputField
    text: str
    state: State = "same"


class InputRows(LineList):
    """Has no focus: the editor below it has. A click goes to a value."""

    PREFIX: ClassVar[str] = "input-rows"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "input-rows--quiet",
        "input-rows--name",
        "input-rows--value",
        "input-rows--changed",
        "input-rows--wrong",
        "input-rows--cursor",
    }
    DEFAULT_CSS = """
    InputRows > .input-rows--quiet { color: $text-muted; }
    InputRows > .input-rows--name { color: $text; }
    InputRows > .input-rows--value { color: $text-muted; }
    InputRows > .input-rows--changed { color: $text-warning; text-style: bold; }
    InputRows > .input-rows--wrong { color: $text-error; text-style: bold; }
    InputRows > .input-rows--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """

    @dataclass
    class Moved(Message):
        number: int

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.can_focus = False
        self.rows: list[InputRow] = []

    @property
    def count(self) -> int:
        return len(self.rows)

    def show(self, rows: Sequence[InputRow], at: int) -> None:
        """Other values; the cursor is at `at`."""
        self.rows = list(rows)
        self._count_changed(at)

    def put(self, number: int, row: InputRow) -> None:
        """A value stands differently now."""
        if self.rows[number] != row:
            self.rows[number] = row
            self.refresh_line(number)

    def _tell_moved(self) -> None:
        self.post_message(self.Moved(self.cursor_line))

    def _cells(self, number: int, width: int) -> list[tuple[str, int, str]]:
        from kai_tui.conversation.safe_text import safe_line

        row = self.rows[number]
        names = min(max(12, width * 2 // 5), 48, max(4, width - 6))
        rest = max(0, width - names - 4)
        value = MASK if row.field.secret else safe_line(" ".join(row.text[:2000].split()), max(1, rest))
        mark = "name" if row.state == "same" else row.state
        return [
            (_MARKS[row.state], 2, mark),
            (_tail(safe_line(row.field.name), names), names + 2, mark if mark != "name" else "name"),
            (value, rest, "value"),
        ]


def _tail(name: str, width: int) -> str:
    """The end of a name that is too long says more than its beginning."""
    from rich.cells import cell_len

    if cell_len(name) <= width:
        return name
    while name and cell_len(name) > width - 1:
        name = name[max(1, (cell_len(name) - width) // 2) :]
    return f"…{name}"

"""Somebody else changed the text that is being edited: whose goes on?"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from kai_tui.ui.modals.base import Ask

Whole: TypeAlias = Literal["theirs", "mine"]


class ChangedElsewhereDialog(Ask[Whole]):
    """Result: whose text goes on; None keeps editing, and nothing is sent."""

    AUTO_FOCUS: ClassVar[str | None] = "#keep"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("up,pageup", "scroll(-1)", show=False),
        Binding("down,pagedown", "scroll(1)", show=False),
    ]
    DEFAULT_CSS = """
    ChangedElsewhereDialog .dialog { width: 80; border: round $text-warning; }
    ChangedElsewhereDialog #changed-words { height: auto; margin: 1 0; }
    ChangedElsewhereDialog #theirs {
        height: auto; max-height: 9; background: $panel; padding: 0 1; scrollbar-size-vertical: 1;
    }
    ChangedElsewhereDialog #theirs-text { height: auto; }
    ChangedElsewhereDialog #answers { height: 1; margin: 1 0; }
    """

    def __init__(self, theirs: str) -> None:
        """`theirs` is raw."""
        super().__init__(name="changed-elsewhere")
        self._theirs = theirs

    def compose(self) -> ComposeResult:
        from kai_tui.conversation.safe_text import safe_code

        with Vertical(classes="dialog") as box:
            box.border_title = Content("Changed meanwhile")
            yield Static(
                "These instructions were changed since you opened them. Nothing was saved yet. "
                "This is what the server keeps now:",
                id="changed-words",
                markup=False,
            )
            with VerticalScroll(id="theirs", can_focus=False):
                yield Static(safe_code(self._theirs) or "(nothing)", id="theirs-text", markup=False)
            with Horizontal(id="answers"):
                yield Button("Keep editing", id="keep", compact=True)
                yield Button("Take theirs", id="theirs-answer", compact=True)
                yield Button("Replace it with mine", id="mine", variant="error", compact=True)

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        answer = {"theirs-answer": "theirs", "mine": "mine"}.get(message.button.id or "")
        self.finish(cast("Whole | None", answer))

    def action_scroll(self, by: int) -> None:
        """Read a long text."""
        self.query_one("#theirs", VerticalScroll).scroll_relative(y=by * 4, animate=False)

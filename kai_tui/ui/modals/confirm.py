"""Are you sure? The harmless answer has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from kai_tui.ui.modals.base import Ask


class Confirm(Ask[bool]):
    """Result: True for yes; False or None for no."""

    AUTO_FOCUS: ClassVar[str | None] = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    DEFAULT_CSS = """
    Confirm .dialog { border: round $text-warning; }
    Confirm #body { margin: 1 0; height: auto; max-height: 12; }
    Confirm #answers { height: 1; margin-bottom: 1; }
    """

    def __init__(self, heading: str, body: Content, *, yes: str, no: str = "Cancel", name: str) -> None:
        """`heading`, `yes` and `no` are words of ours; `body` holds foreign text only as safe text."""
        super().__init__(name=name)
        self._heading = heading
        self._body = body
        self._words = (yes, no)

    def compose(self) -> ComposeResult:
        yes, no = self._words
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._heading)
            yield Static(self._body, id="body", markup=False)
            with Horizontal(id="answers"):
                yield Button(Content(no), id="no", compact=True)
                yield Button(Content(yes), id="yes", variant="error", compact=True)

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.finish(message.button.id == "yes")

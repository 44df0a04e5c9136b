"""Why not: the sentence the assistant hears together with the No."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from kai_tui.services.approval_service import Approval
from kai_tui.ui.modals.base import Ask


class ReasonDialog(Ask[str]):
    """Result: the reason, or None to go back to the question."""

    AUTO_FOCUS: ClassVar[str | None] = "#reason"

    def __init__(self, approval: Approval) -> None:
        super().__init__(name="reason")
        self.approval = approval

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Deny with a reason")
            yield Static("What should the assistant know or do instead?", classes="quiet", markup=False)
            yield Input(placeholder="for example: use the bucket that exists", id="reason", max_length=2000)
            yield Static("Enter denies · Esc goes back", classes="quiet", markup=False)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.finish(message.value.strip())

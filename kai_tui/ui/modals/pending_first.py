"""A message was written while the assistant waits for a decision: what first?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, TypeAlias

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.services.approval_service import Approval
from kai_tui.ui.modals.base import Ask

PendingChoice: TypeAlias = Literal["answer", "deny", "keep"]

SHOWN = 4
"""Questions that are named."""


class PendingFirst(Ask[PendingChoice]):
    """Result: what to do; None leaves everything as it is, the message in the prompt."""

    AUTO_FOCUS: ClassVar[str | None] = "#pending-choices"
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = """
    PendingFirst .dialog { width: 78; border: round $text-warning; }
    PendingFirst #pending-what { height: auto; margin: 1 0; }
    PendingFirst #pending-choices {
        height: auto; border: none; background: $surface; padding: 0; margin-bottom: 1;
    }
    """

    def __init__(
        self, waiting: Sequence[Approval], still_waits: Callable[[], bool], who: str = "Kai"
    ) -> None:
        """`who` waits. `still_waits`: whether anything is left to decide; asked whenever the dialog comes to the top."""
        super().__init__(name="pending-first")
        self._waiting = tuple(waiting)
        self._who = who
        self._still_waits = still_waits

    def compose(self) -> ComposeResult:
        several = len(self._waiting) > 1
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self._who} still waits for your decision")
            yield Static(self._what(), id="pending-what", markup=False)
            yield OptionList(
                Option(Content("Answer it now, then send my message"), id="answer"),
                Option(Content(f"Deny {'all of it' if several else 'it'}, then send my message"), id="deny"),
                Option(Content("Keep it waiting; my message waits behind it"), id="keep"),
                id="pending-choices",
                markup=False,
            )
            yield Static(
                "Your message goes when the reply has ended · Esc back to writing",
                classes="quiet",
                markup=False,
            )

    def _what(self) -> Content:
        from kai_tui.conversation.safe_text import safe_exact

        lines: list[Content] = []
        for each in self._waiting[:SHOWN]:
            title, tool = (safe_exact(text, one_line=True).text for text in (each.title, each.tool_name))
            lines.append(Content.assemble(("? ", "bold $text-warning"), title, (f"  {tool}", "$text-muted")))
        if len(self._waiting) > SHOWN:
            lines.append(Content.styled(f"  and {len(self._waiting) - SHOWN} more", "$text-muted"))
        return Content("\n").join(lines)

    def look(self) -> None:
        """Close when nothing is left to decide."""
        if not self._still_waits():
            self.withdraw()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.look()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        chosen = message.option.id
        if chosen in ("answer", "deny", "keep"):
            self.finish(chosen)

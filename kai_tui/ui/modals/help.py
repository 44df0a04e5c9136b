"""Every key, from the registry of actions, and what the sandbox is."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kai_tui.ui.action_words import grouped, key_names
from kai_tui.ui.modals.base import Ask

KEY_COLUMN = 21

ABOUT = (
    "The sandbox is a small made-up company with tables, flows and jobs, in a database on this computer. "
    "Its assistant follows rules, not a model: it says so when it does not understand. Its tools really "
    "change that database, so approving and denying can be tried without any risk. It needs no account "
    "and no network. Type /demo there to see the hard cases."
)


class HelpDialog(Ask[None]):
    """Scrolls; Esc closes it."""

    AUTO_FOCUS: ClassVar[str | None] = "#help-body"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1,ctrl+g,q", "leave", "Close", show=False),
    ]
    DEFAULT_CSS = """
    HelpDialog .dialog { width: 92; height: 94%; padding: 0 0 0 2; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    HelpDialog #help-text { padding-right: 1; }
    """

    def __init__(self) -> None:
        super().__init__(name="help")

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-body", classes="dialog") as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content("↑ ↓ scroll · Esc closes")
            yield Static(id="help-text", markup=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        text = self.query_one("#help-text", Static)
        text.update(help_text(max(30, text.content_size.width)))


def help_text(width: int) -> Content:
    """The whole help, wrapped to `width` cells."""
    lines: list[Content] = []
    column = min(KEY_COLUMN, width // 3)
    for group, items in grouped():
        lines += [Content(""), Content.styled(group, "bold $text-accent")]
        for item in items:
            keys = textwrap.wrap(key_names(item), column - 2) or [""]
            words = textwrap.wrap(item.help, width - column)
            for number in range(max(len(keys), len(words))):
                key = keys[number] if number < len(keys) else ""
                rest = words[number] if number < len(words) else ""
                lines.append(Content.assemble((f"{key:<{column}}", "bold"), (rest, "$text")))
    lines += [Content(""), Content.styled("The sandbox", "bold $text-accent")]
    lines += [Content(line) for line in textwrap.wrap(ABOUT, width)]
    lines.append(Content(""))
    return Content("\n").join(lines)

"""Every key, from the registry of actions, and what the sandbox is."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
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

    def __init__(
        self, denied: Callable[[str], bool] = lambda name: False, *, name: str = "", lacks: Sequence[str] = ()
    ) -> None:
        """`denied`: which actions are not there; `lacks`: what the system `name` cannot do."""
        super().__init__(name="help")
        self._denied, self._of, self._lacks = denied, name, lacks

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-body", classes="dialog") as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content("↑ ↓ scroll · Esc closes")
            yield Static(id="help-text", markup=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        text = self.query_one("#help-text", Static)
        text.update(help_text(max(30, text.content_size.width), self._denied, self._of, self._lacks))


def help_text(
    width: int,
    denied: Callable[[str], bool] = lambda name: False,
    name: str = "",
    lacks: Sequence[str] = (),
) -> Content:
    """The whole help, wrapped to `width` cells, without what is not there."""
    lines: list[Content] = []
    column = min(KEY_COLUMN, width // 3)
    for group, all_items in grouped():
        items = [item for item in all_items if not denied(item.name)]
        if not items:
            continue
        lines += [Content(""), Content.styled(group, "bold $text-accent")]
        for item in items:
            keys = textwrap.wrap(key_names(item), column - 2) or [""]
            words = textwrap.wrap(item.help, width - column)
            for number in range(max(len(keys), len(words))):
                key = keys[number] if number < len(keys) else ""
                rest = words[number] if number < len(words) else ""
                lines.append(Content.assemble((f"{key:<{column}}", "bold"), (rest, "$text")))
    if lacks:
        lines += [Content(""), Content.styled(f"Limits of {name}", "bold $text-accent")]
        lines += [
            Content(line)
            for each in lacks
            for line in textwrap.wrap(each, width, initial_indent="· ", subsequent_indent="  ")
        ]
    lines += [Content(""), Content.styled("The sandbox", "bold $text-accent")]
    lines += [Content(line) for line in textwrap.wrap(ABOUT, width)]
    lines.append(Content(""))
    return Content("\n").join(lines)

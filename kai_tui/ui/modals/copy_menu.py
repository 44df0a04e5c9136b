"""What to copy, and how: as the markdown it was written in, or as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.picker import Picker

What: TypeAlias = Literal["selection", "block", "message", "calls", "answer", "chat"]


class CopyOption(NamedTuple):
    """One thing that can be copied."""

    what: What
    key: str
    label: str
    size: str
    """How much it is, in words."""


class CopyChoice(NamedTuple):
    """What the user chose."""

    what: What
    plain: bool


class CopyMenu(Ask[CopyChoice]):
    """Result: what to copy; None when the user left."""

    AUTO_FOCUS: ClassVar[str | None] = "#copy-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "change_form", show=False),
        Binding("left,right", "change_form", show=False),
    ]
    DEFAULT_CSS = """
    CopyMenu .dialog { width: 64; }
    CopyMenu #copy-list { height: auto; max-height: 10; border: none; background: $surface; padding: 0; margin: 1 0; }
    CopyMenu #copy-form { margin-bottom: 1; }
    """

    def __init__(self, options: Sequence[CopyOption]) -> None:
        super().__init__(name="copy-menu")
        self._options = tuple(options)
        self._form = Picker(("markdown", "plain text"), id="copy-form")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Copy")
            yield OptionList(*(_option(each) for each in self._options), id="copy-list", markup=False)
            yield self._form
            yield Static("↑ ↓ or its letter · Enter copy · p as … · Esc back", classes="quiet", markup=False)

    def action_change_form(self) -> None:
        """Markdown or plain text."""
        self._form.action_step(1)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self._take(self._options[message.option_index])

    def on_key(self, event: events.Key) -> None:
        option = next((each for each in self._options if each.key == event.character), None)
        if option is not None:
            event.stop()
            self._take(option)

    def _take(self, option: CopyOption) -> None:
        self.finish(CopyChoice(option.what, self._form.index == 1))


def _option(option: CopyOption) -> Option:
    return Option(
        Content.assemble(
            (f"{option.key}  ", "bold $text-primary"),
            option.label,
            (f"  {option.size}", "$text-muted not bold"),
        )
    )

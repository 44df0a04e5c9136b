"""Which assistant a new account is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.ui.modals.base import Ask

if TYPE_CHECKING:
    from kai_tui.backends.system import System

KAI = "kai"
KAI_TITLE = "Keboola Kai"
_KAI_ABOUT = "The assistant of a Keboola project. You need its address and a Storage API token."


def load_systems() -> list[System]:
    """Every system, in the registry's order. Reads their modules: not for the event loop."""
    from kai_tui.backends.systems import SYSTEMS, system_of

    return [system_of(kind) for kind in SYSTEMS]


class SystemsDialog(Ask[str]):
    """Result: a kind of account, or None when the user left."""

    AUTO_FOCUS: ClassVar[str | None] = "#systems"
    DEFAULT_CSS = """
    SystemsDialog .dialog { width: 78; }
    SystemsDialog #systems { height: auto; max-height: 16; border: none; background: $surface; padding: 0; margin: 1 0; }
    """

    def __init__(self, systems: Sequence[System]) -> None:
        super().__init__(name="systems")
        self._systems = tuple(systems)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Which assistant?")
            yield OptionList(*self._options(), id="systems", markup=False)
            yield Static("↑ ↓ choose · Enter go on · Esc back", classes="quiet", markup=False)

    def _options(self) -> list[Option]:
        offered = [(KAI, KAI_TITLE, _KAI_ABOUT)]
        offered += [(each.kind, each.title, each.about) for each in self._systems]
        return [
            Option(Content.assemble((title, "bold"), (f"\n{about}", "$text-muted not bold")), id=kind)
            for kind, title, about in offered
        ]

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.finish(message.option.id)

"""Which of several links to open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.conversation.safe_text import safe_exact, safe_line
from kai_tui.ui.modals.base import Ask

_ADDRESS = 400
"""Characters of an address; the question that follows shows all of it."""


class PickLink(Ask[str]):
    """Result: the address, raw; None when the user left. Opening it is asked once more."""

    AUTO_FOCUS: ClassVar[str | None] = "#links"
    DEFAULT_CSS = """
    PickLink .dialog { width: 90; }
    PickLink #links { height: auto; max-height: 16; border: none; background: $surface; padding: 0; margin: 1 0; }
    """

    def __init__(self, links: Sequence[tuple[str, str]]) -> None:
        """(title, address), both raw."""
        super().__init__(name="pick-link")
        self._links = tuple(links)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Which link?")
            yield OptionList(*self._options(), id="links", markup=False)
            yield Static("↑ ↓ choose · Enter go on · Esc back", classes="quiet", markup=False)

    def _options(self) -> list[Option]:
        return [Option(Content.assemble(*_words(title, address))) for title, address in self._links]

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.finish(self._links[message.option_index][1])


def _words(title: str, address: str) -> list[tuple[str, str]]:
    """Title and address; the address alone where it is its own title, not as if there were two links."""
    where = safe_exact(address[:_ADDRESS]).text
    if title == address:
        return [(where, "bold")]
    return [(safe_line(title, 120), "bold"), (f"\n{where}", "$text-muted not bold")]

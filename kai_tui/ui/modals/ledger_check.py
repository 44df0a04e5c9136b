"""What a look at all ledgers found, and what it cannot find."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kai_tui.ui.modals.base import Ask

_KEYS = "↑ ↓ read · Esc close · headless: kai-tui ledger verify"


class LedgerCheck(Ask[None]):
    """Words that scroll."""

    AUTO_FOCUS: ClassVar[str | None] = "#check"
    DEFAULT_CSS = """
    LedgerCheck .dialog { width: 100; }
    LedgerCheck #check { height: auto; max-height: 70%; margin: 1 0; scrollbar-size-vertical: 1; }
    LedgerCheck #check-words { height: auto; }
    """

    def __init__(self, words: Content) -> None:
        """`words` are safe."""
        super().__init__(name="ledger-check")
        self._words = words

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("What the check of the ledger found")
            with VerticalScroll(id="check"):
                yield Static(self._words, id="check-words", markup=False)
            yield Static(_KEYS, classes="quiet", markup=False)

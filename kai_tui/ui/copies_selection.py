"""What screens and dialogs do with Ctrl+C: what the mouse selected is copied, and it is said how."""

from __future__ import annotations

from typing import Any, cast

from textual.actions import SkipAction
from textual.screen import Screen

from kai_tui.ui.terminal.copying_app import copy_from


class CopiesSelection:
    """A screen whose selection is copied the way everything is. Not a node itself, like `HearsWorkers`."""

    def action_copy_text(self) -> None:
        """Copy what is selected; without a selection the key is another's."""
        screen = cast("Screen[Any]", self)
        text = screen.get_selected_text()
        if not text:
            raise SkipAction
        copy_from(screen, text, "what is selected")

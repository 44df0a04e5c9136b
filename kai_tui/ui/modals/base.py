"""What all dialogs share: they answer once, and only when they are on top.

Textual's `dismiss` pops whatever is on top: called twice, or by a dialog that is covered, it closes
another screen (shared textual-notes §5).
"""

from __future__ import annotations

from time import time
from typing import ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from kai_tui.ui.copies_selection import CopiesSelection
from kai_tui.ui.failed_workers import HearsWorkers
from kai_tui.ui.terminal.compositor import PaintsLittle

T = TypeVar("T")


class Ask(HearsWorkers, CopiesSelection, PaintsLittle, ModalScreen[T], Generic[T]):
    """A dialog with one answer. Call `finish`, never `dismiss`."""

    AUTO_FOCUS: ClassVar[str | None] = None
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", show=False)]

    DEFAULT_CSS = """
    Ask {
        align: center middle;
        background: $background 70%;
    }
    Ask .dialog {
        width: 68;
        max-width: 94%;
        height: auto;
        max-height: 100%;
        padding: 0 2;
        background: $surface;
        border: round $border-blurred;
        border-title-color: $text;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
    }
    Ask .quiet { color: $text-muted; }
    Ask .problem { color: $text-error; height: auto; }
    """

    def __init__(self, *, name: str) -> None:
        """`name`, not an id: the next dialog of a kind may open before the last one is gone."""
        super().__init__(name=name)
        self._done = False
        self._leaving = False
        self.opened_at = time()
        """Seconds since the epoch; see `SafeApp`."""

    @property
    def done(self) -> bool:
        """Whether the dialog has its answer (or was withdrawn)."""
        return self._done

    @property
    def standing(self) -> bool:
        """Whether its widgets can be spoken to: they come after the dialog and go before it."""
        return self.is_mounted and self.display

    def finish(self, result: T | None) -> None:
        """Answer and close. The first answer counts; a covered dialog does not close here."""
        if self._done or not self.is_active:
            return
        self._done = True
        self.dismiss(result)

    def withdraw(self) -> None:
        """Close without an answer as soon as this dialog is on top."""
        if self._done or not self.is_attached:
            return
        if self.is_active:
            self.finish(None)
        else:
            self._leaving = True

    def on_screen_resume(self) -> None:
        if self._leaving:
            self.finish(None)

    def action_leave(self) -> None:
        """Close without an answer."""
        self.finish(None)

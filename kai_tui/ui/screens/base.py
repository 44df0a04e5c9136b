"""What the full screens share: which keys are heard, and a word when the window is too small."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.screen import Screen
from textual.widgets import Static

from kai_tui.ui.actions import Scope
from kai_tui.ui.copies_selection import CopiesSelection
from kai_tui.ui.failed_workers import HearsWorkers
from kai_tui.ui.terminal.compositor import PaintsLittle

LEAST_WIDTH = 30
LEAST_HEIGHT = 8


class KaiScreen(HearsWorkers, CopiesSelection, PaintsLittle, Screen[None]):
    """A screen of the program. `scopes` tells the palette which actions it has."""

    scopes: ClassVar[tuple[Scope, ...]] = ()
    _fresh = True
    """Whether it was not shown yet."""
    _too_small: Static | None = None

    def denies(self, action: str) -> bool:
        """Whether an action cannot be done here (now), so that the palette does not offer it."""
        return False

    DEFAULT_CSS = """
    KaiScreen { background: $background; color: $text; layers: base over; }
    KaiScreen > .too-small { display: none; color: $text-warning; height: auto; layer: over; }
    KaiScreen.-tiny > * { display: none; }
    KaiScreen.-tiny > .too-small { display: block; }
    """

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if self._fresh:
            self._fresh = False
            # Every part was given its styles a moment ago, when it was mounted.
            event.refresh_styles = False

    def on_resize(self) -> None:
        tiny = self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT
        if tiny and self._too_small is None:
            self._too_small = Static("Please make this window larger.", classes="too-small", markup=False)
            self.mount(self._too_small)
        self.set_class(tiny, "-tiny")

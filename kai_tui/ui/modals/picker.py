"""One of a few words, chosen with the arrow keys: too small a choice for a drop-down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class Picker(Widget, can_focus=True):
    """Shows all choices in one line; `index` is the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", show=False),
        Binding("right,space", "step(1)", show=False),
    ]
    DEFAULT_CSS = """
    Picker { height: 1; width: 1fr; color: $text-muted; }
    Picker:focus { color: $text; }
    """

    index: reactive[int] = reactive(0)

    def __init__(self, choices: Sequence[str], *, id: str) -> None:
        super().__init__(id=id)
        self._choices = tuple(choices)

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for number, choice in enumerate(self._choices):
            chosen = number == self.index
            style = "bold" if chosen else "$text-muted"
            if chosen and self.has_focus:
                style = "bold $block-cursor-foreground on $block-cursor-background"
            parts += [(f" {'●' if chosen else '○'} {choice} ", style), (" ", "")]
        return Content.assemble(*parts)

    def action_step(self, by: int) -> None:
        """Choose the next or the one before."""
        self.index = (self.index + by) % len(self._choices)

    def on_click(self, event: events.Click) -> None:
        start = 0
        for number, choice in enumerate(self._choices):
            end = start + len(choice) + 5
            if start <= event.x < end:
                self.index = number
            start = end

"""One-line widgets of the viewer: facts side by side, the least important left out when it is narrow."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from kai_tui.ui.widgets.one_line import Fact, fit


class FactLine(Widget):
    """Shows facts; `style` of a fact is a style in Textual's words, e.g. `$text-muted`."""

    DEFAULT_CSS = """
    FactLine { height: 1; width: 1fr; padding: 0 1; background: $surface; color: $text; }
    """

    def __init__(self, between: str = " · ", *, id: str) -> None:
        super().__init__(id=id)
        self._between = between
        self._facts: Sequence[Fact] = ()

    def show(self, facts: Sequence[Fact]) -> None:
        """These facts from now on; texts are safe."""
        if list(facts) != list(self._facts):
            self._facts = tuple(facts)
            self.refresh()

    @property
    def text(self) -> str:
        """What is said, as far as it fits."""
        return self.render().plain

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for fact in fit(self._facts, self.content_size.width, len(self._between)):
            if parts:
                parts.append((self._between, "$text-muted"))
            parts.append((fact.text, fact.style))
        return Content.assemble(*parts)

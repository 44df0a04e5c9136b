"""One-line widgets of the viewer: facts side by side, the least important left out when it is narrow."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from kai_tui.ui.app_of import app_of
from kai_tui.ui.transcript.textual_private import fills_its_lines
from kai_tui.ui.widgets.one_line import Fact, fit


class FactLine(Widget):
    """Shows facts; `style` of a fact is a style in Textual's words, e.g. `$text-muted`."""

    DEFAULT_CSS = """
    FactLine { height: 1; width: 1fr; background: $surface; color: $text; }
    """

    def __init__(self, between: str = " · ", *, id: str) -> None:
        super().__init__(id=id)
        self._between = between
        self._facts: Sequence[Fact] = ()
        self._styles: dict[str, Style] = {}

    def show(self, facts: Sequence[Fact]) -> None:
        """These facts from now on; texts are safe."""
        if list(facts) != list(self._facts):
            self._facts = tuple(facts)
            self.refresh()

    @property
    def text(self) -> str:
        """What is said, as far as it fits."""
        return "".join(segment.text for segment in self._segments()).strip()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def _style(self, description: str) -> Style:
        style = self._styles.get(description)
        if style is None:
            its = app_of(self).stylesheet.parse_style(description) if description else None
            style = (self.visual_style + its if its is not None else self.visual_style).rich_style
            self._styles[description] = style
        return style

    def _segments(self) -> list[Segment]:
        plain = self._style("")
        segments = [Segment(" ", plain)]
        for fact in fit(self._facts, self.size.width - 2, len(self._between)):
            if len(segments) > 1:
                segments.append(Segment(self._between, self._style("$text-muted")))
            segments.append(Segment(fact.text, self._style(fact.style)))
        return segments

    def render_lines(self, crop: Region) -> list[Strip]:
        """The line as it is: Textual's way through a `Content` takes longer than a page of the grid."""
        if crop.x or not fills_its_lines(self):
            return super().render_lines(crop)
        return [self.render_line(y) for y in range(crop.y, crop.bottom)]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        segments = self._segments() if y == 0 else []
        used = sum(cell_len(segment.text) for segment in segments)
        segments.append(Segment(" " * max(0, width - used), self._style("")))
        ground = self.background_colors[1]
        for line_filter in self.get_line_filters():
            segments = line_filter.apply(segments, ground)
        return Strip(segments).adjust_cell_length(width)

"""A text area whose colours are computed when they change, not at every key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.scroll_view import ScrollView
from textual.widgets import TextArea

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.strip import Strip


class KeptStyles(TextArea):
    """Textual 8.2 resolves seven component styles each time a line of a text area is drawn: half a key's cost."""

    _styled_theme: object = None
    """The theme whose styles are up to date."""

    def render_lines(self, crop: Region) -> list[Strip]:
        theme = self._theme  # pyright: ignore[reportPrivateUsage] - a copy Textual makes at every change of theme
        if theme is self._styled_theme:
            return ScrollView.render_lines(self, crop)
        self._styled_theme = theme
        return super().render_lines(crop)

    def notify_style_update(self) -> None:
        self._styled_theme = None
        super().notify_style_update()

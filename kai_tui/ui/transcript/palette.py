"""The palette of a widget: the transcript's styles, resolved against the theme."""

from __future__ import annotations

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

from kai_tui.ui.app_of import app_of
from kai_tui.ui.transcript.styles import STYLES, Palette


def _own(widget: Widget, ground: Color, description: str) -> Style:
    """What a style changes, and only that: colours it does not set come from below."""
    style = app_of(widget).stylesheet.parse_style(description)
    below = ground + style.background
    return Style(
        color=(below + style.foreground).rich_color if style.foreground is not None else None,
        bgcolor=below.rich_color if style.background is not None else None,
        bold=style.bold,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
    )


def palette_of(widget: Widget) -> Palette:
    """All styles of the transcript as the theme has them now."""
    _, ground = widget.background_colors
    named = {name: _own(widget, ground, description) for name, description in STYLES.items()}
    selection = widget.screen.get_component_rich_style("screen--selection")
    return Palette(widget.rich_style, named, Style(color=selection.color, bgcolor=selection.bgcolor))

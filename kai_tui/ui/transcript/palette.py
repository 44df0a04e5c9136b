"""The palette of a widget: its component classes, resolved against the theme."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget

from kai_tui.ui.transcript.styles import NAMES, PREFIX, Palette


def _own(widget: Widget, name: str) -> Style:
    """What a component class changes, and only that: colours it does not set come from below."""
    component = widget.get_component_styles(name)
    full = widget.get_component_rich_style(name)
    coloured = component.has_rule("color") or component.has_rule("auto_color")
    style = Style(
        color=full.color if coloured else None,
        bgcolor=full.bgcolor if component.has_rule("background") and component.background.a > 0 else None,
    )
    return style + component.text_style


def palette_of(widget: Widget) -> Palette:
    """All styles of the transcript as the theme and the user's CSS have them now."""
    named = {name: _own(widget, PREFIX + name) for name in NAMES}
    ground = widget.rich_style
    selection = widget.screen.get_component_rich_style("screen--selection")
    return Palette(ground, named, Style(color=selection.color, bgcolor=selection.bgcolor))

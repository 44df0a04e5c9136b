"""Colours that can be read."""

import pytest
from textual.color import Color

from kai_tui.ui.themes import DARK, LIGHT, THEMES, other, theme_named

LEAST_CONTRAST = 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
@pytest.mark.parametrize(
    "ink",
    ["text", "text-muted", "text-accent", "text-secondary", "text-success", "text-warning", "text-error"],
)
def test_text_can_be_read_on_every_ground(theme, ground: str, ink: str) -> None:
    colors = theme.to_color_system().generate()
    contrast = Color.parse(theme.variables[ink]).get_contrast_ratio(Color.parse(colors[ground]))
    assert contrast >= (LEAST_CONTRAST if ground != "panel" else 4.0)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_the_cursor_can_be_read(theme) -> None:
    ink = Color.parse(theme.variables["block-cursor-foreground"])
    ground = Color.parse(theme.variables["block-cursor-background"])
    assert ink.get_contrast_ratio(ground) >= LEAST_CONTRAST


def test_names() -> None:
    assert theme_named("nonsense") == DARK
    assert other(DARK) == LIGHT
    assert other(LIGHT) == DARK

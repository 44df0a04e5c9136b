"""Colours that can be read."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from kai_tui.services.account import ACCOUNT_COLOURS
from kai_tui.ui.themes import DARK, LIGHT, THEMES, other, theme_named

LEAST_CONTRAST = 4.5
"""WCAG AA for normal text."""

INKS = (
    "text",
    "text-muted",
    "text-accent",
    "text-secondary",
    "text-success",
    "text-warning",
    "text-error",
    *(f"account-{colour}" for colour in ACCOUNT_COLOURS),
)


def contrast(one: str, other_one: str) -> float:
    lights = sorted(_luminance(Color.parse(color)) for color in (one, other_one))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(color: Color) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
def test_text_can_be_read_on_every_ground(theme: Theme, ground: str) -> None:
    color = getattr(theme, ground)
    for ink in INKS:
        assert contrast(theme.variables[ink], color) >= LEAST_CONTRAST, ink


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_the_cursor_can_be_read(theme: Theme) -> None:
    ground = theme.variables["block-cursor-background"]
    assert contrast(theme.variables["block-cursor-foreground"], ground) >= LEAST_CONTRAST


def test_names() -> None:
    assert theme_named("nonsense") == DARK
    assert other(DARK) == LIGHT
    assert other(LIGHT) == DARK

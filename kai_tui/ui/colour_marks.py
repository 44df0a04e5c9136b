"""The user's marks for accounts: a colour of the theme, and a shape of its own where there are no colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.style import Style
from textual.content import Content

from kai_tui.services.account import ACCOUNT_COLOURS

if TYPE_CHECKING:
    from textual.widget import Widget

_SHAPES: Final[dict[str, str]] = dict(zip(ACCOUNT_COLOURS, "■◆★✚◉◧", strict=True))


def mark(colour: str) -> str:
    """The shape of a colour; empty for none, or one this version does not know."""
    return _SHAPES.get(colour, "")


def style_of(colour: str) -> str:
    """The theme's variable for a colour, as a style."""
    return f"$account-{colour}" if colour in _SHAPES else "$text-muted"


def marked(colour: str, *, room: int = 0) -> Content:
    """The mark in its colour; blanks of that width where an account has none."""
    return Content.styled(f"{mark(colour):<{room}}", style_of(colour))


def line_styles(widget: Widget, plain: Style) -> dict[str, Style]:
    """For a line that is drawn by hand: `account-COLOUR` in its shade of the theme, over a plain style."""
    from kai_tui.ui.app_of import app_of

    shades = app_of(widget).theme_variables
    return {
        f"account-{each}": plain + Style(color=shades[f"account-{each}"])
        for each in _SHAPES
        if f"account-{each}" in shades
    }


def marked_line(colour: str, label: str) -> tuple[str, str]:
    """Text and style name of an account's name in such a line."""
    shape = mark(colour)
    return (f"{shape} {label}", f"account-{colour}") if shape and label else (label, "place")

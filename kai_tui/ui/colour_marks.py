"""The user's marks for accounts: a colour of the theme, and a shape of its own where there are no colours."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from kai_tui.services.account import ACCOUNT_COLOURS

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

"""Style names of the transcript, and the palette that turns them into terminal styles.

Every colour comes from the widget's component classes, hence from the theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from rich.style import Style

PREFIX = "transcript--"

STYLES = """
    & .transcript--text { color: $text; }
    & .transcript--muted { color: $text-muted; }
    & .transcript--you { color: $text-primary; text-style: bold; }
    & .transcript--you-bar { color: $primary; }
    & .transcript--assistant { color: $text-accent; text-style: bold; }
    & .transcript--cursor { color: $accent; text-style: bold; }
    & .transcript--heading { color: $text-primary; text-style: bold; }
    & .transcript--heading-top { text-style: bold underline; }
    & .transcript--em { text-style: italic; }
    & .transcript--strong { text-style: bold; }
    & .transcript--strike { text-style: strike; }
    & .transcript--code { color: $text-warning; background: $panel; }
    & .transcript--code-block { color: $text; background: $surface; }
    & .transcript--code-label { color: $text-muted; background: $surface; text-style: italic; }
    & .transcript--link { color: $text-secondary; text-style: underline; }
    & .transcript--image { color: $text-secondary; }
    & .transcript--quote { color: $text-muted; }
    & .transcript--quote-bar { color: $secondary; }
    & .transcript--bullet { color: $text-accent; }
    & .transcript--line { color: $text-disabled; }
    & .transcript--table-head { text-style: bold; }
    & .transcript--thought { color: $text-muted; text-style: italic; }
    & .transcript--tool { color: $text; text-style: bold; }
    & .transcript--tool-running { color: $text-secondary; }
    & .transcript--tool-waiting { color: $text-warning; text-style: bold; }
    & .transcript--tool-done { color: $text-success; }
    & .transcript--tool-failed { color: $text-error; }
    & .transcript--tool-denied { color: $text-warning; }
    & .transcript--error { color: $text-error; }
    & .transcript--warning { color: $text-warning; }
    & .transcript--suggestion { color: $text-secondary; }
    & .transcript--syntax-comment { color: $text-muted; text-style: italic; }
    & .transcript--syntax-keyword { color: $text-accent; }
    & .transcript--syntax-name { color: $text-secondary; }
    & .transcript--syntax-builtin { color: $text-secondary; }
    & .transcript--syntax-number { color: $text-warning; }
    & .transcript--syntax-string { color: $text-success; }
    & .transcript--syntax-inserted { color: $text-success; }
    & .transcript--syntax-deleted { color: $text-error; }
"""
"""The default CSS of all component classes."""

NAMES: tuple[str, ...] = tuple(
    line.split("transcript--", 1)[1].split(" ", 1)[0]
    for line in STYLES.splitlines()
    if "transcript--" in line
)
COMPONENT_CLASSES = frozenset(PREFIX + name for name in NAMES)


class Palette:
    """Terminal styles by name; combinations are made once."""

    def __init__(self, ground: Style, named: Mapping[str, Style], selection: Style) -> None:
        """`ground` has both colours; `named` only what each name changes."""
        self.ground = ground
        self.selection = selection
        self._named = named
        self._made: dict[tuple[str, ...], Style] = {(): ground}

    def get(self, names: tuple[str, ...]) -> Style:
        """The style of `names` laid over each other on the ground; unknown names change nothing."""
        style = self._made.get(names)
        if style is None:
            style = self.get(names[:-1])
            over = self._named.get(names[-1])
            if over is not None:
                style = style + over
            self._made[names] = style
        return style

    def same_as(self, other: Palette) -> bool:
        """Whether both draw the same; then nothing has to be drawn again."""
        mine = (self.ground, self.selection, self._named)
        return mine == (other.ground, other.selection, other._named)

    def fills(self, name: str) -> bool:
        """Whether the style has a background of its own."""
        style = self._named.get(name)
        return style is not None and style.bgcolor is not None


plain_palette = partial(Palette, Style(), {}, Style(reverse=True))
"""A palette without colours, for tests and measurements."""


def names_in(styles: Iterable[str]) -> tuple[str, ...]:
    """Those names that are not empty."""
    return tuple(name for name in styles if name)

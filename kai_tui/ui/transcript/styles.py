"""Style names of the transcript, and the palette that turns them into terminal styles.

Every colour comes from the theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from rich.style import Style

STYLES: Final[Mapping[str, str]] = {
    "text": "$text",
    "muted": "$text-muted",
    "you": "bold $text-primary",
    "you-bar": "$primary",
    "assistant": "bold $text-accent",
    "cursor": "bold $accent",
    "jump-label": "bold $block-cursor-foreground on $block-cursor-background",
    "heading": "bold $text-primary",
    "heading-top": "bold underline",
    "em": "italic",
    "strong": "bold",
    "strike": "strike",
    "code": "$text-warning on $panel",
    "code-block": "$text on $surface",
    "code-label": "italic $text-muted on $surface",
    "found": "$foreground on $warning 35%",
    "found-here": "$background on $warning",
    "link": "underline $text-secondary",
    "image": "$text-secondary",
    "quote": "$text-muted",
    "quote-bar": "$secondary",
    "bullet": "$text-accent",
    "line": "$text-disabled",
    "table-head": "bold",
    "thought": "italic $text-muted",
    "tool": "bold $text",
    "tool-running": "$text-secondary",
    "tool-waiting": "bold $text-warning",
    "tool-done": "$text-success",
    "tool-failed": "$text-error",
    "tool-denied": "$text-warning",
    "error": "$text-error",
    "warning": "$text-warning",
    "suggestion": "$text-secondary",
    "choice-number": "bold $text-primary",
    "syntax-comment": "italic $text-muted",
    "syntax-keyword": "$text-accent",
    "syntax-name": "$text-secondary",
    "syntax-builtin": "$text-secondary",
    "syntax-number": "$text-warning",
    "syntax-string": "$text-success",
    "syntax-inserted": "$text-success",
    "syntax-deleted": "$text-error",
}
"""What each name changes, in Textual's words for styles; the colours are variables of the theme.

Not component classes: Textual would compute all of them again whenever the focus moves, and before
the first frame.
"""

NAMES: Final = tuple(STYLES)


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


class Faded(Palette):
    """Another palette with everything in its muted colour: for what does not count any more."""

    def __init__(self, of: Palette) -> None:
        super().__init__(of.ground, {}, of.selection)
        self._muted = of.get(("muted",))

    def get(self, names: tuple[str, ...]) -> Style:
        return self._muted


plain_palette = partial(Palette, Style(), {}, Style(reverse=True))
"""A palette without colours, for tests and measurements."""


def names_in(styles: Iterable[str]) -> tuple[str, ...]:
    """Those names that are not empty."""
    return tuple(name for name in styles if name)

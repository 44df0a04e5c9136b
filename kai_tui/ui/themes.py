"""The two themes. Every colour of the program comes from here; CSS uses only their variables.

Calm greys with one accent (a clear teal), so that colour can mean something: amber waits for you,
red is an error or a refusal, green is done. Text on its ground has a contrast of at least 4.5 : 1
(`tests/ui/test_themes.py` measures it).
"""

from __future__ import annotations

from textual.theme import Theme

DARK = "kai-dark"
LIGHT = "kai-light"

_DARK = Theme(
    name=DARK,
    primary="#5cc8b8",
    secondary="#7fb2e5",
    accent="#5cc8b8",
    success="#82c991",
    warning="#e5b567",
    error="#ef7d7d",
    foreground="#d7dbe0",
    background="#14171b",
    surface="#1b1f25",
    panel="#232830",
    boost="#2b313a",
    dark=True,
    variables={
        "text": "#d7dbe0",
        "text-muted": "#949ca8",
        "text-disabled": "#6b7380",
        "text-primary": "#5cc8b8",
        "text-secondary": "#7fb2e5",
        "text-accent": "#5cc8b8",
        "text-success": "#82c991",
        "text-warning": "#e5b567",
        "text-error": "#ef7d7d",
        "border": "#5cc8b8",
        "border-blurred": "#3a424d",
        "block-cursor-background": "#2c5d58",
        "block-cursor-foreground": "#f2f5f7",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#2b313a",
        "block-cursor-blurred-foreground": "#d7dbe0",
        "input-cursor-background": "#d7dbe0",
        "input-cursor-foreground": "#14171b",
        "input-selection-background": "#2c5d58",
        "screen-selection-background": "#2c5d58",
        "screen-selection-foreground": "#f2f5f7",
        "scrollbar": "#39414c",
        "scrollbar-hover": "#4a5461",
        "scrollbar-active": "#5cc8b8",
        "scrollbar-background": "#14171b",
        "scrollbar-background-hover": "#14171b",
        "scrollbar-background-active": "#14171b",
        "scrollbar-corner-color": "#14171b",
        "link-color": "#7fb2e5",
        "link-style": "underline",
        "link-color-hover": "#f2f5f7",
        "link-background-hover": "#2c5d58",
        "footer-key-foreground": "#5cc8b8",
        "account-blue": "#7fb2e5",
        "account-green": "#82c991",
        "account-yellow": "#e5c567",
        "account-red": "#ef7d7d",
        "account-magenta": "#d49ae0",
        "account-cyan": "#62cbdc",
    },
)

_LIGHT = Theme(
    name=LIGHT,
    primary="#0b6e63",
    secondary="#1f5fa8",
    accent="#0b6e63",
    success="#27713a",
    warning="#8a5a00",
    error="#b3261e",
    foreground="#22272e",
    background="#fbfaf8",
    surface="#f3f1ed",
    panel="#e9e6e0",
    boost="#dedad2",
    dark=False,
    variables={
        "text": "#22272e",
        "text-muted": "#5c636d",
        "text-disabled": "#868d96",
        "text-primary": "#0b6e63",
        "text-secondary": "#1f5fa8",
        "text-accent": "#0b6e63",
        "text-success": "#27713a",
        "text-warning": "#8a5a00",
        "text-error": "#b3261e",
        "border": "#0b6e63",
        "border-blurred": "#c9c4ba",
        "block-cursor-background": "#bfe0da",
        "block-cursor-foreground": "#12161a",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e9e6e0",
        "block-cursor-blurred-foreground": "#22272e",
        "input-cursor-background": "#22272e",
        "input-cursor-foreground": "#fbfaf8",
        "input-selection-background": "#bfe0da",
        "screen-selection-background": "#bfe0da",
        "screen-selection-foreground": "#12161a",
        "scrollbar": "#c9c4ba",
        "scrollbar-hover": "#b3ada1",
        "scrollbar-active": "#0b6e63",
        "scrollbar-background": "#fbfaf8",
        "scrollbar-background-hover": "#fbfaf8",
        "scrollbar-background-active": "#fbfaf8",
        "scrollbar-corner-color": "#fbfaf8",
        "link-color": "#1f5fa8",
        "link-style": "underline",
        "link-color-hover": "#12161a",
        "link-background-hover": "#bfe0da",
        "footer-key-foreground": "#0b6e63",
        "account-blue": "#1f5fa8",
        "account-green": "#27713a",
        "account-yellow": "#755a00",
        "account-red": "#b3261e",
        "account-magenta": "#8a3a97",
        "account-cyan": "#0b6676",
    },
)

THEMES = (_DARK, _LIGHT)


def theme_named(name: str) -> str:
    """`name` when it is one of ours, else the dark theme: a hand-edited setting must not stop the start."""
    return name if name in (DARK, LIGHT) else DARK


def other(name: str) -> str:
    """The theme to change to."""
    return LIGHT if name == DARK else DARK

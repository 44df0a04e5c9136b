"""Words for the desktop while nobody looks at this terminal: as a notification, else as a bell.

Which way a terminal knows is told by its environment, never asked: a question would be answered into the
keys. Sources: iTerm2 (OSC 9), rxvt-unicode (OSC 777;notify; WezTerm, Ghostty, foot, Contour and, since
2026, Windows Terminal have it too), kitty's protocol (OSC 99), tmux's allow-passthrough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast, get_args

Way: TypeAlias = Literal["osc9", "osc777", "osc99", "bell", "osc777+bell"]
NotifySetting: TypeAlias = Literal["auto", "osc9", "osc777", "osc99", "bell", "off"]
SETTINGS: Final[tuple[NotifySetting, ...]] = get_args(NotifySetting)

MAX_TEXT: Final = 120
"""Characters of an announcement."""

_PROGRAMS: Final[Mapping[str, Way]] = {
    "iterm.app": "osc9",
    "iterm2": "osc9",
    "warpterminal": "osc9",
    "zed": "osc9",
    "wezterm": "osc777",
    "ghostty": "osc777",
    "foot": "osc777",
    "contour": "osc777",
    "rxvt": "osc777",
    "kitty": "osc99",
}
"""Beginnings of TERM_PROGRAM, of TERM without `xterm-`, and of what tmux calls its terminal."""
_BELLS: Final = ("tmux", "screen")


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing to say to the desktop; the only text that leaves by the driver's door `announce`."""

    text: str
    """Ours, with a chat's title in it; made harmless here whatever it is."""
    way: Way
    through_tmux: bool = False

    def sequence(self) -> str:
        """What the terminal is sent: no character of `text` can end or steer it."""
        text = harmless(self.text)
        match self.way:
            case "osc9":
                return self._wrapped(f"\x1b]9;{text}\x07")
            case "osc777":
                return self._wrapped(f"\x1b]777;notify;kai-tui;{text}\x07")
            case "osc777+bell":
                return self._wrapped(f"\x1b]777;notify;kai-tui;{text}\x07") + "\x07"
            case "osc99":
                return self._wrapped(f"\x1b]99;i=kai-tui;{text}\x1b\\")
            case "bell":
                return "\x07"

    def _wrapped(self, sequence: str) -> str:
        if not self.through_tmux:
            return sequence
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def harmless(text: str) -> str:
    """Letters, digits, ordinary signs; no control, no `;` (it separates fields), at most `MAX_TEXT`."""
    kept = "".join(each if each.isprintable() and each != ";" else " " for each in text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= MAX_TEXT else kept[: MAX_TEXT - 1].rstrip() + "…"


def in_tmux(environ: Mapping[str, str]) -> bool:
    """Whether tmux stands between us and the terminal."""
    return bool(environ.get("TMUX"))


def way_for(environ: Mapping[str, str]) -> Way:
    """What the terminal around us understands, as far as it says so itself; a bell when it does not."""
    term = environ.get("TERM", "").lower()
    if in_tmux(environ) or environ.get("STY") or term.startswith(_BELLS):
        return "bell"
    return (
        way_named(environ.get("TERM_PROGRAM", ""))
        or way_named(term)
        or way_named(environ.get("LC_TERMINAL", ""))
        or (environ.get("KITTY_WINDOW_ID") and "osc99")
        or (environ.get("WEZTERM_PANE") and "osc777")
        or (environ.get("WT_SESSION") and "osc777+bell")  # those before 2026 know the bell only
        or "bell"
    )  # type: ignore[return-value]


def way_named(name: str) -> Way | None:
    """The way of a terminal by its name, such as `WezTerm`, `xterm-kitty`, `iTerm2 3.5.0`."""
    name = name.lower().removeprefix("xterm-")
    return next((way for known, way in _PROGRAMS.items() if name.startswith(known)), None)


def way_set(setting: str) -> Way | None:
    """The way a setting asks for; None for `auto` and `off`."""
    return cast(Way, setting) if setting in ("osc9", "osc777", "osc99", "bell") else None

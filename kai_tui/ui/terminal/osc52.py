"""The terminal's own way to the clipboard: OSC 52, wrapped for what stands between us and the terminal.

Nobody answers it: whether a terminal took the text cannot be known. Longer sequences than a terminal
keeps are cut or dropped by it, so what is too long is not sent at all.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Wrap: TypeAlias = Literal["tmux", "screen"]
"""What has to be told to pass a sequence on: tmux (its passthrough), GNU screen (its string)."""

_START: Final = "\x1b]52;c;"
_END: Final = "\x07"

USUAL_LIMIT: Final = 100_000
"""Bytes of a whole sequence: what hterm's script made the custom; 74,994 bytes of text."""
_LIMITS: Final[Mapping[str, int]] = {
    "termux": 8_192,  # MAX_OSC_STRING_LENGTH of its TerminalEmulator
    "tabby": 4_096,  # a sequence is lost where it comes in two reads (tabby issue 6001: 3,066 bytes of text)
    "st": 100_000,  # grows since 0.8; was fixed before
    "xterm": 100_000,  # takes a megabyte and more; other terminals use its name
    "foot": 1_000_000,
    "alacritty": 1_000_000,
    "wezterm": 1_000_000,
    "ghostty": 1_000_000,
    "iterm": 1_000_000,
}
"""Bytes of a whole sequence by the beginning of TERM (without `xterm-`) or of TERM_PROGRAM. kitty before
0.20 kept 8 KB and says no version where we can see it: it is in the usual class, as is what nobody measured. mosh cuts at
16 KB in silence (MAXIMUM_CLIPBOARD_SIZE) and cannot be seen from inside: one more reason to say so."""
SCREEN_CHUNK: Final = 240
"""Bytes of one string of GNU screen: 256 until 4.0, 768 since 4.2.1; what is longer it prints as text."""
_NO_CLIPBOARD: Final = ("apple_terminal", "linux")
"""Terminals that have no OSC 52: macOS's own, and the console of Linux."""


@dataclass(frozen=True, slots=True)
class ClipboardWrite:
    """One write to the terminal's clipboard; the only thing that leaves by the driver's door for it.

    `text` may be anything: only its base64 form goes out.
    """

    text: str
    wraps: tuple[Wrap, ...] = ()
    """The innermost first: the multiplexer that reads us last."""

    def sequence(self) -> str:
        """What the terminal is sent."""
        data = base64.b64encode(self.text.encode("utf-8", "replace")).decode("ascii")
        whole = f"{_START}{data}{_END}"
        for wrap in self.wraps:
            whole = through_tmux(whole) if wrap == "tmux" else through_screen(whole)
        return whole


def through_tmux(sequence: str) -> str:
    """As tmux passes it on, when `allow-passthrough` lets it."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def through_screen(sequence: str) -> str:
    """As GNU screen passes it on: in strings it has room for."""
    pieces = (sequence[at : at + SCREEN_CHUNK] for at in range(0, len(sequence), SCREEN_CHUNK))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


def wraps_for(environ: Mapping[str, str]) -> Sequence[tuple[Wrap, ...]]:
    """How to wrap it, all ways that may be heard: what does not understand one takes no harm from it.

    Without TMUX a name like `tmux` or `screen` means one on another machine, that cannot be asked. A
    bare sequence never goes to what may be GNU screen: it would print what is too long for it.
    """
    term = environ.get("TERM", "").lower()
    if environ.get("TMUX") or term.startswith("tmux"):
        return ((), ("tmux",))
    if environ.get("STY") or term.startswith("screen"):
        return (("screen",),)
    return ((),)


def limit_for(environ: Mapping[str, str]) -> int:
    """Bytes of UTF-8 text the terminal's clipboard takes for sure, as far as the environment tells; 0: none."""
    names = [environ.get(name, "").lower().removeprefix("xterm-") for name in ("TERM_PROGRAM", "TERM")]
    if environ.get("TERMUX_VERSION"):
        names.insert(0, "termux")
    if any(name.startswith(_NO_CLIPBOARD) for name in names if name) or environ.get("TERM") == "dumb":
        return 0
    limits = [limit for name in names for known, limit in _LIMITS.items() if name.startswith(known)]
    limit = limits[0] if limits else USUAL_LIMIT
    if environ.get("TMUX"):
        limit = min(limit, USUAL_LIMIT)  # the terminal around it may be any; tmux itself drops 1 MiB
    return text_bytes(limit)


def text_bytes(sequence_bytes: int) -> int:
    """How many bytes of text a sequence of that many bytes carries."""
    return max(0, (sequence_bytes - len(_START) - len(_END)) // 4 * 3)

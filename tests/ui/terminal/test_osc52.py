"""What a terminal is sent for its clipboard, and how much of it."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.terminal.osc52 import (
    SCREEN_CHUNK,
    ClipboardWrite,
    limit_for,
    text_bytes,
    wraps_for,
)
from tests.some import examples


def content(sequence: str) -> str:
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert found is not None, repr(sequence[:80])
    return base64.b64decode(found[1]).decode()


def unwrap_tmux(sequence: str) -> str:
    """As tmux does: everything up to the string's end, each doubled escape once."""
    assert sequence.startswith("\x1bPtmux;")
    assert sequence.endswith("\x1b\\")
    inside = sequence[len("\x1bPtmux;") : -2]
    assert "\x1b\\" not in inside.replace("\x1b\x1b", "")
    return inside.replace("\x1b\x1b", "\x1b")


def unwrap_screen(sequence: str) -> str:
    """As GNU screen does: the strings one after the other."""
    pieces = re.findall(r"\x1bP((?:(?!\x1b\\).)*)\x1b\\", sequence, re.DOTALL)
    assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == sequence
    assert all(len(piece) <= 256 for piece in pieces)
    return "".join(pieces)


@examples(200)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_each_wrapping_carries_the_text_and_nothing_else(text: str) -> None:
    assert content(ClipboardWrite(text).sequence()) == text
    assert content(unwrap_tmux(ClipboardWrite(text, ("tmux",)).sequence())) == text
    assert content(unwrap_tmux(unwrap_tmux(ClipboardWrite(text, ("tmux", "tmux")).sequence()))) == text
    assert content(unwrap_screen(ClipboardWrite(text, ("screen",)).sequence())) == text


def test_screen_gets_strings_it_has_room_for() -> None:
    sequence = ClipboardWrite("x" * 10_000, ("screen",)).sequence()
    assert sequence.count("\x1bP") > 10_000 // SCREEN_CHUNK
    assert content(unwrap_screen(sequence)) == "x" * 10_000


@pytest.mark.parametrize(
    ("there", "wraps"),
    [
        ({"TERM": "xterm-256color"}, [()]),
        ({"TERM": "screen-256color", "TMUX": "/tmp/t,1,0"}, [(), ("tmux",)]),
        ({"TERM": "tmux-256color"}, [(), ("tmux",)]),
        ({"TERM": "screen.xterm-256color", "STY": "1.a.b"}, [("screen",)]),
        ({"TERM": "screen"}, [("screen",)]),
    ],
)
def test_what_stands_between_decides_the_wrapping(
    there: dict[str, str], wraps: list[tuple[str, ...]]
) -> None:
    assert list(wraps_for(there)) == wraps


@pytest.mark.parametrize(
    ("there", "limit"),
    [
        ({"TERM": "xterm-256color"}, 74_994),
        ({"TERM": "xterm-kitty"}, 74_994),
        ({"TERM": "xterm-ghostty"}, 749_994),
        ({"TERM": "foot"}, 749_994),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, 749_994),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "x"}, 74_994),
        ({"TERM": "xterm-256color", "TERMUX_VERSION": "0.118"}, 6_138),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Tabby"}, 3_066),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, 0),
        ({"TERM": "linux"}, 0),
        ({"TERM": "dumb"}, 0),
    ],
)
def test_how_much_text_a_terminal_takes(there: dict[str, str], limit: int) -> None:
    assert limit_for(there) == limit


@examples(100)
@given(st.integers(20, 20_000))
def test_what_fits_fits(limit: int) -> None:
    text = "x" * text_bytes(limit)
    assert len(ClipboardWrite(text).sequence()) <= limit < len(ClipboardWrite(text + "xxxx").sequence()) + 4

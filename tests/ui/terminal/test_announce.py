"""What leaves by the one door for notifications, and when tmux lets it through."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.terminal.announce import MAX_TEXT, Announcement, Way, harmless, way_for
from kai_tui.ui.terminal.output import walled
from kai_tui.ui.terminal.tmux import way_of_answer, way_through_tmux
from tests.hostile_payloads import hostile_texts
from tests.some import examples

WAYS: tuple[Way, ...] = ("osc9", "osc777", "osc99", "bell", "osc777+bell")


@pytest.mark.parametrize(
    ("environ", "way"),
    [
        ({"TERM_PROGRAM": "iTerm.app", "TERM": "xterm-256color"}, "osc9"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "osc9"),
        ({"TERM_PROGRAM": "WezTerm"}, "osc777"),
        ({"TERM_PROGRAM": "ghostty"}, "osc777"),
        ({"TERM": "xterm-ghostty"}, "osc777"),
        ({"TERM": "rxvt-unicode-256color"}, "osc777"),
        ({"TERM": "foot-extra"}, "osc777"),
        ({"TERM": "xterm-kitty"}, "osc99"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "osc99"),
        ({"WT_SESSION": "x"}, "osc777+bell"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "bell"),
        ({"TERM_PROGRAM": "vscode", "TERM": "xterm-256color"}, "bell"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, "bell"),
        ({"TMUX": "/tmp/x,1,0", "KITTY_WINDOW_ID": "1", "TERM": "tmux-256color"}, "bell"),
        ({"STY": "1.x", "TERM_PROGRAM": "iTerm.app"}, "bell"),
        ({"TERM": "screen-256color", "KITTY_WINDOW_ID": "1"}, "bell"),
        ({"TERM": "linux"}, "bell"),
        ({}, "bell"),
    ],
)
def test_the_way_a_terminal_knows(environ: Mapping[str, str], way: Way) -> None:
    assert way_for(environ) == way


def test_the_sequences() -> None:
    assert Announcement("a “b”", "osc9").sequence() == "\x1b]9;a “b”\x07"
    assert Announcement("a", "osc777").sequence() == "\x1b]777;notify;kai-tui;a\x07"
    assert Announcement("a", "osc99").sequence() == "\x1b]99;i=kai-tui;a\x1b\\"
    assert Announcement("a", "bell").sequence() == "\x07"
    assert Announcement("a", "osc777+bell").sequence() == "\x1b]777;notify;kai-tui;a\x07\x07"
    through = Announcement("a", "osc99", through_tmux=True).sequence()
    assert through == "\x1bPtmux;\x1b\x1b]99;i=kai-tui;a\x1b\x1b\\\x1b\\"


def inner(sequence: str, way: Way) -> str:
    """The text in a sequence."""
    start, end = {
        "osc9": ("\x1b]9;", "\x07"),
        "osc777": ("\x1b]777;notify;kai-tui;", "\x07"),
        "osc99": ("\x1b]99;i=kai-tui;", "\x1b\\"),
    }[way]
    assert sequence.startswith(start)
    assert sequence.endswith(end)
    return sequence[len(start) : -len(end)]


@examples(300)
@given(st.text(st.characters(codec=None), max_size=200), st.sampled_from(["osc9", "osc777", "osc99"]))
def test_no_text_ends_or_steers_a_sequence(text: str, way: Way) -> None:
    shown = inner(Announcement(text, way).sequence(), way)
    assert len(shown) <= MAX_TEXT
    assert ";" not in shown
    assert shown.isprintable()


def test_no_payload_of_the_corpus_does() -> None:
    for name, text in hostile_texts(odd=True):
        shown = harmless(f"A reply ended in “{text}”")
        assert shown.isprintable(), name
        assert ";" not in shown
        assert len(shown) <= MAX_TEXT


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("through", [False, True])
def test_the_wall_lets_no_announcement_pass_that_is_drawn_or_written(way: Way, through: bool) -> None:
    sequence = Announcement("hello", way, through_tmux=through).sequence()
    for written in (f"x{sequence}", sequence):
        if written != "\x07":  # Textual's own bell
            assert "\x1b]" not in walled(written)
            assert "\x1bP" not in walled(written)
            assert "\x07" not in walled(written)


@pytest.mark.parametrize(
    ("answer", "way"),
    [
        ("1\t1\t1\tWezTerm 20240203\txterm-256color\n", "osc777"),
        ("on\t1\t2\tiTerm2 3.5.0\txterm-256color\n", "osc9"),
        ("on\t1\t1\t\txterm-kitty\n", "osc99"),
        ("1\t0\t1\tkitty(0.36)\txterm-kitty\n", None),
        ("2\t0\t1\tkitty(0.36)\txterm-kitty\n", "osc99"),
        ("all\t0\t1\tkitty(0.36)\txterm-kitty\n", "osc99"),
        ("0\t1\t1\tkitty(0.36)\txterm-kitty\n", None),
        ("\t1\t1\tkitty(0.36)\txterm-kitty\n", None),
        ("1\t1\t0\tkitty(0.36)\txterm-kitty\n", None),
        ("1\t1\t1\tXTerm(388)\txterm-256color\n", None),
        ("no server running\n", None),
        ("", None),
    ],
)
def test_what_tmux_says(answer: str, way: Way | None) -> None:
    assert way_of_answer(answer) == way


async def test_without_tmux_there_is_no_way_through(tmp_path: Path) -> None:
    assert await way_through_tmux({"PATH": str(tmp_path)}) is None


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[list[str]]:
    """The command of a tmux server of our own, with one attached client that calls itself kitty."""
    found = shutil.which("tmux")
    if found is None or sys.platform == "win32":
        pytest.skip("needs tmux")
    command = [found, "-S", str(tmp_path / "socket"), "-f", os.devnull]
    subprocess.run([*command, "new-session", "-d", "-x", "80", "-y", "24", "cat"], check=True)
    yield command
    subprocess.run([*command, "kill-server"], check=False)


async def test_a_real_tmux_is_asked(tmux: list[str], tmp_path: Path) -> None:
    from tests.pty_harness import Terminal

    pane = subprocess.run(
        [*tmux, "display-message", "-p", "#{pane_id}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    environ = {**os.environ, "TMUX": f"{tmp_path / 'socket'},1,0", "TMUX_PANE": pane}
    environ.pop("STY", None)
    with Terminal([*tmux, "attach"], env={"TERM": "xterm-256color", "TMUX": None}) as client:
        client.wait_raw(b"\x1b[")
        subprocess.run([*tmux, "set", "-g", "allow-passthrough", "off"], check=True)
        assert await way_through_tmux(environ) is None
        subprocess.run([*tmux, "set", "-g", "allow-passthrough", "on"], check=True)
        assert await way_through_tmux(environ) is None, "an xterm knows a bell only"
        # A terminal says its name when it is asked for it (XTVERSION): tmux takes the answer.
        client.write("\x1bP>|WezTerm 20240203\x1b\\")
        end = time.monotonic() + 10
        while (way := await way_through_tmux(environ)) is None and time.monotonic() < end:
            pass
        assert way == "osc777"

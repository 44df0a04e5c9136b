"""The bytes a real terminal gets when something is copied, by what stands between it and us."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path

import pytest

from tests.pty_harness import Terminal, posix_only
from tests.ui.terminal.clipboard_scripts import GOOD, READS, script

pytestmark = [posix_only, pytest.mark.slow]

COPIED = "ls␛[201~\nrm -rf /"
COPY = "\x1b[20~"


def demo(home: Path, **environ: str) -> Terminal:
    command = [sys.executable, str(Path(__file__).with_name("demo_app.py")), "plain"]
    terminal = Terminal(command, env={"CANARY": "x", **environ}, cwd=home)
    terminal.wait_for("ready")
    terminal.write(COPY)
    return terminal


def test_gnu_screen_gets_strings_it_passes_on(own_home: Path) -> None:
    with demo(own_home, STY="1.pts-0.host", TERM="screen.xterm-256color") as terminal:
        terminal.wait_raw(b"\x1bP\x1b]52;c;")
        terminal.wait_quiet()
        raw = terminal.raw
        pieces = re.findall(rb"\x1bP((?:(?!\x1b\\).)*)\x1b\\", raw[raw.index(b"\x1bP\x1b]52;") :], re.DOTALL)
        whole = b"".join(pieces)
        assert base64.b64decode(whole[len(b"\x1b]52;c;") : -1]).decode() == COPIED
        assert b"\x1b]52;" not in raw.replace(b"\x1bP\x1b]52;", b"")


def test_a_tmux_that_cannot_be_reached_is_told_both_ways(own_home: Path) -> None:
    with demo(own_home, TMUX=f"{own_home}/nowhere,1,0", TERM="tmux-256color") as terminal:
        terminal.wait_raw(b"\x1bPtmux;\x1b\x1b]52;c;")
        terminal.wait_quiet()
        data = base64.b64encode(COPIED.encode())
        assert b"\x1b]52;c;" + data + b"\x07" in terminal.raw
        assert b"\x1bPtmux;\x1b\x1b]52;c;" + data + b"\x07\x1b\\" in terminal.raw


def test_a_program_of_this_computer_gets_it_and_the_terminal_nothing(own_home: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    script(tools, "xclip", f'case "$*" in *-out*) {READS};; *) {GOOD};; esac')
    with demo(own_home, DISPLAY=":0", PATH=f"{tools}:/usr/bin:/bin") as terminal:
        end = tools / "clip"
        terminal.wait_for(lambda _: end.exists() and end.read_text() == COPIED)
        terminal.wait_quiet()
        assert b"]52;" not in terminal.raw


def test_a_terminal_without_a_clipboard_gets_nothing_and_the_file_is_named(own_home: Path) -> None:
    with demo(own_home, TERM_PROGRAM="Apple_Terminal", KAI_TUI_HOME=str(own_home)) as terminal:
        terminal.wait_for("Not copied: no clipboard was found")
        assert b"]52;" not in terminal.raw
    assert (own_home / "state" / "copied.txt").read_text() == COPIED

"""The mouse given to the terminal, in a real one: the modes that are written, and that it stays so."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

import pytest

from tests.pty_harness import Terminal, posix_only

pytestmark = posix_only

QUIT = "\x11"
ON = re.compile(rb"\x1b\[\?(?:1000|1002|1003)h")
OFF = re.compile(rb"\x1b\[\?1003l")


def program(home: Path) -> Terminal:
    command = [sys.executable, "-m", "kai_tui", "--sandbox"]
    return Terminal(command, size=(120, 30), env={"KAI_TUI_HOME": str(home)})


def test_the_mouse_is_the_terminals_until_it_is_taken_back(own_home: Path) -> None:
    with program(own_home) as terminal:
        terminal.wait_for("Ctrl+P commands")
        assert ON.search(terminal.raw)
        terminal.write("\x1bm")
        terminal.wait_for("mouse: the terminal's")
        given = terminal.raw
        assert OFF.search(given)
        assert max(match.end() for match in ON.finditer(given)) < OFF.search(given).start()
        # A click that a terminal sends all the same does no harm.
        terminal.write("\x1b[<0;5;5M\x1b[<0;5;5m")
        terminal.write(QUIT)
        assert terminal.wait_exit() == 0
    with program(own_home) as terminal:
        terminal.wait_for("mouse: the terminal's")
        terminal.wait_quiet()
        assert not ON.search(terminal.raw)
        before = len(terminal.raw)
        terminal.write("\x1bm")
        terminal.wait_gone("mouse: the terminal's")
        assert ON.search(terminal.raw[before:])
        terminal.write(QUIT)
        assert terminal.wait_exit() == 0
        assert OFF.search(terminal.raw[before:])


@pytest.mark.slow
def test_the_mouse_stays_the_terminals_when_the_program_is_stopped_and_goes_on(own_home: Path) -> None:
    with program(own_home) as terminal:
        terminal.wait_for("Ctrl+P commands")
        terminal.write("\x1bm")
        terminal.wait_for("mouse: the terminal's")
        before = len(terminal.raw)
        terminal.signal(signal.SIGTSTP)
        terminal.signal(signal.SIGCONT)
        terminal.wait_quiet()
        assert not ON.search(terminal.raw[before:])

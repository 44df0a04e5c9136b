"""t_terminal_restore, t_canary: the terminal is given back, crashes leak nothing, exit codes are right (P21, T15)."""

from __future__ import annotations

import re
import signal
import stat
from pathlib import Path

import pytest

from tests.hostile_payloads import leaks
from tests.pty_harness import Modes, Terminal, posix_only
from tests.ui.terminal.conftest import CANARY, Start

pytestmark = posix_only

F2, F3, F4, F5, F10 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[21~"


def assert_given_back(terminal: Terminal) -> None:
    modes = Modes(terminal.raw)
    assert modes.left_on() == set()
    assert "25" in modes.on
    assert modes.kitty == 0
    assert terminal.tty_flags_now() == terminal.tty_flags


def assert_no_canary(terminal: Terminal, home: Path) -> None:
    pieces = {CANARY[at : at + 12] for at in range(12, len(CANARY) - 12)}
    texts = [terminal.raw.decode("utf-8", "replace")]
    texts += [
        path.read_text(encoding="utf-8", errors="replace") for path in home.rglob("*") if path.is_file()
    ]
    for text in texts:
        joined = re.sub(r"\s", "", text)
        assert not any(piece in joined for piece in pieces)


def test_quit(start: Start) -> None:
    terminal = start()
    terminal.write("\x11")
    assert terminal.wait_exit() == 0
    assert terminal.text().strip() == ""
    assert_given_back(terminal)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SIGTERM", 143),
        pytest.param("SIGHUP", 129, marks=pytest.mark.slow),
        pytest.param("SIGINT", 130, marks=pytest.mark.slow),
        pytest.param("SIGQUIT", 131, marks=pytest.mark.slow),
    ],
)
def test_signals(start: Start, name: str, code: int) -> None:
    terminal = start()
    terminal.signal(getattr(signal, name))
    assert terminal.wait_exit() == code
    assert_given_back(terminal)


@pytest.mark.parametrize(
    ("key", "kind"), [pytest.param(F2, "RuntimeError", marks=pytest.mark.slow), (F3, "KeyError")]
)
def test_a_crash_says_one_sentence_and_leaves_a_report(
    start: Start, own_home: Path, key: str, kind: str
) -> None:
    terminal = start()
    terminal.write(key)
    assert terminal.wait_exit() == 1
    assert_given_back(terminal)
    said = terminal.text().replace("\n", "")
    assert said.startswith(
        f"kai-tui stopped because of an error of its own ({kind}). Your chats and drafts are kept. Report: "
    )
    reports = list((own_home / "state").glob("crash-*.txt"))
    assert len(reports) == 1
    assert str(reports[0]) in said.replace(" ", "")
    report = reports[0].read_text(encoding="utf-8")
    assert kind in report
    assert "demo_app.py" in report
    assert "\x1b" not in report
    assert stat.S_IMODE(reports[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(reports[0].parent.stat().st_mode) == 0o700
    assert_no_canary(terminal, own_home)
    assert leaks(terminal.raw) == []


@pytest.mark.parametrize("key", [F4, pytest.param(F5, marks=pytest.mark.slow)], ids=["thread", "task"])
def test_a_failure_on_the_side_ends_nothing_and_is_told(start: Start, own_home: Path, key: str) -> None:
    terminal = start()
    terminal.write(key)
    terminal.wait_for("Something inside kai-tui")
    terminal.write("\x11")
    assert terminal.wait_exit() == 0
    assert_given_back(terminal)
    assert len(list((own_home / "state").glob("crash-*.txt"))) >= 1
    assert_no_canary(terminal, own_home)


def test_a_second_signal_ends_a_hanging_program(start: Start, own_home: Path) -> None:
    terminal = start()
    terminal.write(F10)
    terminal.wait_for(lambda _: (own_home / "hanging").exists())
    terminal.signal(signal.SIGTERM)
    terminal.wait_quiet(0.2)
    assert terminal.process.poll() is None
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_exit() == 143
    assert_given_back(terminal)


def test_a_closed_window_ends_the_program(start: Start) -> None:
    terminal = start()
    terminal.hang_up()
    assert terminal.process.wait(10) == 129


def test_a_report_that_can_not_be_written_is_said(start: Start, own_home: Path) -> None:
    (own_home / "state").write_text("in the way")
    terminal = start()
    terminal.write(F2)
    assert terminal.wait_exit() == 1
    assert_given_back(terminal)
    assert "No report could be written" in terminal.text().replace("\n", "")

"""Keys keep their order however fast they come, pasting never sends, Esc stops at once."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.user import BACKSPACE, ENTER, ESCAPE, NEW, QUIT, User
from tests.pty_harness import Terminal, posix_only

pytestmark = posix_only

AT_A_READERS_PACE = {"KAI_TUI_SANDBOX_PACE": "0.15"}


def sent(user: User) -> list[str]:
    """The user's own messages on screen."""
    return [row.partition("You ▌ ")[2] for row in user.lines() if "You ▌ " in row]


def test_keys_of_one_write_keep_their_order(start: Start) -> None:
    user = start("--sandbox").ready()
    for keys, message, left in (
        (f"abc{ENTER}def", "abc", "def"),
        (f"abc{BACKSPACE}d{ENTER}", "abd", "ask, "),
        (f"one\ntwo{ENTER}three\nfour", "one", "three\nfour"),
    ):
        user.write(keys)
        user.wait_for(lambda user, message=message: sent(user) == [message])
        user.wait_for(lambda user, left=left: user.prompt().startswith(left))
        user.wait_idle()
        user.write(NEW)
        user.wait_for("The sandbox")
        user.wait_for(lambda user: user.prompt().startswith("ask, "))


def test_a_paste_never_sends(start: Start) -> None:
    user = start("--sandbox").ready()
    user.paste("first line\nsecond line\r\nthird line\r")
    user.wait_for("third line")
    user.write("!")
    user.wait_for(lambda user: user.prompt().endswith("!"))
    assert user.prompt().startswith("first line\nsecond line\nthird line")
    assert sent(user) == []


def test_a_paste_behind_keys_stays_behind_them(start: Start) -> None:
    user = start("--sandbox").ready()
    user.write(f"abc{ENTER}x\x1b[200~\ny\n\x1b[201~z")
    user.wait_for(lambda user: sent(user) == ["abc"])
    user.wait_for(lambda user: user.prompt() == "x\ny\nz")


def without_status(user: User) -> str:
    """The screen but its last line, which goes on telling about account and connection."""
    return "\n".join(user.text().splitlines()[:-1])


def test_escape_stops_a_reply_and_keeps_what_came(start: Start) -> None:
    user = start("--sandbox", env=AT_A_READERS_PACE).ready()
    user.write("/demo slow" + ENTER)
    user.wait_for("Slowly, very")
    user.write(ESCAPE)
    began = time.monotonic()
    user.wait_for("■ stopped")
    # 250 ms is the rule; a shared test machine gets more, and terminals wait before an Esc is one.
    assert time.monotonic() - began < 4
    user.wait_idle()
    kept = without_status(user)
    assert "Slowly, very" in kept
    user.wait_quiet(0.5)
    assert without_status(user) == kept
    user.ask("What is 2 + 2?", "2 + 2 = 4")


@pytest.mark.slow
def test_escape_stops_a_flood(start: Start) -> None:
    user = start("--sandbox", env=AT_A_READERS_PACE).ready()
    user.write("/demo long" + ENTER)
    user.wait_for("of a report")
    user.write(ESCAPE)
    user.wait_for("■ stopped")
    user.wait_idle()
    user.ask("What is 2 + 2?", "2 + 2 = 4")


def test_what_is_typed_while_it_starts_comes_in_order(start: Start) -> None:
    user = start("--sandbox")
    typed = ""
    for piece in ("früh ", "getippt ", "日本 ", "ends "):
        user.write(piece)
        typed += piece
        user.wait_raw(b"\x1b[?1049h" if typed.startswith("früh getippt ") else b"")
    user.ready()
    user.write("here")
    user.wait_for(lambda user: user.prompt() == typed + "here")
    assert sent(user) == []


def test_a_message_sent_while_it_starts_is_sent_once(start: Start) -> None:
    user = start("--sandbox")
    user.wait_raw(b"\x1b[?1049h")
    user.write(f"What is 2 + 2?{ENTER}and")
    user.wait_for("2 + 2 = 4")
    user.wait_for(lambda user: user.prompt() == "and")
    user.wait_idle()
    assert sent(user) == ["What is 2 + 2?"]


FLAGS_AT_THE_FIRST_FRAME = """
import sys, termios
from kai_tui.ui.terminal import posix_driver

class Watched(posix_driver.SafePosixDriver):
    def write(self, data):
        if "1049h" in data:
            translated = termios.tcgetattr(self.fileno)[0] & termios.ICRNL
            open(sys.argv[1], "w").write("translated" if translated else "as pressed")
        super().write(data)

posix_driver.SafePosixDriver = Watched
from kai_tui.cli.main import main
main(["--sandbox"])
"""


def test_enter_is_enter_from_the_first_byte_that_is_drawn(own_home: Path) -> None:
    told = own_home / "told"
    command = [sys.executable, "-c", FLAGS_AT_THE_FIRST_FRAME, str(told)]
    with Terminal(command, env={"KAI_TUI_HOME": str(own_home)}) as terminal:
        terminal.wait_for("Ctrl+P commands")
        assert told.read_text() == "as pressed"
        terminal.write(QUIT)
        assert terminal.wait_exit() == 0
        assert terminal.tty_flags_now() == terminal.tty_flags

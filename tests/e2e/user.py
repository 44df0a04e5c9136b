"""Somebody at a terminal: starts the real program, types, reads the screen.

Answers of the sandbox come at once (`KAI_TUI_SANDBOX_PACE=0`) unless a test wants to watch.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.pty_harness import ROOT, Modes, Size, Terminal

NARROW: Size = (80, 24)
WIDE: Size = (140, 45)

KAI = (sys.executable, "-m", "kai_tui")

ENTER, ESCAPE, TAB, BACK_TAB, BACKSPACE = "\r", "\x1b", "\t", "\x1b[Z", "\x7f"
UP, DOWN, RIGHT = "\x1b[A", "\x1b[B", "\x1b[C"
END, PAGE_DOWN = "\x1b[F", "\x1b[6~"
ACCOUNTS, CHATS, NEW, QUIT, READ, CLEAR = "\x0c", "\x02", "\x0e", "\x11", "\x0f", "\x15"

SETTLED = re.compile("● Ready: →|Approve is off")
"""A question is past its grace."""

NO_KEYRING = "keyring.backends.fail.Keyring"


class User(Terminal):
    """A terminal in which kai-tui runs."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        size: Size = NARROW,
        env: Mapping[str, str | None] | None = None,
    ) -> None:
        self.home = home
        super().__init__(
            [*KAI, *arguments],
            size=size,
            env={
                "KAI_TUI_HOME": str(home),
                "KAI_TUI_SANDBOX_PACE": "0",
                "PYTHON_KEYRING_BACKEND": NO_KEYRING,
                **(env or {}),
            },
        )

    def ready(self) -> User:
        """Wait for the chat screen."""
        self.wait_for("Ctrl+P commands")
        return self

    def ask(self, text: str, answer: str) -> None:
        """Send a message and wait for words of the answer, which must be new on the screen, and for its end."""
        assert answer not in self.text()
        self.write(text + ENTER)
        self.wait_for(answer)
        self.wait_idle()

    def wait_idle(self) -> None:
        """Wait until no reply is on its way."""
        self.wait_for(lambda user: "● " not in user.lines()[-1])

    def asked(self, *arguments: str) -> None:
        """Wait for a question that takes answers, read it to its end, and wait for these words in it."""
        self.wait_for("The assistant asks before it acts")
        self.read_to_the_end()
        for argument in arguments:
            self.wait_for(argument)

    def read_to_the_end(self, timeout: float = 40.0) -> None:
        """Make an open question ready to be approved: read all of it, and type the name it asks for."""
        self.wait_for(SETTLED, timeout=timeout)
        if "until the last line" in self.text():
            self.write(END)
            self.wait_for(lambda user: "until the last line" not in user.text())
            self.wait_quiet(0.1)
        asks = re.search(r"Type {2}(\S+) {2}to be able", self.text())
        for key in asks[1] if asks else "":
            self.write(key)
            self.wait_quiet(0.05)
        self.wait_for("● Ready: →")

    def deny(self) -> None:
        self.write(ENTER)
        self.wait_gone("The assistant asks before it acts")

    def approve(self) -> None:
        """Two keys, no faster than a person: keys that come in a burst do not count (A2)."""
        self.write(RIGHT)
        self.wait_for("● Ready: Enter approves")
        self.wait_quiet(0.1)
        self.write(ENTER)
        self.wait_gone("The assistant asks before it acts")

    def open_chats(self) -> None:
        """Go to the list of chats; it stands there already when the window is wide."""
        self.write(CHATS)
        self.wait_for("Today")
        self.wait_quiet(0.15)

    def prompt(self) -> str:
        """What stands in the prompt, all its lines."""
        rows = self.lines()
        top = max((number for number, row in enumerate(rows) if "╭─" in row), default=0)
        bottom = max((number for number, row in enumerate(rows) if "╰─" in row), default=0)
        inside = [row.rpartition("│")[0].rpartition("│")[2] for row in rows[top + 1 : bottom]]
        return "\n".join(line.strip() for line in inside)

    def header(self) -> str:
        """The line over the conversation."""
        return self.lines()[0]

    def leave(self, code: int = 0) -> None:
        """Quit, also when something runs; the terminal must be as it was."""
        self.write(QUIT)
        self.wait_for(lambda user: user.process.poll() is not None or "again quits" in user.text())
        if self.process.poll() is None:
            self.write(QUIT)
        assert self.wait_exit() == code
        self.assert_given_back()

    def assert_given_back(self) -> None:
        modes = Modes(self.raw)
        assert modes.left_on() == set()
        assert "25" in modes.on
        assert modes.kitty == 0
        assert self.tty_flags_now() == self.tty_flags

    def command_line(self) -> bytes:
        """What `ps` would show of the program and what it inherited."""
        return Path(f"/proc/{self.process.pid}/cmdline").read_bytes()


class Server(NamedTuple):
    """A running `kai-tui sandbox serve`."""

    base_url: str
    storage_url: str
    token: str


@contextmanager
def serving(service: str, pace: str = "0") -> Iterator[Server]:
    """The sandbox as a real server on loopback, in a process of its own."""
    command = [*KAI, "sandbox", "serve", "--service", service, "--pace", pace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield Server(ready["base_url"], ready["storage_api_url"], ready["token"])
        finally:
            process.terminate()
            assert process.wait(10) == 0


def files_holding(folder: Path, secret: str) -> list[Path]:
    """Files below a folder in which these characters stand."""
    needle = secret.encode()
    return [path for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]

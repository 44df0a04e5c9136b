"""A real terminal for tests: a program in a pty, its raw bytes, and the screen they make.

    with Terminal([sys.executable, "-m", "kai_tui", "--sandbox"], size=(80, 24)) as terminal:
        terminal.wait_for("ask, ")
        terminal.write("hello\\r")
        assert terminal.wait_exit() == 0

Needs POSIX; tests that use it skip themselves elsewhere (`posix_only`).
"""

from __future__ import annotations

import codecs
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pytest

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")

TIMEOUT = 40.0
"""Seconds a screen is waited for; generous, because test machines are slow and shared."""

ROOT = Path(__file__).parents[1]

_KITTY = re.compile(r"\x1b\[[<>=?][0-9;]*u")
"""The screen emulator misreads the kitty protocol's sequences: they are taken out before."""
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*)?\Z")
_ALTERNATE = re.compile(r"(\x1b\[\?1049[hl])")

_THIS_DESKTOP = (
    "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "WSL_INTEROP", "TERMUX_VERSION", "TERM_PROGRAM",
    "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "TMUX", "TMUX_PANE", "STY",
)  # fmt: skip
"""Where the tests run must not decide what is tested, and the clipboard there is somebody's."""

Size = tuple[int, int]


class Terminal:
    """A program in a pty of `size` (columns, rows)."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: Size = (80, 24),
        env: Mapping[str, str | None] | None = None,
        cwd: str | Path | None = None,
    ) -> None:
        """`env` is laid over this process's environment; None removes a variable."""
        import pty
        import termios

        import pyte

        self.size = size
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._rest = ""
        self._raw = bytearray()
        self._changed = threading.Condition()
        self._closed = False

        self.fd, child = pty.openpty()
        self._resize_pty(size)
        self.tty_flags = termios.tcgetattr(child)
        """The flags before the program started."""
        full = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        for name in ("NO_COLOR", *_THIS_DESKTOP):
            full.pop(name, None)
        full["PYTHONPATH"] = os.pathsep.join(
            path for path in (str(ROOT), os.environ.get("PYTHONPATH")) if path
        )
        for name, value in (env or {}).items():
            if value is None:
                full.pop(name, None)
            else:
                full[name] = value
        # The child stays open here too, so that flags can be read after the program ended.
        self._child = child
        self.process = subprocess.Popen(
            list(command),
            stdin=child,
            stdout=child,
            stderr=child,
            env=full,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    # What the program wrote

    @property
    def raw(self) -> bytes:
        """Every byte so far."""
        with self._changed:
            return bytes(self._raw)

    def lines(self) -> list[str]:
        """The rows of the screen, without spaces at their ends."""
        with self._changed:
            # Not pyte's own `display`: it stumbles over combining characters behind wide ones.
            rows, columns = range(self._screen.lines), range(self._screen.columns)
            cells = self._screen.buffer
            return ["".join(cells[row][column].data for column in columns).rstrip() for row in rows]

    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines())

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, from 0."""
        with self._changed:
            return self._screen.cursor.x, self._screen.cursor.y

    def tty_flags_now(self) -> list[object]:
        """The terminal's flags, to compare with `tty_flags`."""
        import termios

        return termios.tcgetattr(self._child)

    def wait_for(
        self, what: str | re.Pattern[str] | Callable[[Terminal], object], timeout: float = TIMEOUT
    ) -> None:
        """Wait until the screen holds a text, matches a pattern, or a condition is true."""
        if isinstance(what, str):
            self._wait(lambda: what in self.text(), timeout, repr(what))
        elif isinstance(what, re.Pattern):
            self._wait(lambda: what.search(self.text()) is not None, timeout, what.pattern)
        else:
            self._wait(lambda: what(self), timeout, str(what))

    def wait_gone(self, text: str, timeout: float = TIMEOUT) -> None:
        """Wait until the screen no longer holds a text."""
        self._wait(lambda: text not in self.text(), timeout, f"no {text!r}")

    def wait_raw(self, data: bytes, timeout: float = TIMEOUT) -> None:
        """Wait until these bytes were written."""
        self._wait(lambda: data in self.raw, timeout, repr(data))

    def wait_quiet(self, seconds: float = 0.3, timeout: float = TIMEOUT) -> None:
        """Wait until nothing was written for a while."""
        end = time.monotonic() + timeout
        with self._changed:
            while time.monotonic() < end:
                before = len(self._raw)
                self._changed.wait_for(lambda before=before: len(self._raw) != before, seconds)
                if len(self._raw) == before:
                    return
        raise AssertionError("the program never stopped writing")

    # What the program gets

    def write(self, data: str | bytes) -> None:
        """Send keys, or any bytes."""
        payload = data.encode("utf-8") if isinstance(data, str) else data
        while payload:
            payload = payload[os.write(self.fd, payload) :]

    def paste(self, text: str) -> None:
        """Send a bracketed paste."""
        self.write(f"\x1b[200~{text}\x1b[201~")

    def resize(self, size: Size) -> None:
        """Change the size and tell the program."""
        self.size = size
        with self._changed:
            self._screen.resize(size[1], size[0])
        self._resize_pty(size)
        self.signal(signal.SIGWINCH)

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    def wait_exit(self, timeout: float = TIMEOUT) -> int:
        """Wait for the end; the exit code, negative for a signal. All output is read."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the program goes on:\n{self.text()}") from None
        self.wait_quiet(0.1)
        return code

    def hang_up(self) -> None:
        """Close the window: the program's terminal is gone."""
        self._closed = True
        os.close(self._child)
        os.close(self.fd)

    def close(self) -> None:
        """End the program, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self._closed:
            self._closed = True
            os.close(self._child)
            self._reader.join(2)
            os.close(self.fd)

    # Inside

    def _wait(self, met: Callable[[], object], timeout: float, what: str) -> None:
        end = time.monotonic() + timeout
        with self._changed:
            while not met():
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"not within {timeout:g} s: {what}; the screen is\n{self.text()}")
                if self.process.poll() is not None and not self._changed.wait(0.2) and not met():
                    code = self.process.returncode
                    raise AssertionError(
                        f"the program ended with {code} before {what}; the screen is\n{self.text()}"
                    )
                self._changed.wait(min(left, 0.1))

    def _read(self) -> None:
        while not self._closed:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            with self._changed:
                self._raw += data
                text = _KITTY.sub("", self._rest + self._decode(data))
                unfinished = _UNFINISHED.search(text)
                cut = unfinished.start() if unfinished else len(text)
                self._show(text[:cut])
                self._rest = text[cut:]
                self._changed.notify_all()

    def _show(self, text: str) -> None:
        """Feed the emulator, which knows no alternate screen: leaving it shows an empty screen."""
        for piece in _ALTERNATE.split(text):
            if _ALTERNATE.fullmatch(piece) is not None:
                self._screen.erase_in_display(2)
                self._screen.cursor_position()
            else:
                self._stream.feed(piece)

    def _resize_pty(self, size: Size) -> None:
        import fcntl
        import struct
        import termios

        columns, rows = size
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _take_terminal() -> None:
    """In the child: make the pty its controlling terminal, so that a hang-up reaches it."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Modes:
    """Terminal modes as the written bytes leave them, to see that a terminal was given back."""

    def __init__(self, raw: bytes) -> None:
        self.on: set[str] = set()
        for mode, switch in re.findall(rb"\x1b\[\?([0-9]+)([hl])", raw):
            (self.on.add if switch == b"h" else self.on.discard)(mode.decode())
        self.kitty = raw.count(b"\x1b[>") - raw.count(b"\x1b[<u")

    def left_on(self) -> set[str]:
        """Modes that should be off when no program runs: all but the cursor (25) and line wrap (7)."""
        return self.on - {"25", "7"}

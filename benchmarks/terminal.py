"""A program in a real pty: spawn it, type, wait for text, take its CPU time and memory."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ESCAPES = re.compile(
    rb"\x1b(?:\[[0-9;:?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78cM]|P[^\x1b]*\x1b\\)"
)
_TICKS = os.sysconf("SC_CLK_TCK")


class Terminal:
    """One child in a pty of `columns` x `rows`. What it prints is kept in `raw`."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # Until the program switches its terminal to raw mode, the terminal would echo keys itself.
        modes = termios.tcgetattr(theirs)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        self.spawned = time.perf_counter()
        self.child = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
            start_new_session=True,
            close_fds=True,
        )
        os.close(theirs)
        os.set_blocking(ours, False)
        self.descriptor = ours
        self.raw = bytearray()
        self.bytes_seen = 0

    def write(self, data: bytes) -> None:
        """Type."""
        os.write(self.descriptor, data)

    def pump(self, seconds: float) -> bytes:
        """Read what comes within `seconds`, or until something came."""
        ready, _, _ = select.select([self.descriptor], [], [], max(0.0, seconds))
        if not ready:
            return b""
        try:
            data = os.read(self.descriptor, 1 << 20)
        except (BlockingIOError, OSError):
            return b""
        self.raw += data
        self.bytes_seen += len(data)
        return data

    def wait_for(self, text: bytes, seconds: float, since: int = 0) -> float:
        """Seconds until `text` stood in the output (escapes removed) after offset `since`.

        Raises TimeoutError.
        """
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            if self.pump(0.05) and text in ESCAPES.sub(b"", bytes(self.raw[max(0, since - 200) :])):
                return time.perf_counter() - began
        raise TimeoutError(f"{text!r} never came; the end was {bytes(self.raw[-400:])!r}")

    def drain(self, quiet: float = 0.2, most: float = 10.0) -> None:
        """Read until nothing came for `quiet` seconds."""
        ends = time.perf_counter() + most
        while time.perf_counter() < ends and self.pump(quiet):
            pass

    def cpu_seconds(self) -> float:
        """User and system time of the child so far."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_rss_mib(self) -> float:
        """Highest resident memory so far."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def close(self) -> None:
        """End the child."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        os.close(self.descriptor)


def echo_seconds(terminal: Terminal, character: bytes, limit: float = 10.0) -> float:
    """From writing a key until its glyph comes back."""
    start = len(terminal.raw)
    began = time.perf_counter()
    terminal.write(character)
    while time.perf_counter() - began < limit:
        if terminal.pump(0.02) and character in ESCAPES.sub(b"", bytes(terminal.raw[start:])):
            return time.perf_counter() - began
    raise TimeoutError(f"{character!r} was not echoed")

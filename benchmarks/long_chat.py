"""A chat of 10,000 messages: opening it, paging through it, and what else could make the program stand still.

A loopback server keeps chats of 0, 500 and 10,000 messages and one whose answer is 1 MB; a first run of the program
leaves their copies on disk. All runs open the same chats the same way, the empty one among them: it is the floor.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.served import served
from benchmarks.table import Row
from benchmarks.terminal import ESCAPES, Terminal

RUNS = 3
PAGES = 90
_CHATS = ["0", "500", "10000", "1m"]
_WELCOME = b"who can read this chat"
_KEYS = [glyph.encode() for glyph in "ßðþøæœŋđ"]
_PRESSES = 6
"""Keys typed one after another behind what may hold the program up: it may be dealt with a moment later."""
_QUIET = 0.05
"""Seconds without output after which a page is taken to be whole."""


def _server() -> AbstractContextManager[str]:
    return served("benchmarks.long_server", *_CHATS)


class _Program:
    """kai-tui in a terminal, with the list of chats loaded."""

    def __init__(self, port: str, home: str) -> None:
        address = f"http://127.0.0.1:{port}"
        self.terminal = Terminal(
            [sys.executable, "-m", "kai_tui", "--base-url", address],
            {
                "KAI_TUI_HOME": home,
                "STORAGE_API_TOKEN": "bench",
                "STORAGE_API_URL": address,
                "KAI_SERVICE": "assistant",
            },
        )
        self.terminal.wait_for(b"Chat of 1m", 20)
        self.terminal.drain(0.5)
        self._at = 0

    def _key(self, key: bytes) -> None:
        self.terminal.write(key)
        self.terminal.drain(0.1)

    def open(self, name: str) -> float:
        """Seconds from Enter on a chat in the list until its end can be read."""
        self._key(b"\x1bOQ")  # F2: to the list, where the open chat is under the cursor
        wanted = _CHATS.index(name)
        if wanted != self._at:
            self._key((b"\x1b[B" if wanted > self._at else b"\x1b[A") * abs(wanted - self._at))
        self._at = wanted
        text = _WELCOME if name == "0" else f"END{name}".encode()
        since = len(self.terminal.raw)
        began = time.perf_counter()
        self.terminal.write(b"\r")
        while text not in ESCAPES.sub(b"", bytes(self.terminal.raw[since:])):
            self.terminal.pump(0.05)
            if time.perf_counter() - began > 30:
                raise TimeoutError(f"{name}: {bytes(self.terminal.raw[-400:])!r}")
        return time.perf_counter() - began

    def typing(self, seconds: float, number: int = 0) -> float:
        """The slowest echo of keys typed one after another for a while: what goes on behind is noticed or not."""
        terminal = self.terminal
        slowest, typed = 0.0, 0
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            key = _KEYS[(number + typed) % len(_KEYS)]
            start = len(terminal.raw)
            began = time.perf_counter()
            terminal.write(key)
            while key not in terminal.raw[start:]:
                terminal.pump(0.005)
                if time.perf_counter() - began > 10:
                    raise TimeoutError(repr(key))
            slowest = max(slowest, time.perf_counter() - began)
            typed += 1
            terminal.pump(0.02)
            if typed % 8 == 0:
                terminal.write(b"\x7f" * 8)
                terminal.pump(0.05)
        terminal.write(b"\x7f" * (typed % 8))
        terminal.drain(0.1)
        return slowest

    def rss(self) -> float:
        """MiB now, once all is quiet."""
        self.terminal.drain(1.0)
        status = Path(f"/proc/{self.terminal.child.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def page(self, key: bytes) -> float:
        """Seconds from a key until the last byte of what it showed."""
        terminal = self.terminal
        began = last = time.perf_counter()
        terminal.write(key)
        while True:
            if terminal.pump(_QUIET if last > began else 1.0):
                last = time.perf_counter()
            else:
                return last - began

    def stall(self, number: int, cause: bytes = b"", size: tuple[int, int] | None = None) -> float:
        """The slowest echo of the keys typed right behind `cause`, or behind a change of the terminal's size."""
        terminal = self.terminal
        slowest = 0.0
        for press in range(_PRESSES):
            key = _KEYS[(number + press) % len(_KEYS)]
            start = len(terminal.raw)
            began = time.perf_counter()
            if size is not None and press == 0:
                window = struct.pack("HHHH", size[1], size[0], 0, 0)
                fcntl.ioctl(terminal.descriptor, termios.TIOCSWINSZ, window)
                os.kill(terminal.child.pid, signal.SIGWINCH)
            terminal.write(key if press else cause + key)
            while key not in terminal.raw[start:]:
                terminal.pump(0.005)
                if time.perf_counter() - began > 10:
                    raise TimeoutError(repr(key))
            slowest = max(slowest, time.perf_counter() - began)
        terminal.drain(0.15)
        terminal.write(b"\x7f" * _PRESSES)
        terminal.drain(0.15)
        return slowest

    def stalls(self, into: dict[str, list[float]], name: str) -> None:
        """What each cause costs in the chat that is open."""
        for number in range(4):
            into.setdefault(f"{name}, a key alone", []).append(self.stall(number))
            into.setdefault(f"{name}, theme change", []).append(self.stall(number, b"\x14"))
            into.setdefault(f"{name}, focus-out", []).append(self.stall(number, b"\x1b[O"))
            into.setdefault(f"{name}, focus-in", []).append(self.stall(number, b"\x1b[I"))
            size = (100, 40) if number % 2 == 0 else (120, 40)
            into.setdefault(f"{name}, resize", []).append(self.stall(number, size=size))


def percentile(values: list[float], share: float) -> float:
    """In milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def run() -> list[Row]:
    """Medians of the runs; the page scroll and the stalls over all of them."""
    opened: dict[str, list[float]] = {name: [] for name in _CHATS}
    grown: list[float] = []
    pages: list[float] = []
    answers: list[float] = []
    stalls: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as home, _server() as port:
        for number in range(RUNS + 1):
            program = _Program(port, home)
            try:
                for name in ("500", "0"):
                    taken = program.open(name)
                    opened[name].append(taken)
                    if number == 1 and name == "500":
                        program.terminal.drain(0.5)
                        program.stalls(stalls, "500 messages")
                empty = program.rss()
                opened["10000"].append(program.open("10000"))
                answers.append(program.typing(1.2))
                grown.append(program.rss() - empty)
                if number:
                    pages += [program.page(b"\x1b[5~") for _ in range(PAGES // RUNS)]
                if number in (1, 2):
                    program.stalls(stalls, "10,000 messages")
                opened["1m"].append(program.open("1m"))
                program.terminal.drain(1.0)
            finally:
                program.terminal.close()
    first = {name: times.pop(0) for name, times in opened.items()}
    floor = statistics.median(opened["0"])
    rows = [Row("an empty chat, open to readable", floor * 1000, "ms")]
    for name, label in (("500", "500 messages"), ("10000", "10,000 messages"), ("1m", "one message of 1 MB")):
        beyond = (statistics.median(opened[name]) - floor) * 1000
        rows.append(Row(f"{label}, open to readable beyond it", beyond, "ms", bar=60))
        unknown = (first[name] - first["0"]) * 1000
        rows.append(Row(f"{label}, the same with no copy here (n=1)", unknown, "ms"))
    rows.append(Row("10,000 messages, RSS beyond an empty chat", statistics.median(grown), "MiB", bar=25))
    label = f"key echo right after it is readable, while the server's answer comes, max (n={len(answers)})"
    rows.append(Row(label, max(answers) * 1000, "ms", bar=50))
    rows.append(Row("page scroll in it, p50", percentile(pages, 0.5), "ms"))
    rows.append(Row(f"page scroll in it, p95 (n={len(pages)})", percentile(pages, 0.95), "ms", bar=16))
    for name, times in stalls.items():
        bar = None if "alone" in name else 50
        rows.append(Row(f"key echo: {name}, max (n={len(times)})", max(times) * 1000, "ms", bar=bar))
    return rows


if __name__ == "__main__":
    from benchmarks.table import markdown

    print(markdown(run()))

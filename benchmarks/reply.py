"""One streamed reply in a real terminal: what it costs, and how keys are echoed meanwhile."""

from __future__ import annotations

import fcntl
import os
import random
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from benchmarks.corpus import END
from benchmarks.served import served
from benchmarks.table import Row
from benchmarks.terminal import Terminal, echo_seconds

_KEYS = [glyph.encode() for glyph in "ßðþøæœŋđ"]
"""In no reply and in no escape sequence, so that a glyph seen is the key's echo."""
_END = END.encode()
_QUIET_KEYS = 0.3
"""Seconds from Enter until the first key."""


@dataclass
class Streamed:
    """What one reply cost, from Enter until its last word was on screen."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system."""
    rss: float
    """MiB the peak grew by."""
    written: int
    """Bytes to the terminal."""
    echoes: list[float] = field(default_factory=list)
    """Seconds from each key until its glyph came back."""

    @property
    def share(self) -> float:
        """Per cent of one core."""
        return 100 * self.cpu / self.wall


def server(characters: int, rate: float, *, chunked: bool = False) -> AbstractContextManager[str]:
    """The port of a server whose reply has `characters`, at `rate` tokens a second (0: as fast as it goes)."""
    ways = ["chunked"] if chunked else []
    return served("benchmarks.loopback_server", str(characters), str(rate), *ways)


def kai(port: str, home: str, module: Sequence[str] = ("kai_tui",), **environment: str) -> Terminal:
    """kai-tui at that server."""
    return Terminal(
        [sys.executable, "-m", *module, "--base-url", f"http://127.0.0.1:{port}"],
        {
            "KAI_TUI_HOME": home,
            "STORAGE_API_TOKEN": "bench",
            "STORAGE_API_URL": f"http://127.0.0.1:{port}",
            "KAI_SERVICE": "assistant",
            **environment,
        },
    )


def get_stream(port: str) -> Terminal:
    """Textual's `Markdown.get_stream` at that server."""
    return Terminal([sys.executable, "-m", "benchmarks.floors.markdown_stream", port], {})


def streamed(
    characters: int,
    rate: float,
    *,
    keys: bool,
    limit: float = 170,
    floor: bool = False,
    chunked: bool = False,
) -> Streamed | None:
    """One reply to kai-tui (or to `get_stream`); None when its end was not shown within `limit` seconds."""
    with tempfile.TemporaryDirectory() as home, server(characters, rate, chunked=chunked) as port:
        terminal = get_stream(port) if floor else kai(port, home)
        try:
            return follow(terminal, limit, keys=keys)
        finally:
            terminal.close()


def follow(
    terminal: Terminal, limit: float, *, keys: bool, meanwhile: Callable[[float], None] | None = None
) -> Streamed | None:
    """Send a message, then type a key now and then until the end of the reply is on screen.

    `meanwhile` is called often with the seconds since Enter.
    """
    while not terminal.raw:
        terminal.pump(0.1)
    terminal.drain(0.5)  # the floor takes no keys before its first paint
    echo_seconds(terminal, b"Z")
    terminal.drain(1.0)
    cpu, rss, seen = terminal.cpu_seconds(), terminal.peak_rss_mib(), terminal.bytes_seen
    looked = len(terminal.raw)
    terminal.write(b"\r")
    began = time.perf_counter()
    echoes: list[float] = []
    random_ = random.Random(4)
    next_key = began + _QUIET_KEYS
    while terminal.raw.find(_END, looked) < 0:
        looked = max(looked, len(terminal.raw) - len(_END))
        now = time.perf_counter()
        if now - began > limit:
            return None
        if meanwhile is not None:
            meanwhile(now - began)
        if keys and now >= next_key:
            echoes.append(_echo_backspace(terminal, random_.choice(_KEYS)))
            next_key = time.perf_counter() + random_.uniform(0.03, 0.1)
        else:
            terminal.pump(0.01)
    return Streamed(
        time.perf_counter() - began,
        terminal.cpu_seconds() - cpu,
        terminal.peak_rss_mib() - rss,
        terminal.bytes_seen - seen,
        echoes,
    )


def _echo_backspace(terminal: Terminal, key: bytes) -> float:
    """Echo of a key that is taken back at once, so that the prompt stays one line."""
    start = len(terminal.raw)
    began = time.perf_counter()
    terminal.write(key)
    while time.perf_counter() - began < 10:
        terminal.pump(0.005)
        if terminal.raw.find(key, start) >= 0:
            break
    taken = time.perf_counter() - began
    terminal.write(b"\x7f")
    return taken


def resize(terminal: Terminal, columns: int, rows: int = 40) -> None:
    """The user changes the window."""
    fcntl.ioctl(terminal.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.killpg(terminal.child.pid, 28)  # SIGWINCH


def percentile(values: Sequence[float], share: float) -> float:
    """In milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else float("nan")


def echo_rows(name: str, echoes: Sequence[float], p95: float | None, most: float | None) -> list[Row]:
    """Rows of key echo, with bars in ms."""
    return [
        Row(f"{name}, key echo {label} (n={len(echoes)})", percentile(echoes, share), "ms", bar=bar)
        for label, share, bar in (("p50", 0.5, None), ("p95", 0.95, p95), ("max", 1.0, most))
    ]


def never(name: str) -> list[Row]:
    """The row of a reply whose end never came."""
    return [Row(f"{name}: end never shown", float("inf"), "s", bar=0.0)]

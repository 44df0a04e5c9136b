"""The prompt under big pastes: from the paste's last byte until it stands there, and keys behind it."""

from __future__ import annotations

import os
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row
from benchmarks.terminal import ESCAPES, Terminal, echo_seconds

PASTE_MS = 50
ECHO_RATIO = 2.0
_KEYS = b"bdghkqvxz" * 2
_MEGABYTE = 1_000_000
_PASTES = {
    "in rows": (b"2026-11-20,West,some words of data,12345.67\n" * 23_000)[:_MEGABYTE],
    "in one line": (b"2026-11-20,West,some words of data,12345.67 " * 23_000)[:_MEGABYTE],
}


def _send(terminal: Terminal, data: bytes) -> None:
    """All of it, as fast as the terminal takes it; what the program draws is read meanwhile."""
    view = memoryview(data)
    while view:
        readable, writable, _ = select.select([terminal.descriptor], [terminal.descriptor], [], 1.0)
        if readable:
            terminal.pump(0)
        if writable:
            view = view[os.write(terminal.descriptor, view[:65536]) :]


def _paste(terminal: Terminal, text: bytes, number: int) -> float:
    """Seconds from the last byte of the paste until its label stands in the prompt."""
    since = len(terminal.raw)
    _send(terminal, b"\x1b[200~" + text + b"\x1b[201~")
    began = time.perf_counter()
    label = b"[pasted 976.6 KB"
    while time.perf_counter() - began < 20:
        terminal.pump(0.002)
        if label in ESCAPES.sub(b"", bytes(terminal.raw[since:])):
            return time.perf_counter() - began
    raise TimeoutError(f"paste {number} never stood in the prompt")


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


def run() -> list[Row]:
    """A megabyte pasted five times each way (the median counts: the machine is not ours alone), typing behind each."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as home:
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(home, "compiled"))}
        for name, text in _PASTES.items():
            terminal = Terminal(
                [sys.executable, "-m", "kai_tui", "--sandbox"], {"KAI_TUI_HOME": home, **compiled}
            )
            try:
                terminal.wait_for(b"New chat", 30)
                terminal.drain(1.0)
                pastes: list[float] = []
                echoes: list[float] = []
                without: list[float] = []
                for number in range(5):
                    without += [echo_seconds(terminal, bytes([key])) for key in _KEYS]
                    terminal.write(b"\x15")
                    terminal.drain(0.3)
                    pastes.append(_paste(terminal, text, number))
                    echoes += [echo_seconds(terminal, bytes([key])) for key in _KEYS]
                    terminal.write(b"\x0b\x15")
                    terminal.drain(0.3)
                rows += [
                    Row(
                        f"1 MB {name} pasted, on screen", statistics.median(pastes) * 1000, "ms", bar=PASTE_MS
                    ),
                    Row(
                        f"1 MB {name} in the prompt: key echo p95",
                        _p95(echoes) * 1000,
                        "ms",
                        "empty prompt",
                        _p95(without) * 1000,
                        bar=ECHO_RATIO,
                    ),
                ]
            finally:
                terminal.close()
    return rows

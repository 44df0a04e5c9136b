"""A query result of 100,000 rows of 12 columns in the real program: opened in the viewer, scrolled, sorted."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import AbstractContextManager

from benchmarks.big_table_server import END, token
from benchmarks.served import served
from benchmarks.table import Row
from benchmarks.terminal import Terminal, echo_seconds

ROWS = 100_000
_PAGE = 34
"""Rows a page goes on at 120x40: one less than there are in the window."""
_DOWN, _PAGE_DOWN = b"\x1b[B", b"\x1b[6~"
_BATCHES = 3


def _server() -> AbstractContextManager[str]:
    return served("benchmarks.big_table_server", str(ROWS))


def _until(terminal: Terminal, key: bytes, text: bytes, limit: float = 20.0) -> float:
    """Seconds from a key until a text comes."""
    start = len(terminal.raw)
    began = time.perf_counter()
    terminal.write(key)
    while time.perf_counter() - began < limit:
        terminal.pump(0.005)
        if text in terminal.raw[start:]:
            return time.perf_counter() - began
    raise TimeoutError(f"{text!r} never came after {key!r}; the end was {bytes(terminal.raw[-300:])!r}")


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def _median(batches: list[list[float]], share: float) -> float:
    """Of the batches' percentiles: what else the machine did in one of them does not decide."""
    return statistics.median(_percentile(batch, share) for batch in batches)


def _open(terminal: Terminal) -> float:
    """Ask for the table, then open it while the conversation is read; seconds from the key to its first row."""
    while not terminal.raw:
        terminal.pump(0.1)
    terminal.drain(0.5)
    echo_seconds(terminal, b"Z")
    terminal.drain(1.0)
    start = len(terminal.raw)
    terminal.write(b"\r")
    terminal.wait_for(END.split()[-1].encode(), 60, start)
    terminal.drain(2.0, 20)
    terminal.write(b"\x0f")  # Ctrl+O: read
    terminal.drain(0.5)
    terminal.write(b"\x1b[A")  # from the answer up to the call
    terminal.drain(0.5)
    return _until(terminal, b"t", token(0).encode())


def _scroll(terminal: Terminal, key: bytes, row: int, step: int, count: int) -> tuple[list[float], int]:
    """Seconds from each key until the row it goes to is seen."""
    taken: list[float] = []
    for _ in range(count):
        row += step
        taken.append(_until(terminal, key, token(row).encode()))
        # A hand does not press sooner; what comes behind the row is painted too.
        terminal.drain(0.012, 0.03)
    return taken, row


def run() -> list[Row]:
    """Open, scroll while the rest is read, scroll, sort, filter."""
    opened: list[float] = []
    figures: list[Row] = []
    for number in range(3):
        with tempfile.TemporaryDirectory() as home, _server() as port:
            address = f"http://127.0.0.1:{port}"
            terminal = Terminal(
                [sys.executable, "-m", "kai_tui", "--base-url", address],
                {
                    "KAI_TUI_HOME": home,
                    "STORAGE_API_TOKEN": "bench",
                    "STORAGE_API_URL": address,
                    "KAI_SERVICE": "assistant",
                },
            )
            try:
                opened.append(_open(terminal))
                if number == 2:
                    figures = _inside(terminal)
            finally:
                terminal.close()
    return [
        Row("100,000 × 12 table: key to grid (median of 3)", statistics.median(opened) * 1000, "ms", bar=100),
        *figures,
    ]


def _inside(terminal: Terminal) -> list[Row]:
    busy, row = _scroll(terminal, _PAGE_DOWN, 0, _PAGE, 20)
    terminal.drain(0.6, 10)
    cpu = terminal.cpu_seconds()
    pages: list[list[float]] = []
    for _ in range(_BATCHES):
        taken, row = _scroll(terminal, _PAGE_DOWN, row, _PAGE, 60)
        pages.append(taken)
    cpu = (terminal.cpu_seconds() - cpu) / (_BATCHES * 60)
    lines: list[list[float]] = []
    for _ in range(_BATCHES):
        taken, row = _scroll(terminal, _DOWN, row, 1, 60)
        lines.append(taken)
    terminal.drain(0.3)
    terminal.write(b"s")
    began = time.perf_counter()
    terminal.drain(0.05, 0.1)
    echoes = [_until(terminal, _DOWN, token(row + number + 1).encode()) for number in range(5)]
    # Ascending tokens begin with zeros.
    first = min(map(token, range(ROWS))).encode()
    terminal.wait_for(first, 20, 0) if first not in terminal.raw else None
    sorted_after = time.perf_counter() - began
    return [
        Row("100,000 × 12 table: page p95 while it is still read", _percentile(busy, 0.95), "ms"),
        Row("100,000 × 12 table: page scroll p50", _median(pages, 0.5), "ms"),
        Row("100,000 × 12 table: page scroll p95", _median(pages, 0.95), "ms", bar=16),
        Row("100,000 × 12 table: page scroll CPU a page", cpu * 1000, "ms"),
        Row("100,000 × 12 table: line scroll p95", _median(lines, 0.95), "ms", bar=16),
        Row("100,000 × 12 table: key while it is sorted, max", max(echoes) * 1000, "ms"),
        Row("100,000 × 12 table: sorted after", sorted_after, "s"),
    ]


if __name__ == "__main__":
    from benchmarks.table import markdown

    print(markdown(run()))

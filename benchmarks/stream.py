"""Markdown through a loopback server in 4-character tokens: CPU, memory, bytes, and key echo meanwhile."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.reply import (
    Streamed,
    echo_rows,
    follow,
    kai,
    never,
    percentile,
    resize,
    server,
    streamed,
)
from benchmarks.table import Row

TOKEN = 4
"""Characters."""
P95, MOST = 25, 60
"""Milliseconds a key may take while anything streams."""
RSS = 60
"""MiB a reply may add."""
SMALL = 30_000
"""Characters that `Markdown.get_stream` is measured with: 100 KB take it minutes."""
SLOW = 8_000
"""Characters of the reply at 100 tokens a second."""


def run() -> list[Row]:
    """All figures of streaming; three to four minutes."""
    rows: list[Row] = []
    for name, characters, bar in (("100 KB", 100_000, 8), ("1 MB", 1_000_000, 5)):
        rows += _full_speed(f"{name} at full speed", characters, bar)
    rows += _full_speed("1 MB at full speed, each token an HTTP chunk", 1_000_000, 5, chunked=True)
    rows += _paced()
    rows += _human_speed()
    rows += _widths()
    return rows


def _no_screen(characters: int, *, chunked: bool) -> float:
    with server(characters, 0, chunked=chunked) as port:
        output = subprocess.run(
            [sys.executable, "-m", "benchmarks.floors.no_screen", port],
            capture_output=True,
            text=True,
            check=True,
        )
    return float(output.stdout)


def _full_speed(name: str, characters: int, bar: float, *, chunked: bool = False) -> list[Row]:
    floor = statistics.median(_no_screen(characters, chunked=chunked) for _ in range(3))
    # A short reply is over before many keys could be typed: it is streamed until there are enough.
    runs: list[Streamed] = []
    for _ in range(9 if characters < 500_000 else 3):
        one = streamed(characters, 0, keys=True, chunked=chunked)
        if one is None:
            return never(name)
        runs.append(one)
    echoes = [echo for one in runs for echo in one.echoes]
    return [
        Row(
            f"{name}, CPU",
            statistics.median(one.cpu for one in runs),
            "s",
            "httpx + httpx-sse + json + pydantic",
            floor,
            bar,
        ),
        Row(f"{name}, wall", statistics.median(one.wall for one in runs), "s"),
        Row(f"{name}, RSS growth", max(one.rss for one in runs), "MiB", bar=RSS),
        *echo_rows(name, echoes, P95, MOST),
    ]


def _paced() -> list[Row]:
    """1 MB at 100 KB/s, and against Textual's own `get_stream`."""
    name = "1 MB at 100 KB/s"
    reply = streamed(1_000_000, 100_000 / TOKEN, keys=False)
    typed = streamed(1_000_000, 100_000 / TOKEN, keys=True)
    if reply is None or typed is None:
        return never(name)
    floor = streamed(SMALL, 0, keys=False, limit=120, floor=True)
    # Scaled in proportion, which is kind to it: its cost for each character grows with the length.
    scaled = floor.cpu * 1_000_000 / SMALL if floor is not None else float("inf")
    return [
        Row(f"{name}, CPU of a core", reply.share, "%", bar=30),
        Row(f"{name}, CPU of a core while 12 keys a second are typed", typed.share, "%"),
        Row(
            f"{name}, CPU of the whole run",
            reply.cpu,
            "s",
            f"Markdown.get_stream, {SMALL // 1000} KB × {1_000_000 / SMALL:.0f}",
            scaled,
            0.1,
        ),
        Row(f"{name}, RSS growth", max(reply.rss, typed.rss), "MiB", bar=RSS),
        *echo_rows(name, typed.echoes, P95, MOST),
    ]


def _human_speed() -> list[Row]:
    """8 KB at 100 tokens a second: once read only, once while keys are typed, once by `get_stream`."""
    name = "8 KB at 100 tokens/s"
    read = streamed(SLOW, 100, keys=False, limit=60)
    chunks = streamed(SLOW, 100, keys=False, limit=60, chunked=True)
    typed = streamed(SLOW, 100, keys=True, limit=60)
    floor = streamed(SLOW, 100, keys=False, limit=120, floor=True)
    if read is None or typed is None or chunks is None:
        return never(name)
    thousands = SLOW / TOKEN / 1000
    return [
        Row(f"{name}, CPU of a core", read.share, "%", bar=8),
        Row(f"{name}, CPU of a core, each token an HTTP chunk", chunks.share, "%", bar=8),
        Row(f"{name}, CPU of a core while 12 keys a second are typed", typed.share, "%"),
        Row(
            f"{name}, to the terminal for 1,000 tokens",
            read.written / 1024 / thousands,
            "KiB",
            "Markdown.get_stream",
            floor.written / 1024 / thousands if floor is not None else float("inf"),
            0.25,
        ),
        *echo_rows(name, typed.echoes, 16, MOST),
    ]


def _widths() -> list[Row]:
    """The window's width changes ten times while a reply of 1 MB is followed: how long the loop is held."""
    name = "widths change while following 1 MB at 100 KB/s"
    widths = [100, 120, 90, 140, 110, 80, 120, 70, 130, 120]
    changed: list[float] = []
    with tempfile.TemporaryDirectory() as home, server(1_000_000, 100_000 / TOKEN) as port:
        report = Path(home) / "stalls"
        terminal = kai(port, home, ("benchmarks.stalls",), STALLS=str(report))

        def change(since: float) -> None:
            # In the second half: there the reply is long.
            if len(changed) < len(widths) and since > 5 + 0.4 * len(changed):
                resize(terminal, widths[len(changed)])
                changed.append(time.perf_counter())

        try:
            reply = follow(terminal, 60, keys=False, meanwhile=change)
        finally:
            terminal.close()
        stalls = [tuple(map(float, line.split())) for line in report.read_text().splitlines()]
    if reply is None:
        return never(name)
    near = [length for ended, length in stalls if any(at <= ended <= at + 0.3 for at in changed)]
    other = [length for ended, length in stalls if not any(at <= ended <= at + 0.3 for at in changed)]
    return [
        Row(f"{name}, longest hold of the loop", percentile(near or [0.0], 1.0), "ms", bar=50),
        Row("the same reply, longest hold at other times", percentile(other or [0.0], 1.0), "ms"),
    ]

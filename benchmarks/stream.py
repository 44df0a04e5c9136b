"""100 KB and 1 MB of markdown through a loopback server: CPU seconds and key echo while it streams."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.corpus import END
from benchmarks.table import Row
from benchmarks.terminal import Terminal, echo_seconds

_KEYS = [glyph.encode() for glyph in "ßðþøæœŋđ"]
"""In no reply and in no escape sequence, so that a glyph seen is the key's echo."""


@contextmanager
def _server(characters: int, rate: float) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.loopback_server", str(characters), str(rate)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def _no_screen(characters: int) -> float:
    with _server(characters, 0) as port:
        output = subprocess.run(
            [sys.executable, "-m", "benchmarks.floors.no_screen", port],
            capture_output=True,
            text=True,
            check=True,
        )
    return float(output.stdout)


def _kai(port: str, home: str) -> Terminal:
    return Terminal(
        [sys.executable, "-m", "kai_tui", "--base-url", f"http://127.0.0.1:{port}"],
        {
            "KAI_TUI_HOME": home,
            "STORAGE_API_TOKEN": "bench",
            "STORAGE_API_URL": f"http://127.0.0.1:{port}",
            "KAI_SERVICE": "assistant",
        },
    )


def _stream(
    terminal: Terminal, limit: float, *, type_keys: bool = True
) -> dict[str, float | list[float]] | None:
    """Send a message, then type a key now and then until the end of the reply is on screen."""
    while not terminal.raw:
        terminal.pump(0.1)
    terminal.drain(0.5)  # the floor takes no keys before its first paint
    echo_seconds(terminal, b"Z")
    terminal.drain(1.0)
    cpu, rss, seen = terminal.cpu_seconds(), terminal.peak_rss_mib(), terminal.bytes_seen
    start = len(terminal.raw)
    terminal.write(b"\r")
    began = time.perf_counter()
    echoes: list[float] = []
    random_ = random.Random(4)
    marker = END.encode()
    next_key = began + 0.3
    while marker not in terminal.raw[start:]:
        if time.perf_counter() - began > limit:
            return None
        if type_keys and time.perf_counter() >= next_key:
            echoes.append(_echo_backspace(terminal, random_.choice(_KEYS)))
            next_key = time.perf_counter() + random_.uniform(0.03, 0.1)
        else:
            terminal.pump(0.01)
    return {
        "wall": time.perf_counter() - began,
        "cpu": terminal.cpu_seconds() - cpu,
        "rss": terminal.peak_rss_mib() - rss,
        "bytes": float(terminal.bytes_seen - seen),
        "echoes": echoes,
    }


def _echo_backspace(terminal: Terminal, key: bytes) -> float:
    """Echo of a key that is taken back at once, so that the prompt stays one line."""
    start = len(terminal.raw)
    began = time.perf_counter()
    terminal.write(key)
    while time.perf_counter() - began < 10:
        terminal.pump(0.005)
        if key in terminal.raw[start:]:
            break
    taken = time.perf_counter() - began
    terminal.write(b"\x7f")
    return taken


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else float("nan")


def run() -> list[Row]:
    """All sizes; the slow floor only at 100 KB and within a limit."""
    rows: list[Row] = []
    for name, characters in (("100 KB", 100_000), ("1 MB", 1_000_000)):
        floor = statistics.median(_no_screen(characters) for _ in range(3))
        with tempfile.TemporaryDirectory() as home, _server(characters, 0) as port:
            terminal = _kai(port, home)
            try:
                figures = _stream(terminal, 170)
            finally:
                terminal.close()
        if figures is None:
            rows.append(Row(f"{name} at full speed: end never shown", float("inf"), "s"))
            continue
        echoes = figures["echoes"]
        assert isinstance(echoes, list)
        rows.append(
            Row(f"{name} at full speed, CPU", _value(figures, "cpu"), "s", "httpx + httpx-sse + json", floor)
        )
        rows.append(Row(f"{name} at full speed, wall", _value(figures, "wall"), "s"))
        rows.append(Row(f"{name} at full speed, RSS growth", _value(figures, "rss"), "MiB"))
        rows += _echo_rows(f"{name} at full speed", echoes)
    rows += _markdown_floor()
    rows += _human_speed()
    return rows


def _value(figures: dict[str, float | list[float]], name: str) -> float:
    value = figures[name]
    assert isinstance(value, float)
    return value


def _echo_rows(name: str, echoes: list[float]) -> list[Row]:
    return [
        Row(f"{name}, key echo {label} (n={len(echoes)})", _percentile(echoes, share), "ms")
        for label, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
    ]


def _markdown_floor() -> list[Row]:
    """Textual's `Markdown.get_stream` with 30 KB (100 KB takes minutes), scaled by nothing: said as it is."""
    characters = 30_000
    results: dict[str, float] = {}
    for program in ("kai-tui", "get_stream"):
        with tempfile.TemporaryDirectory() as home, _server(characters, 0) as port:
            terminal = (
                _kai(port, home)
                if program == "kai-tui"
                else Terminal([sys.executable, "-m", "benchmarks.floors.markdown_stream", port], {})
            )
            try:
                figures = _stream(terminal, 120, type_keys=False)
            finally:
                terminal.close()
            results[program] = _value(figures, "cpu") if figures is not None else float("inf")
    return [
        Row("30 KB at full speed, CPU", results["kai-tui"], "s", "Markdown.get_stream", results["get_stream"])
    ]


def _human_speed() -> list[Row]:
    """8 KB at 100 tokens a second."""
    with tempfile.TemporaryDirectory() as home, _server(8_000, 100) as port:
        terminal = _kai(port, home)
        try:
            figures = _stream(terminal, 60)
        finally:
            terminal.close()
    if figures is None:
        return [Row("8 KB at 100 tokens/s: end never shown", float("inf"), "s")]
    echoes = figures["echoes"]
    assert isinstance(echoes, list)
    share = 100 * _value(figures, "cpu") / _value(figures, "wall")
    return [
        Row("8 KB at 100 tokens/s, CPU of a core", share, "%"),
        Row("8 KB at 100 tokens/s, bytes to the terminal", _value(figures, "bytes") / 1024, "KiB"),
        *_echo_rows("8 KB at 100 tokens/s", echoes),
    ]

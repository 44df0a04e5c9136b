"""Spawn → first key echoed on the chat screen, against a bare Textual app run in turn with it.

Also the import time by module of what the first paint needs.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.table import Row
from benchmarks.terminal import Terminal, echo_seconds

RUNS = 9
BAR = 1.3
_KAI = [sys.executable, "-m", "kai_tui", "--sandbox"]
_BARE = [sys.executable, "-m", "benchmarks.floors.bare_textual"]


def _start(
    command: list[str], environment: dict[str, str], ready: bytes | None
) -> tuple[float, float, float]:
    """(wall seconds until the key was echoed, CPU seconds by then, peak RSS in MiB)."""
    terminal = Terminal(command, environment)
    try:
        # Keys typed before the program reads them are its own type-ahead; wait for the first paint.
        while not terminal.raw or (ready is not None and ready not in terminal.raw):
            terminal.pump(1.0)
        echo_seconds(terminal, b"Z")
        import time

        return time.perf_counter() - terminal.spawned, terminal.cpu_seconds(), terminal.peak_rss_mib()
    finally:
        terminal.close()


def _import_times(environment: dict[str, str]) -> list[tuple[str, float]]:
    """The heaviest imports of the chat screen (own time summed per top-level package, milliseconds)."""
    code = "import kai_tui.cli.main, kai_tui.services.account_service, kai_tui.ui.app"
    output = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    ).stderr
    sums: dict[str, float] = {}
    for line in output.splitlines():
        found = re.match(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", line)
        if found:
            package = found[2].split(".")[0]
            sums[package] = sums.get(package, 0.0) + int(found[1]) / 1000
    return sorted(sums.items(), key=lambda item: -item[1])[:10]


def run() -> list[Row]:
    """Interleaved runs of both; medians."""
    with tempfile.TemporaryDirectory() as home:
        # As installed: compiled files are there (the first runs write them), whatever this shell says.
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(home, "compiled"))}
        environment = {"KAI_TUI_HOME": str(Path(home)), **compiled}
        kai: list[tuple[float, float, float]] = []
        bare: list[tuple[float, float, float]] = []
        _start(_KAI, environment, None)  # warm files
        _start(_BARE, compiled, None)
        for _ in range(RUNS):
            bare.append(_start(_BARE, {"TEXTUAL_FPS": "240", **compiled}, None))
            kai.append(_start(_KAI, environment, None))
        imports = _import_times(compiled)
    print("Import time of the first paint by package (ms, own time):")
    for package, milliseconds in imports:
        print(f"  {package:<20} {milliseconds:6.1f}")
    rows: list[Row] = []
    for at, name, unit in ((0, "wall", "s"), (1, "CPU", "s"), (2, "peak RSS", "MiB")):
        ours = statistics.median(run[at] for run in kai)
        floor = statistics.median(run[at] for run in bare)
        rows.append(
            Row(
                f"start → first key echoed, {name}",
                ours,
                unit,
                "bare Textual app",
                floor,
                BAR if at == 0 else None,
            )
        )
    return rows

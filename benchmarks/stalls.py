"""kai-tui with a clock in its event loop: how long it was held up.

`STALLS=FILE python -m benchmarks.stalls …` runs the program; every hold of more than 5 ms is a line in
the file: the monotonic second at which it ended, and its length in seconds.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import sys
import time
from typing import Any

os.environ.setdefault("TEXTUAL_FPS", "240")  # as kai_tui does, before Textual is loaded

from textual.app import App

_EVERY = 0.002
_WORTH = 0.005

_run = App[Any].run_async


async def _watch() -> None:
    with open(os.environ["STALLS"], "w", buffering=1) as report:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_EVERY)
            ended = time.perf_counter()
            if ended - began - _EVERY > _WORTH:
                report.write(f"{ended} {ended - began - _EVERY}\n")


async def _watched(self: App[Any], *args: Any, **options: Any) -> Any:
    task = asyncio.create_task(_watch())
    try:
        return await _run(self, *args, **options)
    finally:
        task.cancel()


if __name__ == "__main__":
    App.run_async = _watched  # type: ignore[method-assign]
    sys.argv[0] = "kai-tui"
    runpy.run_module("kai_tui", run_name="__main__")

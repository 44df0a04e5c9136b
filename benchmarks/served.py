"""A server of a benchmark: a program of its own, so that what it costs does not count."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def served(module: str, *arguments: str) -> Generator[str]:
    """The port at which `python -m module` listens; it prints it first, and is ended behind the block."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()

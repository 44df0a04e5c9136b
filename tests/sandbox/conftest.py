"""A sandbox served on a socket, for the tests that need one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def served() -> Iterator[dict[str, str]]:
    """What `kai-tui sandbox serve` printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kai_tui", "sandbox", "serve", "--pace", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        try:
            process.wait(10)
        finally:
            process.kill()
            process.stdout.close()

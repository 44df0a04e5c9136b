"""The demo app in a real terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pty_harness import Size, Terminal

CANARY = "4321-987654-ZyXwVuTsRqPoNmLkJiHgFeDcBa987654321098"

Start = Callable[..., Terminal]


@pytest.fixture
def start(own_home: Path) -> Iterator[Start]:
    """Start the demo app: `start("plain")`; ended after the test."""
    terminals: list[Terminal] = []

    def begin(mode: str = "plain", size: Size = (80, 24), ready: str = "ready") -> Terminal:
        script = Path(__file__).with_name("demo_app.py")
        command = [sys.executable, str(script), mode]
        terminal = Terminal(command, size=size, env={"CANARY": CANARY}, cwd=own_home)
        terminals.append(terminal)
        if ready:
            terminal.wait_for(ready)
        return terminal

    yield begin
    for terminal in terminals:
        terminal.close()

"""How the program sets Python up before anything runs."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from kai_tui.cli.main import main


@pytest.fixture(autouse=True)
def _as_before():
    interval, collects = sys.getswitchinterval(), gc.isenabled()
    yield
    sys.setswitchinterval(interval)
    if collects:
        gc.enable()


def test_a_thread_with_a_key_gets_the_interpreter_at_once(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three changes of thread lie between a key and its glyph: with Python's 5 ms, 20 ms while a reply streams."""
    found: list[float] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.argv", ["kai-tui", "--sandbox"])
    monkeypatch.setattr("kai_tui.cli.logs.set_up_logging", lambda _: None)
    monkeypatch.setattr("kai_tui.ui.app.run_app", lambda *_: found.append(sys.getswitchinterval()) or 0)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    assert found
    assert found[0] <= 0.001

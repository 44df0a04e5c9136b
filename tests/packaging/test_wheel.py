"""The built wheel, in an empty environment, runs: nothing the program needs is missing from it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network: the build backend is among the development packages."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    tracked = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "kai_tui").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert tracked <= packed
    assert not [name for name in packed if name.startswith(("tests/", "benchmarks/", "screenshots/"))]


@pytest.mark.slow
def test_the_wheel_runs_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Needs the package index that pip is set up for."""
    from tests.pty_harness import Terminal

    venv.create(tmp_path / "env", with_pip=True)
    scripts = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    command = scripts / "kai-tui"
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("kai-tui ")
    with Terminal([str(command), "--sandbox"], env={"KAI_TUI_HOME": str(tmp_path / "home")}) as terminal:
        terminal.wait_for("ask")
        terminal.write(b"What tables do I have?\r")
        terminal.wait_for("customers", timeout=30)
        terminal.wait_gone("Esc stop")  # leaving in the middle of a reply would ask first
        terminal.write(b"\x11")
        assert terminal.wait_exit() == 0

"""What every test needs: never this user's files, never this user's keyring."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from itertools import count
from pathlib import Path

# Compiled once, not anew by every worker and by every program a test starts (a third of the suite's time).
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# httpcore imports sniffio before every lock it takes; where it is not installed, that is a search of all
# folders each time, and a fifth of what a test of a backend costs.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
for _name in (
    "STORAGE_API_TOKEN",
    "STORAGE_API_URL",
    "KAI_BASE_URL",
    "KAI_SERVICE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "COLUMNS",  # pytest-xdist sets these, and they would count for more than the size of a test's terminal
    "LINES",
):
    os.environ.pop(_name, None)

import pytest  # noqa: E402 - the environment comes first
from hypothesis import settings  # noqa: E402

from tests.some import EXAMPLES, leave_some  # noqa: E402

settings.register_profile("kai-tui", max_examples=EXAMPLES or 40, deadline=None)
settings.load_profile("kai-tui")


_homes = count()

# What collecting makes stays until the end: the collector need not look through it, then or later.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_some(items)


def pytest_collection_finish() -> None:
    gc.freeze()
    # Seldom: an app leaves much behind, and looking through it at the usual pace is a twentieth of the suite's time.
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All files of the program go to a folder of this test."""
    # Counted here: pytest counts by reading a folder that has thousands of them.
    home = tmp_path_factory.mktemp(f"kai-home-{next(_homes)}", numbered=False)
    monkeypatch.setenv("KAI_TUI_HOME", str(home))
    return home

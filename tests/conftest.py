"""What every test needs: never this user's files, never this user's keyring."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
for _name in (
    "STORAGE_API_TOKEN",
    "STORAGE_API_URL",
    "KAI_BASE_URL",
    "KAI_SERVICE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
):
    os.environ.pop(_name, None)

import pytest  # noqa: E402 - the environment comes first


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All files of the program go to a folder of this test."""
    home = tmp_path_factory.mktemp("kai-home")
    monkeypatch.setenv("KAI_TUI_HOME", str(home))
    return home

"""Real files in temporary folders, and other processes to share them with."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from kai_tui.storage.chats import CACHE_SCHEMA
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import STATE_SCHEMA
from kai_tui.storage.paths import Paths, app_paths
from kai_tui.storage.schema import Schema

NOBODY = 65534


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return app_paths({"KAI_TUI_HOME": str(tmp_path / "home")})


Open = Callable[..., Database]


@pytest.fixture
async def open_db() -> AsyncIterator[Open]:
    """Open databases that are closed at the end of the test."""
    opened: list[Database] = []

    def open_one(path: Path, kind: str = "state", schema: Schema | None = None) -> Database:
        schema = schema or (STATE_SCHEMA if kind == "state" else CACHE_SCHEMA)
        database = Database.open(path, schema, kind=kind)  # type: ignore[arg-type]
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        await database.aclose()


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder where fsync costs nothing, for tests that open very many files."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=shared, prefix="kai-tui-test-") as folder:
        yield Path(folder)


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    os.umask(before)
    yield os.umask
    os.umask(before)


# Everything is imported first: the interpreter itself may stand where only root can read.
_BECOME_ORDINARY = f"""
import os, sqlite3, traceback, asyncio, urllib.request
import kai_tui.storage.chats, kai_tui.storage.drafts, kai_tui.storage.credentials
import kai_tui.storage.accounts, kai_tui.storage.settings
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
"""


@pytest.fixture
def ordinary() -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run Python code as a user whom permissions bind (root they do not), in a folder of that user."""
    with tempfile.TemporaryDirectory(prefix="kai-tui-test-") as folder:
        root = os.name == "posix" and os.geteuid() == 0
        if root:
            os.chown(folder, NOBODY, NOBODY)

        def run(code: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-c", _BECOME_ORDINARY + code],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=60,
            )

        yield run

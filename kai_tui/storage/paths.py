"""Where our files live: below `KAI_TUI_HOME`, else where the platform wants them (design.md §5, §6)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

APP = "kai-tui"
COPIED = "copied.txt"
"""In the folder of state: the last text that no clipboard took."""

NOWHERE = Path(os.devnull) / APP
"""Stands for "this user has no home folder": nothing can be made below it, so all is kept in memory."""

LEDGER_STEM = ".ledger"
LEDGER_SUFFIX = f"{LEDGER_STEM}.sqlite"
LEDGER_HEAD = f"{LEDGER_STEM}.head"

_SAFE_CHARACTERS = 40
_UNSAFE = re.compile(r"[^a-z0-9]+")


class Paths(NamedTuple):
    """The four folders. None of them is made before something is written."""

    config: Path
    """Settings, edited by hand too."""
    data: Path
    """What cannot be fetched again: accounts, drafts, outbox, decisions."""
    cache: Path
    """Copies of what servers have; may vanish at any time."""
    state: Path
    """Logs and crash reports."""


class AccountFiles:
    """The SQLite files of one account (T21). Where they are is asked when one is wanted."""

    def __init__(self, places: Callable[[], tuple[Path, Path]]) -> None:
        """`places` gives the files of `state` and `cache`."""
        self._places = places

    @cached_property
    def state(self) -> Path:
        """What cannot be fetched again."""
        return self._places()[0]

    @cached_property
    def cache(self) -> Path:
        """Copies of what servers have."""
        return self._places()[1]

    @property
    def ledger(self) -> Path:
        """What was decided (`ledger.py`); its name begins as that of the state file, so it is purged with it."""
        return self.state.with_suffix(LEDGER_SUFFIX)


def app_paths(environ: Mapping[str, str] = os.environ) -> Paths:
    """The folders for this run. `KAI_TUI_HOME=DIR` puts all four below DIR."""
    home = environ.get("KAI_TUI_HOME", "").strip()
    if home:
        root = Path(home)
        with suppress(RuntimeError):  # "~someone" who does not exist
            root = root.expanduser()
        root = root.absolute()
        return Paths(root / "config", root / "data", root / "cache", root / "state")
    import platformdirs

    folders = platformdirs.PlatformDirs(APP, appauthor=False)
    return Paths(
        _absolute(folders.user_config_path),
        _absolute(folders.user_data_path),
        _absolute(folders.user_cache_path),
        _absolute(folders.user_state_path),
    )


def _absolute(path: Path) -> Path:
    """Without a home folder `~` stays as it is; do not make a folder of that name where we stand."""
    return path if path.is_absolute() else NOWHERE


def safe_name(account_id: str) -> str:
    """A file name for an account: readable, on every file system, and different for different ids."""
    import hashlib

    digest = hashlib.sha256(account_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    readable = _UNSAFE.sub("-", account_id.lower())[:_SAFE_CHARACTERS].strip("-")
    return f"{readable}-{digest}" if readable else digest


def account_files(paths: Paths, account_id: str) -> AccountFiles:
    """The files of an account. The id may be anything: it never becomes a path."""

    def places() -> tuple[Path, Path]:
        name = safe_name(account_id)
        return (
            paths.data / "accounts" / f"{name}.state.sqlite",
            paths.cache / "accounts" / f"{name}.cache.sqlite",
        )

    return AccountFiles(places)


def credential_file(paths: Paths, account_id: str) -> Path:
    """Where a token is kept when the user said yes to a plain file (C1)."""
    return paths.data / "credentials" / safe_name(account_id)


def remove_account_files(paths: Paths, account_id: str) -> None:
    """Purge: every file we ever made for this account, also what was set aside and backed up (P18).

    Close its databases first. Raises OSError for the first file that cannot be removed.
    """
    # Nobody knows which account its text is of.
    (paths.state / COPIED).unlink(missing_ok=True)
    files = account_files(paths, account_id)
    for file in (files.state, files.cache, credential_file(paths, account_id)):
        if not file.parent.is_dir():
            continue
        stem = file.name.removesuffix(".sqlite")
        for found in file.parent.iterdir():
            if found.name.lstrip(".").startswith(stem):
                found.unlink(missing_ok=True)


def ledgers(paths: Paths) -> list[Path]:
    """The ledgers of all accounts, also of those that were signed out of, and those that are gone and whose kept
    head is still there. Raises OSError when the folder is there and cannot be read."""
    try:
        files = [file for file in (paths.data / "accounts").iterdir() if LEDGER_STEM in file.suffixes]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(
        {file.with_suffix(".sqlite") for file in files if file.name.endswith((LEDGER_SUFFIX, LEDGER_HEAD))}
    )

"""Which windows of this account are still open: what one of them has in hand is not taken up by another.

Every window holds a lock on a small file of its own. The system lets go of it however the process ends,
kill -9 included. SQLite's locks, because they work the same on every system.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from kai_tui.storage.private import make_private_directory, make_private_file


class Presence:
    """This window, and a look at the others. All methods block for about a millisecond; none raises."""

    def __init__(self, state_file: Path) -> None:
        """`state_file`: the account's state file, beside which the locks are."""
        self._stem = state_file.name.removesuffix(".sqlite")
        self._folder = state_file.parent
        self._lock: sqlite3.Connection | None = None
        self.owner = secrets.token_hex(8)
        """Names this window in rows it has in hand."""

    def announce(self) -> None:
        """From now on others see that this window is open. Without a writable folder they do not."""
        if self._lock is not None:
            return
        path = self._path(self.owner)
        try:
            make_private_directory(path.parent)
            make_private_file(path)
            lock = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            lock.execute("BEGIN EXCLUSIVE")
        except (OSError, sqlite3.Error):
            return
        self._lock = lock

    def alive(self, owner: str) -> bool:
        """Whether that window is open. What a dead one left behind is removed."""
        if owner == self.owner:
            return True
        path = self._path(owner)
        if not owner.isalnum() or not path.exists():
            return False
        try:
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as look:
                look.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            return True
        with suppress(OSError):
            path.unlink()
        return False

    def alone(self) -> bool:
        """Whether no other window of this account is open."""
        mark = f"{self._stem}.open-"
        try:
            names = [each.name for each in self._folder.iterdir()]
        except OSError:
            return True
        owners = [name.removeprefix(mark) for name in names if name.startswith(mark)]
        return not any(self.alive(owner) for owner in owners if owner != self.owner and owner.isalnum())

    def leave(self) -> None:
        """This window closes."""
        if self._lock is None:
            return
        with suppress(sqlite3.Error):
            self._lock.close()
        self._lock = None
        with suppress(OSError):
            self._path(self.owner).unlink()

    def _path(self, owner: str) -> Path:
        return self._folder / f"{self._stem}.open-{owner}"

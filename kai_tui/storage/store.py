"""One SQLite file with everything that can happen to it while it is open. Used by one thread only.

`database.py` puts it behind the event loop.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kai_tui.storage.copies import backup_daily, renew_backups
from kai_tui.storage.errors import StorageError
from kai_tui.storage.faults import Fault, fault_of, sqlite_errors
from kai_tui.storage.opening import (
    Opened,
    check,
    disk_full,
    open_in_memory,
    open_store,
    transaction,
    unwritable,
)
from kai_tui.storage.private import sweep_strays
from kai_tui.storage.schema import Schema, StoreKind, is_sound

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

HEAL_SECONDS = 5.0
"""How often a disk that refused writes is tried again."""
_PENDING_LIMIT = 5000
_PROGRESS_STEPS = 5000


class Store:
    """Reads and writes; falls back to memory and returns to the disk by itself."""

    def __init__(self, path: Path, schema: Schema, kind: StoreKind) -> None:
        self._path = path
        self._schema = schema
        self._kind: StoreKind = kind
        self._opened: Opened | None = None
        self._pending: deque[tuple[object, Callable[[sqlite3.Connection], Any]]] = deque(
            maxlen=_PENDING_LIMIT
        )
        """State writes that are in memory only, in order; done again on disk once that works."""
        self._tried = 0.0
        self._checked = False
        self._backed_up = False
        self.notice: str | None = None

    @property
    def in_memory(self) -> bool:
        return self._opened is not None and self._opened.path is None

    def open(self) -> Opened:
        """Open the file if it is not open."""
        if self._opened is None:
            self._use(open_store(self._path, self._schema, self._kind))
            sweep_strays(self._path.parent)
        assert self._opened is not None
        return self._opened

    def _use(self, opened: Opened) -> None:
        old, self._opened = self._opened, opened
        if old is not None:
            old.connection.close()
        self.notice = opened.notice
        self._tried = time.monotonic()
        self._checked = self._backed_up = opened.fresh

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on one consistent view. It may run a second time when the file had to be replaced."""
        opened = self.open()
        try:
            return transaction(opened.connection, "BEGIN", work)
        except sqlite_errors() as error:
            fault = self._judge(error, opened)
            if opened.path is None or fault not in ("damaged", "moved", "unwritable"):
                raise self._typed(error, fault) from error
            self._reopen(fault)
            return transaction(self.open().connection, "BEGIN", work)

    def write(self, work: Callable[[sqlite3.Connection], T], replaces: object = None) -> T:
        """Run `work` in one transaction (BEGIN IMMEDIATE, S3). It may run again, see `read`.

        `replaces`: it makes up for the work before it of the same name, which need not be done again. None: it does not.

        Raises StorageError when it could be kept neither on disk nor, for state, in memory.
        """
        self._heal()
        opened = self.open()
        if opened.path is None:
            return self._write_in_memory(opened, work, replaces)
        try:
            return transaction(opened.connection, "BEGIN IMMEDIATE", work)
        except sqlite_errors() as error:
            fault = self._judge(error, opened)
            if fault in ("other", "busy", "interrupted"):
                raise self._typed(error, fault) from error
            return self._write_after(fault, work, replaces)

    def _judge(self, error: Exception, opened: Opened) -> Fault:
        """A statement that SQLite finds wrong is our mistake, unless the file turned our tables into others."""
        fault = fault_of(error)
        if fault == "other" and opened.path is not None:
            try:
                return "other" if is_sound(opened.connection, self._schema) else "damaged"
            except sqlite_errors():
                return "damaged"
        return fault

    def _write_after(self, fault: Fault, work: Callable[[sqlite3.Connection], T], replaces: object) -> T:
        """A write failed: mend what can be mended and write once more."""
        if fault == "full":
            self._make_room()
        else:
            self._reopen(fault)
        opened = self.open()
        if opened.path is not None:
            try:
                return transaction(opened.connection, "BEGIN IMMEDIATE", work)
            except sqlite_errors() as error:
                fault = fault_of(error)
                if fault in ("other", "busy", "interrupted") or (fault == "full" and self._kind == "cache"):
                    raise self._typed(error, fault) from error
                sentence = disk_full(self._path) if fault == "full" else unwritable(self._path, str(error))
                self._use(open_in_memory(self._path, self._schema, self._kind, sentence, may_heal=True))
                opened = self.open()
        return self._write_in_memory(opened, work, replaces)

    def _write_in_memory(
        self, opened: Opened, work: Callable[[sqlite3.Connection], T], replaces: object
    ) -> T:
        result = transaction(opened.connection, "BEGIN", work)
        if self._kind == "state" and opened.may_heal:
            self._remember(work, replaces)
        return result

    def _remember(self, work: Callable[[sqlite3.Connection], Any], replaces: object) -> None:
        """To be done on disk later; in the place of what it replaces, unless something else came between."""
        place = len(self._pending) - 1
        while replaces is not None and place >= 0 and self._pending[place][0] is not None:
            if self._pending[place][0] == replaces:
                self._pending[place] = (replaces, work)
                return
            place -= 1
        self._pending.append((replaces, work))

    def _make_room(self) -> None:
        if self._schema.make_room is not None:
            with suppress(*sqlite_errors()):
                transaction(self.open().connection, "BEGIN IMMEDIATE", self._schema.make_room)

    def _reopen(self, fault: Fault) -> None:
        """The file was moved, removed or broken: open what is there now."""
        old, self._opened = self._opened, None
        assert old is not None
        broken = old.identity if fault == "damaged" else None
        if broken is not None:
            old.connection.close()  # Windows does not rename open files
        opened = open_store(self._path, self._schema, self._kind, broken=broken)
        if self._kind == "state" and fault != "damaged" and (opened.fresh or opened.path is None):
            # Removed under us: the open connection can still read what was in it.
            with suppress(*sqlite_errors()):
                old.connection.backup(opened.connection)
        old.connection.close()
        self._use(opened)

    def _heal(self, *, now: bool = False) -> None:
        """Go back from memory to the disk, when that works again, with all that was written meanwhile."""
        opened = self._opened
        if opened is None or opened.path is not None or not opened.may_heal:
            return
        if not now and time.monotonic() - self._tried < HEAL_SECONDS:
            return
        self._tried = time.monotonic()
        disk = open_store(self._path, self._schema, self._kind)
        if disk.path is None:
            disk.connection.close()
            return
        try:
            if disk.fresh and self._kind == "state":
                opened.connection.backup(disk.connection)
            else:
                transaction(disk.connection, "BEGIN IMMEDIATE", self._replay)
        except sqlite_errors():
            disk.connection.close()
            return
        self._pending.clear()
        self._use(disk)

    def _replay(self, connection: sqlite3.Connection) -> None:
        for _, work in self._pending:
            work(connection)

    @property
    def restless(self) -> bool:
        """Whether `idle` has something to do."""
        opened = self._opened
        if opened is None:
            return False
        if opened.path is None:
            return opened.may_heal
        return not (self._checked and self._backed_up)

    def idle(self, wanted: Callable[[], bool]) -> None:
        """Slow work while nobody waits: check the whole file (S5), back it up (S10).

        `wanted` tells that somebody waits now: the work is broken off and done later.
        """
        self._heal()
        opened = self._opened
        if opened is None or opened.path is None or not self.restless:
            return
        opened.connection.set_progress_handler(lambda: int(wanted()), _PROGRESS_STEPS)
        try:
            if not self._checked:
                check(opened.connection, self._schema)
                self._checked = True
            if self._kind == "state" and not self._backed_up:
                backup_daily(opened.connection, opened.path)
            self._backed_up = True
        except sqlite_errors() as error:
            if fault_of(error) == "damaged":
                self._reopen("damaged")
            elif fault_of(error) != "interrupted":
                self._checked = self._backed_up = True  # not while this process runs
        except OSError:
            self._backed_up = True
        finally:
            if self._opened is opened:
                opened.connection.set_progress_handler(None, 0)

    def renew_backups(self) -> None:
        """After a deletion; see `copies.renew_backups`."""
        opened = self.open()
        if opened.path is not None:
            with suppress(OSError, *sqlite_errors()):
                renew_backups(opened.connection, opened.path)

    def close(self) -> None:
        """Save what is still in memory, if that works now, and close."""
        self._heal(now=bool(self._pending))
        if self._opened is not None:
            self._opened.connection.close()
            self._opened = None

    def _typed(self, error: Exception, fault: Fault) -> Exception:
        if fault == "busy":
            return StorageError("Not saved: another kai-tui window kept the file busy for 5 s.", fault="busy")
        if fault == "full":
            return StorageError(
                f"The disk is full ({self._path.parent}): no local copies of chats are kept.", fault="full"
            )
        if fault in ("damaged", "unwritable", "moved"):
            return StorageError(f"{self._path} cannot be read ({error}).", fault="failed")
        return error

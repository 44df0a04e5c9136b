"""Opening a SQLite file whatever state it is in (reliability.md §4, S1, S2, S5)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kai_tui.storage.copies import before_migration, restore_backup, set_database_aside
from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.faults import CannotMigrate, Damaged, NewerFile, fault_of, sqlite_errors
from kai_tui.storage.paths import NOWHERE
from kai_tui.storage.private import exclusive, make_private_directory, make_private_file
from kai_tui.storage.schema import Schema, StoreKind, get_version, is_sound, set_version, table_names

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

BUSY_MILLISECONDS = 5000
_CHECKED_AT_OPEN_BYTES = 4 * 1024 * 1024
"""Up to here a whole check costs a few milliseconds; larger files are checked when idle."""


@dataclass(slots=True)
class Opened:
    """An open connection, on disk or in memory."""

    connection: sqlite3.Connection
    path: Path | None
    """None when in memory."""
    notice: str | None = None
    """One sentence for the user."""
    fresh: bool = False
    """The file was made just now."""
    may_heal: bool = False
    """In memory for a reason that may pass (disk full, folder not writable)."""
    identity: tuple[int, int] | None = None
    """Which file this is, whatever its name has become."""


def transaction(connection: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run `work` between `begin` and COMMIT; whatever it raises rolls everything back."""
    connection.execute(begin)
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def identity_of(path: Path) -> tuple[int, int] | None:
    """The file that has this name now."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def open_store(
    path: Path, schema: Schema, kind: StoreKind, *, broken: tuple[int, int] | None = None
) -> Opened:
    """Open `path`, or what can stand in for it. Never raises for the state of the disk.

    `broken`: this file (see `identity_of`) is known to be damaged though it may look well.
    """
    if broken is not None:
        return _rebuild(path, schema, kind, broken)
    try:
        return _open_on_disk(path, schema, kind)
    except NewerFile:
        if kind == "cache":
            # The newer program keeps its file; ours stands beside it.
            beside = path.with_name(f"{path.stem}.v{schema.version}{path.suffix}")
            if beside != path and not path.stem.endswith(f".v{schema.version}"):
                return open_store(beside, schema, kind)
        return open_in_memory(
            path,
            schema,
            kind,
            f"{path} was written by a newer kai-tui and is left as it is: upgrade to change it. "
            "What you do now is kept in memory only.",
        )
    except CannotMigrate as error:
        return open_in_memory(
            path,
            schema,
            kind,
            f"{path} could not be brought up to date ({error}) and is left as it is. "
            "What you do now is kept in memory only.",
        )
    except OSError as error:
        full = error.errno == errno.ENOSPC
        sentence = disk_full(path) if full else unwritable(path, reason(error))
        return open_in_memory(path, schema, kind, sentence, may_heal=True)
    except sqlite_errors() as error:
        fault = fault_of(error)
        if fault in ("damaged", "other"):  # other: "unsupported file format"
            return _rebuild(path, schema, kind)
        if fault == "full":
            return open_in_memory(path, schema, kind, disk_full(path), may_heal=True)
        return open_in_memory(path, schema, kind, unwritable(path, str(error)), may_heal=True)


def unwritable(path: Path, why: str) -> str:
    """The sentence for a folder we cannot write to."""
    if NOWHERE in path.parents:
        return "You have no home folder here, so this session is kept in memory only. Set KAI_TUI_HOME to a folder of yours."
    return f"Your data folder cannot be written ({path.parent}: {why}). This session is kept in memory only."


def disk_full(path: Path) -> str:
    """The sentence for a full disk."""
    return f"Not saved: the disk is full ({path.parent}). What you type is kept in memory and saved once there is room."


def _open_on_disk(path: Path, schema: Schema, kind: StoreKind) -> Opened:
    make_private_directory(path.parent)
    make_private_file(path)
    if not os.access(path.parent, os.W_OK):
        # The journal could not be made: SQLite would only notice at the first write.
        raise PermissionError(13, "Permission denied", str(path.parent))
    check_header(path)
    connection = connect(str(path))
    try:
        version = get_version(connection)
        if version > schema.version:
            raise NewerFile
        fresh = version == 0
        if fresh:
            transaction(connection, "BEGIN IMMEDIATE", lambda c: _create(c, schema))
        elif version < schema.version:
            if kind == "cache":
                connection.close()
                _remove_database(path)
                return _open_on_disk(path, schema, kind)
            _migrate(connection, path, schema, version)
        missing = set(schema.tables) - table_names(connection)
        if missing:
            raise Damaged(f"tables missing: {', '.join(sorted(missing))}")
        if kind == "state" and path.stat().st_size <= _CHECKED_AT_OPEN_BYTES:
            check(connection, schema)
    except BaseException:
        connection.close()
        raise
    return Opened(connection, path, fresh=fresh, identity=identity_of(path))


def check_header(path: Path) -> None:
    """Raises Damaged, OSError. SQLite opens a file with a wrong format number as read-only instead of calling it broken."""
    with path.open("rb") as file:
        header = file.read(20)
    if header and (not header.startswith(b"SQLite format 3\0") or not set(header[18:20]) <= {1, 2}):
        raise Damaged("not a database")


def connect(target: str) -> sqlite3.Connection:
    """A connection as all of our files want it. Raises one of `sqlite_errors`."""
    import sqlite3

    connection = sqlite3.connect(target, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, uri=False)
    connection.text_factory = lenient
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA trusted_schema = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def lenient(text: bytes) -> str:
    """One flipped bit in a text must not cost the text."""
    return text.decode("utf-8", "replace")


def _create(connection: sqlite3.Connection, schema: Schema) -> None:
    """Two processes may get here at once; the second finds the work done."""
    version = get_version(connection)
    if version == schema.version:
        return
    if version != 0 or table_names(connection):
        raise Damaged("not a file of ours")
    for statement in schema.create:
        connection.execute(statement)
    set_version(connection, schema, schema.version)


def _migrate(connection: sqlite3.Connection, path: Path, schema: Schema, version: int) -> None:
    if version < 0:
        raise Damaged(f"version {version}")
    before_migration(connection, path, version)

    def steps(connection: sqlite3.Connection) -> None:
        # Another process may have been here first.
        for step in range(get_version(connection), schema.version):
            schema.migrations[step](connection)
            set_version(connection, schema, step + 1)

    try:
        transaction(connection, "BEGIN IMMEDIATE", steps)
    except sqlite_errors() as error:
        if fault_of(error) != "other":
            raise
        raise CannotMigrate(str(error)) from error
    except Exception as error:  # a mistake of ours must not cost the user's data
        raise CannotMigrate(str(error) or type(error).__name__) from error


def check(connection: sqlite3.Connection, schema: Schema) -> None:
    """Raises Damaged when pages of the file contradict each other or our tables are not ours any more (S5)."""
    if not is_sound(connection, schema):
        raise Damaged("the check failed")


def _remove_database(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _rebuild(path: Path, schema: Schema, kind: StoreKind, broken: tuple[int, int] | None = None) -> Opened:
    """Set a broken file aside; state comes back from its newest good backup, a cache starts empty.

    Other windows may have met the same file: one of them mends it, the others find it mended.
    """
    try:
        with exclusive(path):
            if broken is None or identity_of(path) != broken:
                with suppress(*sqlite_errors()):
                    return _open_on_disk(path, schema, kind)
            aside = set_database_aside(path)
            opened, restored = _restored(path, schema, kind) if kind == "state" else (None, None)
            if opened is None:
                opened = _open_on_disk(path, schema, kind)
    except StorageError:
        sentence = unwritable(path, "another kai-tui window is mending the file")
        return open_in_memory(path, schema, kind, sentence, may_heal=True)
    except (OSError, NewerFile, CannotMigrate, *sqlite_errors()) as error:
        return open_in_memory(path, schema, kind, unwritable(path, str(error)), may_heal=True)
    opened.notice = _rebuilt_sentence(kind, aside, restored)
    return opened


def _restored(path: Path, schema: Schema, kind: StoreKind) -> tuple[Opened | None, str | None]:
    """The newest backup that opens, and its day."""
    for day in restore_backup(path):
        with suppress(OSError, NewerFile, CannotMigrate, *sqlite_errors()):
            return _open_on_disk(path, schema, kind), day
        _remove_database(path)
    return None, None


def _rebuilt_sentence(kind: StoreKind, aside: Path, restored: str | None) -> str:
    if kind == "cache":
        return "The local copy of your chats was damaged and is fetched anew from the server."
    then = f"the backup of {restored} was restored" if restored else "an empty one was made"
    return (
        f"The file with your drafts was damaged: it was set aside as {aside} and {then}. "
        f'To look for more: sqlite3 "{aside.name}" .recover'
    )


def open_in_memory(
    path: Path, schema: Schema, kind: StoreKind, notice: str | None, *, may_heal: bool = False
) -> Opened:
    """A database in memory; for state with a copy of what can still be read on disk."""
    import sqlite3

    connection = sqlite3.connect("file::memory:", isolation_level=None, uri=True)
    connection.text_factory = lenient
    connection.execute("PRAGMA foreign_keys = ON")
    transaction(connection, "BEGIN", lambda c: _create(c, schema))
    if kind == "state":
        with suppress(OSError, *sqlite_errors()):
            _copy_rows(connection, path, schema)
    return Opened(connection, None, notice, may_heal=may_heal)


def _copy_rows(memory: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Read what is on disk without changing it, column by column: the file may be newer than we are."""
    if not path.is_file() or path.stat().st_size == 0:
        return
    memory.execute("ATTACH DATABASE ? AS disk", (f"{path.absolute().as_uri()}?mode=ro",))
    try:
        there = table_names(memory, "disk")
        for table in schema.tables:
            if table not in there:
                continue
            ours = _columns(memory, "main", table)
            theirs = set(_columns(memory, "disk", table))
            both = ", ".join(column for column in ours if column in theirs)
            # Names come from our own schema.
            memory.execute(f"INSERT OR IGNORE INTO main.{table} ({both}) SELECT {both} FROM disk.{table}")  # noqa: S608
    finally:
        memory.execute("DETACH DATABASE disk")


def _columns(connection: sqlite3.Connection, database: str, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f"PRAGMA {database}.table_info({table})")]

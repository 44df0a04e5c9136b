"""Copies of a database file: set aside when broken, kept before a migration, backed up daily (S10)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kai_tui.storage.private import (
    dated_files,
    dated_name,
    keep_newest,
    make_private_file,
    set_aside,
    sync_directory,
    write_private,
)

if TYPE_CHECKING:
    import sqlite3

BACKUPS_KEPT = 3


def set_database_aside(path: Path) -> Path:
    """Move a broken database to `NAME.broken-DATE`. Raises OSError.

    Its journal must not stay: SQLite would roll it back into the next file of this name.
    """
    aside = set_aside(path)
    for suffix in ("-journal", "-wal", "-shm"):
        side = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            side.unlink()
    return aside


def before_migration(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Keep the file as it is before it is migrated. Raises OSError, sqlite3.Error: then nothing is migrated."""
    target = dated_name(path, f"v{version}")
    _copy(connection, target)
    keep_newest(target, path, f"v{version}", 1)


def backup_daily(connection: sqlite3.Connection, path: Path) -> None:
    """One backup a day (UTC), three kept. Raises OSError, sqlite3.Error."""
    today = datetime.now(UTC).strftime("%Y%m%d")
    if any(f".backup-{today}" in file.name for file in dated_files(path, "backup")):
        return
    target = dated_name(path, "backup")
    _copy(connection, target)
    keep_newest(target, path, "backup", BACKUPS_KEPT)


def renew_backups(connection: sqlite3.Connection, path: Path) -> None:
    """After a deletion: no backup may still hold what was deleted (P18). Raises OSError, sqlite3.Error."""
    old = dated_files(path, "backup")
    for file in old:
        file.unlink(missing_ok=True)
    if old:
        backup_daily(connection, path)


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        make_private_file(temporary)  # SQLite itself would make it 0644
        connection.execute("VACUUM INTO ?", (str(temporary),))
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_directory(target.parent)


def restore_backup(path: Path) -> Iterator[str]:
    """Put one backup after the other in place, the newest first; yields the day of each (YYYY-MM-DD)."""
    for file in reversed(dated_files(path, "backup")):
        try:
            write_private(path, file.read_bytes())
        except OSError:
            continue
        day = file.name.rpartition(".backup-")[2]
        yield f"{day[:4]}-{day[4:6]}-{day[6:8]}"

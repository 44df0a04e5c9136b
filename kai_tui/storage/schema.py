"""What a SQLite file of ours looks like, and how an older one becomes a newer one."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from sqlite3 import Connection

StoreKind: TypeAlias = Literal["state", "cache"]
"""`state` is user data: migrated, backed up, never thrown away. `cache` may be rebuilt at any time."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one file. `PRAGMA user_version` on disk tells which version a file has."""

    version: int
    """1 or higher; 0 is an empty file."""
    tables: tuple[str, ...]
    """Every table that must be there, those others refer to first."""
    create: tuple[str, ...]
    """SQL statements for an empty file."""
    migrations: Mapping[int, Callable[[Connection], None]] = field(
        default_factory=dict[int, "Callable[[Connection], None]"]
    )
    """State only: `migrations[n]` turns version n into n + 1, inside one transaction."""
    make_room: Callable[[Connection], None] | None = None
    """Cache only: throw away the oldest half when the disk is full."""


def set_version(connection: Connection, schema: Schema, version: int) -> None:
    """Mark the file as being of this version, with its tables as they are now."""
    connection.execute(f"PRAGMA user_version = {int(version)}")
    connection.execute(f"PRAGMA application_id = {_fingerprint(connection, schema)}")


def _fingerprint(connection: Connection, schema: Schema) -> int:
    """Of our tables as SQLite has them; what somebody adds by hand does not count."""
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
    ).fetchall()
    ours = [row for row in rows if row[0] in schema.tables]
    return zlib.crc32(repr(ours).encode("utf-8", "replace")) & 0x7FFFFFFF


def is_sound(connection: Connection, schema: Schema) -> bool:
    """Whether the tables are the ones we made, and every page and index agrees. Takes long for a large file."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != _fingerprint(connection, schema):
        return False
    return bool(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")


def get_version(connection: Connection) -> int:
    """0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def table_names(connection: Connection, database: str = "main") -> set[str]:
    """The tables that are really there."""
    rows = connection.execute(f"SELECT name FROM {database}.sqlite_master WHERE type = 'table'")  # noqa: S608 - our word
    return {str(row[0]) for row in rows if not str(row[0]).startswith("sqlite_")}

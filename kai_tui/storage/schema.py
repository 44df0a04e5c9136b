"""What a SQLite file of ours looks like, and how an older one becomes a newer one."""

from __future__ import annotations

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


def set_version(connection: Connection, version: int) -> None:
    """A pragma takes no parameters."""
    connection.execute(f"PRAGMA user_version = {int(version)}")


def get_version(connection: Connection) -> int:
    """0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def table_names(connection: Connection, database: str = "main") -> set[str]:
    """The tables that are really there."""
    rows = connection.execute(f"SELECT name FROM {database}.sqlite_master WHERE type = 'table'")  # noqa: S608 - our word
    return {str(row[0]) for row in rows if not str(row[0]).startswith("sqlite_")}

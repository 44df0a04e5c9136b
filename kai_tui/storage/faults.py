"""What a SQLite error means for us."""

from __future__ import annotations

from typing import Literal, TypeAlias

Fault: TypeAlias = Literal["damaged", "moved", "full", "unwritable", "busy", "interrupted", "other"]

# Primary result codes (sqlite.org/rescode.html); the sqlite3 module of Python 3.11 names only some.
_FAULTS: dict[int, Fault] = {
    3: "unwritable",  # PERM
    5: "busy",
    6: "busy",  # LOCKED
    8: "unwritable",  # READONLY
    9: "interrupted",
    10: "unwritable",  # IOERR
    11: "damaged",  # CORRUPT
    13: "full",
    14: "unwritable",  # CANTOPEN
    26: "damaged",  # NOTADB
}
_READONLY_DBMOVED = 1032


class Damaged(Exception):
    """The file opens but is not one of ours: foreign tables, missing tables, failed check."""


class NewerFile(Exception):
    """A newer version of the program wrote this file."""


class CannotMigrate(Exception):
    """An older file that we could not bring up to date; it is unchanged."""


def sqlite_errors() -> tuple[type[Exception], ...]:
    """What comes out of the sqlite3 module. A damaged file also makes it fail at decoding its own words."""
    import sqlite3

    return (sqlite3.Error, UnicodeDecodeError, Damaged)


def fault_of(error: Exception) -> Fault:
    """Sort one of `sqlite_errors`. `other` is a mistake of ours (a wrong statement) and is not hidden."""
    if isinstance(error, Damaged | UnicodeDecodeError):
        return "damaged"
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return "other"
    if code == _READONLY_DBMOVED:
        return "moved"
    return _FAULTS.get(code & 0xFF, "other")

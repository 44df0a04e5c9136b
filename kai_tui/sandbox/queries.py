"""Runs a stranger's SELECT on the project: reads only, for a short time, a limited number of rows.

Names may be written the Keboola way ("in.c-shop"."orders", also with a database in front), without
quotes (in.c-shop.orders) or bare (orders). The dialect is SQLite's.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kai_tui.sandbox.project import NotPossible, Project, quoted

ROW_LIMIT = 1_000
"""Rows a query brings that does not ask for a number of its own."""
MOST_ROWS = 20_000
"""Rows a query may ask for with a LIMIT at its end."""
SECONDS = 3.0
CELL_LIMIT = 1_000_000
"""Longest text or blob a query may make, in bytes."""
SIZE_LIMIT = 2_000_000
"""All text of a result together, in characters."""

_STEPS_BETWEEN_LOOKS_AT_THE_CLOCK = 5_000

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')
      | (?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])
      | (?P<bare>\b(?:in|out|sys)\.c-[A-Za-z0-9_-]+(?:\.[A-Za-z_]\w*)?)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_BUCKET = re.compile(r"(in|out|sys)\.c-[\w-]+", re.IGNORECASE)
_MISSING_TABLE = re.compile(r"no such table: (?:main\.|temp\.)?(.+)")

_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


_LIMIT = re.compile(r"\blimit\s+(\d{1,9})\s*;?\s*\Z", re.IGNORECASE)


class QueryFailed(NotPossible):
    """The query was not run, or not to its end; the text says why."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What a query brought."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    cut: bool
    """There are more rows than were asked for, or than fit."""


def rows_asked_for(sql: str) -> int:
    """How many rows a statement may bring."""
    found = _LIMIT.search(sql)
    return min(int(found[1]), MOST_ROWS) if found is not None else ROW_LIMIT


def run_query(project: Project, sql: str, *, limit: int = ROW_LIMIT, seconds: float = SECONDS) -> QueryResult:
    """Run one reading statement. Raises QueryFailed."""
    statement = in_sqlite_words(sql)
    with project.reader() as connection:
        names = _offer_bare_names(connection)
        connection.execute("PRAGMA query_only=ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL_LIMIT)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_authorizer(_may)
        end = time.monotonic() + seconds
        connection.set_progress_handler(
            lambda: int(time.monotonic() > end), _STEPS_BETWEEN_LOOKS_AT_THE_CLOCK
        )
        try:
            cursor = connection.execute(statement)
            if cursor.description is None:
                raise QueryFailed("Only statements that read are run here: SELECT or WITH.")
            rows, cut = _some(cursor, limit)
        except sqlite3.Error as error:
            raise QueryFailed(_explain(error, names, seconds)) from None
        except (sqlite3.Warning, ValueError, OverflowError) as error:
            raise QueryFailed(f"SQL error: {error}") from None
        columns = [str(column[0]) for column in cursor.description]
        cursor.close()
    return QueryResult(columns, rows, cut)


def _some(cursor: sqlite3.Cursor, limit: int) -> tuple[list[tuple[Any, ...]], bool]:
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        size += sum(len(cell) for cell in row if isinstance(cell, str | bytes))
        if len(rows) == limit or size > SIZE_LIMIT:
            return rows, True
        rows.append(row)
    return rows, False


def in_sqlite_words(sql: str) -> str:
    """`sql` with Keboola's table names turned into the names of our tables."""
    pieces: list[str] = []
    at = 0
    waiting: list[str] = []  # quoted names joined by dots: "db"."in.c-shop"."orders"

    def flush() -> None:
        pieces.append(_joined(waiting))
        waiting.clear()

    for match in _TOKEN.finditer(sql):
        between = sql[at : match.start()]
        at = match.end()
        if waiting and between.strip() != ".":
            flush()
        if not waiting:
            pieces.append(between)
        name = match["quoted"]
        if name is not None:
            waiting.append(_unquoted(name))
        else:
            if waiting:
                flush()
                pieces.append(between)
            pieces.append(quoted(match["bare"]) if match["bare"] is not None else match[0])
    if waiting:
        flush()
    pieces.append(sql[at:])
    return "".join(pieces)


def _unquoted(name: str) -> str:
    inside = name[1:-1]
    return inside.replace('""', '"') if name[0] == '"' else inside


def _joined(names: list[str]) -> str:
    names = list(names)
    for index, name in enumerate(names[:-1]):
        if _BUCKET.fullmatch(name) is not None:
            # What stands before the bucket names the database: there is only one.
            names = [f"{name}.{names[index + 1]}", *names[index + 2 :]]
            break
    return ".".join(quoted(name) for name in names)


def _offer_bare_names(connection: sqlite3.Connection) -> list[str]:
    """Let `orders` stand for `in.c-shop.orders`; the first bucket wins. Returns all table ids."""
    ids = [row[0] for row in connection.execute("SELECT id FROM kai_tables ORDER BY id")]
    taken: set[str] = set()
    for table_id in ids:
        bare = table_id.rsplit(".", 1)[-1]
        if bare.lower() in taken:
            continue
        taken.add(bare.lower())
        connection.execute(f"CREATE TEMP VIEW {quoted(bare)} AS SELECT * FROM main.{quoted(table_id)}")  # noqa: S608
    return ids


def _may(action: int, first: str | None, _second: str | None, _db: str | None, _source: str | None) -> int:
    """SQLite asks before anything is done: reading tables of the project is all that is allowed."""
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and not (first or "").lower().startswith(("kai_", "sqlite_", "pragma_")):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _explain(error: sqlite3.Error, names: Iterable[str], seconds: float) -> str:
    text = str(error)
    if text == "interrupted":
        return f"The query took longer than {seconds:g} seconds and was stopped. Read fewer rows."
    if re.search("not authorized|prohibited|authorization denied|cannot modify|readonly database", text):
        return "Only statements that read tables of this project are run here: SELECT or WITH."
    missing = _MISSING_TABLE.fullmatch(text)
    if missing is not None:
        near = nearest(missing[1], names)
        hint = f" Did you mean {near}?" if near else ""
        return f"SQL error: there is no table {missing[1]}.{hint}"
    return f"SQL error: {text}"


def nearest(name: str, table_ids: Iterable[str]) -> str | None:
    """The table id that looks most like `name`."""
    by_name = {table_id.rsplit(".", 1)[-1].lower(): table_id for table_id in table_ids}
    found = difflib.get_close_matches(name.rsplit(".", 1)[-1].lower(), list(by_name), n=1, cutoff=0.6)
    return by_name[found[0]] if found else None

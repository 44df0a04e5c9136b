"""The project of the sandbox: one SQLite file (or memory) with a small company and the chats about it.

Tables of the project are SQLite tables named by their whole id (`in.c-shop.orders`); ours begin
with `kai_`. This module opens, guards and seeds the file. What is in it is the business of
`catalog.py`, `configs.py`, `jobs.py`, `queries.py` and `chats.py`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kai_tui.sandbox import company, workplace

SCHEMA_VERSION = 1
BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE kai_facts(name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE kai_buckets(
    id TEXT PRIMARY KEY, display_name TEXT NOT NULL, stage TEXT NOT NULL,
    description TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE kai_tables(
    id TEXT PRIMARY KEY, bucket_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    primary_key TEXT NOT NULL, created TEXT NOT NULL, imported TEXT NOT NULL);
CREATE TABLE kai_columns(
    table_id TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
    description TEXT NOT NULL, PRIMARY KEY(table_id, name));
CREATE TABLE kai_configs(
    component_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    parameters TEXT NOT NULL, storage TEXT NOT NULL, rows TEXT NOT NULL, version INTEGER NOT NULL,
    change_description TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL,
    PRIMARY KEY(component_id, id));
CREATE TABLE kai_jobs(
    id INTEGER PRIMARY KEY, component_id TEXT NOT NULL, config_id TEXT NOT NULL, row_ids TEXT NOT NULL,
    parent_id INTEGER, created TEXT NOT NULL, started TEXT NOT NULL, ends TEXT NOT NULL,
    outcome TEXT, message TEXT NOT NULL);
CREATE TABLE kai_chats(
    id TEXT PRIMARY KEY, title TEXT NOT NULL, visibility TEXT NOT NULL, branch_id INTEGER,
    restrictions TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL);
CREATE TABLE kai_messages(
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, chat_id TEXT NOT NULL,
    role TEXT NOT NULL, parts TEXT NOT NULL, metadata TEXT, created TEXT NOT NULL);
CREATE INDEX kai_messages_of_chat ON kai_messages(chat_id, number);
CREATE TABLE kai_votes(
    chat_id TEXT NOT NULL, message_id TEXT NOT NULL, up INTEGER NOT NULL, PRIMARY KEY(chat_id, message_id));
CREATE TABLE kai_settings(
    scope TEXT PRIMARY KEY, instructions TEXT, permissions TEXT NOT NULL, created TEXT NOT NULL,
    updated TEXT NOT NULL);
"""


class ProjectUnusable(Exception):
    """The project file cannot be used; the text is a sentence for the user."""


class ProjectTooNew(ProjectUnusable):
    """A newer kai-tui made the file; it is left as it is."""


class NotPossible(Exception):
    """The project cannot do that; the text says why, in words for the model and the user."""


def quoted(identifier: str) -> str:
    """An SQLite identifier in quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def whole(text: str) -> str:
    """`text` without halves of surrogate pairs, which SQLite cannot store (S9)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def to_json(value: Any) -> str:
    """`value` as JSON in plain ASCII, so that lone surrogates can be stored."""
    return json.dumps(value, separators=(",", ":"))


def stamp(when: datetime) -> str:
    """A moment as Kai writes it: `2026-05-04T09:00:00.000Z`."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


class Project:
    """One sandbox project. All methods block and may be called from any thread."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path | None, clock: Callable[[], datetime]
    ) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.RLock()
        self.now = clock
        """The time it is, in UTC; tests put their own here."""
        self.job_seconds = 4.0
        """How long a job takes. A sandbox in a hurry sets it to 0."""
        self.branch_id: int | None = None
        """None: the main branch."""
        self.branch_name = "Main"
        self._branches: dict[int, Project] = {}

    @classmethod
    def open(
        cls, path: Path | str, *, today: date | None = None, clock: Callable[[], datetime] | None = None
    ) -> Project:
        """Open the project in `path` (`":memory:"`: nowhere), made new if it is not there.

        A damaged file is moved aside (`NAME.broken-DATE`). Raises ProjectUnusable.
        """
        clock = clock if clock is not None else _utc_now
        where = None if str(path) == ":memory:" else Path(path)
        try:
            if where is not None:
                _make_private(where)
            try:
                return cls._opened(where, today, clock)
            except sqlite3.DatabaseError as error:
                if where is None or isinstance(error, sqlite3.OperationalError):
                    raise
                where.rename(where.with_name(f"{where.name}.broken-{clock():%Y%m%d-%H%M%S}"))
                _make_private(where)
                return cls._opened(where, today, clock)
        except (OSError, sqlite3.Error) as error:
            raise ProjectUnusable(f"The sandbox project in {path} cannot be opened: {error}.") from error

    @classmethod
    def _opened(cls, path: Path | None, today: date | None, clock: Callable[[], datetime]) -> Project:
        connection = sqlite3.connect(
            path if path is not None else ":memory:",
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA secure_delete=ON")
            if path is not None:
                connection.execute("PRAGMA journal_mode=TRUNCATE")
            project = cls(connection, path, clock)
            project._prepare(today if today is not None else clock().date())
        except BaseException:
            connection.close()
            raise
        return project

    def _prepare(self, today: date) -> None:
        with self.change() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise ProjectTooNew(
                    f"The sandbox project in {self._path} was made by a newer kai-tui. Upgrade to open it."
                )
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                self._seed(connection, today)
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the file, and those of its branches. Nothing may be called afterwards."""
        with self._lock:
            for branch in self._branches.values():
                branch.close()
            self._branches.clear()
            self._connection.close()

    def branch(self, branch_id: int, name: str) -> Project:
        """The project on a development branch: a copy of its own from the first time it is asked for.

        It lies beside the main one, in memory or as a file. Chats are not copied: they belong to the project.
        Raises ProjectUnusable.
        """
        with self._lock:
            found = self._branches.get(branch_id)
            if found is None:
                found = self._branches[branch_id] = self._opened_branch(branch_id)
                found.branch_id, found.branch_name = branch_id, name
                found.job_seconds = self.job_seconds
            return found

    def _opened_branch(self, branch_id: int) -> Project:
        path = self._path
        if path is not None:
            path = path.with_name(f"{path.stem}.branch-{branch_id}{path.suffix}")
            if path.exists():
                return Project.open(path, clock=self.now)
        try:
            if path is not None:
                _make_private(path)
            copy = sqlite3.connect(
                path if path is not None else ":memory:", isolation_level=None, check_same_thread=False
            )
            try:
                copy.execute("PRAGMA secure_delete=ON")
                self._connection.backup(copy)
                copy.row_factory = sqlite3.Row
                branch = Project(copy, path, self.now)
                with branch.change() as connection:
                    for table in ("kai_votes", "kai_messages", "kai_chats", "kai_settings"):
                        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our words
                if path is not None:
                    copy.execute("PRAGMA journal_mode=TRUNCATE")
            except BaseException:
                copy.close()
                if path is not None:
                    path.unlink(missing_ok=True)
                raise
        except (OSError, sqlite3.Error) as error:
            raise ProjectUnusable(f"The branch {branch_id} cannot be made: {error}.") from error
        return branch

    @contextmanager
    def look(self) -> Generator[sqlite3.Connection]:
        """The connection, to read with."""
        with self._lock:
            yield self._connection

    @contextmanager
    def change(self) -> Generator[sqlite3.Connection]:
        """The connection inside a transaction: all of the block happens, or nothing. May be nested."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reader(self) -> Generator[sqlite3.Connection]:
        """A connection of its own that cannot write, for queries of strangers.

        It holds up nobody: a project in memory is copied, a file is opened once more.
        """
        if self._path is None:
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            with self._lock:
                self._connection.backup(connection)
        else:
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            yield connection
        finally:
            connection.close()

    def fact(self, name: str) -> str:
        """One fact about the project: `description`, `created`."""
        with self.look() as connection:
            row = connection.execute("SELECT value FROM kai_facts WHERE name=?", (name,)).fetchone()
        return row[0] if row is not None else ""

    def set_fact(self, name: str, value: str) -> None:
        """Change one fact about the project."""
        with self.change() as connection:
            connection.execute("INSERT OR REPLACE INTO kai_facts VALUES(?, ?)", (name, whole(value)))

    def _seed(self, connection: sqlite3.Connection, today: date) -> None:
        now = self.now()
        created = stamp(now)
        connection.executemany(
            "INSERT INTO kai_facts VALUES(?, ?)",
            [("description", company.PROJECT_DESCRIPTION), ("created", created)],
        )
        for bucket_id, description in company.BUCKETS:
            stage, name = bucket_id.split(".", 1)
            connection.execute(
                "INSERT INTO kai_buckets VALUES(?, ?, ?, ?, ?)",
                (bucket_id, name.removeprefix("c-"), stage, description, created),
            )
        for table in company.tables(today):
            make_table(connection, table, created)
        for config in workplace.CONFIGS:
            connection.execute(
                "INSERT INTO kai_configs VALUES(?, ?, ?, ?, ?, ?, ?, 1, 'Made with the project', ?, ?)",
                (
                    *config.key,
                    config.name,
                    config.description,
                    to_json(config.parameters),
                    to_json(config.storage),
                    to_json(config.rows),
                    created,
                    created,
                ),
            )
        for number, job in enumerate(workplace.past_jobs(now), start=30_001):
            connection.execute(
                "INSERT INTO kai_jobs VALUES(?, ?, ?, '[]', NULL, ?, ?, ?, ?, ?)",
                (
                    number,
                    *job.key,
                    stamp(job.started),
                    stamp(job.started),
                    stamp(job.ended),
                    job.outcome,
                    job.message,
                ),
            )
        refresh_reports(connection)


def make_table(connection: sqlite3.Connection, table: company.Table, created: str) -> None:
    """Create a table of the project with its rows and its entries in the catalogue."""
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind, _ in table.columns)
    connection.execute(f"CREATE TABLE {quoted(table.id)}({columns})")
    marks = ", ".join("?" for _ in table.columns)
    connection.executemany(f"INSERT INTO {quoted(table.id)} VALUES({marks})", table.rows)
    connection.execute(
        "INSERT INTO kai_tables VALUES(?, ?, ?, ?, ?, ?, ?)",
        (
            table.id,
            table.bucket_id,
            table.name,
            table.description,
            to_json(list(table.primary_key)),
            created,
            created,
        ),
    )
    connection.executemany(
        "INSERT INTO kai_columns VALUES(?, ?, ?, ?, ?)",
        [(table.id, position, name, kind, text) for position, (name, kind, text) in enumerate(table.columns)],
    )


def refresh_reports(connection: sqlite3.Connection) -> None:
    """Compute the tables of `out.c-reporting` anew, as the transformation does."""
    for name, sql in (
        ("monthly_sales", company.MONTHLY_SALES_SQL),
        ("customer_value", company.CUSTOMER_VALUE_SQL),
    ):
        target = quoted(f"out.c-reporting.{name}")
        connection.execute(f"DELETE FROM {target}")  # noqa: S608 - a constant
        connection.execute(f"INSERT INTO {target} {sql.replace(chr(34) + '.' + chr(34), '.')}")


def _make_private(path: Path) -> None:
    """The file 0600 before SQLite opens it, a new folder 0700 (S2)."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600)
    os.close(descriptor)
    if os.name == "posix":
        with suppress(PermissionError):  # another owner's file: his to decide
            path.chmod(0o600)


def _utc_now() -> datetime:
    return datetime.now(UTC)

"""The file of what was decided: append-only, hash-chained, one per account (`ledger_chain.py`).

Unlike the other files it never falls back to memory and is never mended by itself: what could not be written
is said, and a damaged file stays as it is until the user sets it aside. Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.faults import Damaged, NewerFile, fault_of, sqlite_errors
from kai_tui.storage.ledger_chain import START, Head, LedgerRow, canonical, hash_of, missing
from kai_tui.storage.opening import BUSY_MILLISECONDS, check_header, connect, lenient, transaction
from kai_tui.storage.paths import NOWHERE
from kai_tui.storage.private import (
    dated_files,
    dated_name,
    make_private_directory,
    make_private_file,
    write_private,
)
from kai_tui.storage.schema import Schema, get_version, is_sound, set_version, table_names
from kai_tui.storage.text import storable

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")

_REFUSE = "BEGIN SELECT RAISE (ABORT, 'the ledger is only added to'); END"

LEDGER_SCHEMA: Final = Schema(
    version=1,
    tables=("entries",),
    create=(
        """CREATE TABLE entries (
             number INTEGER PRIMARY KEY, content TEXT NOT NULL, before TEXT NOT NULL, hash TEXT NOT NULL,
             chat_id TEXT NOT NULL, call_id TEXT NOT NULL)""",
        "CREATE INDEX entries_of_call ON entries (chat_id, call_id, number)",
        f"CREATE TRIGGER entries_stay BEFORE DELETE ON entries {_REFUSE}",
        f"CREATE TRIGGER entries_do_not_change BEFORE UPDATE ON entries {_REFUSE}",
        f"""CREATE TRIGGER entries_in_order BEFORE INSERT ON entries
            WHEN new.number <> (SELECT coalesce(max(number), 0) + 1 FROM entries) {_REFUSE}""",  # noqa: S608
    ),
)

_JOURNAL = "-journal"
_COLUMNS = "number, content, before, hash, chat_id, call_id"
Entry = Mapping[str, Any]


class LedgerFile:
    """One account's ledger. Opened anew for every use: it may be moved away or replaced meanwhile."""

    def __init__(self, path: Path, account_id: str = "") -> None:
        """`account_id` is needed for writing only."""
        self.path = path
        self._account_id = account_id

    @property
    def head_path(self) -> Path:
        """Where the kept head is: beside the ledger, so that an end that was cut off is missed."""
        return self.path.with_suffix(".head")

    # Writing

    def add(self, entry: Entry) -> LedgerRow:
        """Write one entry; it is on disk when this returns. Raises StorageError; nothing was written then."""
        return self._write(lambda connection: self._append(connection, entry))

    def add_unless_decided(self, entry: Entry) -> LedgerRow | None:
        """The same, unless a decision on that call stands here: None then."""

        def work(connection: Connection) -> LedgerRow | None:
            known, _ = _newest(connection, str(entry.get("chat_id")), str(entry.get("call_id")))
            return self._append(connection, entry) if known is None else None

        return self._write(work)

    def add_outcome(self, chat_id: str, call_id: str, entry: Entry) -> LedgerRow | None:
        """Write what became of the newest decision on a call, with its number under `of`.

        None, and nothing written, when no decision on it stands here or when this is what was written last.
        Raises StorageError.
        """

        def work(connection: Connection) -> LedgerRow | None:
            decision, outcome = _newest(connection, chat_id, call_id)
            if decision is None:
                return None
            if outcome is not None and outcome.repeats(entry):
                return None
            return self._append(connection, {**entry, "of": decision.number})

        return self._write(work)

    def set_aside(self) -> Path | None:
        """Put the file aside as `NAME.broken-DATE`, for good; the next entry begins a new one and says so.

        None when there is no file. Raises StorageError.
        """
        if not self.path.exists():
            return None
        try:
            aside = dated_name(self.path, "broken")
            self.path.rename(aside)
            journal = self.path.with_name(self.path.name + _JOURNAL)
            if journal.exists():  # what it takes back belongs to that file
                journal.rename(aside.with_name(aside.name + _JOURNAL))
        except OSError as error:
            raise self._error(error) from error
        return aside

    def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            make_private_directory(self.path.parent)
            if not self.path.exists() and self.kept_head() is None:
                # First: a ledger without a head is one whose head was taken away.
                self._keep_head(Head(0, START))
            make_private_file(self.path)
            check_header(self.path)
            with closing(connect(str(self.path))) as connection:
                result = transaction(connection, "BEGIN IMMEDIATE", lambda c: self._prepared(c, work))
                with suppress(OSError, *sqlite_errors()):
                    transaction(connection, "BEGIN IMMEDIATE", self._note_head)
                return result
        except (OSError, NewerFile, *sqlite_errors()) as error:
            raise self._error(error) from error

    def _prepared(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        version = get_version(connection)
        if version > LEDGER_SCHEMA.version:
            raise NewerFile
        if version == 0:
            if table_names(connection):
                raise Damaged("not a file of ours")
            for statement in LEDGER_SCHEMA.create:
                connection.execute(statement)
            set_version(connection, LEDGER_SCHEMA, LEDGER_SCHEMA.version)
        elif not table_names(connection) >= set(LEDGER_SCHEMA.tables):
            raise Damaged("its table is missing")
        last = _last(connection)
        if last is None:
            self._append(
                connection, {"kind": "begun", "at": now(), "account_id": self._account_id, **self._lost(None)}
            )
        elif lost := self._lost(connection):
            self._append(connection, {"kind": "lost", "at": now(), **lost})
        return work(connection)

    def _lost(self, connection: Connection | None) -> dict[str, Any]:
        """What is not here although the kept head says that it was written; empty when nothing. None: a new file."""
        kept = self.kept_head()
        last = _last(connection) if connection is not None else None
        if last is None:
            if kept is None or not kept.number:
                return {}
            aside = [each for each in dated_files(self.path, "broken") if not each.name.endswith(_JOURNAL)]
            why = f"The ledger before this one was set aside as {aside[-1].name}." if aside else ""
            return _loss(why or "The ledger before this one was gone.", kept)
        if kept is None:
            return _loss("The kept head was gone: entries at the end may be missing.", Head(0, ""))
        if kept.number > last.number:
            return _loss(f"{missing(kept.number - last.number)} before this one.", kept)
        there = (
            connection
            and connection.execute("SELECT hash FROM entries WHERE number = ?", (kept.number,)).fetchone()
        )
        if kept.number and (there is None or there[0] != kept.hash):
            return _loss(f"Entry {kept.number:,} was not the one that was written.", kept)
        return {}

    def _append(self, connection: Connection, entry: Entry) -> LedgerRow:
        last = _last(connection)
        number, before = (last.number + 1, last.hash) if last is not None else (1, START)
        places = {name: _column(entry.get(name)) for name in ("chat_id", "call_id") if name in entry}
        content = canonical({**entry, **places})
        row = LedgerRow(number, content, before, hash_of(before, number, content), **places)
        connection.execute(
            f"INSERT INTO entries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - our words
            (row.number, row.content, row.before, row.hash, row.chat_id, row.call_id),
        )
        return row

    def _note_head(self, connection: Connection) -> None:
        """While nobody else writes: heads are kept in the order of what they stand for."""
        last = _last(connection)
        if last is not None and last.head != self.kept_head():
            self._keep_head(last.head)

    def _keep_head(self, head: Head) -> None:
        text = json.dumps({"number": head.number, "hash": head.hash})
        write_private(self.head_path, text.encode() + b"\n")

    # Reading

    def rows(self) -> list[LedgerRow]:
        """Every entry, the oldest first; none when there is no file. Raises StorageError."""
        return self._read(_all)

    def of_chat(self, chat_id: str) -> list[LedgerRow]:
        """The entries of one chat, the oldest first. Raises StorageError."""

        def work(connection: Connection) -> list[LedgerRow]:
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM entries WHERE chat_id = ? ORDER BY number",  # noqa: S608 - our words
                (_column(chat_id),),
            )
            return [_row(each) for each in found]

        return self._read(work)

    def checked(self) -> tuple[list[LedgerRow], Head | None]:
        """Every entry and the kept head, as of one moment, once SQLite agrees with all of its pages and indexes.

        Raises StorageError, also for a file that is damaged.
        """

        def work(connection: Connection) -> tuple[list[LedgerRow], Head | None]:
            # The head first: another window may write between the two, which only puts the head behind.
            kept = self.kept_head()
            if get_version(connection) and not is_sound(connection, LEDGER_SCHEMA):
                raise Damaged("the check failed")
            return _all(connection), kept

        if not self.path.exists():
            return [], self.kept_head()
        return self._read(work)

    def kept_head(self) -> Head | None:
        """None when there is none that can be read."""
        try:
            kept = json.loads(self.head_path.read_bytes())
            return Head(int(kept["number"]), str(kept["hash"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def _read(self, work: Callable[[Connection], Any]) -> Any:
        import sqlite3

        try:
            if not self.path.exists():
                return []
            check_header(self.path)
            target = f"{self.path.absolute().as_uri()}?mode=rw"  # a journal left by a crash is taken back
            with closing(sqlite3.connect(target, isolation_level=None, uri=True)) as connection:
                connection.text_factory = lenient
                connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
                connection.execute("PRAGMA trusted_schema = OFF")
                if get_version(connection) > LEDGER_SCHEMA.version:
                    raise NewerFile
                return transaction(connection, "BEGIN", work)
        except (OSError, NewerFile, *sqlite_errors()) as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> StorageError:
        """In the user's words: what is wrong with the file and what to do."""
        if NOWHERE in self.path.parents:
            return StorageError(
                "There is no place for the ledger: you have no home folder here. Set KAI_TUI_HOME to a folder of yours.",
                fault="unwritable",
            )
        if isinstance(error, NewerFile):
            return StorageError(
                f"The ledger was written by a newer kai-tui: upgrade to add to it ({self.path}).",
                fault="failed",
            )
        if isinstance(error, OSError):
            fault, why = ("full" if error.errno == 28 else "unwritable"), reason(error)
        else:
            fault, why = fault_of(error), str(error)
        if fault == "full":
            return StorageError(
                f"The ledger cannot be written: the disk is full ({self.path.parent}).", fault="full"
            )
        if fault == "busy":
            return StorageError(
                "The ledger cannot be written: another kai-tui window kept it busy for 5 s.", fault="busy"
            )
        if fault in ("damaged", "other"):
            return StorageError(
                f"The ledger is damaged ({why}). Open the ledger to set it aside and begin a new one.",
                fault="damaged",
            )
        return StorageError(
            f"The ledger cannot be written or read ({self.path.parent}: {why}).", fault="unwritable"
        )


def now() -> str:
    """The moment, as ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _loss(why: str, kept: Head) -> dict[str, Any]:
    said = f"{why} The last head kept was that of entry {kept.number:,}: {kept.hash}." if kept.hash else why
    return {"lost": said}


def _column(value: object) -> str:
    """A text as SQLite can keep it."""
    return storable(value) if isinstance(value, str) else ""


def _row(found: Any) -> LedgerRow:
    return LedgerRow(int(found[0]), *(str(each) for each in found[1:]))


def _all(connection: Connection) -> list[LedgerRow]:
    if not table_names(connection) >= set(LEDGER_SCHEMA.tables):
        if get_version(connection):
            raise Damaged("its table is missing")
        return []  # made, and nothing was written yet
    return [_row(each) for each in connection.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY number")]  # noqa: S608


def _last(connection: Connection) -> LedgerRow | None:
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM entries ORDER BY number DESC LIMIT 1"  # noqa: S608 - our words
    ).fetchone()
    return _row(found) if found is not None else None


def _newest(connection: Connection, chat_id: str, call_id: str) -> tuple[LedgerRow | None, LedgerRow | None]:
    """The newest decision on a call and what was last written about it."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM entries WHERE chat_id = ? AND call_id = ? ORDER BY number DESC",  # noqa: S608
        (_column(chat_id), _column(call_id)),
    )
    outcome: LedgerRow | None = None
    for each in found:
        row = _row(each)
        kind = row.entry.get("kind")
        if kind == "decision":
            return row, outcome
        if kind == "outcome" and outcome is None:
            outcome = row
    return None, None

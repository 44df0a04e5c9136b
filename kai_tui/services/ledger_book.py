"""The ledgers of this user as they are read: decisions with what came of them, and whether anything was changed.

Blocks: call it in a thread. Texts are raw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from kai_tui.services.ledger_words import outcome_words, trouble_words, verified_words, who_decided
from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.ledger import LedgerFile
from kai_tui.storage.ledger_chain import LedgerRow, Verified, verify
from kai_tui.storage.paths import Paths, account_files, ledgers


@dataclass(frozen=True, slots=True)
class Record:
    """One decision and what came of it."""

    row: LedgerRow
    entry: Mapping[str, Any]
    outcomes: tuple[Mapping[str, Any], ...] = ()
    """In the order in which they were written."""
    searched: str = ""
    """All that a search looks at, in small letters."""

    def text(self, name: str) -> str:
        """A field of the decision; empty where it has none."""
        value = self.entry.get(name)
        return value if isinstance(value, str) else ""

    @property
    def outcome(self) -> str:
        """What is known to have come of it, in words."""
        return outcome_words(self.last, job=bool(self.job), detail=self.detail)

    @property
    def last(self) -> str:
        """The same in the ledger's own word (`services.ledger.Outcome`); empty while nothing is known."""
        return str(self.outcomes[-1].get("outcome", "")) if self.outcomes else ""

    @property
    def job(self) -> str:
        """Address or id of the job it started."""
        return next((str(each["job"]) for each in reversed(self.outcomes) if each.get("job")), "")

    @property
    def started(self) -> bool:
        """Whether it started a job whose end is not known."""
        return bool(self.job) and not self.detail

    @property
    def detail(self) -> str:
        """What the server said of its end."""
        return str(self.outcomes[-1].get("detail", "")) if self.outcomes else ""

    @property
    def who(self) -> str:
        """What decided, one sentence."""
        return who_decided(self.entry)

    @property
    def objects(self) -> list[str]:
        """What it was about: `table in.c-crm.customers`."""
        return [f"{each.get('kind', '')} {each.get('id', '')}".strip() for each in self._parts("objects")]

    @property
    def effects(self) -> str:
        """What it does to the project, in words."""
        return ", ".join(str(each) for each in self._list("effects"))

    @property
    def edits(self) -> list[tuple[str, str, str]]:
        """Place, before, after of what was changed by hand before it was approved."""
        return [
            (
                str(each.get("path", "")),
                str(each.get("before", "(not there)")),
                str(each.get("after", "(removed)")),
            )
            for each in self._parts("edits")
        ]

    @property
    def answered(self) -> list[str]:
        """The questions of a tool that were answered, by their names."""
        return [str(each) for each in self._list("answered")]

    def _list(self, name: str) -> list[Any]:
        value = self.entry.get(name)
        return cast("list[Any]", value) if isinstance(value, list) else []

    def _parts(self, name: str) -> list[Mapping[str, Any]]:
        return [cast("Mapping[str, Any]", each) for each in self._list(name) if isinstance(each, dict)]


@dataclass(frozen=True, slots=True)
class Book:
    """One account's ledger."""

    path: Path
    account_id: str
    label: str
    """What the account was called last; the file's name when nothing tells."""
    rows: Sequence[LedgerRow] = ()
    records: Sequence[Record] = ()
    """The newest first."""
    verified: Verified | None = None
    """None when it cannot be read."""
    problem: str = ""
    """One sentence when it cannot be read."""
    damaged: bool = False
    """Whether it cannot be read because it is broken: it can be set aside."""

    @property
    def sound(self) -> bool:
        """Whether it can be read and no later change was found."""
        return self.verified is not None and self.verified.sound

    @property
    def worst(self) -> str:
        """The first thing that is wrong, one line; empty when nothing is."""
        if self.verified is None or self.sound:
            return self.problem
        more = len(self.verified.troubles) - 1
        return trouble_words(self.verified.troubles[0]) + (f" And {more:,} more." if more else "")

    @property
    def found(self) -> list[str]:
        """What a look at it found: a sentence, then its head and every trouble."""
        if self.verified is None:
            return [self.problem]
        head = self.verified.head
        return [
            verified_words(self.verified),
            *([f"Head: entry {head.number:,}, {head.hash}"] if head is not None else []),
            *(trouble_words(each) for each in self.verified.troubles),
        ]


def read_books(
    paths: Paths, *, first: str = "", names: Mapping[str, str] | None = None, noted: str = ""
) -> list[Book]:
    """Every ledger there is, also of accounts that were signed out of; that of account `first` first.

    `names` of accounts by id, for ledgers that do not tell. `noted`: a head that was noted elsewhere; one of them has to have it. Never raises.
    """
    own = account_files(paths, first).ledger
    try:
        found = sorted(ledgers(paths), key=lambda path: (path != own, path.name))
    except OSError as error:
        problem = f"The ledgers cannot be looked for ({own.parent}: {reason(error)})."
        return [Book(own.parent, "", own.parent.name, problem=problem)]
    called = {account_files(paths, each).ledger: name for each, name in (names or {}).items()}
    books = [_read(paths, path, called.get(path, path.name)) for path in found]
    if noted and not any(row.hash.startswith(noted) for book in books for row in book.rows):
        return [_read(paths, book.path, book.label, noted) for book in books]
    return books


def _read(paths: Paths, path: Path, name: str, noted: str = "") -> Book:
    """One ledger, checked from its first entry to its last."""
    try:
        rows, kept = LedgerFile(path).checked()
    except StorageError as error:
        return Book(path, "", name, problem=error.sentence, damaged=error.fault == "damaged")
    account_id = str(rows[0].entry.get("account_id", "")) if rows else ""
    # A ledger stands under its account's name: another one's, copied here, does not count.
    expected = account_id if account_files(paths, account_id).ledger == path else ""
    records = records_of(rows)
    label = next((each.text("account") for each in records if each.text("account")), name)
    verified = verify(rows, kept, account_id=expected if rows else None, noted=noted)
    return Book(path, account_id, label, rows, records, verified)


def records_of(rows: Sequence[LedgerRow]) -> list[Record]:
    """The decisions among the entries, the newest first, each with what came of it."""
    decisions: dict[int, tuple[LedgerRow, Mapping[str, Any]]] = {}
    outcomes: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        entry = row.entry
        if entry.get("kind") == "decision":
            decisions[row.number] = row, entry
        elif entry.get("kind") == "outcome" and isinstance(entry.get("of"), int):
            outcomes.setdefault(entry["of"], []).append(entry)
    found = [
        Record(row, entry, tuple(outcomes.get(number, ())))
        for number, (row, entry) in reversed(decisions.items())
    ]
    # Once, and in the thread that reads: a search looks at all of them with every key.
    return [replace(each, searched=_searched(each)) for each in found]


def _searched(record: Record) -> str:
    fields = (
        "at",
        "account",
        "host",
        "tool",
        "sentence",
        "asked",
        "decision",
        "reason",
        "chat_id",
        "call_id",
    )
    words = [
        *(record.text(name) for name in fields),
        f"branch {record.text('branch')}",
        record.who,
        record.outcome,
        record.detail,
        record.job,
        record.effects,
        *record.objects,
        f"#{record.row.number}",
    ]
    return " ".join(words).lower()


def matching(records: Sequence[Record], words: str) -> list[Record]:
    """Those in which every word occurs."""
    wanted = words.lower().split()
    if not wanted:
        return list(records)
    return [each for each in records if all(word in each.searched for word in wanted)]


def set_aside(path: Path) -> Path | None:
    """Put a ledger that is damaged aside; the next decision begins a new one and says so. Raises StorageError."""
    return LedgerFile(path).set_aside()

"""The chain of the ledger: each entry's hash is over the one before it and its own text. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

START: Final = "0" * 64
"""What stands for the hash before the first entry."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One entry as it is kept."""

    number: int
    """1, 2, 3, …; nothing is ever left out."""
    content: str
    """Canonical JSON: what the hash is over."""
    before: str
    """The hash of the entry before."""
    hash: str
    chat_id: str = ""
    call_id: str = ""
    """Both repeat what the content says, to be found by."""

    @property
    def entry(self) -> Mapping[str, Any]:
        """The content; empty for one that cannot be read."""
        try:
            value: object = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}

    def repeats(self, entry: Mapping[str, Any]) -> bool:
        """Whether this says all that an entry would say, whenever that was."""
        known = self.entry
        return all(known.get(name) == value for name, value in entry.items() if name != "at")

    @property
    def head(self) -> Head:
        """What is kept of it when it is the last one."""
        return Head(self.number, self.hash)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a ledger had come."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that should not be so."""

    number: int
    """The entry it is about; 0: the ledger as a whole."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole chain found."""

    entries: int
    head: Head | None
    troubles: Sequence[Trouble] = ()

    @property
    def sound(self) -> bool:
        """Whether no later change was found."""
        return not self.troubles


CANNOT_FIND: Final = (
    "What this cannot find: somebody who may write your files and rewrites the whole ledger, its hashes and its "
    "kept head; a ledger that was removed together with its head; decisions made in other programs. "
    "Only a head that you noted elsewhere (in a ticket, an export, a mail) shows the first two."
)
"""Said wherever a result is shown."""


def canonical(entry: Mapping[str, Any]) -> str:
    """One line of ASCII, equal for equal entries. Raises ValueError for what has no JSON."""
    try:
        return json.dumps(entry, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def hash_of(before: str, number: int, content: str) -> str:
    """SHA-256, as hex, over the hash before, the number and the content."""
    return hashlib.sha256(f"{before}\n{number}\n{content}".encode("utf-8", "surrogatepass")).hexdigest()


def missing(count: int) -> str:
    """So many entries, in words."""
    return "1 entry is missing" if count == 1 else f"{count:,} entries are missing"


def verify(
    rows: Iterable[LedgerRow], kept: Head | None, *, account_id: str | None = None, noted: str = ""
) -> Verified:
    """Look at every entry, at the kept head, and for a head that was `noted` elsewhere (its hash, or how it begins)."""
    troubles: list[Trouble] = []
    last = LedgerRow(0, "", "", START)
    hashes: dict[int, str] = {}
    for row in rows:
        troubles += _troubles_of(row, last)
        if row.number == 1 and account_id is not None and row.entry.get("account_id") != account_id:
            troubles.append(Trouble(1, "This ledger was begun for another account."))
        hashes[row.number] = row.hash
        last = row
    if kept is None:
        if hashes:
            troubles.append(
                Trouble(0, "The kept head is missing: whether the end was cut off cannot be told.")
            )
    elif kept.number and not hashes:
        count = "1 entry was" if kept.number == 1 else f"{kept.number:,} entries were"
        troubles.append(Trouble(0, f"The ledger is gone: {count} written to it, the last one {kept.hash}."))
    elif kept.number > last.number:
        count = missing(kept.number - last.number)
        troubles.append(Trouble(0, f"The end was cut off: {count} of the {kept.number:,} that were written."))
    elif kept.number and hashes.get(kept.number) != kept.hash:
        troubles.append(Trouble(kept.number, "This is not the entry that the kept head stands for."))
    if noted and not any(each.startswith(noted.lower()) for each in hashes.values()):
        troubles.append(Trouble(0, "The head you noted is not among these entries."))
    return Verified(len(hashes), last.head if hashes else None, troubles)


def _troubles_of(row: LedgerRow, last: LedgerRow) -> Iterable[Trouble]:
    if row.number != last.number + 1:
        yield Trouble(row.number, f"{missing(row.number - last.number - 1)} before this one.")
    elif row.before != last.hash:
        yield Trouble(
            row.number,
            "This does not follow the entry before it: one of the two was changed or put in later.",
        )
    if hash_of(row.before, row.number, row.content) != row.hash:
        yield Trouble(row.number, "This entry was changed after it was written.")
        return
    entry = row.entry
    if not entry:
        yield Trouble(row.number, "This entry cannot be read.")
    elif row.chat_id != entry.get("chat_id", "") or row.call_id != entry.get("call_id", ""):
        yield Trouble(row.number, "This entry was put under another chat or call after it was written.")
    if (row.number == 1) != (entry.get("kind") == "begun"):
        yield Trouble(row.number, "A ledger begins with entry 1, and nowhere else.")
    if entry.get("lost"):
        yield Trouble(row.number, f"Noted when this was written: {entry['lost']}")

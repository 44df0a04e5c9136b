"""The ledger for others: as CSV, as JSON that can be checked elsewhere, as a change ticket in Markdown.

Foreign text is made safe here (D1); the JSON is ASCII with escapes instead, so that hashes can be checked from it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from kai_tui.conversation.safe_text import safe_line
from kai_tui.services.ledger_book import Book, Record
from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.ledger_chain import CANNOT_FIND
from kai_tui.storage.paths import safe_name
from kai_tui.storage.private import create_private

Format: TypeAlias = Literal["csv", "json", "markdown"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
ENDINGS: Final[Mapping[Format, str]] = {"csv": ".csv", "json": ".json", "markdown": ".md"}

Chosen: TypeAlias = Sequence[tuple[Book, Sequence[Record]]]
"""Ledgers, and the decisions of each that go into the export."""

_COLUMNS: Final[Mapping[str, Callable[[Record], str]]] = {
    "entry": lambda each: str(each.row.number),
    "when (UTC)": lambda each: each.text("at"),
    "account": lambda each: each.text("account"),
    "host": lambda each: each.text("host"),
    "branch": lambda each: each.text("branch"),
    "tool": lambda each: each.text("tool"),
    "what": lambda each: each.text("sentence"),
    "asked for": lambda each: each.text("asked"),
    "effects": lambda each: each.effects,
    "objects": lambda each: "; ".join(each.objects),
    "decision": lambda each: each.text("decision"),
    "decided by": lambda each: each.text("by"),
    "rule": lambda each: each.who,
    "reason": lambda each: each.text("reason"),
    "edits": lambda each: "; ".join(f"{place}: {old} → {new}" for place, old, new in each.edits),
    "answered": lambda each: "; ".join(each.answered),
    "outcome": lambda each: each.outcome,
    "detail": lambda each: each.detail,
    "job": lambda each: each.job,
    "chat": lambda each: each.text("chat_id"),
    "call": lambda each: each.text("call_id"),
    "input SHA-256": lambda each: each.text("input"),
    "sent SHA-256": lambda each: each.text("sent"),
    "entry SHA-256": lambda each: each.row.hash,
}
_FORMULA: Final = ("=", "+", "-", "@")
_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>|#!~$&])")
_PLAIN_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:-]+(?:/[A-Za-z0-9./?=&%_~+:-]*)?\Z")


def exported(chosen: Chosen, how: Format, *, about: str = "") -> str:
    """The text of an export. `about`: what was searched for."""
    if how == "csv":
        return as_csv(chosen)
    return as_json(chosen, about) if how == "json" else as_markdown(chosen, about)


def as_csv(chosen: Chosen) -> str:
    """One line per decision; no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for _, records in chosen:
        for record in records:
            writer.writerow([_cell(column(record)) for column in _COLUMNS.values()])
    return out.getvalue()


def as_json(chosen: Chosen, about: str = "") -> str:
    """Whole entries as they were hashed (`content`), with all that is needed to check a ledger elsewhere.

    An entry's hash is SHA-256 over the hash before it, its number and its content, each on a line of its own.
    """
    ledgers: list[dict[str, object]] = []
    for book, records in chosen:
        wanted = {record.row.number for record in records}
        rows = [
            row for row in book.rows if not about or row.number in wanted or row.entry.get("of") in wanted
        ]
        head = book.verified.head if book.verified is not None else None
        ledgers.append(
            {
                "account_id": book.account_id,
                "account": book.label,
                "head": {"number": head.number, "hash": head.hash} if head is not None else None,
                "found": book.found,
                "complete": len(rows) == len(book.rows),
                "entries": [
                    {"number": row.number, "before": row.before, "hash": row.hash, "content": row.content}
                    for row in rows
                ],
            }
        )
    whole = {
        "format": "kai-tui ledger 1",
        "exported": _now(),
        "searched": about,
        "cannot_find": CANNOT_FIND,
        "ledgers": ledgers,
    }
    return json.dumps(whole, indent=1) + "\n"


def as_markdown(chosen: Chosen, about: str = "") -> str:
    """A change ticket: what was decided, in the order in which it was, and how to trust it."""
    count = sum(len(records) for _, records in chosen)
    lines = [
        "# Changes decided in kai-tui",
        "",
        f"Exported {_now()}: {'1 decision' if count == 1 else f'{count:,} decisions'}"
        + (f", searched for {_md(about)}." if about else "."),
    ]
    for book, records in chosen:
        lines += ["", f"## {_md(book.label)}", "", *(f"- {_md(each)}" for each in book.found)]
        for record in reversed(records):
            lines += ["", *_ticket(record)]
    return "\n".join([*lines, "", f"> {CANNOT_FIND}", ""])


def file_name(label: str, how: Format, *, now: datetime | None = None) -> str:
    """A name for an export: nothing of the account's name but letters, digits and dashes (T17)."""
    stamp = (now or datetime.now()).strftime("%Y%m%d-%H%M%S")
    readable = safe_name(label).rpartition("-")[0] or "account"
    return f"kai-ledger-{readable}-{stamp}{ENDINGS[how]}"


def write_export(path: Path, text: str) -> None:
    """Write a new file only its owner can read; never over another one. Raises StorageError."""
    try:
        create_private(path, text.encode("utf-8", "replace"))
    except FileExistsError as error:
        raise StorageError(f"There is something at {path} already. Nothing was written.") from error
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise StorageError(f"{path} could not be written ({why}).") from error


def _ticket(record: Record) -> list[str]:
    when = record.outcomes[-1].get("at") if record.outcomes else ""
    rows = {
        "When": _md(record.text("at")),
        "Where": _md(
            f"{record.text('account')}, branch {record.text('branch') or 'unknown'}, {record.text('host')}"
        ),
        "Tool": _code(record.text("tool")),
        "Asked for": _md(record.text("asked")),
        "About": ", ".join(_code(each) for each in record.objects),
        "Effects": _md(record.effects),
        "Decision": _md(f"{record.text('decision')}. {record.who}"),
        "Reason": _md(record.text("reason")),
        "Answered": ", ".join(_code(each) for each in record.answered),
        "Outcome": _md(f"{record.outcome}, {when}" if when else record.outcome),
        "Said": _md(record.detail),
        "Job": _link(record.job),
        "Chat, call": f"{_code(record.text('chat_id'))} {_code(record.text('call_id'))}",
        "Input SHA-256": _code(record.text("input")),
        "Sent SHA-256": _code(record.text("sent")),
        "Entry": f"{record.row.number:,}, {_code(record.row.hash)}",
    }
    title = f"### {record.row.number:,}. {_md(record.text('sentence') or record.text('tool'))}"
    lines = [title, "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows.items() if value.strip()]
    if record.edits:
        lines += ["", "Changed before it was approved:", "", "| place | before | after |", "|---|---|---|"]
        lines += [f"| {_code(place)} | {_code(old)} | {_code(new)} |" for place, old, new in record.edits]
    return lines


def _cell(text: str) -> str:
    safe = str(safe_line(text))
    return f"'{safe}" if safe.startswith(_FORMULA) else safe


def _md(text: str) -> str:
    """Text that Markdown shows as it is, also where names of people or issues would become links."""
    return _MARKS.sub(r"\\\1", str(safe_line(text))).replace("@", "&#64;")


def _code(text: str) -> str:
    """A code span, also around backticks and inside a table; empty for no text."""
    safe = str(safe_line(text)).replace("|", "\\|")
    if not safe:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", safe)), default=0) + 1)
    pad = " " if safe[0] == "`" or safe[-1] == "`" else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def _link(address: str) -> str:
    return f"<{address}>" if _PLAIN_ADDRESS.match(address) else _code(address)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""The ledger's entries as they are drawn: everything foreign is made safe here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.conversation.safe_text import safe_exact, safe_line, safe_prose
from kai_tui.services.local_dates import moment, short_day
from kai_tui.storage.ledger_chain import CANNOT_FIND

if TYPE_CHECKING:
    from kai_tui.services.ledger_book import Book, Record

_LABEL = 10
_TONES = {"approved": "$text-success", "denied": "$text-error"}


def record_words(record: Record) -> Content:
    """All that stands in the ledger about one decision."""
    sentence = safe_exact(record.text("sentence") or record.text("tool"))
    lines = [
        Content.styled(sentence.text, "bold"),
        *(Content.styled(f"! {flag}", "$text-warning") for flag in sentence.flags),
    ]
    for name, text in _facts(record):
        if text:
            lines.append(Content.assemble((f"{name:<{_LABEL}}", "$text-muted"), text))
    return Content("\n").join(lines)


def _facts(record: Record) -> Iterator[tuple[str, str | Content]]:
    decision = record.text("decision")
    yield (
        "decision",
        Content.assemble(
            (str(safe_line(decision)), _TONES.get(decision, "$text-warning")), f"  {safe_line(record.who)}"
        ),
    )
    yield "when", _moment(record.text("at"))
    branch = safe_exact(record.text("branch"), one_line=True).text or "not known"
    yield (
        "where",
        f"{safe_line(record.text('account'))} · branch {branch} · {safe_exact(record.text('host'), one_line=True).text}",
    )
    yield (
        "tool",
        f"{safe_exact(record.text('tool'), one_line=True).text} · {safe_line(record.effects) or 'effect not known'}",
    )
    yield "about", safe_exact(", ".join(record.objects)).text
    yield "reason", safe_prose(record.text("reason"))
    yield "asked for", safe_exact(record.text("asked")).text
    for place, before, after in record.edits:
        change = Content.assemble(
            (f"{safe_exact(place).text}  ", ""),
            (safe_exact(before).text, "$text-error"),
            (" → ", "$text-muted"),
            (safe_exact(after).text, "$text-success"),
        )
        yield "changed", change
    yield "answered", safe_exact(", ".join(record.answered)).text
    yield "outcome", " → ".join(_outcomes(record)) or record.outcome
    yield "said", safe_prose(record.detail)
    yield "job", safe_exact(record.job).text
    yield "chat", safe_exact(record.text("chat_id"), one_line=True).text
    yield "call", safe_exact(record.text("call_id"), one_line=True).text
    yield "input", record.text("input") and f"SHA-256 {safe_line(record.text('input'))}"
    yield "sent", record.text("sent") and f"SHA-256 {safe_line(record.text('sent'))}"
    yield "entry", f"{record.row.number:,} · SHA-256 {safe_line(record.row.hash)}"


def _outcomes(record: Record) -> Iterator[str]:
    """Everything that was written of what came of it, with its time."""
    for each in record.outcomes:
        found = moment(str(each.get("at", "")))
        clock = f" {found.astimezone():%H:%M:%S}" if found is not None else ""
        said = str(each.get("outcome", ""))
        yield f"{safe_line(record.outcome if each is record.outcomes[-1] else said)}{clock}"


def _moment(at: str) -> str:
    found = moment(at)
    if found is None:
        return str(safe_line(at, 60))
    return f"{short_day(at)} {found.astimezone():%Y, %H:%M:%S} · {safe_line(at, 40)}"


def check_words(books: Sequence[Book]) -> Content:
    """What a look at every ledger found, and what such a look cannot find."""
    lines: list[Content] = []
    for book in books:
        first, *rest = book.found
        tone = "$text-success" if book.sound else "$text-error"
        lines.append(
            Content.assemble((str(safe_line(book.label, 80)), "bold"), "  ", (str(safe_prose(first)), tone))
        )
        head = 1 if book.verified is not None and book.verified.head is not None else 0
        lines += [Content.styled(f"  {safe_line(each)}", "$text-muted") for each in rest[:head]]
        lines += [Content.styled(f"  ! {safe_line(each)}", "$text-error") for each in rest[head:]]
        lines.append(Content(""))
    if not books:
        lines += [Content("Nothing was decided yet: there is no ledger to check."), Content("")]
    lines.append(Content.styled(CANNOT_FIND, "$text-muted"))
    return Content("\n").join(lines)

"""The ledger's entries in words, for cards, lists and exports. Raw: names in them are foreign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from kai_tui.services.call_rules import told, your_words
from kai_tui.services.grant_words import noted_words

if TYPE_CHECKING:
    from kai_tui.storage.ledger_chain import Trouble, Verified


def who_decided(entry: Mapping[str, Any]) -> str:
    """What decided a call, one sentence; the words of its card."""
    if entry.get("by") != "you":
        return str(entry.get("rule", ""))
    return your_words(
        approved=entry.get("decision") == "approved",
        changed="edits" in entry,
        granted=noted_words(entry.get("grant")),
        answered="answered" in entry,
    )


def card_words(entry: Mapping[str, Any]) -> str:
    """The same with the user's reason, or with what they changed."""
    found: Any = entry.get("edits")
    listed = cast("list[Any]", found) if isinstance(found, list) else []
    edits = [edit_words(cast("Mapping[str, Any]", each)) for each in listed if isinstance(each, Mapping)]
    reason = str(entry.get("reason") or "") if entry.get("by") == "you" else ""
    return told(who_decided(entry), reason=reason, edits=edits)


def edit_words(edit: Mapping[str, Any]) -> str:
    """One change of an input: `name: "reports" → "sales"`."""
    path, before, after = (str(edit.get(key, "")) for key in ("path", "before", "after"))
    if edit.get("does") == "removes":
        return f"{path}: {before} removed"
    if edit.get("does") == "adds":
        return f"{path}: {after} added"
    return f"{path}: {before} → {after}" if before or after else path


_OUTCOMES = {
    "": "nothing known yet",
    "sent": "sent, end not seen",
    "not sent": "not sent",
    "unsure": "may have arrived",
    "done": "done",
    "failed": "failed",
    "denied": "denied",
    "settled elsewhere": "not waited for any more",
}


JOB_ENDED = "The job ended: "
"""How the detail begins that names a job's last status (keboola-tools.md §3)."""
_JOB_ENDS = {"warning": "ended with a warning", "cancelled": "was stopped", "terminated": "was stopped"}


def outcome_words(outcome: str, *, job: bool = False, detail: str = "") -> str:
    """What came of a decision; a newer program's word stays as it is. `job`: it started one; `detail`: what was
    said of its end."""
    if not job or outcome not in ("done", "failed"):
        return _OUTCOMES.get(outcome, outcome)
    if not detail:
        return "a job was started"
    status = detail.removeprefix(JOB_ENDED).partition(".")[0] if detail.startswith(JOB_ENDED) else ""
    return f"the job {_JOB_ENDS.get(status, 'ended well' if outcome == 'done' else 'failed')}"


_SHORT = {"": "…", "sent": "sent …", "unsure": "unsure", "settled elsewhere": "not waited"}


def short_outcome(outcome: str, *, started: bool = False) -> str:
    """The same in at most ten characters, for a list. `started`: a job whose end is not known."""
    if outcome == "done" and started:
        return "started"
    return _SHORT.get(outcome, outcome)


def verified_words(verified: Verified) -> str:
    """What a look at a whole ledger found, one sentence."""
    entries = "1 entry" if verified.entries == 1 else f"{verified.entries:,} entries"
    if verified.sound:
        return f"{entries}, no later change found."
    count = len(verified.troubles)
    return f"{entries}, {'1 thing is not as it was' if count == 1 else f'{count:,} things are not as they were'} written."


def trouble_words(trouble: Trouble) -> str:
    """One of them, with its place."""
    return f"entry {trouble.number:,}: {trouble.sentence}" if trouble.number else trouble.sentence

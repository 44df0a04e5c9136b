"""The lines of the list of waiting questions, and the words in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from kai_tui.services.approval_service import Approval, Decision
    from kai_tui.services.inbox_elsewhere import Elsewhere
    from kai_tui.storage.inbox import Asked

Key: TypeAlias = tuple[str, str, str]
"""Account, chat and call."""
Bracket: TypeAlias = Literal["", "┌", "│", "└"]

_EFFECTS: Mapping[str, str] = {
    "destroys": "destroys",
    "deploys": "deploys",
    "runs": "runs",
    "costs": "costs",
    "changes": "changes",
    "creates": "creates",
    "reads": "reads only",
}
_GRAVE = frozenset({"destroys", "deploys"})


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One question. Texts are raw."""

    key: Key
    asked: Asked
    approval: Approval | None = None
    """The question itself, where it can be answered now."""
    elsewhere: Elsewhere | None = None
    """It is in another account."""
    answer: Decision | None = None
    """What the user decided here and did not send yet."""
    bracket: Bracket = ""
    """Its place among those that are answered in one post; empty: it goes alone."""


def effect_words(effect: str) -> str:
    """What a call does, in a word."""
    return _EFFECTS.get(effect, "unknown")


def effect_tone(effect: str) -> Literal["bad", "warning", "quiet"]:
    """How it is coloured."""
    if effect == "reads":
        return "quiet"
    return "bad" if effect in _GRAVE or effect not in _EFFECTS else "warning"


def age_words(asked_at: float, now: float) -> str:
    """How long something waits; both in seconds since the epoch. Empty when nobody knows."""
    if asked_at <= 0:
        return ""
    seconds = max(0.0, now - asked_at)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "now"


def answer_words(row: InboxRow) -> str:
    """What was decided about a question, or why nothing can be here."""
    if row.elsewhere is not None:
        return "other window" if row.elsewhere.in_window else "opens it"
    if row.approval is None:
        return "not read yet"
    decision = row.answer
    if decision is None:
        return "·"
    if not decision.approved:
        return "deny, reason" if decision.reason else "deny"
    if decision.grant is not None:
        return "for a while"
    return "with changes" if decision.says_more else "approve"


def answer_tone(row: InboxRow) -> Literal["quiet", "good", "warning"]:
    """How that is coloured: a yes is what has to be seen."""
    if row.answer is None:
        return "quiet"
    return "warning" if row.answer.approved else "good"


def bracketed(rows: Sequence[InboxRow]) -> list[Bracket]:
    """The marks of rows that belong to one message and stand one under the other."""
    groups = [(row.key[1], row.approval.message_id) if row.approval is not None else None for row in rows]
    found: list[Bracket] = []
    for number, group in enumerate(groups):
        above = group is not None and number > 0 and groups[number - 1] == group
        below = group is not None and number + 1 < len(groups) and groups[number + 1] == group
        found.append("│" if above and below else "└" if above else "┌" if below else "")
    return found

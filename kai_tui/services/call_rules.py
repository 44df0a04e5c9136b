"""Which rule decided a call, in words: for its card. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kai_tui.conversation.tools import risk

if TYPE_CHECKING:
    from kai_tui.backends.base import ToolInfo
    from kai_tui.conversation.messages import ToolPart
    from kai_tui.services.approval_service import Approval, Decision

GRANTED = "You allowed this "
"""How the words of a grant begin that decided a call."""
SWITCHED_OFF = "Denied by the read-only switch"
NOT_KNOWN = "It is not known here who allowed it."
NOT_ASKED = "The server did not ask."
SETTLED_ELSEWHERE = "It was settled without your answer here."


_DENIED = "You denied it."
_SAID = "You denied it, and said: "
_CHANGED = "You approved it with changes"
_MOST = 6
"""Changes that are told on a card."""
_LONGEST_VALUE = 60
_LONGEST_REASON = 400


def decision_words(approval: Approval, decision: Decision) -> str:
    """What decided, of a decision made in this run. Raw."""
    if decision.by != "you":
        return decision.rule
    from kai_tui.services.grant_words import terms_words

    edits: list[str] = []
    if decision.approved and decision.updated_input is not None:
        from kai_tui.conversation.input_changes import changes
        from kai_tui.conversation.sealed_secrets import sealed

        found = changes(sealed(approval.input), sealed(decision.updated_input))
        edits = [each.words(_LONGEST_VALUE) for each in found]
    words = your_words(
        approved=decision.approved,
        changed=decision.updated_input is not None,
        granted=terms_words(decision.grant) if decision.grant is not None else "",
        answered=decision.answers is not None,
    )
    return told(words, reason=decision.reason or "", edits=edits)


def told(words: str, *, reason: str, edits: Sequence[str]) -> str:
    """The decision together with the user's reason, or with what they changed. Raw."""
    if reason and words == _DENIED:
        more = len(reason) - _LONGEST_REASON
        return f"{_SAID}{reason[:_LONGEST_REASON]}{f'… ({more:,} characters more)' if more > 0 else ''}"
    if edits and words.startswith(_CHANGED):
        more = len(edits) - _MOST
        return f"{words} {'; '.join(edits[:_MOST])}{f' and {more:,} more' if more > 0 else ''}"
    return words


def short_words(words: str) -> str:
    """What the first line of a card says of a decision; empty for nothing. Raw."""
    if words.startswith(_CHANGED):
        return "changed by you"
    if words.startswith(GRANTED):
        return "allowed by your rule"
    if words.startswith(SWITCHED_OFF):
        return "denied: read-only switch"
    return f"denied: {' '.join(words[len(_SAID) :].split())}" if words.startswith(_SAID) else ""


def your_words(*, approved: bool, changed: bool, granted: str = "", answered: bool = False) -> str:
    """A decision of the user. `granted`: for what further calls it holds, in words."""
    if not approved:
        return _DENIED
    words = _CHANGED if changed else "You answered it" if answered else "You approved it"
    return f"{words}, and further calls like it {granted}." if granted else f"{words}."


def rule_words(part: ToolPart, *, noted: str, decided: bool | None, tool: ToolInfo | None) -> str:
    """`noted`: what is known of the decision in words; `decided`: else whether the user approved it;
    `tool`: the server's entry of it, with the user's permission. Empty while nothing decided yet."""
    if noted:
        return noted
    if decided is not None:
        return "You approved it." if decided else "You denied it."
    approval = part.approval or {}
    if approval.get("isAutomatic") is True:
        return "The server decided it by itself."
    if part.state == "approval-requested":
        return ""
    if isinstance(approval.get("approved"), bool):
        return f"It was {'approved' if approval['approved'] else 'denied'} elsewhere."
    permission = tool.permission if tool is not None else None
    if permission == "always_allow":
        return "Your setting on the server: this tool always runs."
    if permission == "blocked":
        return "Your setting on the server: this tool is blocked."
    if risk(part.tool_name, tool.read_only if tool is not None else None) == "reads":
        return "It only reads, so it runs without a question."
    return NOT_KNOWN if part.settled else ""

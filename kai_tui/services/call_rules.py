"""Which rule decided a call, in words: for its card. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.conversation.tools import risk

if TYPE_CHECKING:
    from kai_tui.backends.base import ToolInfo
    from kai_tui.conversation.messages import ToolPart
    from kai_tui.services.approval_service import Decision

NOT_KNOWN = "It is not known here who allowed it."
NOT_ASKED = "The server did not ask."
SETTLED_ELSEWHERE = "It was settled without your answer here."


def decision_words(decision: Decision) -> str:
    """What decided, of a decision made in this run."""
    if decision.by != "you":
        return decision.rule
    changed, granted = decision.updated_input is not None, decision.grant is not None
    return your_words(approved=decision.approved, changed=changed, granted=granted)


def your_words(*, approved: bool, changed: bool, granted: bool) -> str:
    """A decision of the user."""
    if not approved:
        return "You denied it."
    words = "You approved it with changes" if changed else "You approved it"
    return f"{words}, and further calls like it." if granted else f"{words}."


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

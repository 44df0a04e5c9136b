"""Which answers a question can get, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kai_tui.conversation.reviews.review import Review
from kai_tui.services.approval_service import Approval
from kai_tui.services.grants import why_no_grant
from kai_tui.ui.modals.answer_choice import ANSWERS, Answer

LABELS: Mapping[Answer, str] = {
    "deny": "Deny",
    "approve": "Approve",
    "edit": "Edit…",
    "allow": "Allow for a while…",
    "reason": "Deny with a reason…",
}
SHORT: Mapping[Answer, str] = {"allow": "Allow…", "reason": "Reason…"}
"""Where the long names have no room side by side."""


def offered(approval: Approval, review: Review, *, clear: bool) -> Sequence[Answer]:
    """The answers this question can get, in their order. `clear`: its arguments can be shown and sent."""
    never: set[Answer] = set()
    if not clear or not approval.input:
        never.add("edit")
    if not clear or why_no_grant(approval, review) is not None:
        never.add("allow")
    return [answer for answer in ANSWERS if answer not in never]

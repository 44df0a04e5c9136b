"""What decides a question instead of the user, because the user said so before: the read-only switch, then grants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kai_tui.services.approval_service import Approval, Decision
    from kai_tui.services.grants import Grants

SWITCHED: Final = "This chat is switched to read-only, so nothing that writes is approved in it."
"""Why a question cannot be approved."""
_TO_THE_ASSISTANT: Final = (
    "The user has switched this chat to read-only: nothing may be changed from here. "
    "Do not try it again; say what you would change instead."
)


def denial() -> Decision:
    """The answer of the read-only switch."""
    from kai_tui.services.approval_service import Decision
    from kai_tui.services.call_rules import SWITCHED_OFF

    return Decision(
        approved=False,
        reason=_TO_THE_ASSISTANT,
        by="read-only switch",
        rule=f"{SWITCHED_OFF} of this chat.",
    )


def may_write(approval: Approval) -> bool:
    """Whether a call may change something; what is not known counts as if it did."""
    from kai_tui.conversation.reviews.reviewing import review

    return (
        approval.risk != "reads"
        or review(approval.tool_name, approval.input, read_only=approval.read_only).writes
    )


class StandingRules:
    """The policy of an account's `ApprovalService`. The switch is asked first: no grant beats it."""

    def __init__(self, grants: Grants, switched: Callable[[str], bool]) -> None:
        """`switched` tells of a chat whether its read-only switch is on."""
        self._grants = grants
        self._switched = switched

    def decide(self, approval: Approval, *, again: bool) -> Decision | None:
        """`again`: this call was asked about before, so something about it is odd: the user looks at it.

        The switch does not answer such a question either, or a denial that never arrives would be sent for ever;
        what it forbids cannot be approved all the same.
        """
        if again:
            return None
        if self.forbids(approval) is not None:
            return denial()
        return self._grants.decide(approval)

    def holds(self, approval: Approval, decision: Decision) -> bool:
        """Whether a decision of `decide` may still go out."""
        forbidden = self.forbids(approval) is not None
        if decision.by == "grant":
            return not forbidden and self._grants.holds(approval)
        return forbidden

    def forbids(self, approval: Approval) -> str | None:
        """Why this cannot be approved by anybody: one sentence; None when it can."""
        return SWITCHED if may_write(approval) and self._switched(approval.chat_id) else None

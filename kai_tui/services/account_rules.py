"""The user's rules of one open account, hung on its questions: grants, and the read-only switches of its chats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kai_tui.services.grant_keeping import Grants
from kai_tui.services.standing_rules import StandingRules

if TYPE_CHECKING:
    from kai_tui.conversation.reviews.review import Presents
    from kai_tui.services.approval_service import Approval, ApprovalService
    from kai_tui.services.changes import SessionChange
    from kai_tui.services.chat_service import ChatService
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.grants import GrantsEnded, GrantTerms


def account_rules(
    approvals: ApprovalService,
    chats: ChatService,
    clock: Callable[[], float],
    presents: Callable[[Approval], Presents],
) -> Grants:
    """The grants of an account. From now on they and the switches decide what they are for.

    `clock` gives monotonic seconds, `presents` the present values known of what a call is about.
    """
    grants = Grants(clock=clock, presents=presents)

    def switched(chat_id: str) -> bool:
        session = chats.sessions.get(chat_id)
        return session is not None and session.read_only_switch

    def granted(approval: Approval, terms: GrantTerms) -> None:
        if grants.give(approval, terms) is not None:
            approvals.reconsider()

    def changed(ended: GrantsEnded | None) -> None:
        if ended is not None and not ended.used_up:
            approvals.reconsider()

    def heard(_: ChatSession, change: SessionChange) -> None:
        from kai_tui.services.changes import TurnEnded

        if isinstance(change, TurnEnded) and change.reason == "lost":
            grants.end("the connection was lost")

    approvals.policy = StandingRules(grants, switched)
    approvals.on_granted = granted
    grants.observe(changed)
    chats.hear(heard)
    return grants

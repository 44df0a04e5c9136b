"""What the sessions of an account share; apart from them, because it is needed before any session is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, Quota
    from kai_tui.conversation.reviews.review import Presents
    from kai_tui.services.approval_round import Place
    from kai_tui.services.approval_service import Approval, ApprovalService
    from kai_tui.services.keeper import Keeper
    from kai_tui.services.ledger import Ledger

NEW_CHAT_TITLE = "New chat"


async def _no_quota() -> Quota | None:
    return None


def _no_presents(approval: Approval) -> Presents:
    return {}


def no_ledger() -> Ledger:
    """One that keeps nothing."""
    from kai_tui.services.ledger import NoLedger

    return NoLedger()


class SessionTools(NamedTuple):
    """What a session works with; the same for all chats of an account."""

    backend: Callable[[], Awaitable[Backend]]
    approvals: ApprovalService
    keeper: Keeper
    place: Callable[[], Place]
    ledger: Ledger
    quota: Callable[[], Awaitable[Quota | None]] = _no_quota
    """How many messages of the month are used, asked anew; None where the server does not tell. Never raises."""
    presents: Callable[[Approval], Presents] = _no_presents
    """What is known of what a question is about, as it is now."""
    assistant: str = "Kai"
    """What the assistant is called in sentences."""
    clock: Callable[[], float] = monotonic
    """Monotonic seconds."""
    wall: Callable[[], datetime] = datetime.now
    """The time of day here."""

    def o_clock(self, seconds: float) -> str:
        """The time of day in so many seconds, as people write it here: `14:32:10`."""
        return (self.wall() + timedelta(seconds=ceil(seconds))).strftime("%H:%M:%S")

"""What the sessions of an account share; apart from them, because it is needed before any session is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.services.approval_round import Place
    from kai_tui.services.approval_service import ApprovalService
    from kai_tui.services.keeper import Keeper

NEW_CHAT_TITLE = "New chat"


@dataclass(frozen=True, slots=True)
class SessionTools:
    """What a session works with; the same for all chats of an account."""

    backend: Callable[[], Awaitable[Backend]]
    approvals: ApprovalService
    keeper: Keeper
    place: Callable[[], Place]
    clock: Callable[[], float] = monotonic

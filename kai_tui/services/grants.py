"""What the user allowed for a while: narrow, visible, revocable, never kept longer than this run (reliability.md T20)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.conversation.reviews.review import ObjectRef


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What a grant is for, as the user chose it in the dialog."""

    tool: str
    of: ObjectRef | None = None
    """Only calls about this; None: about anything."""
    chat_id: str | None = None
    """Only in this chat; None: in every chat of the account."""
    minutes: float | None = None
    """How long it holds; None: until the user leaves."""
    calls: int | None = None
    """For how many further calls; None: for any number."""

"""What the user allowed for a while: narrow, visible, revocable, never kept longer than this run (reliability.md T20).

Not loaded before the first paint, which needs only what keeps them (`grant_keeping`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kai_tui.services.grant_keeping import Grants as Grants
from kai_tui.services.grant_keeping import why_no_grant as why_no_grant

if TYPE_CHECKING:
    from kai_tui.conversation.reviews.review import ObjectRef


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What a grant is for, as the user chose it in the dialog."""

    tool: str
    of: ObjectRef | None = None
    """Only calls about this, and what is inside it (`conversation.granting.covers`); None: about anything."""
    chat_id: str | None = None
    """Only in this chat; None: in every chat of the account."""
    minutes: float | None = None
    """How long it holds; None: until the user leaves."""
    calls: int | None = None
    """For how many further calls; None: for any number."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission that holds now. Texts are raw."""

    number: int
    terms: GrantTerms
    chat_title: str
    """Of the chat in which it was given."""
    account_id: str
    branch: str
    host: str
    cautions: frozenset[str]
    """What the user was warned of when giving it; a call with any other warning is asked about."""
    until: float | None = None
    """Monotonic seconds; None: until the user leaves."""
    used: int = 0
    """Calls it decided so far."""

    @property
    def left(self) -> int | None:
        """Further calls it decides; None: any number."""
        return None if self.terms.calls is None else max(0, self.terms.calls - self.used)

    @property
    def words(self) -> str:
        """How long it holds, as it was given: "for 10 minutes, at most 5 calls"."""
        from kai_tui.services.grant_words import span_words

        return span_words(self.terms)


@dataclass(frozen=True, slots=True)
class GrantsEnded:
    """Grants are over."""

    grants: Sequence[Grant]
    why: str
    """Half a sentence: "its time is over"."""
    by_user: bool = False
    used_up: bool = False
    """Whether nothing but the last of its calls ended it: what it decided stands."""

    @property
    def told(self) -> Sequence[Grant]:
        """Those the user still counted on."""
        return [each for each in self.grants if self.used_up or each.left != 0]

"""Paging through the history, whichever way a server's cursors point (kai.md §4.7).

In the chat template `ending_before=X` means the chats older than X; kai-client thinks
`starting_after=X` does. Which rule a Kai has is not known, so the first second page decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from kai_tui.backends.base import ChatSummary, Page
from kai_tui.backends.kai.wire import ChatRow

CursorRule: TypeAlias = Literal["ending_before", "starting_after"]

_KEPT_LISTINGS = 32


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page as a server gave it, newest first."""

    rows: Sequence[ChatRow]
    has_more: bool


FetchPage: TypeAlias = Callable[[CursorRule | None, str, int], Awaitable[RawPage]]
"""(rule, cursor, limit) → page; without rule the first page."""


@dataclass(slots=True)
class _Listing:
    """What one walk through the history has brought so far."""

    seen: dict[str, ChatRow | None] = field(default_factory=dict[str, "ChatRow | None"])


class HistoryPager:
    """Walks through the history; several walks may go on at once. Remembers the server's rule."""

    def __init__(self, fetch: FetchPage) -> None:
        self._fetch = fetch
        self._listings: dict[str, _Listing] = {}
        self.rule: CursorRule | None = None
        """How this server's cursors point; None until a second page told."""

    async def page(self, cursor: str | None, limit: int) -> Page[ChatSummary]:
        """The first page, or the one behind `cursor`. No chat comes twice in one walk."""
        if cursor is None:
            listing = _Listing()
            raw = await self._fetch(None, "", limit)
        else:
            listing = self._listings.get(cursor) or _Listing({cursor: None})
            raw = await self._older(cursor, limit, listing)
        fresh: list[ChatRow] = []
        for row in raw.rows:
            if row.id not in listing.seen:
                listing.seen[row.id] = row
                fresh.append(row)
        following = fresh[-1].id if fresh and raw.has_more else None
        if following is not None:
            self._listings[following] = listing
            while len(self._listings) > _KEPT_LISTINGS:
                del self._listings[next(iter(self._listings))]
        return Page([summary(row) for row in fresh], following)

    async def _older(self, cursor: str, limit: int, listing: _Listing) -> RawPage:
        if self.rule is not None:
            return await self._fetch(self.rule, cursor, limit)
        first = await self._fetch("ending_before", cursor, limit)
        if _fits(first, cursor, listing):
            self.rule = "ending_before"
            return first
        second = await self._fetch("starting_after", cursor, limit)
        if _fits(second, cursor, listing):
            self.rule = "starting_after"
            return second
        # Neither way is clean (chats may have been added meanwhile): take what is new and stop guessing.
        reference = listing.seen.get(cursor)
        rows = [row for row in (*first.rows, *second.rows) if not _newer(row, reference)]
        return RawPage(rows, first.has_more or second.has_more)


def _fits(page: RawPage, cursor: str, listing: _Listing) -> bool:
    """Whether this can be the page behind `cursor`: something, nothing known, nothing newer."""
    reference = listing.seen.get(cursor)
    return bool(page.rows) and not any(row.id in listing.seen or _newer(row, reference) for row in page.rows)


def _newer(row: ChatRow, reference: ChatRow | None) -> bool:
    """Newer by creation and by last change, so under either order a server may use."""
    if reference is None:
        return False
    pairs = (
        (row.created_at, reference.created_at),
        (row.updated_at or row.created_at, reference.updated_at or reference.created_at),
    )
    for mine, other in pairs:
        when, then = _time(mine), _time(other)
        if when is None or then is None or when <= then:
            return False
    return True


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def summary(row: ChatRow) -> ChatSummary:
    """A row of the history in our terms."""
    return ChatSummary(
        id=row.id,
        title=row.title or "",
        created_at=row.created_at or "",
        updated_at=row.updated_at or "",
        visibility=row.visibility or "",
    )

"""One list of chats: those with agents, which the server keeps, and those with bare models, which are kept here."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from kai_tui.backends.base import ChatSummary, LocalChats, Page

Fetch = Callable[[str | None], Awaitable[Page[ChatSummary]]]


async def one_page(theirs: Fetch, ours: LocalChats, cursor: str | None, limit: int) -> Page[ChatSummary]:
    """The server's next page, with the chats kept here that belong between its rows; newest first.

    May hold more than `limit` rows: all that are newer than its oldest one.
    """
    server_at, server_over, local_at, local_over = _read(cursor)
    rows: list[ChatSummary] = []
    if not server_over:
        page = await theirs(server_at)
        rows = list(page.items)
        server_at, server_over = page.cursor, page.cursor is None
    oldest = _age(rows[-1]) if rows and not server_over else ""
    while not local_over:
        found = await ours.chats(cursor=local_at, limit=limit)
        newer = [row for row in found.items if _age(row) >= oldest]
        rows += newer
        if len(newer) < len(found.items):
            if newer:
                local_at = (await ours.chats(cursor=local_at, limit=len(newer))).cursor
            break
        local_at, local_over = found.cursor, found.cursor is None
        if server_over and len(rows) >= limit:
            break
    rows.sort(key=_age, reverse=True)
    if local_over:
        return Page(rows, server_at)
    return Page(rows, json.dumps([server_at, server_over, local_at]))


def _age(row: ChatSummary) -> str:
    return row.updated_at or row.created_at


def _read(cursor: str | None) -> tuple[str | None, bool, str | None, bool]:
    """Where both lists are. Any cursor but ours is the server's own: nothing is left of the chats kept here."""
    if cursor is None:
        return None, False, None, False
    try:
        found: Any = json.loads(cursor)
    except (ValueError, RecursionError):
        found = None
    match found:
        case [server_at, bool(server_over), local_at]:
            return (
                server_at if isinstance(server_at, str) else None,
                server_over,
                local_at if isinstance(local_at, str) else None,
                False,
            )
        case _:
            return cursor, False, None, True

"""Chats of servers that keep none: here is the only copy, in the state file (design.md §6).

`LocalChats` is what backends see of it; the rest is for `DiskKeeper`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar, cast

from kai_tui.backends.errors import CHAT_GONE, BackendError, NotFound
from kai_tui.services.kept_rows import ending_of, message_of, summary_of
from kai_tui.storage.errors import StorageError

if TYPE_CHECKING:
    from kai_tui.backends.base import Chat, ChatSummary, Page
    from kai_tui.conversation.events import JsonObject
    from kai_tui.conversation.messages import Message
    from kai_tui.services.keeper import ReplyState
    from kai_tui.storage.chat_notes import ChatNotes
    from kai_tui.storage.database import Database
    from kai_tui.storage.own_chats import OwnChats, OwnConversation
    from kai_tui.storage.presence import Presence

T = TypeVar("T")


class AccountChats:
    """Those of one account. Implements `backends.base.LocalChats`.

    What works with the file is loaded at its first use.
    """

    def __init__(
        self,
        database: Callable[[], Database],
        presence: Callable[[], Presence],
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`wall` tells the time of day, with its zone."""
        self._database = database
        self._presence = presence
        self._wall = wall
        self._here: set[str] = set()
        self._made: OwnChats | None = None

    # For backends

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """One page, the chat written in last first. Raises BackendError when the file cannot be read."""
        from kai_tui.backends.base import Page

        before = int(cursor) if cursor is not None and cursor.isdecimal() else None
        rows = await _typed(self._chats.page(limit + 1, before))
        self._here.update(row.summary.id for row in rows)
        more = len(rows) > limit
        rows = rows[:limit]
        return Page([summary_of(row.summary) for row in rows], str(rows[-1].sequence) if more else None)

    async def chat(self, chat_id: str) -> Chat:
        """The chat as it was kept: replies that broke off are marked, those another window writes, too.

        Raises NotFound for one that is not here, BackendError when the file cannot be read.
        """
        from kai_tui.backends.base import Chat

        found = await _typed(self._read(chat_id))
        if found is None or not found.whole:
            raise NotFound("This chat is not on this computer any more.", code=CHAT_GONE)
        self._here.add(chat_id)
        return Chat(
            summary_of(found.summary),
            [message_of(each.wire, each.state, each.ending) for each in found.messages],
            await self.baggage(chat_id),
        )

    async def delete(self, chat_id: str) -> None:
        """Gone, from the backups too (P18). Raises BackendError when it could not be deleted."""
        await _typed(self.remove(chat_id))
        await _typed(self._database().renew_backups())

    async def baggage(self, chat_id: str) -> JsonObject:
        """What a backend keeps along with a chat; empty when nothing, also when it cannot be read."""
        try:
            kept = (await self._notes.of_chat(chat_id)).get("baggage")
        except StorageError:
            return {}
        return cast("JsonObject", kept) if isinstance(kept, dict) else {}

    async def keep_baggage(self, chat_id: str, baggage: Mapping[str, object]) -> None:
        """In place of what was kept before; goes with the chat. JSON values only. Never raises a BackendError:
        the chat goes on without."""
        try:
            await self._notes.put(chat_id, "baggage", dict(baggage) or None)
        except (StorageError, TypeError, ValueError, RecursionError):
            pass  # a server's state may be nested deeper than any JSON can be written

    # For the keeper. Raises StorageError

    def take(self, chat_id: str) -> None:
        """What is written in this chat from now on is kept here."""
        self._here.add(chat_id)

    def holds(self, chat_id: str) -> bool:
        """Whether this chat is kept here, as far as it was read, listed or written in."""
        return chat_id in self._here

    async def rows(self, limit: int) -> list[ChatSummary]:
        """The newest chats that are kept here."""
        found = [summary_of(row.summary) for row in await self._chats.page(limit)]
        self._here.update(row.id for row in found)
        return found

    async def ids(self) -> set[str]:
        """Of all chats that are kept here."""
        found = await self._chats.ids()
        self._here |= found
        return found

    async def checkpoint(
        self, chat_id: str, title: str, message: Message, state: ReplyState, text: str, *, whole: bool = True
    ) -> None:
        """Keep a message as it is now; `text` is its JSON. Not `whole`: the server has the chat, but not this."""
        await self._chats.checkpoint(
            chat_id,
            message.id,
            text,
            state,
            title=title,
            now=self._wall().astimezone(UTC).isoformat().replace("+00:00", "Z"),
            ending=ending_of(message),
            whole=whole,
        )

    async def replies(self, chat_id: str) -> list[Message]:
        """Questions and replies of a chat of which the server does not keep the replies."""
        found = await self._read(chat_id)
        if found is None or found.whole:
            return []
        return [message_of(each.wire, each.state, each.ending) for each in found.messages]

    async def rename_message(self, chat_id: str, old_id: str, new_id: str) -> None:
        """The server gave an answer another id than the one it was kept under."""
        await self._chats.rename_message(chat_id, old_id, new_id)

    async def drop_message(self, chat_id: str, message_id: str) -> None:
        """Forget one message."""
        await self._chats.drop_message(chat_id, message_id)

    async def remove(self, chat_id: str) -> None:
        """Forget a chat, or its replies. They may still be in the backups."""
        await self._chats.delete(chat_id)

    @property
    def _chats(self) -> OwnChats:
        if self._made is None:
            from kai_tui.storage.own_chats import OwnChats

            self._made = OwnChats(self._database(), self._presence().owner)
        return self._made

    @property
    def _notes(self) -> ChatNotes:
        from kai_tui.storage.chat_notes import ChatNotes

        return ChatNotes(self._database())

    async def _read(self, chat_id: str) -> OwnConversation | None:
        writers = await self._chats.writers(chat_id)
        presence = self._presence()
        open_windows = {each for each in writers if await asyncio.to_thread(presence.alive, each)}
        return await self._chats.chat(chat_id, open_windows)


async def _typed(work: Awaitable[T]) -> T:
    try:
        return await work
    except StorageError as error:
        raise BackendError(
            f"The chats kept on this computer cannot be reached. {error.sentence}",
            code="local",
            delivery="not-sent",
        ) from error

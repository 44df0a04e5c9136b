"""What adapters have in place of a store when nobody gives them one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kai_tui.backends.base import CHAT_GONE, Chat, ChatSummary, NotFound, Page
from kai_tui.conversation.events import JsonObject


class NoChats:
    """`LocalChats` of which none is kept; only the baggage lasts, as long as the program runs."""

    def __init__(self) -> None:
        self._baggage: dict[str, JsonObject] = {}

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        return Page([], None)

    async def chat(self, chat_id: str) -> Chat:
        raise NotFound("This chat was not kept.", code=CHAT_GONE)

    async def delete(self, chat_id: str) -> None:
        self._baggage.pop(chat_id, None)

    async def baggage(self, chat_id: str) -> JsonObject:
        return dict(self._baggage.get(chat_id, {}))

    async def keep_baggage(self, chat_id: str, baggage: Mapping[str, Any]) -> None:
        self._baggage[chat_id] = dict(baggage)

"""Chats of both kinds: with agents, kept by the server, and with bare models, kept on this computer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kai_tui.backends.base import Capabilities, Chat, ChatSummary, LocalChats, Page, Unsupported
from kai_tui.backends.imbrace.both_lists import one_page
from kai_tui.backends.imbrace.library import ImbraceLibrary
from kai_tui.backends.imbrace.offers import MODEL_PREFIX

if TYPE_CHECKING:
    from kai_tui.backends.chosen_agents import ChosenAgents
    from kai_tui.backends.imbrace.places import Doors

AGENT_CAPS: Final = Capabilities(
    approval="continuation", votes=True, tokens=False, suggestions=True, attachments=True, delete_all=True
)
MODEL_CAPS: Final = Capabilities(approval="none", history="local", delete_all=True)
"""A bare model: no tools, nothing kept by the server."""


class ImbraceChats(ImbraceLibrary):
    """Whom a chat is with, and where it is."""

    def __init__(self, doors: Doors, organization: str, chosen: ChosenAgents, own_chats: LocalChats) -> None:
        super().__init__(doors, organization)
        self._chosen = chosen
        self._own_chats = own_chats
        self._on_server: set[str] = set()
        """Chats the server is known to have."""

    @property
    def chosen(self) -> str | None:
        """The agent new chats are with; None while nobody chose one."""
        return self._chosen.last

    def agent_of(self, chat_id: str) -> str | None:
        """The agent a message in this chat would go to."""
        return self._chosen.of(chat_id) or self._chosen.last

    def caps_of(self, agent_id: str | None) -> Capabilities:
        """What an agent can do."""
        return MODEL_CAPS if agent_id is not None and agent_id.startswith(MODEL_PREFIX) else AGENT_CAPS

    def caps_in(self, chat_id: str) -> Capabilities:
        """What can be done in a chat: with whom it was begun, or a message would go to."""
        return AGENT_CAPS if chat_id in self._on_server else self.caps_of(self.agent_of(chat_id))

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """The server's, and between them those with bare models, which are kept here; newest first."""

        async def theirs(cursor: str | None) -> Page[ChatSummary]:
            page = await super(ImbraceChats, self).chats(cursor=cursor, limit=limit)
            self._on_server.update(row.id for row in page.items)
            return page

        return await one_page(theirs, self._own_chats, cursor, limit)

    async def _is_own(self, chat_id: str) -> bool:
        """Whether a chat is with a bare model, as far as that is known here."""
        await self._chosen.recall()
        if chat_id in self._on_server:
            return False
        known = self._chosen.of(chat_id)
        if known is None:
            # Of chats of long ago only this remembers the model.
            kept = (await self._own_chats.baggage(chat_id)).get("agent")
            if isinstance(kept, str) and kept:
                self._chosen.tell(chat_id, kept)
                known = kept
        return known is not None and known.startswith(MODEL_PREFIX)

    async def chat(self, chat_id: str) -> Chat:
        """The chat with its messages; further messages go to its own agent."""
        if await self._is_own(chat_id):
            return await self._own_chats.chat(chat_id)
        found = await super().chat(chat_id)
        self._on_server.add(chat_id)
        agent = found.extra.get("assistantId")
        if isinstance(agent, str) and agent:
            self._chosen.tell(chat_id, agent)
        return found

    async def delete(self, chat_id: str) -> None:
        """Delete a chat at the server; one with a bare model, here."""
        if await self._is_own(chat_id):
            await self._own_chats.delete(chat_id)
        else:
            await super().delete(chat_id)
        self._on_server.discard(chat_id)
        self._chosen.forget(chat_id)

    async def delete_all(self) -> int:
        """Delete all chats of this user in this organisation at the server, then those with bare models, here."""
        count = await super().delete_all()
        self._on_server.clear()
        while rows := (await self._own_chats.chats()).items:
            for row in rows:
                await self._own_chats.delete(row.id)
                self._chosen.forget(row.id)
                count += 1
        return count

    async def vote(self, chat_id: str, message_id: str, up: bool) -> None:
        """Vote on an agent's answer. A bare model's is not at the server, and takes no votes."""
        if await self._is_own(chat_id):
            raise Unsupported("Answers of a model without an agent cannot be voted on.")
        await super().vote(chat_id, message_id, up)

    async def votes(self, chat_id: str) -> Mapping[str, bool]:
        """Those on an agent's answers; there are none in a chat with a bare model."""
        return {} if await self._is_own(chat_id) else await super().votes(chat_id)

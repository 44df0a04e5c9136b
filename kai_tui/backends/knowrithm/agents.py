"""Knowrithm's agents as somebody to talk to: a conversation is with one for good (knowrithm.md §6, §7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kai_tui.backends.agents import Agent
from kai_tui.backends.base import Capabilities, Unsupported
from kai_tui.backends.knowrithm.offers import only_active

if TYPE_CHECKING:
    from kai_tui.backends.knowrithm.client import KnowrithmBackend
    from kai_tui.backends.knowrithm.offers import Agent as KnowrithmAgent


class KnowrithmAgents:
    """Implements `Agents`."""

    def __init__(self, backend: KnowrithmBackend) -> None:
        self._backend = backend

    async def list(self) -> Sequence[Agent]:
        """All agents. The only one that is active is chosen by itself."""
        await self._backend.recall_agents()
        rows = await self._backend.offers.agents()
        only = only_active(rows)
        if self._backend.agent_id is None and only is not None:
            self._backend.choose_agent(only.id)
        return [_agent(row) for row in rows]

    def chosen(self, chat_id: str | None = None) -> str | None:
        if chat_id is None or self.may_change(chat_id):
            return self._backend.agent_id
        return self._backend.conversations.agent_of(chat_id)

    async def choose(self, agent_id: str, *, chat_id: str | None = None) -> None:
        if chat_id is not None and not self.may_change(chat_id):
            raise Unsupported("This conversation stays with the agent it was begun with. Start a new chat.")
        await self._backend.recall_agents()
        self._backend.choose_agent(agent_id)
        await self._backend.keep_agents()

    def may_change(self, chat_id: str) -> bool:
        return not self._backend.conversations.knows(chat_id)

    def caps(self, chat_id: str | None = None) -> Capabilities:
        return self._backend.caps


def _agent(row: KnowrithmAgent) -> Agent:
    status = row.status.lower()
    notes = ["" if status in ("", "active") else status, row.model]
    return Agent(row.id, row.name, row.description, ", ".join(note for note in notes if note))

"""iMBRACE's agents and bare models as somebody to talk to (imbrace.md §10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kai_tui.backends.agents import Agent
from kai_tui.backends.base import Capabilities, Unsupported
from kai_tui.backends.imbrace.offers import MODEL_PREFIX

if TYPE_CHECKING:
    from kai_tui.backends.imbrace.client import ImbraceBackend
    from kai_tui.backends.imbrace.offers import Agent as ImbraceAgent

_TYPES = {"team_lead": "leads other agents", "document_ai": "reads documents"}


class ImbraceAgents:
    """Implements `Agents`. A chat goes on with whom the next message names; only from an agent to a bare
    model and back it cannot: one is remembered by the server, the other here."""

    def __init__(self, backend: ImbraceBackend) -> None:
        self._backend = backend

    async def list(self) -> Sequence[Agent]:
        """The account's agents, then bare models. An only agent is chosen by itself."""
        await self._backend.recall_agents()
        found = [_agent(each) for each in await self._backend.all_agents()]
        usual = [each for each in found if not each.id.startswith(MODEL_PREFIX)]
        if self._backend.chosen is None and len(usual) == 1:
            self._backend.choose(usual[0].id)
        return found

    def chosen(self, chat_id: str | None = None) -> str | None:
        return self._backend.agent_of(chat_id) if chat_id is not None else self._backend.chosen

    async def choose(self, agent_id: str, *, chat_id: str | None = None) -> None:
        await self._backend.recall_agents()
        if chat_id is not None and self._backend.has_begun(chat_id):
            before = self._backend.agent_of(chat_id) or ""
            if before.startswith(MODEL_PREFIX) != agent_id.startswith(MODEL_PREFIX):
                raise Unsupported(
                    "A chat with an agent cannot go on with a bare model, nor the other way round. Start a new chat."
                )
        self._backend.choose(agent_id, chat_id=chat_id)
        await self._backend.keep_agents()

    def may_change(self, chat_id: str) -> bool:
        return True

    def caps(self, chat_id: str | None = None) -> Capabilities:
        return self._backend.caps if chat_id is None else self._backend.caps_in(chat_id)


def _agent(each: ImbraceAgent) -> Agent:
    if each.kind == "model":
        return Agent(each.id, each.name, note="bare model, no tools")
    notes = [_TYPES.get(each.type, "")]
    if each.streaming is False:
        notes.append("answers in one piece")
    if each.thinks:
        notes.append("shows its thoughts")
    return Agent(each.id, each.name, each.description, ", ".join(note for note in notes if note))

"""A scripted backend with somebody to choose from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from kai_tui.backends.agents import NO_AGENT, Agent, Agents
from kai_tui.backends.base import (
    BackendError,
    Capabilities,
    OnWait,
    Outgoing,
    Refused,
    Suggestion,
    Unsupported,
)
from kai_tui.conversation.events import Event
from tests.services.scripted_backend import ScriptedBackend

ADA = Agent("ada", "Ada", "Counts things, and says how many there are.", "shows its thoughts")
BEA = Agent("bea", "Bea", "Writes letters.")
OLD = Agent("model:old", "Old model", note="bare model, no tools")


@dataclass
class Somebody(ScriptedBackend):
    """Suggestions, votes and answers are those of the chosen agent."""

    style: str = "continuation"  # type: ignore[assignment]
    people: list[Agent] = field(default_factory=lambda: [ADA, BEA, OLD])
    last: str | None = None
    of_chats: dict[str, str] = field(default_factory=dict)
    stays: bool = False
    """Whether a chat that was begun stays with its agent."""
    list_error: BackendError | None = None
    listing: asyncio.Event | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """What was sent, and to whom."""

    @property
    def agents(self) -> Agents:
        return _People(self)

    async def suggestions(self) -> Sequence[Suggestion]:
        return [Suggestion(f"Ask {self.last}", f"Hello {self.last}")] if self.last else []

    async def send(
        self, chat_id: str, outgoing: Outgoing, *, on_wait: OnWait | None = None
    ) -> AsyncIterator[Event]:
        agent = self.of_chats.get(chat_id, self.last)
        self.asked.append((outgoing.text, agent))
        if agent is None:
            raise Refused("Choose an agent first.", code=NO_AGENT)
        self.of_chats[chat_id] = agent
        async for event in super().send(chat_id, outgoing, on_wait=on_wait):
            yield event


class _People:
    def __init__(self, backend: Somebody) -> None:
        self._backend = backend

    async def list(self) -> Sequence[Agent]:
        if self._backend.listing is not None:
            await self._backend.listing.wait()
        if self._backend.list_error is not None:
            raise self._backend.list_error
        return list(self._backend.people)

    def chosen(self, chat_id: str | None = None) -> str | None:
        return self._backend.of_chats.get(chat_id or "", self._backend.last)

    async def choose(self, agent_id: str, *, chat_id: str | None = None) -> None:
        if chat_id is None:
            self._backend.last = agent_id
        elif not self.may_change(chat_id):
            raise Unsupported("This chat stays with whom it was begun.")
        else:
            self._backend.of_chats[chat_id] = agent_id

    def may_change(self, chat_id: str) -> bool:
        return not (self._backend.stays and chat_id in self._backend.of_chats)

    def caps(self, chat_id: str | None = None) -> Capabilities:
        model = (self.chosen(chat_id) or "").startswith("model:")
        return Capabilities(approval="none", tokens=False) if model else self._backend.caps

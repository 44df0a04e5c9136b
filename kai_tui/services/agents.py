"""Whom one can talk to in an account, and whom each chat is with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from kai_tui.backends.errors import BackendError
from kai_tui.services.observers import Observers

if TYPE_CHECKING:
    from kai_tui.backends.agents import Agent, Agents
    from kai_tui.backends.base import Backend


class AgentList:
    """Observers hear that the list or a choice changed. Empty where there is nobody to choose."""

    def __init__(
        self, backend: Callable[[], Awaitable[Backend]], opened: Callable[[], Backend | None]
    ) -> None:
        """`opened`: the backend when it is open already."""
        self._backend = backend
        self._opened = opened
        self._observers: Observers[None] = Observers()
        self.rows: Sequence[Agent] = ()
        self.loading = False
        self.problem = ""
        """Why the list could not be read. Raw."""

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear that the list or a choice changed."""
        return self._observers.add(callback)

    @property
    def _agents(self) -> Agents | None:
        backend = self._opened()
        return backend.agents if backend is not None else None

    @property
    def offered(self) -> bool:
        """Whether this system has agents to choose from."""
        return self._agents is not None

    def of(self, chat_id: str | None = None) -> Agent | None:
        """Whom a chat (a new one) is with; None when nobody was chosen, or the list does not have them."""
        agents = self._agents
        chosen = agents.chosen(chat_id) if agents is not None else None
        return next((each for each in self.rows if each.id == chosen), None)

    def chosen(self, chat_id: str | None = None) -> str | None:
        """The id of whom a chat (a new one) is with, whether or not the list has them."""
        agents = self._agents
        return agents.chosen(chat_id) if agents is not None else None

    def may_change(self, chat_id: str) -> bool:
        """Whether this chat can go on with another agent."""
        agents = self._agents
        return agents is not None and agents.may_change(chat_id)

    def must_choose(self, chat_id: str) -> bool:
        """Whether a message in this chat would go to nobody: there is a choice and it was not made."""
        return len(self.rows) > 1 and self.may_change(chat_id) and self.chosen(chat_id) is None

    async def load(self) -> None:
        """Ask the server who is there; the list of before stays when it does not answer. Never raises."""
        if self.loading:
            return
        self.loading = True
        self._observers.tell(None)
        try:
            backend = await self._backend()
            if backend.agents is not None:
                self.rows = tuple(await backend.agents.list())
            self.problem = ""
        except BackendError as error:
            self.problem = error.sentence
        finally:
            self.loading = False
            self._observers.tell(None)

    async def choose(self, agent_id: str, *, chat_id: str | None = None) -> None:
        """New chats are with this agent, or this chat goes on with it. Raises BackendError."""
        backend = await self._backend()
        if backend.agents is not None:
            await backend.agents.choose(agent_id, chat_id=chat_id)
            self._observers.tell(None)

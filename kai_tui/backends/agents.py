"""Who a chat is with, where a server has several to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, Capabilities

NO_AGENT: Final = "agent"
"""The `code` of an error after which the user has to choose (another) agent."""


class Agent(NamedTuple):
    """Somebody to talk to. Texts are the server's: raw."""

    id: str
    name: str
    description: str = ""
    note: str = ""
    """A few words that tell it from others: "bare model", "answers in one piece", "inactive"."""


class Agents(Protocol):
    """The agents of a server. What was chosen last is kept by the backend itself (`Memory`)."""

    async def list(self) -> Sequence[Agent]:
        """All there are. An only one is chosen by itself. Raises BackendError."""
        ...

    def chosen(self, chat_id: str | None = None) -> str | None:
        """Whom this chat is with, or a new one will be with; None while nobody chose, or it is not known."""
        ...

    async def choose(self, agent_id: str, *, chat_id: str | None = None) -> None:
        """New chats are with this agent from now on; with `chat_id`: that chat goes on with it. Raises
        Unsupported where a chat cannot change its agent."""
        ...

    def may_change(self, chat_id: str) -> bool:
        """Whether this chat can go on with another agent; true for one that has not begun."""
        ...

    def caps(self, chat_id: str | None = None) -> Capabilities:
        """What the agent of this chat can do, or that of a new one."""
        ...


def caps_for(backend: Backend, chat_id: str | None = None) -> Capabilities:
    """What can be done in this chat (a new one): what its agent can do, where there are agents."""
    agents = backend.agents
    return agents.caps(chat_id) if agents is not None else backend.caps


def is_local(backend: Backend, chat_id: str) -> bool:
    """Whether no server keeps this chat."""
    return caps_for(backend, chat_id).history == "local"

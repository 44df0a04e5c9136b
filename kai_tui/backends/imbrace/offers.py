"""What iMBRACE has that not every assistant has: agents, organisations, documents, knowledge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kai_tui.backends.secret import Secret
from kai_tui.conversation.events import JsonObject

AgentKind: TypeAlias = Literal["agent", "model"]
"""`model`: a bare model behind the OpenAI-compatible completion endpoint. It has no tools, and no
memory but what is sent along."""
DocumentKind: TypeAlias = Literal["text", "code", "image", "sheet", "imbrace-databoard"]

MODEL_PREFIX = "model:"
"""How the ids of agents begin that are bare models."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody to talk to. Texts are raw."""

    id: str
    name: str
    description: str = ""
    kind: AgentKind = "agent"
    streaming: bool | None = None
    """False: it answers in one piece, and the server does not keep its answers (§5). None: not known."""
    thinks: bool = False
    """Whether it shows its reasoning."""
    model: str = ""
    type: str = ""
    """`agent_type` of the server, such as `team_lead`."""
    details: JsonObject = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, slots=True)
class Organization:
    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in that still needs an organisation; `token` is good for choosing one only."""

    token: Secret
    organizations: tuple[Organization, ...]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A long-lived key made for this user."""

    key: Secret
    organization: str = ""
    expires: str = ""
    """As the server wrote it; empty when it never does."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the credential belongs to."""

    id: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class KnowledgeFile:
    """A file an agent can look things up in."""

    id: str
    name: str
    bytes: int | None = None
    agent: str = ""
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document the assistant or the user wrote."""

    id: str
    title: str
    content: str
    kind: str = "text"
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class ChatStatus:
    """Whether the server still works on a chat (§7)."""

    running: bool
    stale: bool = False
    """The server gave up watching after 5 minutes; nobody knows whether it still works."""

"""The one door to every remote assistant: what it can do, what goes in, what comes out, what fails.

Not loaded before the first paint: what that needs is in `capabilities` and `errors`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from kai_tui.backends.capabilities import ApprovalStyle as ApprovalStyle
from kai_tui.backends.capabilities import Capabilities as Capabilities
from kai_tui.backends.errors import CHAT_GONE as CHAT_GONE
from kai_tui.backends.errors import MESSAGE_UNSURE as MESSAGE_UNSURE
from kai_tui.backends.errors import AnswerTooLarge as AnswerTooLarge
from kai_tui.backends.errors import BackendError as BackendError
from kai_tui.backends.errors import CannotConnect as CannotConnect
from kai_tui.backends.errors import ConnectionLost as ConnectionLost
from kai_tui.backends.errors import Delivery as Delivery
from kai_tui.backends.errors import NoKaiThere as NoKaiThere
from kai_tui.backends.errors import NotAllowed as NotAllowed
from kai_tui.backends.errors import NotFound as NotFound
from kai_tui.backends.errors import RateLimited as RateLimited
from kai_tui.backends.errors import Refused as Refused
from kai_tui.backends.errors import ServerFailed as ServerFailed
from kai_tui.backends.errors import TokenRefused as TokenRefused
from kai_tui.backends.errors import UnexpectedAnswer as UnexpectedAnswer
from kai_tui.backends.errors import Unsupported as Unsupported

if TYPE_CHECKING:
    from kai_tui.backends.agents import Agents
    from kai_tui.backends.attachments import Attachments
    from kai_tui.backends.documents import Documents
    from kai_tui.backends.project import Project
    from kai_tui.backends.secret import Secret
    from kai_tui.conversation.events import Event, JsonObject
    from kai_tui.conversation.messages import Message

T = TypeVar("T")

Visibility: TypeAlias = Literal["private", "public"]
"""`public` means all members of the project (kai.md §4.3)."""
Permission: TypeAlias = Literal["always_allow", "always_ask", "blocked"]
"""What a user's tool may do (kai.md §4.12)."""
Whose: TypeAlias = Literal["project", "user"]
"""Instructions for everybody of a project, or one's own."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Who answers, for the status bar and the about panel."""

    host: str
    service: str
    name: str = ""
    version: str = ""
    details: JsonObject = field(default_factory=dict[str, Any])
    """All the server says about itself, as it came."""
    address: str = ""
    """Where it was asked."""


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """A row of the history."""

    id: str
    title: str
    created_at: str = ""
    """ISO 8601, UTC, as the server wrote it."""
    updated_at: str = ""
    visibility: str = "private"
    """`private` or `public`; empty when the server did not say."""


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat with its messages, as the server has it."""

    summary: ChatSummary
    messages: Sequence[Message]
    extra: JsonObject = field(default_factory=dict[str, Any])
    running: bool = False
    """Whether the server still writes an answer in it; `Backend.until_done` waits for that."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `cursor` asks for the next, None at the end."""

    items: Sequence[T]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ChatTerms:
    """What holds for a chat from its first message on. Sent with every message; the first decides (kai.md §4.3)."""

    visibility: Visibility = "private"
    read_only: bool = False
    """The assistant may only use tools that read."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Messages of this month (kai.md §4.11)."""

    used: int
    limit: int
    resets: str = ""
    """ISO 8601, as the server wrote it; empty when it did not say."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to ask, offered by the server."""

    label: str
    prompt: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message: its http(s) or data: address."""

    url: str
    name: str = ""
    media_type: str = "application/octet-stream"

    def __repr__(self) -> str:
        return f"Attachment({self.url[:60]!r}, {self.name!r}, {self.media_type!r})"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A user's message on its way. `message_id` stays the same over a manual retry (N10)."""

    message_id: str
    text: str
    hidden: bool = False
    context_path: str | None = None
    """The page of the web interface this message is about."""
    terms: ChatTerms = ChatTerms()
    new_chat: bool = False
    """The server does not know the chat: one that names chats itself makes it now (knowrithm.md §7)."""
    earlier: Sequence[Message] | None = None
    """The chat before this message, oldest first, for servers that remember nothing (`caps.history` is `local`):
    what arrived and was not asked again. None: nobody told."""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """The user's decision on one waiting call."""

    tool_call_id: str
    approved: bool
    approval_id: str | None = None
    reason: str | None = None
    updated_input: JsonObject | None = None
    answers: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class ToolValue(ToolAnswer):
    """What the user entered for a call that waits for a value (assistant-ui.md §12). `approved` is True; a denial
    is a `ToolAnswer`."""

    value: Any = None
    """Any JSON; goes to the server as the call's result."""
    artifact: Any = None


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """One tool the server offers."""

    name: str
    description: str = ""
    read_only: bool = False
    permission: str | None = None
    """The user's own setting, a `Permission`; None when there is none (kai.md §4.12)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request could not be made; it is tried again after a pause (reliability.md §3, N2).

    Of a message nothing has reached the server then: leaving now means "not sent".
    """

    sentence: str
    """What failed, for the user."""
    seconds: float
    attempt: int
    """The try that follows the pause; the first one was 1."""
    of: int
    """How many tries there will be at most."""


OnWait: TypeAlias = Callable[[Waiting | None], None]
"""Told of every pause as it begins, and with None when the next try begins. Called in the event loop."""


OnRefused: TypeAlias = "Callable[[TokenRefused], None]"
"""Called in the event loop, before the error reaches whoever asked."""


OnNotice: TypeAlias = Callable[[str], None]
"""Called in the event loop with a raw sentence."""


class LocalChats(Protocol):
    """Chats kept on this computer, for servers that keep none. Raises only BackendErrors."""

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]: ...
    async def chat(self, chat_id: str) -> Chat:
        """Raises NotFound for one that is not here."""
        ...

    async def delete(self, chat_id: str) -> None: ...
    async def baggage(self, chat_id: str) -> JsonObject:
        """What `keep_baggage` was given for this chat, new ones too; empty when nothing. Never raises."""
        ...

    async def keep_baggage(self, chat_id: str, baggage: Mapping[str, object]) -> None:
        """Keep JSON values along with a chat, in place of those before; they go with it. Never raises."""
        ...


class Backend(Protocol):
    """A remote assistant. Every method raises only `BackendError`s.

    `send` and the continuation style of `answer` are async generators: close them
    (`contextlib.aclosing`) to hang up. What fails before the first event raises; once an event
    was yielded, a loss becomes `Finish("lost")`. A `Status` is no such event: it may come while
    nothing was sent yet.
    """

    @property
    def on_wait(self) -> OnWait | None:
        """Told when a request that reads (or deletes) pauses before another try. None: nobody watches."""
        ...

    @on_wait.setter
    def on_wait(self, listener: OnWait | None) -> None: ...

    @property
    def on_refused(self) -> OnRefused | None:
        """Told when any request was refused because of its token. None: nobody watches."""
        ...

    @on_refused.setter
    def on_refused(self, listener: OnRefused | None) -> None: ...

    @property
    def on_notice(self) -> OnNotice | None:
        """Told sentences for the user that belong to no request. None: nobody listens."""
        ...

    @on_notice.setter
    def on_notice(self, listener: OnNotice | None) -> None: ...

    @property
    def caps(self) -> Capabilities: ...
    @property
    def host(self) -> str: ...
    @property
    def agents(self) -> Agents | None:
        """Whom one can talk to; None where there is nobody to choose."""
        ...

    @property
    def project(self) -> Project | None:
        """The project it works on, to be looked at; None where there is none."""
        ...

    @property
    def documents(self) -> Documents | None:
        """What the assistant looks things up in; None where there is no such thing."""
        ...

    @property
    def attachments(self) -> Attachments | None:
        """How files go with a message; None where they do not. Whether the agent of a chat takes them: `caps`."""
        ...

    async def connect(self) -> ServerInfo: ...
    async def about(self) -> ServerInfo:
        """Who answers, asked anew."""
        ...

    async def alive(self) -> str:
        """Ask for a sign of life; the server's own time (ISO 8601), empty when it does not tell."""
        ...

    async def aclose(self) -> None: ...
    def renew(self, token: Secret) -> None:
        """Use another token from now on; streams that are open go on with the one they began with."""
        ...

    async def hang_up(self, *, streams: bool = True) -> None:
        """Drop every connection: open streams end as lost, what follows connects anew.

        Without `streams`, as after a sleep, only connections that wait for a next request are dropped.
        """
        ...

    def send(
        self, chat_id: str, outgoing: Outgoing, *, on_wait: OnWait | None = None
    ) -> AsyncIterator[Event]:
        """Send a message. While the server provably was not reached this is tried up to three times,
        each pause told to `on_wait`; after that, or once a byte may have arrived, never again.
        """
        ...

    def answer(
        self,
        chat_id: str,
        message: Message,
        answers: Sequence[ToolAnswer],
        *,
        terms: ChatTerms = ChatTerms(),
    ) -> AsyncIterator[Event]:
        """Answer waiting calls. `message` is the assistant's message as it was folded, with the
        calls still `approval-requested`. side-request: posts and yields nothing. continuation:
        posts all answers at once and yields the events that continue `respond(message, answers)`.
        """
        ...

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]: ...
    async def chat(self, chat_id: str) -> Chat: ...
    async def delete(self, chat_id: str) -> None: ...
    async def vote(self, chat_id: str, message_id: str, up: bool) -> None: ...
    async def votes(self, chat_id: str) -> Mapping[str, bool]: ...
    async def tools(self) -> Sequence[ToolInfo]:
        """The server's tools with their read-only marks; empty where it has no such list."""
        ...

    # Offered only where `caps` says so; Unsupported elsewhere.

    def answer_by_tool_result(
        self, chat_id: str, message: Message, answer: ToolAnswer, *, terms: ChatTerms = ChatTerms()
    ) -> AsyncIterator[Event]:
        """Answer a call that a finished reply left open, the oldest servers' way (`caps.tool_results`)."""
        ...

    def take_up(self, chat_id: str) -> AsyncIterator[Event]:
        """Get the last reply of a chat, which broke off, from its beginning (`caps.takes_up`). Asks nothing anew.

        Raises NotFound when the server keeps it no more.
        """
        ...

    async def quota(self) -> Quota:
        """How many messages are left (`caps.usage`)."""
        ...

    async def instructions(self, whose: Whose) -> str:
        """What the assistant is told before every chat (`caps.settings`); empty when nothing."""
        ...

    async def set_instructions(self, whose: Whose, text: str) -> str:
        """Change them; an empty text clears. Returns what the server keeps now."""
        ...

    async def permissions(self) -> Sequence[ToolInfo]:
        """`tools`, asked anew (`caps.tool_permissions`): fails rather than leave something out."""
        ...

    async def set_permissions(self, permissions: Mapping[str, Permission] | None) -> Mapping[str, str]:
        """Merge into the user's tool permissions (`caps.tool_permissions`); None resets all.

        Returns all the server keeps now, by tool.
        """
        ...

    async def suggestions(self) -> Sequence[Suggestion]:
        """What a new chat could begin with (`caps.suggestions`)."""
        ...

    async def written(self, document_id: str) -> str:
        """The text of a document the assistant wrote in a chat, as it is now."""
        ...

    async def until_done(self, chat_id: str) -> bool:
        """Wait while the server works on a chat (`Chat.running`); False when it stopped telling."""
        ...

    async def restore(self, chat_id: str) -> None:
        """Bring a deleted chat back (`caps.restore`)."""
        ...

    async def deleted_chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """Chats that can be brought back (`caps.restore`)."""
        ...

    async def delete_all(self) -> int:
        """Delete every chat `chats` lists (`caps.delete_all`); how many there were."""
        ...

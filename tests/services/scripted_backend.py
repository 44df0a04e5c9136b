"""A backend that does what the test says: for faults no real server can be asked for."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kai_tui.backends.base import (
    ApprovalStyle,
    BackendError,
    Capabilities,
    Chat,
    ChatSummary,
    ChatTerms,
    NotFound,
    OnRefused,
    OnWait,
    Outgoing,
    Page,
    Permission,
    Quota,
    ServerInfo,
    Suggestion,
    ToolAnswer,
    ToolInfo,
    Waiting,
    Whose,
)
from kai_tui.backends.secret import Secret
from kai_tui.backends.without_extras import WithoutExtras
from kai_tui.conversation.events import Event
from kai_tui.conversation.messages import Message

USUAL_TERMS = ChatTerms()
QUOTA = Quota(42, 150, "2026-12-01T00:00:00.000Z")

Step = Event | BackendError | asyncio.Event | Waiting
"""An event to yield, an error to raise, a gate to wait at, or a pause to tell of: the next step ends it."""


@dataclass
class ScriptedBackend(WithoutExtras):
    """Yields scripted steps per send and per answer; records what was asked of it."""

    style: ApprovalStyle = "side-request"
    replies: list[list[Step]] = field(default_factory=list)
    answers: list[list[Step]] = field(default_factory=list)
    stored: dict[str, Chat] = field(default_factory=dict)
    chat_error: BackendError | None = None
    tool_list: Sequence[ToolInfo] = ()
    posts: list[Outgoing] = field(default_factory=list)
    answered: list[list[ToolAnswer]] = field(default_factory=list)
    answered_under: list[ChatTerms] = field(default_factory=list)
    tool_results: list[ToolAnswer] = field(default_factory=list)
    posted_messages: list[Message] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    delete_error: BackendError | None = None
    hung_up: int = 0
    connections_dropped: int = 0
    on_wait: OnWait | None = None
    on_refused: OnRefused | None = None
    tokens: list[Secret] = field(default_factory=list)
    """Those it was renewed with."""
    host: str = "kai.test"
    offers: dict[str, bool] = field(default_factory=dict)
    """Further capabilities."""
    quota_now: Quota = field(default=QUOTA)
    instructions_now: dict[str, str] = field(default_factory=dict)
    instructions_error: BackendError | None = None
    quota_error: BackendError | None = None
    quota_reads: int = 0
    alive_now: str = ""
    alive_error: BackendError | None = None
    pings: int = 0
    details: dict[str, object] = field(default_factory=dict)
    """What the server says about itself."""
    permissions_now: dict[str, str] = field(default_factory=dict)
    permissions_error: BackendError | None = None
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    """Methods by name that wait before they answer."""
    permissions_set: list[Mapping[str, Permission] | None] = field(default_factory=list)
    suggestion_list: Sequence[Suggestion] = ()
    voted: list[tuple[str, bool]] = field(default_factory=list)
    vote_steps: list[BackendError | asyncio.Event | None] = field(default_factory=list)
    """What each vote meets: an error, a gate, or None for success."""
    votes_there: dict[str, bool] = field(default_factory=dict)

    @property
    def caps(self) -> Capabilities:
        return Capabilities(approval=self.style, **{"votes": True, **self.offers})

    async def connect(self) -> ServerInfo:
        return await self.about()

    async def about(self) -> ServerInfo:
        return ServerInfo(self.host, "kai-agent", details=dict(self.details), address=f"https://{self.host}")

    async def alive(self) -> str:
        self.pings += 1
        if self.alive_error is not None:
            raise self.alive_error
        return self.alive_now

    async def aclose(self) -> None:
        return None

    def renew(self, token: Secret) -> None:
        self.tokens.append(token)

    async def hang_up(self, *, streams: bool = True) -> None:
        self.connections_dropped += 1

    async def send(
        self, chat_id: str, outgoing: Outgoing, *, on_wait: OnWait | None = None
    ) -> AsyncIterator[Event]:
        self.posts.append(outgoing)
        async for event in self._play(self.replies.pop(0), on_wait):
            yield event

    async def answer(
        self,
        chat_id: str,
        message: Message,
        answers: Sequence[ToolAnswer],
        *,
        terms: ChatTerms = USUAL_TERMS,
    ) -> AsyncIterator[Event]:
        self.answered.append(list(answers))
        self.answered_under.append(terms)
        self.posted_messages.append(Message.from_wire(message.to_wire()))
        async for event in self._play(self.answers.pop(0) if self.answers else []):
            yield event

    async def answer_by_tool_result(
        self, chat_id: str, message: Message, answer: ToolAnswer, *, terms: ChatTerms = USUAL_TERMS
    ) -> AsyncIterator[Event]:
        self.tool_results.append(answer)
        async for event in self._play(self.replies.pop(0)):
            yield event

    async def _play(self, steps: list[Step], on_wait: OnWait | None = None) -> AsyncIterator[Event]:
        told = on_wait or (lambda waiting: None)
        pausing = False
        try:
            for step in steps:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                    continue
                if pausing:
                    pausing = False
                    told(None)
                if isinstance(step, BackendError):
                    raise step
                if isinstance(step, Waiting):
                    pausing = True
                    told(step)
                    await asyncio.sleep(0)
                else:
                    await asyncio.sleep(0)
                    yield step
        except (GeneratorExit, asyncio.CancelledError):
            self.hung_up += 1
            raise

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        if self.chat_error is not None:
            raise self.chat_error
        return Page([chat.summary for chat in self.stored.values()], None)

    async def chat(self, chat_id: str) -> Chat:
        if self.chat_error is not None:
            raise self.chat_error
        if chat_id not in self.stored:
            raise NotFound("This chat is not there.")
        return copy.deepcopy(self.stored[chat_id])

    async def delete(self, chat_id: str) -> None:
        if self.delete_error is not None:
            raise self.delete_error
        self.deleted.append(chat_id)
        self.stored.pop(chat_id, None)

    async def vote(self, chat_id: str, message_id: str, up: bool) -> None:
        self.voted.append((message_id, up))
        step = self.vote_steps.pop(0) if self.vote_steps else None
        if isinstance(step, asyncio.Event):
            await step.wait()
        elif step is not None:
            raise step

    async def votes(self, chat_id: str) -> Mapping[str, bool]:
        return self.votes_there

    async def tools(self) -> Sequence[ToolInfo]:
        return self.tool_list

    async def quota(self) -> Quota:
        self.quota_reads += 1
        await self._gate("quota")
        if self.quota_error is not None:
            raise self.quota_error
        return self.quota_now

    async def instructions(self, whose: Whose) -> str:
        return self.instructions_now.get(whose, "")

    async def set_instructions(self, whose: Whose, text: str) -> str:
        await self._gate("set_instructions")
        if self.instructions_error is not None:
            raise self.instructions_error
        self.instructions_now[whose] = text
        return text

    async def permissions(self) -> Sequence[ToolInfo]:
        await self._gate("permissions")
        return [replace(tool, permission=self.permissions_now.get(tool.name)) for tool in self.tool_list]

    async def set_permissions(self, permissions: Mapping[str, Permission] | None) -> Mapping[str, str]:
        await self._gate("set_permissions")
        if self.permissions_error is not None:
            raise self.permissions_error
        self.permissions_set.append(permissions)
        self.permissions_now = {} if permissions is None else {**self.permissions_now, **permissions}
        return dict(self.permissions_now)

    async def _gate(self, name: str) -> None:
        if name in self.gates:
            await self.gates[name].wait()

    async def suggestions(self) -> Sequence[Suggestion]:
        return self.suggestion_list


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for a condition; fails when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)

"""What the tests of the Assistant UI client share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from kai_tui.backends.assistant_ui.client import AssistantUiBackend
from kai_tui.backends.assistant_ui.config import AssistantUiConfig, ClientTool
from kai_tui.backends.assistant_ui.threads import KeptThreads, ThreadStore
from kai_tui.backends.base import BackendError, OnWait, Outgoing, ToolAnswer
from kai_tui.backends.http import Timeouts
from kai_tui.backends.local_chats import NoChats
from kai_tui.backends.secret import Secret, SecretLine
from kai_tui.conversation.approvals import respond
from kai_tui.conversation.events import Event, Finish
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import TIMEOUT

TOKEN = "t0ken-of-the-fake"
AUTH: dict[str, Secret | str] = {"authorization": SecretLine(f"Bearer {TOKEN}")}
THREAD = "6919e0d7-9740-4f10-a481-af116888937e"
AT_ONCE = Timeouts(pauses=(0.0, 0.0))
SHORT = Timeouts(connect=0.2, read=0.2, stream=0.2, pauses=(0.0, 0.0))
WEATHER = {
    "get_weather": ClientTool("Weather", {"type": "object", "properties": {"location": {"type": "string"}}})
}


class Conversations(KeptThreads):
    """A store that keeps messages, too, as the services will."""

    def __init__(self) -> None:
        super().__init__(NoChats())
        self.said: dict[str, list[Message]] = {}

    async def messages(self, thread_id: str) -> Sequence[Message]:
        return list(self.said.get(thread_id, ()))


@dataclass
class Turn:
    """What a request came to."""

    events: list[Event]
    message: Message

    @property
    def text(self) -> str:
        return self.message.text

    @property
    def reason(self) -> str | None:
        return self.message.finish.reason if self.message.finish else None


def backend(
    url: str, threads: ThreadStore | None = None, timeouts: Timeouts = AT_ONCE, **options: Any
) -> AssistantUiBackend:
    silence = options.pop("silence", 600.0)
    options.setdefault("headers", AUTH)
    return AssistantUiBackend(AssistantUiConfig(url, **options), threads, timeouts=timeouts, silence=silence)


def says(text: str, message_id: str = "u1") -> Outgoing:
    return Outgoing(message_id, text)


async def folded(events: AsyncIterator[Event], into: Message | None = None) -> Turn:
    """The whole of a stream."""
    message = into.reopened() if into is not None else Message(id="local")
    state, seen = FoldState(), []
    async with asyncio.timeout(TIMEOUT), aclosing(events) as stream:  # type: ignore[type-var]
        async for event in stream:
            seen.append(event)
            fold(message, event, state)
    assert [type(event) for event in seen].count(Finish) == 1
    assert isinstance(seen[-1], Finish)
    return Turn(seen, message)


async def sent(
    client: AssistantUiBackend, outgoing: Outgoing | str, thread: str = THREAD, on_wait: OnWait | None = None
) -> Turn:
    """Send and read the reply."""
    message = says(outgoing) if isinstance(outgoing, str) else outgoing
    return await folded(client.send(thread, message, on_wait=on_wait))


async def answered(
    client: AssistantUiBackend, message: Message, *answers: ToolAnswer, thread: str = THREAD
) -> Turn:
    """Answer and read what continues the message."""
    return await folded(client.answer(thread, message, answers), respond(message, answers))


async def failing(work: Any) -> BackendError:
    try:
        result = await work
    except BackendError as error:
        return error
    raise AssertionError(f"nothing failed: {result!r}")

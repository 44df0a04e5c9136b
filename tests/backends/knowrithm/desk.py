"""What the tests of Knowrithm share: a server, a backend at a quick pace, and reading an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import Outgoing
from kai_tui.backends.http import Timeouts
from kai_tui.backends.knowrithm.access import ApiKey, Login
from kai_tui.backends.knowrithm.client import KnowrithmBackend
from kai_tui.backends.knowrithm.tasks import Pace
from kai_tui.backends.secret import Secret
from kai_tui.conversation import events as e
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import TIMEOUT
from tests.fakes.knowrithm import KEY, SECRET, FakeKnowrithm

CHAT = "6919e0d7-9740-4f10-a481-af116888937e"
ASKED = "35fa9159-d0a5-45a5-96a4-a63f546c9f3b"
AT_ONCE = Timeouts(pauses=(0.0, 0.0))
QUICK = Pace(first=0.01, give_up=5.0, messages=0.01, beside_stream=5.0, opening=2.0)


@pytest.fixture
async def server() -> AsyncIterator[FakeKnowrithm]:
    async with FakeKnowrithm() as running:
        yield running


def key() -> ApiKey:
    return ApiKey(Secret(KEY), Secret(SECRET))


def login(tokens: dict[str, str]) -> Login:
    return Login(Secret(tokens["access_token"]), Secret(tokens["refresh_token"]))


def knowrithm(server: FakeKnowrithm, credential: Any = None, **options: Any) -> KnowrithmBackend:
    return KnowrithmBackend(
        server.base, credential or key(), **{"timeouts": AT_ONCE, "pace": QUICK, **options}
    )


def says(text: str, **more: Any) -> Outgoing:
    return Outgoing(more.pop("message_id", ASKED), text, **more)


async def asked(backend: KnowrithmBackend, text: str, chat_id: str = CHAT, **more: Any) -> list[e.Event]:
    async with asyncio.timeout(TIMEOUT), aclosing(backend.send(chat_id, says(text, **more))) as events:
        return [event async for event in events]


def folded(events: Sequence[e.Event]) -> Message:
    message, state = Message(), FoldState()
    for event in events:
        fold(message, event, state)
    assert [isinstance(event, e.Finish) for event in events].count(True) == 1
    assert isinstance(events[-1], e.Finish)
    return message


def statuses(events: Sequence[e.Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, e.Status)]


def calls(server: FakeKnowrithm) -> list[str]:
    return [f"{seen.method} {seen.path.removeprefix('/api/v1')}" for seen in server.seen]

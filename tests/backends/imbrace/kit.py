"""What the tests of the iMBRACE adapter share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.base import BackendError, Outgoing
from kai_tui.backends.http import Timeouts
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.backends.imbrace.places import places
from kai_tui.backends.secret import Secret
from kai_tui.conversation.events import Event
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import TIMEOUT
from tests.fakes.imbrace import ORGANIZATION
from tests.fixture_cases import FIXTURES

CANARY = "api_canary-1234-AbCdEf"
CHAT = "6919e0d7-9740-4f10-a481-af116888937e"
OTHER_CHAT = "35fa9159-d0a5-45a5-96a4-a63f546c9f3b"
AT_ONCE = Timeouts(pauses=(0.0, 0.0))
RECORDED = FIXTURES / "imbrace"


def say(text: str, message_id: str = "0d4c8a3e-0000-4000-8000-000000000001") -> Outgoing:
    return Outgoing(message_id, text)


def account(url: str, credential: str = "api_test", **options: Any) -> ImbraceBackend:
    options.setdefault("organization", ORGANIZATION)
    options.setdefault("agent", "asst_stream")
    options.setdefault("timeouts", AT_ONCE)
    return ImbraceBackend(places(url), Secret(credential), **options)


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    async with asyncio.timeout(TIMEOUT):
        return [event async for event in events]


async def failing(events: Any) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await (collect(events) if hasattr(events, "__aiter__") else events)
    return caught.value


def folded(events: Sequence[Event], message: Message | None = None) -> Message:
    message = message if message is not None else Message()
    state = FoldState()
    for event in events:
        fold(message, event, state)
    return message


def recorded(name: str) -> tuple[Any, bytes]:
    """A recording by its number or name: what was asked and answered, and the body."""
    (path,) = [
        each for each in RECORDED.glob("*.json") if each.stem.split("-")[0] == name or each.stem == name
    ]
    return json.loads(path.read_text()), path.with_suffix(".body").read_bytes()


def streams() -> list[Path]:
    """The bodies of all recorded answers of `/v2/chat` that are streams."""
    found: list[Path] = []
    for path in sorted(RECORDED.glob("[0-9]*.json")):
        request = json.loads(path.read_text())["request"]
        body = path.with_suffix(".body")
        if request["path"].endswith("/v2/chat") and body.read_bytes().startswith(b"data:"):
            found.append(body)
    return found

"""A tool call that waits: asked once, answered once, in each system's own way."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import Backend, BackendError, ToolAnswer
from kai_tui.conversation.approvals import pending, respond
from kai_tui.conversation.events import Event, Finish, ToolInputAvailable
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import TIMEOUT
from tests.contract.stand import Stand, collect, folded


def has_tools(stand: Stand) -> str:
    if stand.asks is None:
        assert stand.row.caps.approval == "none" or not stand.row.tools
        pytest.skip("it asks nothing")
    return stand.asks


async def decided(stand: Stand, backend: Backend, text: str, yes: bool) -> tuple[Message, list[Event]]:
    """Ask for something that has to be decided, and decide it; the whole message and its last events."""
    if stand.row.caps.approval == "side-request":
        return await _beside(stand, backend, text, yes)
    message = folded(await collect(backend.send(stand.chat_id, stand.outgoing(text))))
    (call,) = pending(message)
    answer = stand.decision(
        yes, ToolAnswer(call.tool_call_id, yes, call.approval_id, None if yes else "not now")
    )
    into = respond(message, [answer])
    events = await collect(backend.answer(stand.chat_id, message, [answer]))
    state = FoldState()
    into = into.reopened()
    for event in events:
        fold(into, event, state)
    return into, events


async def _beside(stand: Stand, backend: Backend, text: str, yes: bool) -> tuple[Message, list[Event]]:
    message, state, events = Message(), FoldState(), list[Event]()
    async with (
        asyncio.timeout(TIMEOUT),
        aclosing(backend.send(stand.chat_id, stand.outgoing(text))) as stream,  # type: ignore[type-var]
    ):
        async for event in stream:
            events.append(event)
            fold(message, event, state)
            if isinstance(event, ToolInputAvailable):
                answer = ToolAnswer(event.tool_call_id, yes, None, None if yes else "not now")
                assert await _posted(backend, stand.chat_id, message, answer) == []
    return message, events


async def _posted(backend: Backend, chat_id: str, message: Message, answer: ToolAnswer) -> list[Any]:
    """The server asks a moment after the stream does."""
    while True:
        try:
            return [event async for event in backend.answer(chat_id, message, [answer])]
        except BackendError as error:
            if error.status != 404:
                raise
            await asyncio.sleep(0.005)


@pytest.mark.some(12)
@pytest.mark.parametrize("yes", [True, False])
async def test_a_call_waits_and_goes_on_as_decided(stand: Stand, yes: bool):
    text = has_tools(stand)
    backend = stand.backend()
    message, events = await decided(stand, backend, text, yes)
    assert isinstance(events[-1], Finish)
    assert events[-1].reason in ("stop", "unknown")
    (call,) = message.tool_calls()
    assert call.state == "output-available" if yes else call.state in ("output-denied", "output-error")
    assert pending(message) == []
    assert stand.arrived == [text]


async def test_a_call_that_does_not_wait_is_not_answered(stand: Stand):
    has_tools(stand)
    if stand.row.caps.approval == "side-request":
        pytest.skip("there the server knows what waits")
    backend = stand.backend()
    message = Message.from_wire({"id": "m", "role": "assistant", "parts": [{"type": "text", "text": "Hi"}]})
    with pytest.raises(BackendError) as caught:
        await collect(backend.answer(stand.chat_id, message, [ToolAnswer("call", True, "approval")]))
    assert caught.value.delivery == "not-sent"
    assert stand.seen == []

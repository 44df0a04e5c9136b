"""t_fuzz: whatever a server sends, the reader ends, with one Finish, and the message obeys its rules (P8, P12)."""

from __future__ import annotations

import os
import time

import pytest

from kai_tui.backends.base import BackendError
from kai_tui.backends.sse import sse_data
from kai_tui.backends.ui_message_stream import ui_events
from kai_tui.conversation.events import Event, Finish, ResetStep
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import GrowingPart, Message
from kai_tui.conversation.safe_text import safe_prose
from tests.mutated_streams import bodies, mutated
from tests.recordings import response_of

STREAMS = bodies()
FAST = int(os.environ.get("KAI_TUI_FUZZ", "400"))
ALL = 10_000
BATCH = 1000
HANG_SECONDS = 1.0
"""Of processor time, so that a busy machine does not count as a hang."""


async def test_of_mutated_streams_some() -> None:
    for seed in range(FAST):
        await check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(FAST, ALL + FAST, BATCH))
async def test_of_mutated_streams_ten_thousand(first: int) -> None:
    for seed in range(first, first + BATCH):
        await check(seed)


async def check(seed: int) -> None:
    began = time.process_time()
    try:
        await follow(mutated(STREAMS, seed))
    except Exception as error:
        error.add_note(f"seed {seed}")
        raise
    spent = time.process_time() - began
    assert spent < HANG_SECONDS, f"seed {seed} took {spent:.1f} s"


async def follow(arriving: list[bytes]) -> None:
    """Read one stream to its end and look at the message after every event."""
    message, state = Message(), FoldState()
    ends = 0
    failed: BackendError | None = None
    try:
        async for event in ui_events(sse_data(response_of(arriving))):
            assert ends == 0, "something came after Finish"
            ends += isinstance(event, Finish)
            step(message, event, state)
    except BackendError as error:
        failed = error
    if failed is not None:
        assert ends == 0
        assert not message.parts, "an error is raised before the first event only"
        assert failed.sentence.strip()
        return
    assert ends == 1
    assert message.finish is not None
    wire = message.to_wire()
    again = Message.from_wire(wire)
    assert again.to_wire() == wire
    for part in message.parts:
        if isinstance(part, GrowingPart):
            safe_prose(part.text)


def step(message: Message, event: Event, state: FoldState) -> None:
    """One event; nothing that was there changes its kind, loses text or disappears, but by reset-step."""
    kinds = [type(part) for part in message.parts]
    texts = [(part, part.text) for part in message.parts if isinstance(part, GrowingPart)]
    index = fold(message, event, state)
    if isinstance(event, ResetStep):
        assert [type(part) for part in message.parts] == kinds[: len(message.parts)]
        return
    assert [type(part) for part in message.parts[: len(kinds)]] == kinds
    assert len(message.parts) <= len(kinds) + 1
    assert all(part.text.startswith(text) for part, text in texts)
    assert index is None or 0 <= index < len(message.parts)

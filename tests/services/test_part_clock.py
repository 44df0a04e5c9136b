"""How long calls took, as the screen says it."""

from __future__ import annotations

import asyncio

from kai_tui.conversation import events as e
from kai_tui.services.approval_service import Decision
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import ANSWER, asking, stored_reply, write_call
from tests.services.test_chat_session import desk_for as desk_for


async def test_an_approved_call_is_timed_from_the_answer_to_its_outcome(desk_for) -> None:
    """Not from the moment the assistant asked, and not as nothing because the first stream had ended."""
    now = [100.0]
    gate = asyncio.Event()
    done: list[Step] = [
        e.Start(ANSWER),
        gate,
        e.ToolOutputAvailable("w1", {"ok": True}, {}),
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(style="continuation", replies=[asking("w1")], answers=[done]))
    desk.session._tools = desk.session._tools._replace(clock=lambda: now[0])
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    stored_reply(desk)
    message = desk.session.messages[-1]
    (index,) = [n for n, part in enumerate(message.parts) if part.type.startswith("tool-")]
    now[0] += 60  # the user thinks
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.session.turn.phase == "streaming")
    now[0] += 3
    assert desk.session.seconds(message.id, index) == 3
    gate.set()
    await desk.turn_over()
    now[0] += 500
    assert desk.session.seconds(message.id, index) == 3


async def test_a_call_beside_an_open_stream_is_timed_from_the_decision(desk_for) -> None:
    """kai-agent keeps its stream open while the user thinks (kai.md §9.2)."""
    now = [100.0]
    gate = asyncio.Event()
    reply: list[Step] = [
        e.Start(ANSWER),
        *write_call(),
        gate,
        e.ToolOutputAvailable("w1", {"ok": True}, {}),
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    desk.session._tools = desk.session._tools._replace(clock=lambda: now[0])
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    message = desk.session.messages[-1]
    (index,) = [n for n, part in enumerate(message.parts) if part.type.startswith("tool-")]
    now[0] += 60  # the user thinks
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.backend.answered and not desk.session._background)
    now[0] += 3
    gate.set()
    await desk.turn_over()
    assert desk.session.seconds(message.id, index) == 3

"""Replies that break off: cut off on screen, read back, and after a restart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kai_tui.services.approval_service import Decision
from tests.backends.fault_server import (
    CHAT_POST,
    FAULTS,
    START,
    TEXT,
    Fault,
    event,
)
from tests.backends.kai_server import Exchange, Hangup, answer, stream_then
from tests.services.fault_house import Back, Flavour, House, over, screen
from tests.services.fault_house import house as house
from tests.services.scripted_backend import until

# Replies that break off, and odd ones that do not


BROKEN = [fault for fault in FAULTS if fault.finish == "lost" and fault.name != "giant-reply"]
WHOLE = [fault for fault in FAULTS if fault.finish in ("stop", "length")]


@pytest.mark.some(5)
@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.name)
@pytest.mark.parametrize("back", ["question", "answer"])
async def test_a_reply_without_its_end_is_cut_off_now_read_back_and_after_a_restart(
    house: House, fault: Fault, back: Back
) -> None:
    house.server.break_chat(fault.name)
    house.back = back
    short = fault.needs_short_clocks
    session = house.enter(silence=0.2 if short else 600.0)
    session.send("Hello there")
    await over(session)
    await until(lambda: not session._background)
    reply = session.messages[-1]
    assert reply.finish is not None
    assert reply.finish.reason == "lost"
    shown = screen(session, house.clock)
    assert "✗ cut off: " in shown
    assert "What came is kept. · F5 looks again" in shown
    assert any(house.server.sentence(piece) in shown for piece in fault.says)
    if back == "answer" and len(fault.text) < 40:
        assert "And the rest." in shown
        assert "The server had more of it, which is shown." in shown
    else:
        assert "Two words, and more." in shown
    assert session.delivery(session.messages[0].id) == "sent"
    assert await house.outbox(session) == []
    assert house.server.posts == 1
    house.back = "away"
    again = await house.reopen(session)
    assert "✗ cut off" in screen(again, house.clock)
    assert "Two words, and more." in screen(again, house.clock)
    assert house.server.posts == 1


@pytest.mark.slow
async def test_a_giant_reply_is_cut_off(house: House) -> None:
    house.server.break_chat("giant-reply")
    session = house.enter()
    session.send("Hello there")
    await until(lambda: session.turn.phase == "finished", 120)
    finish = session.messages[-1].finish
    assert finish is not None
    assert finish.reason == "lost"
    assert finish.detail == "The reply was too large (over 32 MiB); its rest was left out."
    assert house.server.posts == 1


@pytest.mark.some(3)
@pytest.mark.parametrize("fault", WHOLE, ids=lambda fault: fault.name)
async def test_an_odd_stream_that_ends_is_an_answer(house: House, fault: Fault) -> None:
    house.server.break_chat(fault.name)
    session = house.enter()
    session.send("Hello there")
    await over(session)
    assert session.turn.reason == fault.finish
    shown = screen(session, house.clock)
    assert "Two words, and more." in shown
    assert ("greatest length" in shown) == (fault.finish == "length")
    assert house.said == []
    assert await house.outbox(session) == []
    assert house.server.posts == 1


async def test_an_error_in_the_stream_keeps_what_came(house: House) -> None:
    house.server.break_chat("error-event")
    session = house.enter()
    session.send("Hello there")
    await over(session)
    shown = screen(session, house.clock)
    assert "Two words, and more." in shown
    assert "✗ The model is overloaded" in shown
    assert session.turn.reason == "error"
    assert house.server.posts == 1


async def test_half_of_a_tool_call_is_shown_as_interrupted(house: House) -> None:
    call = event(type="tool-input-start", toolCallId="c1", toolName="query_data")
    part = event(type="tool-input-delta", toolCallId="c1", inputTextDelta='{"sql_que')
    words = event(type="text-delta", id="0", delta=" Meanwhile.")
    house.server.on(CHAT_POST, stream_then(TEXT + call + words + part, "cut"))
    session = house.enter()
    session.send("Hello there")
    await over(session)
    shown = screen(session, house.clock)
    assert "interrupted" in shown
    assert "running" not in shown
    assert "preparing" not in shown


# A question that waits when the connection goes


def asking(flavour: Flavour) -> bytes:
    """A stream that asks for a yes and then breaks off."""
    call: dict[str, Any] = {"toolCallId": "w1", "toolName": "create_bucket"}
    asked = START + event(type="tool-input-available", **call, input={"name": "reports"})
    if flavour == "assistant":
        asked += event(type="tool-approval-request", toolCallId="w1", approvalId="a1")
    return asked


@pytest.mark.parametrize("server_shows", ["waiting", "changed", "settled"])
async def test_a_question_whose_stream_is_lost_is_asked_again_only_when_it_still_waits(
    house: House, server_shows: str
) -> None:
    broken = asyncio.Event()

    async def asks(exchange: Exchange) -> None:
        await exchange.start({"content-type": "text/event-stream"})
        await exchange.write(asking(house.flavour))
        await broken.wait()
        raise Hangup

    house.server.on(CHAT_POST, asks)
    session = house.enter()
    session.send("Create a bucket called reports")
    await until(lambda: len(session.messages) == 2)
    approvals = house.opened[-1].approvals
    if house.flavour == "agent":
        await until(lambda: approvals.pending)
    posted = house.server.calls(CHAT_POST)[0].body["message"]
    part: dict[str, Any] = {
        "type": "tool-create_bucket",
        "toolCallId": "w1",
        "state": "approval-requested" if house.flavour == "assistant" else "input-available",
        "input": {"name": "reports" if server_shows == "waiting" else "other"},
    }
    if house.flavour == "assistant":
        part["approval"] = {"id": "a1"}
    if server_shows == "settled":
        part |= {"state": "output-available", "output": {"ok": True}, "input": {"name": "reports"}}
    chat = {"id": session.chat_id, "messages": [posted, {"id": "m1", "role": "assistant", "parts": [part]}]}
    house.server.on(f"GET /api/chat/{session.chat_id}", answer(200, chat))
    shown = approvals.pending[0] if approvals.pending else None
    broken.set()
    await until(lambda: any("Checking whether the question still waits" in said for said in house.said))
    await until(lambda: not session._lookups)
    if shown is not None and server_shows != "waiting":
        assert not approvals.decide(shown, Decision(True))
    if server_shows == "waiting":
        assert [each.input for each in approvals.pending] == [{"name": "reports"}]
    elif server_shows == "changed":
        await until(lambda: approvals.pending)
        assert [each.input for each in approvals.pending] == [{"name": "other"}]  # as it is now
        assert (approvals.pending[0].note is None) == (shown is None)  # who saw it before is told why again
    else:
        assert list(approvals.pending) == []
    assert house.server.posts == 1
    assert house.server.calls(f"POST /api/chat/{session.chat_id}/approval") == []

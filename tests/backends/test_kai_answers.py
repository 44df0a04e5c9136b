"""Answers to what Kai asks, in all three ways, and resuming."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import (
    BackendError,
    ConnectionLost,
    NotFound,
    Refused,
    ServerFailed,
    ToolAnswer,
    UnexpectedAnswer,
    Unsupported,
)
from kai_tui.conversation.approvals import pending, respond
from kai_tui.conversation.events import Finish, ToolInputAvailable, ToolOutputAvailable
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import (
    SSE,
    TIMEOUT,
    Exchange,
    Gate,
    KaiServer,
    answer,
    hang_up,
    recorded_bytes,
    recording,
    replay,
    replay_stream,
    stream,
)
from tests.backends.kai_talk import (
    CALL,
    CHAT,
    END,
    HELLO,
    OUTPUT,
    START,
    TEXT,
    Make,
    collect,
    failing,
    folded,
)
from tests.backends.kai_talk import make as make
from tests.backends.kai_talk import server as server

# Answers: beside the open stream (kai-agent)


def recorded_approval(name: str) -> tuple[str, dict[str, Any], str]:
    """The path, body and answers of a recorded side request."""
    first = recording(f"{name}.approvals.json")[0]
    return (
        f"POST {first['request']['path']}",
        first["request"]["body"],
        first["request"]["path"].split("/")[3],
    )


@pytest.mark.parametrize("scenario", ["agent-approval.approved", "agent-approval.denied"])
async def test_a_decision_beside_the_open_stream(server: KaiServer, make: Make, scenario: str):
    call, body, chat_id = recorded_approval(scenario)
    decided = Gate()
    whole = recorded_bytes(f"{scenario}.sse")
    at = recording(f"{scenario}.approvals.json")[0]["afterBytes"]

    async def waits(exchange: Exchange) -> None:
        await exchange.start(SSE)
        await exchange.write(whole[:at])
        await decided.wait()
        await exchange.write(whole[at:])

    async def decide(exchange: Exchange) -> None:
        decided.open()
        await answer(200, {"success": True, **exchange.seen.body})(exchange)

    server.on("POST /api/chat", waits)
    server.on(call, decide, replay("rest-agent-approval-not-pending"))
    kai = make("agent")
    message, state = Message(), FoldState()
    given = ToolAnswer(body["toolUseId"], body["approved"], reason=body.get("reason"))
    async with asyncio.timeout(TIMEOUT), aclosing(kai.send(chat_id, HELLO)) as events:
        async for event in events:
            fold(message, event, state)
            if isinstance(event, ToolInputAvailable) and event.tool_call_id == body["toolUseId"]:
                assert await collect(kai.answer(chat_id, message, [given])) == []
    assert server.calls(call)[0].body == body
    expected = recording(f"{scenario}.message.json")
    assert message.to_wire() == expected.get("persisted", expected["message"])
    error = await failing(kai.answer(chat_id, message, [given]))
    assert (type(error), error.code) == (NotFound, "not_found:api")
    assert "already settled" in error.sentence
    assert len(server.calls(call)) == 2


async def test_the_bodies_of_decisions(server: KaiServer, make: Make):
    call = f"POST /api/chat/{CHAT}/approval"
    server.on(call, answer(200, {"success": True, "toolUseId": "c", "approved": True}))
    given = [
        ToolAnswer("c1", True, updated_input={"a": 1}, answers={"q": "x"}),
        ToolAnswer("c2", False, reason="wrong branch", updated_input={"a": 1}),
        ToolAnswer("c3", False, approval_id="ignored here", reason=""),
    ]
    await collect(make().answer(CHAT, Message(), given))
    assert [seen.body for seen in server.calls(call)] == [
        {"toolUseId": "c1", "approved": True, "updatedInput": {"a": 1}, "answers": {"q": "x"}},
        {"toolUseId": "c2", "approved": False, "reason": "wrong branch"},
        {"toolUseId": "c3", "approved": False},
    ]


async def test_one_settled_call_does_not_hold_up_the_others(server: KaiServer, make: Make):
    call = f"POST /api/chat/{CHAT}/approval"
    server.on(call, replay("rest-agent-approval-not-pending"), answer(200, {"success": True}))
    error = await failing(make().answer(CHAT, Message(), [ToolAnswer("c1", True), ToolAnswer("c2", True)]))
    assert type(error) is NotFound
    assert [seen.body["toolUseId"] for seen in server.seen] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("said", "kind", "delivery"),
    [
        (answer(200, {"success": False}), Refused, "not-sent"),
        (answer(200, b"<html>", {"content-type": "text/html"}), UnexpectedAnswer, "unsure"),
        (answer(500, b"oops"), ServerFailed, "unsure"),
        (hang_up, ConnectionLost, "unsure"),
        (replay("rest-assistant-approval-not-pending"), NotFound, "not-sent"),
    ],
)
async def test_a_decision_that_fails_is_posted_once(
    server: KaiServer, make: Make, said: Any, kind: type[BackendError], delivery: str
):
    server.on(f"POST /api/chat/{CHAT}/approval", said)
    error = await failing(make().answer(CHAT, Message(), [ToolAnswer("c1", True)]))
    assert (type(error), error.delivery) == (kind, delivery)
    assert len(server.seen) == 1


# Answers: continuing the message (kai-assistant)


@pytest.mark.parametrize(
    ("chat", "answered"),
    [
        ("approval-write", "approval-write.approved"),
        ("approval-write", "approval-write.denied"),
        ("approval-two", "approval-two.mixed"),
        ("approval-parallel-mixed", "approval-parallel-mixed.approved"),
        ("approval-signed", "approval-signed.approved"),
        ("approval-defaults", "approval-defaults.approved"),
        ("approval-chain", "approval-chain.approved"),
    ],
)
async def test_answers_continue_the_message(server: KaiServer, make: Make, chat: str, answered: str):
    posted = recording(f"{answered}.request.json")
    server.on("POST /api/chat", replay_stream(chat), replay_stream(answered))
    kai = make("assistant")
    message = await folded(kai.send(posted["id"], HELLO))
    recorded = {
        part["toolCallId"]: part["approval"]
        for part in posted["message"]["parts"]
        if part.get("state") == "approval-responded"
    }
    given = [
        ToolAnswer(call_id, approval["approved"], approval["id"], approval.get("reason"))
        for call_id, approval in recorded.items()
    ]
    assert {part.tool_call_id for part in pending(message)} == recorded.keys()
    before = message.to_wire()
    continued = await folded(kai.answer(posted["id"], message, given), respond(message, given))
    assert server.seen[1].body == posted
    assert message.to_wire() == before
    expected = recording(f"{answered}.message.json")
    assert continued.to_wire() == expected.get("persisted", expected["message"])


async def test_a_signature_and_whatever_else_came_goes_back(server: KaiServer, make: Make):
    approval = {
        "id": "a1",
        "signature": "s",
        "inputSchemaInput": {"x": 1},
        "descriptor": [1],
        "new": {"y": None},
    }
    wire = {
        "id": "m1",
        "role": "assistant",
        "metadata": {"m": 1},
        "createdAt": "2026-05-04T09:00:00Z",
        "parts": [
            {"type": "step-start"},
            {"type": "odd", "z": [1.0, 10**30]},
            {
                "type": "tool-run_job",
                "toolCallId": "c1",
                "state": "approval-requested",
                "input": {"s": "\ud83d"},
                "approval": approval,
            },
        ],
    }
    server.on("POST /api/chat", replay_stream("text-plain"))
    kai = make("assistant", branch_id=5)
    await collect(kai.answer(CHAT, Message.from_wire(wire), [ToolAnswer("c1", False, "a1", "no")]))
    (seen,) = server.seen
    assert seen.body == {
        "id": CHAT,
        "message": {
            "id": "m1",
            "role": "assistant",
            "parts": [
                *wire["parts"][:2],
                {
                    **wire["parts"][2],
                    "state": "approval-responded",
                    "approval": {**approval, "approved": False, "reason": "no"},
                },
            ],
        },
        "selectedChatModel": "chat-model",
        "selectedVisibilityType": "private",
        "branchId": 5,
    }


async def test_half_answers_are_not_sent(server: KaiServer, make: Make):
    server.on("POST /api/chat", replay_stream("approval-two"))
    kai = make("assistant")
    message = await folded(kai.send(CHAT, HELLO))
    one, two = pending(message)
    whole = [ToolAnswer(part.tool_call_id, True, part.approval_id) for part in (one, two)]
    for given, kind in (
        ([], Refused),
        (whole[:1], Refused),
        ([*whole, ToolAnswer("other", True)], Refused),
        ([whole[0], ToolAnswer(two.tool_call_id, True, "another-id")], Refused),
        ([whole[0], ToolAnswer(two.tool_call_id, True, two.approval_id, updated_input={})], Unsupported),
    ):
        error = await failing(kai.answer(CHAT, message, given))
        assert (type(error), error.delivery) == (kind, "not-sent")
    assert len(server.seen) == 1


async def test_a_continuation_that_fails_is_posted_once(server: KaiServer, make: Make):
    server.on("POST /api/chat", replay_stream("approval-write"), hang_up)
    kai = make("assistant")
    message = await folded(kai.send(CHAT, HELLO))
    given = [ToolAnswer(part.tool_call_id, True, part.approval_id) for part in pending(message)]
    error = await failing(kai.answer(CHAT, message, given))
    assert (type(error), error.delivery) == (ConnectionLost, "unsure")
    assert error.sentence.endswith("Your decision may or may not have arrived.")
    assert len(server.seen) == 2


# Answers: the oldest servers


@pytest.mark.parametrize(("approved", "word"), [(True, "confirmed"), (False, "denied")])
async def test_a_tool_result_for_the_oldest_servers(server: KaiServer, make: Make, approved: bool, word: str):
    server.on("POST /api/chat", stream(START + CALL + END), replay_stream("text-plain"))
    kai = make("assistant")
    message = await folded(kai.send(CHAT, HELLO))
    await collect(kai.answer_by_tool_result(CHAT, message, ToolAnswer("c1", approved)))
    body = server.seen[1].body
    assert body["message"]["parts"] == [
        {"type": "tool-result", "toolCallId": "c1", "toolName": "run_job", "result": word}
    ]
    assert body["message"]["role"] == "user"
    assert len(body["message"]["id"]) == 36
    assert set(body) == {"id", "message", "selectedChatModel", "selectedVisibilityType"}
    for message_, call_id in ((message, "other"), (Message(), "c1")):
        assert (
            type(await failing(kai.answer_by_tool_result(CHAT, message_, ToolAnswer(call_id, True))))
            is Refused
        )
    assert len(server.seen) == 2


# Resuming


async def test_resuming(server: KaiServer, make: Make):
    call = f"GET /api/chat/{CHAT}/stream"
    server.on(call, replay("rest-assistant-stream-resume"), stream(TEXT + OUTPUT + END))
    kai = make("assistant")
    assert await collect(kai.resume(CHAT)) == []
    events = await collect(kai.resume(CHAT))
    assert any(isinstance(event, ToolOutputAvailable) and event.tool_call_id == "c1" for event in events)
    assert isinstance(events[-1], Finish)
    assert type(await failing(make("agent").resume(CHAT))) is Unsupported
    assert [seen.call for seen in server.seen] == [call, call]

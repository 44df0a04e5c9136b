"""All that waits in a v6 message goes back in one POST, exactly as recorded: signatures and unknown fields kept."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.conversation.messages import Message
from kai_tui.services.approval_round import Place
from kai_tui.services.approval_service import ApprovalService, Decision
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.session_state import SessionTools
from kai_tui.services.session_tools import no_ledger
from tests.backends.kai_server import (
    Exchange,
    KaiServer,
    answer,
    recorded_bytes,
    recording,
    replay_stream,
    stream,
)
from tests.services.scripted_backend import until
from tests.services.test_chat_session import MemoryKeeper

POST = "POST /api/chat"


@pytest.fixture
async def server() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        yield running


class Played:
    """A recorded chat played through a session: each step is one recording."""

    def __init__(self, server: KaiServer, steps: list[str]) -> None:
        self.server = server
        self.requests = [recording(f"{step}.request.json") for step in steps]
        self.chat_id = self.requests[0]["id"]
        server.on(POST, *(replay_stream(step) for step in steps))
        server.on(f"GET /api/chat/{self.chat_id}", self._chat)
        self.backend = KaiBackend(
            server.url, storage_url="https://connection.test", token=Secret("canary"), service="assistant"
        )
        self.approvals = ApprovalService()
        self.stored: list[dict[str, Any]] = []

        async def provide() -> KaiBackend:
            return self.backend

        self.session = ChatSession(
            self.chat_id,
            SessionTools(
                provide, self.approvals, MemoryKeeper(), lambda: Place("P", "kai.test", "main"), no_ledger()
            ),
        )

    async def _chat(self, exchange: Exchange) -> None:
        """The chat as such a server has it: all that it streamed so far."""
        messages = [each.to_wire() for each in self.session.messages]
        await answer(200, {"id": self.chat_id, "title": "t", "messages": messages})(exchange)

    def posted(self) -> list[Any]:
        return [seen.body for seen in self.server.calls(POST)]


def answers_of(request: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What the recorded client answered, by call id."""
    return {
        part["toolCallId"]: part["approval"]
        for part in request["message"]["parts"]
        if part.get("state") == "approval-responded"
    }


@pytest.mark.parametrize(
    "steps",
    [
        ["approval-signed", "approval-signed.approved"],
        ["approval-two", "approval-two.mixed"],
        ["approval-write", "approval-write.approved"],
        ["approval-write", "approval-write.denied"],
        ["approval-defaults", "approval-defaults.approved"],
        ["approval-parallel-mixed", "approval-parallel-mixed.approved"],
        ["approval-chain", "approval-chain.approved", "approval-chain.approved.approved"],
    ],
    ids=lambda steps: steps[-1],
)
async def test_the_answer_on_the_wire_is_the_recorded_one(server: KaiServer, steps: list[str]) -> None:
    played = Played(server, steps)
    played.session.send(played.requests[0]["message"]["parts"][0]["text"])
    decided: set[str] = set()
    for request in played.requests[1:]:
        answers = answers_of(request)
        fresh = answers.keys() - decided
        await until(lambda fresh=fresh: {each.tool_call_id for each in played.approvals.pending} == fresh)
        for each in list(played.approvals.pending):
            said = answers[each.tool_call_id]
            assert played.approvals.decide(each, Decision(said["approved"], said.get("reason")))
        decided |= fresh
    await until(lambda: played.session.turn.phase == "finished")
    posted = played.posted()
    assert len(posted) == len(steps)
    for body, request in zip(posted[1:], played.requests[1:], strict=True):
        assert body == request
    end = recording(f"{steps[-1]}.message.json")
    shown = Message.from_wire(played.session.messages[-1].to_wire()).to_wire()
    assert shown["parts"] == (end.get("persisted") or end["message"])["parts"]
    assert played.session.messages[-1].errors == []
    await played.backend.aclose()


async def test_fields_nobody_knows_go_back_as_they_came(server: KaiServer) -> None:
    """On the request itself, on its part, and on parts of kinds this program does not know."""
    played = Played(server, ["approval-two", "approval-two.mixed"])
    extra = {"type": "data-plan", "id": "p1", "data": {"steps": [1, 2]}, "odd": None}
    chunks = recorded_bytes("approval-two.sse").decode()
    for call in ("call_a1", "call_a2"):
        chunks = chunks.replace(
            f'"toolCallId":"{call}"}}',
            f'"toolCallId":"{call}","signature":"sig-{call}","inputSchemaInput":{{"raw":1}},"approvalDescriptor":{{"x":[1]}}}}',
        )
    chunks = chunks.replace(
        'data: {"type":"start-step"}', f'data: {json.dumps(extra)}\n\ndata: {{"type":"start-step"}}', 1
    )
    server.on(POST, stream(chunks.encode()), replay_stream("approval-two.mixed"))
    played.session.send("go")
    await until(lambda: len(played.approvals.pending) == 2)
    before = copy.deepcopy(played.session.messages[-1].to_wire()["parts"])
    for each in list(played.approvals.pending):
        played.approvals.decide(each, Decision(True))
    await until(lambda: len(played.posted()) == 2)
    parts = played.posted()[1]["message"]["parts"]
    for was, now in zip(before, parts, strict=True):
        if was.get("state") == "approval-requested":
            assert was["approval"]["signature"].startswith("sig-")
            assert was["approval"].keys() >= {"id", "signature", "inputSchemaInput", "descriptor"}
            was = {**was, "state": "approval-responded", "approval": {**was["approval"], "approved": True}}
        assert now == was
    assert any(part["type"] == "data-plan" for part in parts)
    await until(lambda: played.session.turn.phase == "finished")
    await played.backend.aclose()

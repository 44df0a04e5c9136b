"""Calls that wait for a value (Assistant UI §12): asked about, noted, sent once, and what is not known is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kai_tui.conversation.approvals import decision_digest
from kai_tui.services.approval_service import Approval, Decision, Given
from kai_tui.services.workspace import Workspace
from tests.backends.kai_server import hang_up
from tests.fakes.assistant_ui import FakeAssistantUi
from tests.services.scripted_backend import until
from tests.services.test_chats_kept_here import House, answers_again, over, said, waits

POST = "POST /api/chat"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with FakeAssistantUi() as server:
        yield House("assistant-ui", server, tmp_path)


def value(approval: Approval, given: object, shown: object = None) -> Decision:
    digest = decision_digest(approval.digest, None, None, given if shown is None else shown)
    return Decision(approved=True, given=Given(given), shown=digest)


async def asked(workspace: Workspace, count: int = 1) -> list[Approval]:
    await until(lambda: len(workspace.approvals.pending) == count)
    return list(workspace.approvals.pending)


async def test_a_value_is_asked_for_and_goes_once(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please ask")
        (question,) = await asked(workspace)
        assert (question.wants, question.tool_name, question.input) == (
            "value",
            "ask_user",
            {"question": "Deploy?"},
        )
        assert not workspace.approvals.decide(question, Decision(True))
        assert not workspace.approvals.decide(question, value(question, {"a": 1}, shown={"a": 2}))
        assert workspace.approvals.decide(question, value(question, {"deploy": [1, None]}))
        assert not workspace.approvals.decide(question, value(question, {"deploy": [1, None]}))
        await over(session)
        assert house.server.results == [
            {
                "type": "add-tool-result",
                "toolCallId": "call_h",
                "toolName": "ask_user",
                "result": {"deploy": [1, None]},
                "isError": False,
                "artifact": None,
            }
        ]
        assert [role for role, _ in said(session)] == ["user", "assistant"]
        (call,) = session.messages[1].tool_calls()
        assert (call.state, call.output) == ("output-available", {"deploy": [1, None]})
        assert session.messages[1].text.endswith('Thanks: {"deploy": [1, null]}')
        before, chat_id = said(session), session.chat_id
    async with house.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert again.messages[1].tool_calls()[0].output == {"deploy": [1, None]}
        assert workspace.approvals.pending == []
    assert len(house.posts) == 2


async def test_null_is_a_value(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please ask")
        (question,) = await asked(workspace)
        nothing = Decision(True, given=Given(None), shown=decision_digest(question.digest, None, None, None))
        assert workspace.approvals.decide(question, nothing)
        await over(session)
        assert house.server.results[0]["result"] is None


async def test_a_denial_goes_with_its_reason(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please ask")
        (question,) = await asked(workspace)
        assert not workspace.approvals.decide(question, Decision(False, given=Given("x")))
        assert workspace.approvals.decide(question, Decision(False, "ask somebody else"))
        await over(session)
        assert [(each["result"], each["isError"]) for each in house.server.results] == [
            ("ask somebody else", True)
        ]
        assert session.messages[1].tool_calls()[0].state == "output-denied"


async def test_two_at_once_go_together(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please ask-two")
        first, second = await asked(workspace, 2)
        workspace.approvals.decide(first, value(first, "one"))
        assert len(house.posts) == 1
        workspace.approvals.decide(second, Decision(False))
        await over(session)
        assert [(each["toolCallId"], each["isError"]) for each in house.server.results] == [
            ("call_a", False),
            ("call_b", True),
        ]
    assert len(house.posts) == 2


async def test_a_question_left_open_waits_in_the_next_run_and_before_a_new_message(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please ask")
        await asked(workspace)
        chat_id = session.chat_id
    async with house.enter() as workspace:
        session = await workspace.chats.open_chat(chat_id)
        (question,) = await asked(workspace)
        assert "Asked before kai-tui ended. No server keeps this chat" in (question.note or "")
        session.send("hello")
        assert len(house.posts) == 1
        workspace.approvals.decide(question, value(question, "yes"))
        await until(lambda: len(house.posts) == 3)
        await over(session)
        assert [text for role, text in said(session) if role == "user"] == ["please ask", "hello"]
        assert len(session.messages) == 4
    assert [each["result"] for each in house.server.results] == ["yes"]


async def test_a_value_of_which_nobody_knows_whether_it_arrived_is_asked_for_again_and_says_so(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please ask")
        (question,) = await asked(workspace)
        house.server.on(POST, hang_up)
        workspace.approvals.decide(question, value(question, "yes"))
        await until(lambda: len(house.posts) == 2)
        (again,) = await asked(workspace)
        await until(lambda: workspace.approvals.pending[0].note)
        again = workspace.approvals.pending[0]
        assert again.note is not None
        assert "may have arrived" in again.note
        assert "keeps no chats" in again.note
        answers_again(house)
        workspace.approvals.decide(again, value(again, "no"))
        await over(session)
        assert session.messages[1].tool_calls()[0].output == "no"
    assert len(house.posts) == 3


async def test_a_crash_after_a_value_left_asks_again_and_says_so(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please ask")
        (question,) = await asked(workspace)
        reached, gate = waits(house)
        workspace.approvals.decide(question, value(question, "yes"))
        await asyncio.wait_for(reached.wait(), 20)
        killed = house.kill()
        chat_id = session.chat_id
        gate.open()
        await asked(workspace)
    async with house.enter(killed) as workspace:
        await workspace.chats.open_chat(chat_id)
        (again,) = await asked(workspace)
        assert again.note is not None
        assert "keeps no chats" in again.note
    assert len(house.posts) == 2


async def test_a_value_that_provably_never_left_can_be_given_again(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please ask")
        (question,) = await asked(workspace)
        house.server.token = "another"
        workspace.approvals.decide(question, value(question, "yes"))
        await until(lambda: workspace.approvals.pending and workspace.approvals.pending[0].note)
        assert workspace.approvals.pending[0].note == "Your first answer did not arrive."
        house.server.token = "t0ken-of-the-fake"
        (again,) = workspace.approvals.pending
        workspace.approvals.decide(again, value(again, "yes"))
        await over(session)
    assert [each["result"] for each in house.server.results] == ["yes"]


async def test_a_call_that_was_left_open_gets_a_value_in_its_own_message(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("please langchain")
        await over(session)
        (call,) = session.left_open()
        assert call.tool_name == "get_weather"
        assert "left get_weather open" in house.notices[-1]
        assert session.answer_left_open(await workspace.backend())
        (question,) = await asked(workspace)
        assert question.wants == "value"
        workspace.approvals.decide(question, value(question, {"tempF": 61}))
        await over(session)
        assert [role for role, _ in said(session)] == ["user", "assistant"]
        assert session.messages[1].text.endswith("Done.")
        assert session.messages[1].tool_calls()[0].output == {"tempF": 61}
    assert len(house.posts) == 2


async def test_a_call_answered_in_another_window_is_not_answered_again(house: House):
    """No server could say so: what the other window noted and kept does."""
    async with house.enter() as one, house.enter() as other:
        session = one.chats.new_chat()
        session.send("please ask")
        (question,) = await asked(one)
        there = await other.chats.open_chat(session.chat_id)
        (same,) = await asked(other)
        assert one.approvals.decide(question, value(question, {"deploy": True}))
        await over(session)
        await one.history.refresh()
        house.notices.clear()
        assert other.approvals.decide(same, value(same, {"deploy": False}))
        await over(there)
        assert [each["result"] for each in house.server.results] == [{"deploy": True}]
        assert any("another window" in each for each in house.notices)
        assert said(there) == said(session)
        chat_id = session.chat_id
        await until(lambda: not session._background and not there._background)  # pyright: ignore[reportPrivateUsage]
    async with house.enter() as workspace:
        assert said(await workspace.chats.open_chat(chat_id)) == said(session)
        assert workspace.approvals.pending == []

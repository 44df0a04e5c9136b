"""Whole conversations with `aisdk/` playing kai-agent: decisions beside the open stream (kai.md §9.2)."""

from __future__ import annotations

import pytest

from kai_tui.backends.base import NotFound, ToolAnswer
from tests.peers.house import House, tool_results
from tests.services.scripted_backend import until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "script", ["read", "multi-step", "tool fails", "sources", "surrogates", "provider tool"]
)
async def test_reading_needs_no_decision(agent_house: House, script: str) -> None:
    talk = await agent_house.talk()
    await talk.say(script)
    assert talk.session.turn.reason == "stop"
    assert talk.journal().approvals == []
    await talk.agrees()


async def test_a_write_waits_in_the_open_stream(agent_house: House) -> None:
    talk = await agent_house.talk()
    before = talk.journal().buckets
    (approval,) = await talk.asked("write")
    assert approval.input == {"name": "reports", "stage": "in"}
    assert talk.journal().buckets == before
    talk.decide(approval, True)
    await talk.over()
    assert talk.session.turn.reason == "stop"
    assert talk.states() == ["output-available"]
    journal = talk.journal()
    assert journal.buckets.count("in.c-reports") == before.count("in.c-reports") + 1
    assert len(journal.posts) == 1
    assert journal.approvals == [{"toolUseId": approval.tool_call_id, "approved": True}]
    await talk.agrees()


async def test_a_denial_reaches_the_model_with_its_reason(agent_house: House) -> None:
    talk = await agent_house.talk()
    (approval,) = await talk.asked("write")
    buckets = talk.journal().buckets
    talk.decide(approval, False, "call it monthly")
    await talk.over()
    assert talk.states() == ["output-error"]
    journal = talk.journal()
    assert journal.buckets == buckets
    assert journal.approvals[0]["reason"] == "call it monthly"
    assert "call it monthly" in str(tool_results(journal.prompts[-1]))
    await talk.agrees()
    await talk.say("hello")
    assert talk.session.turn.reason == "stop"


@pytest.mark.parametrize("first", [0, 1])
async def test_two_writes_are_answered_one_by_one_in_any_order(agent_house: House, first: int) -> None:
    talk = await agent_house.talk()
    jobs = len(talk.journal().jobs)
    bucket, job = await talk.asked("two writes", 2)
    order = (bucket, job) if first == 0 else (job, bucket)
    for number, approval in enumerate(order, 1):
        talk.decide(approval, approval is job)
        await until(lambda number=number: len(talk.journal().approvals) == number)
    await talk.over()
    assert talk.session.turn.reason == "stop"
    assert {call.tool_name: call.state for call in talk.calls()} == {
        "create_bucket": "output-error",
        "run_job": "output-available",
    }
    journal = talk.journal()
    assert len(journal.posts) == 1
    assert len(journal.jobs) == jobs + 1
    await talk.agrees()


async def test_one_question_after_the_other(agent_house: House) -> None:
    talk = await agent_house.talk()
    for tool, approvals in (("create_bucket", await talk.asked("chain")), ("run_job", None)):
        (approval,) = approvals if approvals is not None else await talk.questions()
        assert approval.tool_name == tool
        talk.decide(approval, True)
        await until(lambda: not talk.waiting)
    await talk.over()
    assert talk.states() == ["output-available", "output-available"]
    assert len(talk.journal().posts) == 1
    await talk.agrees()


async def test_stopping_while_a_write_waits_leaves_nothing_behind(agent_house: House) -> None:
    talk = await agent_house.talk()
    (approval,) = await talk.asked("write")
    buckets = talk.journal().buckets
    talk.session.stop()
    assert talk.session.turn.reason == "cancelled"
    assert not talk.waiting
    await until(lambda: talk.journal().hang_ups == 1)
    backend = await talk.workspace.backend()
    message = talk.session.messages[-1]
    with pytest.raises(NotFound):
        async for _ in backend.answer(
            talk.session.chat_id, message, [ToolAnswer(approval.tool_call_id, True)]
        ):
            pass
    assert talk.journal().buckets == buckets
    await talk.say("hello")
    assert talk.session.turn.reason == "stop"


async def test_a_decision_made_elsewhere_takes_the_question_away(agent_house: House) -> None:
    talk = await agent_house.talk()
    (approval,) = await talk.asked("write")
    backend = await talk.workspace.backend()
    answer = ToolAnswer(approval.tool_call_id, approved=True)
    async for _ in backend.answer(talk.session.chat_id, talk.session.messages[-1], [answer]):
        pass
    await talk.over()
    assert not talk.waiting
    assert talk.session.turn.reason == "stop"
    assert len(talk.journal().approvals) == 1
    await talk.agrees()


async def test_an_edited_input_is_what_runs(agent_house: House) -> None:
    talk = await agent_house.talk()
    (approval,) = await talk.asked("write")
    backend = await talk.workspace.backend()
    answer = ToolAnswer(approval.tool_call_id, True, updated_input={"name": "edited", "stage": "out"})
    async for _ in backend.answer(talk.session.chat_id, talk.session.messages[-1], [answer]):
        pass
    await talk.over()
    assert "out.c-edited" in talk.journal().buckets
    await talk.agrees()


async def test_a_tool_that_asks_gets_its_answers(agent_house: House) -> None:
    talk = await agent_house.talk()
    (approval,) = await talk.asked("ask")
    backend = await talk.workspace.backend()
    answer = ToolAnswer(approval.tool_call_id, True, answers={"Which one?": "b"})
    async for _ in backend.answer(talk.session.chat_id, talk.session.messages[-1], [answer]):
        pass
    await talk.over()
    assert talk.calls()[0].output == {"answers": {"Which one?": "b"}}
    await talk.agrees()


async def test_always_allow_is_not_asked_and_asked_again_after_a_reset(agent_house: House) -> None:
    talk = await agent_house.talk()
    backend = await talk.workspace.backend()
    await backend.set_permissions({"create_bucket": "always_allow"})
    try:
        again = await agent_house.enter()
        free = type(talk)(talk.peer, again, again.chats.new_chat())
        await free.say("defaults")
        assert free.states() == ["output-available"]
        assert free.journal().approvals == []
    finally:
        await backend.set_permissions(None)
    late = await agent_house.enter()
    asked = type(talk)(talk.peer, late, late.chats.new_chat())
    (approval,) = await asked.asked("defaults")
    asked.decide(approval, False)
    await asked.over()
    assert asked.states() == ["output-error"]

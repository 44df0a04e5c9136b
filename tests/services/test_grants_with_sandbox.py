"""Grants and the read-only switch in whole conversations with the built-in assistant, in both flavours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_tui.conversation import events as e
from kai_tui.conversation.reviews.review import ObjectRef
from kai_tui.services.approval_service import Decision
from kai_tui.services.grants import GrantTerms
from tests.services.scripted_backend import until
from tests.services.test_with_sandbox import BUCKET, House, asked, buckets, calls, over
from tests.services.test_with_sandbox import house as house

ANY_BUCKET = GrantTerms("create_bucket", minutes=10, calls=5)


async def test_further_calls_run_without_a_question(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True, grant=ANY_BUCKET))
    await over(session)
    session.send("Create a bucket called second")
    await over(session)
    assert [each.state for each in calls(session)] == ["output-available"]
    assert session.decision(calls(session)[0]) is True
    assert [grant.used for grant in workspace.grants.active] == [1]
    there = await buckets(workspace)
    assert "reports" in there
    assert "second" in there


async def test_two_writes_at_once_of_which_one_is_allowed_go_together(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("/demo writes")
    await asked(workspace, 2)
    first, second = workspace.approvals.pending
    assert first.tool_name != second.tool_name
    workspace.approvals.decide(first, Decision(True, grant=GrantTerms(first.tool_name)))
    workspace.approvals.decide(second, Decision(False))
    await over(session)
    assert len(workspace.grants.active) == 1

    backend = await workspace.backend()
    posts: list[list[tuple[str, bool]]] = []
    answer = backend.answer

    def noting(chat_id, message, answers, **more):
        posts.append([(each.tool_call_id, each.approved) for each in answers])
        return answer(chat_id, message, answers, **more)

    backend.answer = noting  # type: ignore[method-assign]
    session.send("/demo writes")
    await asked(workspace)
    (waiting,) = workspace.approvals.pending
    assert waiting.tool_name == second.tool_name
    if house.flavour == "assistant":
        ((beside, decision),) = workspace.approvals.ruled(session.chat_id, waiting.message_id)
        assert beside.tool_name == first.tool_name
        assert decision.rule.startswith("You allowed this until you leave")
        assert posts == []
    workspace.approvals.decide(waiting, Decision(True))
    await over(session)
    ids = {each.tool_name: each.tool_call_id for each in calls(session)}
    decided = [(ids[first.tool_name], True), (ids[second.tool_name], True)]
    if house.flavour == "assistant":
        assert [sorted(post) for post in posts] == [sorted(decided)]
    else:
        assert sorted(posts) == sorted([each] for each in decided)


async def test_the_switch_denies_with_its_reason_and_is_kept(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    house.hear(session)
    session.switch_read_only(True)
    session.send(BUCKET)
    await over(session)
    assert not workspace.approvals.pending
    assert session.decision(calls(session)[0]) is False
    assert "switched this chat to read-only" in str(session.messages[-1].to_wire())
    assert any("read-only switch" in each for each in house.said)
    await workspace.aclose()

    workspace = await house.enter()
    again = await workspace.chats.open_chat(session.chat_id)
    assert again.read_only_switch
    again.send(BUCKET)
    await over(again)
    assert "reports" not in await buckets(workspace)
    again.switch_read_only(False)
    again.send(BUCKET)
    await asked(workspace)


async def test_switched_on_while_a_question_waits_it_is_denied(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    assert session.switch_read_only(True) == 1
    await over(session)
    assert session.decision(calls(session)[0]) is False
    assert "reports" not in await buckets(workspace)


async def test_a_fork_of_a_switched_chat_is_switched(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("What tables do I have?")
    await over(session)
    session.switch_read_only(True)
    forked = workspace.chats.fork(session, session.messages[-1].id)
    assert forked is not None
    assert forked.read_only_switch


@pytest.mark.some(3)
@pytest.mark.parametrize("how", ["connect", "reopen", "woke"])
async def test_a_connection_made_anew_ends_all_grants(house: House, how: str) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True, grant=ANY_BUCKET))
    await over(session)
    assert workspace.grants.active
    if how == "connect":
        workspace.connect()
    elif how == "reopen":
        opener = workspace._open_backend
        workspace.reopen(workspace.account, opener)
    else:
        await workspace.woke()
    assert not workspace.grants.active
    await until(lambda: workspace.connection.state == "connected")
    session.send("Create a bucket called second")
    await asked(workspace)


async def test_a_reply_whose_connection_was_lost_ends_all_grants(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True, grant=ANY_BUCKET))
    await over(session)
    assert workspace.grants.active
    backend = await workspace.backend()

    async def broken(*_: object, **__: object) -> AsyncIterator[e.Event]:
        yield e.Start("answer")
        yield e.TextStart("0")
        yield e.TextDelta("0", "half a ")
        yield e.Finish("lost")

    backend.send = broken  # type: ignore[method-assign,assignment]
    session.send("go on")
    await until(lambda: session.turn.reason == "lost")
    assert not workspace.grants.active


@pytest.mark.some(2)
@pytest.mark.parametrize("how", ["revoked", "switched"])
async def test_taken_back_while_its_answer_is_on_the_way_to_the_wire_nothing_is_sent(
    house: House, how: str
) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    house.hear(session)
    session.send(BUCKET)
    await asked(workspace)
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True, grant=ANY_BUCKET))
    await over(session)
    gate, reached = asyncio.Event(), asyncio.Event()
    remember = workspace.keeper.remember_answer

    async def slowly(*noted: object) -> bool:
        reached.set()
        await gate.wait()
        return await remember(*noted)  # type: ignore[arg-type]

    workspace.keeper.remember_answer = slowly  # type: ignore[method-assign]
    session.send("Create a bucket called second")
    await asyncio.wait_for(reached.wait(), 20)
    if how == "revoked":
        workspace.grants.revoke_all()
    else:
        session.switch_read_only(True)
    gate.set()
    await asked(workspace)
    again = workspace.approvals.pending[0]
    assert again.note is not None
    assert (workspace.approvals.forbidden(again) is not None) == (how == "switched")
    assert any("taken back, or is over, before it was sent" in each for each in house.said)
    assert session.decision(calls(session)[0]) is None
    assert workspace.approvals.decide(again, Decision(False))
    await over(session)
    assert "second" not in await buckets(workspace)


async def test_a_grant_for_a_table_holds_for_it_alone_and_rules_know_what_the_chat_showed(
    house: House,
) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("Describe the customers table as who buys from us")
    await asked(workspace)
    terms = GrantTerms(
        "update_descriptions", of=ObjectRef("table", "in.c-crm.customers"), chat_id=session.chat_id
    )
    assert workspace.approvals.decide(workspace.approvals.pending[0], Decision(True, grant=terms))
    await over(session)
    session.send("Describe the customers table as the people who buy")
    await over(session)
    assert [grant.used for grant in workspace.grants.active] == [1]
    session.send("Describe the orders table as what they buy")
    await asked(workspace)
    assert workspace.approvals.decide(workspace.approvals.pending[0], Decision(False))
    await over(session)
    other = workspace.chats.new_chat()
    other.send("Describe the customers table as everybody")
    await asked(workspace)
    presents = workspace._presents_at_once(workspace.approvals.pending[0])
    assert [(wanted.of.id, each.value) for wanted, each in presents.items()] == [
        ("in.c-crm.customers", "the people who buy")
    ]

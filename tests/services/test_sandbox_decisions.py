"""Changed inputs, answers to questions and interrupted decisions with the built-in assistant, in both flavours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_tui.conversation.approvals import decision_digest
from kai_tui.conversation.input_changes import correction
from kai_tui.services.approval_service import Approval, Decision
from tests.services.scripted_backend import until
from tests.services.test_with_sandbox import BUCKET, House, asked, buckets, calls, over
from tests.services.test_with_sandbox import house as house


def deciding(approval: Approval, **said: dict[str, object]) -> Decision:
    shown = decision_digest(approval.digest, said.get("updated_input"), said.get("answers"))
    return Decision(True, updated_input=said.get("updated_input"), answers=said.get("answers"), shown=shown)


def only_on(house: House, flavour: str) -> None:
    if house.flavour != flavour:
        pytest.skip(f"of kai-{flavour}")


async def test_what_runs_is_the_input_as_the_user_changed_it(house: House) -> None:
    only_on(house, "agent")
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    approval = workspace.approvals.pending[0]
    edited = {**approval.input, "name": "renamed-by-me"}
    assert workspace.approvals.decide(approval, deciding(approval, updated_input=edited))
    await over(session)
    assert calls(session)[0].input == edited
    assert "You changed the call before it ran" in session.messages[-1].text
    there = await buckets(workspace)
    assert "renamed-by-me" in there
    assert "c-reports" not in there
    chat = await (await workspace.backend()).chat(session.chat_id)
    assert chat.messages[1].tool_calls()[0].input == edited
    told = session.noted(calls(session)[0])
    assert told.startswith("You approved it with changes. name: ")
    assert told.endswith('→ "renamed-by-me"')
    await workspace.aclose()

    again = await house.enter()
    reopened = await again.chats.open_chat(session.chat_id)
    await until(lambda: reopened.noted(calls(reopened)[0]) == told)


async def test_a_correction_is_a_no_that_the_assistant_hears(house: House) -> None:
    only_on(house, "assistant")
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    approval = workspace.approvals.pending[0]
    reason = correction(approval.tool_name, approval.input, {**approval.input, "name": "renamed-by-me"})
    assert workspace.approvals.decide(approval, Decision(approved=False, reason=reason))
    await over(session)
    assert calls(session)[0].state == "output-denied"
    assert (calls(session)[0].approval or {})["reason"] == reason
    there = await buckets(workspace)
    assert "renamed-by-me" not in there
    assert "c-reports" not in there
    assert session.noted(calls(session)[0]) == f"You denied it, and said: {reason}"


async def test_an_input_the_tool_cannot_take_changes_nothing(house: House) -> None:
    only_on(house, "agent")
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    approval = workspace.approvals.pending[0]
    assert workspace.approvals.decide(approval, deciding(approval, updated_input={"name": 7}))
    await over(session)
    assert calls(session)[0].state == "output-error"
    assert "c-reports" not in await buckets(workspace)


async def test_questions_of_a_tool_are_answered(house: House) -> None:
    only_on(house, "agent")
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("/demo ask")
    await asked(workspace)
    approval = workspace.approvals.pending[0]
    assert approval.tool_name == "ask_user"
    assert approval.wants == "answers"
    assert [each["id"] for each in approval.input["questions"]] == ["period", "name"]
    answers = {"period": "last month", "name": "Sales | west"}
    assert workspace.approvals.decide(approval, deciding(approval, answers=answers))
    await over(session)
    assert calls(session)[0].output == {"answers": answers, "unanswered": []}
    assert "period: last month" in session.messages[-1].text


async def test_questions_without_answers_are_an_answer_too(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("/demo ask")
    await asked(workspace)
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await over(session)
    assert calls(session)[0].state == "output-error"
    assert "no answer" in session.messages[-1].text


async def test_kai_assistant_gets_no_changed_input(house: House) -> None:
    only_on(house, "assistant")
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    house.hear(session)
    session.send(BUCKET)
    await asked(workspace)
    approval = workspace.approvals.pending[0]
    assert not approval.edits
    workspace.approvals.decide(approval, deciding(approval, updated_input={"name": "other"}))
    await until(lambda: any("only a yes or a no" in each for each in house.said))
    await asked(workspace)
    assert calls(session)[0].state == "approval-requested"
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await over(session)
    there = await buckets(workspace)
    assert "reports" in there
    assert "other" not in there


async def test_an_answer_cut_off_by_a_crash_is_looked_up_and_told(house: House) -> None:
    """Killed between noting the yes and the server's reply: it is asked again only as what it is."""
    only_on(house, "assistant")
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    backend = await workspace.backend()

    async def never(*_: object, **__: object) -> AsyncIterator[object]:
        await asyncio.Event().wait()
        yield None

    backend.answer = never  # type: ignore[method-assign,assignment]
    noted = len((await workspace._keeper.left_behind(session.chat_id)).answers)
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await until(lambda: session.messages[-1].tool_calls()[0].state == "approval-responded", 20)
    assert noted == 0
    await workspace.aclose()

    again = await house.enter()
    reopened = await again.chats.open_chat(session.chat_id)
    house.hear(reopened)
    assert not again.approvals.pending
    await asked(again)
    assert "You answered this before" in (again.approvals.pending[0].note or "")
    assert "c-reports" not in await buckets(again)
    again.approvals.decide(again.approvals.pending[0], Decision(True))
    await over(reopened)
    assert "c-reports" in await buckets(again)

"""Decisions that carry a changed input or answers; questions that go away; calls left open; the ledger."""

from __future__ import annotations

import asyncio

import pytest

from kai_tui.backends.base import ApprovalStyle, Chat, ChatSummary, ConnectionLost
from kai_tui.conversation import events as e
from kai_tui.conversation.approvals import decision_digest
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message
from kai_tui.services import session_decisions, session_resuming
from kai_tui.services.approval_service import Approval, Decision
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import ANSWER, CHAT, Desk, asking, stored_reply, text_reply, write_call
from tests.services.test_chat_session import desk_for as desk_for

EDITED: JsonObject = {"name": "y", "more": [1, {"deep": True}]}


def deciding(
    approval: Approval,
    *,
    approved: bool = True,
    updated_input: JsonObject | None = None,
    answers: JsonObject | None = None,
) -> Decision:
    """A decision as a dialog makes it, bound to what it showed."""
    shown = decision_digest(approval.digest, updated_input, answers)
    return Decision(approved, updated_input=updated_input, answers=answers, shown=shown)


async def asked(desk_for, *, edits: bool = True) -> tuple[Desk, asyncio.Event]:
    """A call of an open stream that waits; it is carried out when the gate opens."""
    gate = asyncio.Event()
    reply: list[Step] = [
        e.Start(ANSWER),
        *write_call(),
        gate,
        e.ToolOutputAvailable("w1", {"ok": True}, {}),
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(replies=[reply], offers={"edits_input": edits}))
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    return desk, gate


async def test_a_changed_input_and_answers_reach_the_server_once(desk_for) -> None:
    desk, gate = await asked(desk_for)
    approval = desk.approvals.pending[0]
    assert approval.edits
    edited = dict(EDITED)
    decision = deciding(approval, updated_input=edited, answers={"q": "a"})
    assert desk.approvals.decide(approval, decision)
    edited["name"] = "changed after the yes"
    await until(lambda: desk.backend.answered)
    (answer,) = desk.backend.answered[0]
    assert answer.updated_input == EDITED
    assert answer.answers == {"q": "a"}
    part = desk.session.messages[1].tool_calls()[0]
    await until(lambda: part.input == EDITED)  # the card shows what runs
    gate.set()
    await desk.turn_over()
    assert len(desk.backend.answered) == 1


@pytest.mark.parametrize("shown", [None, "0" * 64, "of the question only"])
async def test_what_was_not_on_screen_is_not_sent(desk_for, shown: str | None) -> None:
    desk, gate = await asked(desk_for)
    approval = desk.approvals.pending[0]
    if shown == "of the question only":
        shown = decision_digest(approval.digest, None, None)
    assert not desk.approvals.decide(approval, Decision(True, updated_input=dict(EDITED), shown=shown))
    assert not desk.approvals.decide(approval, Decision(True, answers={"q": "a"}, shown=shown))
    assert desk.approvals.pending == [approval]
    gate.set()
    await desk.turn_over()
    assert desk.backend.answered == []


async def test_a_no_carries_no_changed_input(desk_for) -> None:
    desk, gate = await asked(desk_for)
    approval = desk.approvals.pending[0]
    assert desk.approvals.decide(approval, deciding(approval, approved=False, updated_input=dict(EDITED)))
    await until(lambda: desk.backend.answered)
    assert [(each.approved, each.updated_input) for each in desk.backend.answered[0]] == [(False, None)]
    gate.set()
    await desk.turn_over()
    assert desk.session.messages[1].tool_calls()[0].input == {"name": "x"}


async def test_a_kai_that_takes_only_yes_or_no_gets_nothing_else(desk_for) -> None:
    desk, gate = await asked(desk_for, edits=False)
    approval = desk.approvals.pending[0]
    assert not approval.edits
    desk.approvals.decide(approval, deciding(approval, updated_input=dict(EDITED)))
    await until(lambda: desk.approvals.pending)
    assert desk.backend.answered == []
    assert not any(entry[0] == "answer" for entry in desk.keeper.log)
    assert any("only a yes or a no" in each for each in desk.notices())
    again = desk.approvals.pending[0]
    assert again.note is not None
    desk.approvals.decide(again, Decision(True))
    await until(lambda: len(desk.backend.answered) == 1)
    gate.set()
    await desk.turn_over()


async def test_a_continuation_takes_only_yes_or_no_for_all_of_its_calls(desk_for) -> None:
    done: list[Step] = [e.Start(ANSWER), e.ToolOutputAvailable("w1", {}, {}), e.Finish("stop")]
    desk = desk_for(ScriptedBackend(style="continuation", replies=[asking("w1", "w2")], answers=[done]))
    desk.session.send("go")
    await until(lambda: len(desk.approvals.pending) == 2)
    stored_reply(desk)
    first, second = desk.approvals.pending
    desk.approvals.decide(first, Decision(True))
    desk.approvals.decide(second, deciding(second, answers={"q": "a"}))
    await until(lambda: len(desk.approvals.pending) == 2)
    assert desk.backend.answered == []
    for each in desk.approvals.pending:
        desk.approvals.decide(each, Decision(True))
    await desk.turn_over()
    assert len(desk.backend.answered) == 1


# Questions that go away by themselves


async def test_a_question_whose_output_came_by_itself_goes_with_a_word(desk_for) -> None:
    desk, gate = await asked(desk_for)
    approval = desk.approvals.pending[0]
    gate.set()
    await desk.turn_over()
    assert desk.approvals.pending == []
    assert desk.approvals.was_explained(approval)
    assert [each for each in desk.notices() if "no longer waits for you" in each]
    assert desk.backend.answered == []


async def test_an_output_after_a_decision_needs_no_word(desk_for) -> None:
    desk, gate = await asked(desk_for)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.backend.answered)
    gate.set()
    await desk.turn_over()
    assert desk.notices() == []


# Calls that a reply left open

LEFT_OPEN: list[Step] = [e.Start(ANSWER), *write_call(), e.FinishStep(), e.Finish("stop")]


async def left_open(desk_for, style: ApprovalStyle = "continuation", *more: list[Step]) -> Desk:
    offers = {"tool_results": style == "continuation"}
    desk = desk_for(ScriptedBackend(style=style, replies=[list(LEFT_OPEN), *more], offers=offers))
    desk.session.send("go")
    await desk.turn_over()
    stored_reply(desk)
    return desk


@pytest.mark.parametrize("style", ["continuation", "side-request"])
async def test_a_call_left_open_is_told_and_not_asked_about(desk_for, style: ApprovalStyle) -> None:
    desk = await left_open(desk_for, style)
    (notice,) = [each for each in desk.notices() if "left create_config open" in each]
    assert "did not run" in notice
    assert ("commands" in notice) == (style == "continuation")
    assert desk.approvals.pending == []
    assert [part.tool_call_id for part in desk.session.left_open()] == ["w1"]


@pytest.mark.parametrize("reason", ["lost", "cancelled", "error"])
async def test_a_reply_that_broke_off_left_nothing_open(desk_for, reason: e.FinishReason) -> None:
    desk = desk_for(ScriptedBackend(replies=[[e.Start(ANSWER), *write_call(), e.Finish(reason)]]))
    desk.session.send("go")
    await desk.turn_over()
    assert list(desk.session.left_open()) == []


@pytest.mark.parametrize("yes", [True, False])
async def test_it_is_answered_the_old_way_only_on_request_after_a_question(desk_for, yes: bool) -> None:
    after: list[Step] = [e.Start("next"), e.TextStart("0"), e.TextDelta("0", "Done."), e.Finish("stop")]
    desk = await left_open(desk_for, "continuation", after)
    assert desk.session.answer_left_open(desk.backend)
    approval = desk.approvals.pending[0]
    assert "left this call open" in (approval.note or "")
    assert desk.backend.tool_results == []
    desk.approvals.decide(approval, Decision(yes))
    await until(lambda: desk.session.turn.phase == "finished")
    assert [(each.tool_call_id, each.approved) for each in desk.backend.tool_results] == [("w1", yes)]
    assert [m.text for m in desk.session.messages][-1] == "Done."
    assert len(desk.session.messages) == 3
    assert desk.backend.answered == []
    assert ("answer", "w1", str(yes)) in desk.keeper.log


async def test_a_question_about_a_call_left_open_can_be_put_away(desk_for) -> None:
    desk = await left_open(desk_for)
    desk.session.answer_left_open(desk.backend)
    desk.session.stop()
    assert desk.approvals.pending == []
    assert not desk.session.turn.busy
    assert desk.backend.tool_results == []
    assert list(desk.session.left_open())


async def test_a_call_that_is_another_by_now_is_not_answered(desk_for) -> None:
    desk = await left_open(desk_for)
    desk.session.answer_left_open(desk.backend)
    changed = desk.backend.stored[CHAT].messages[0].tool_calls()[0]
    changed.fields["input"] = {"name": "something else"}
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.session.turn.phase == "finished")
    assert desk.backend.tool_results == []
    assert any("Nothing was sent" in each for each in desk.notices())


async def test_where_there_is_no_old_way_it_is_not_offered(desk_for) -> None:
    desk = await left_open(desk_for, "side-request")
    assert not desk.session.answer_left_open(desk.backend)
    assert desk.approvals.pending == []


# What was answered in an earlier run


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (session_decisions, session_resuming):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)


async def reopened(desk_for, backend: ScriptedBackend, ledger: dict[tuple[str, str], bool]) -> Desk:
    """A chat with a waiting call, opened after a restart."""
    first = desk_for(ScriptedBackend(style="continuation", replies=[asking("w1")]))
    first.session.send("go")
    await until(lambda: first.approvals.pending)
    left = [Message.from_wire(each.to_wire()) for each in first.session.messages]
    backend.stored.setdefault(CHAT, Chat(ChatSummary(CHAT, "t"), left))
    desk = desk_for(backend, [Message.from_wire(each.to_wire()) for each in left])
    desk.session.know_answers(ledger)
    desk.session.resume_questions(desk.backend)
    return desk


@pytest.mark.usefixtures("no_patience")
async def test_what_was_answered_before_is_read_back_before_it_is_asked_again(desk_for) -> None:
    backend = ScriptedBackend(style="continuation", answers=[[e.Start(ANSWER), e.Finish("stop")]])
    desk = await reopened(desk_for, backend, {("w1", "ap-w1"): True})
    assert desk.approvals.pending == []
    await until(lambda: desk.approvals.pending)
    assert "You answered this before" in (desk.approvals.pending[0].note or "")
    assert backend.answered == []
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await desk.turn_over()
    assert len(backend.answered) == 1


@pytest.mark.usefixtures("no_patience")
async def test_what_was_answered_before_and_arrived_is_not_asked_again(desk_for) -> None:
    backend = ScriptedBackend(style="continuation")
    desk = await reopened(desk_for, backend, {("w1", "ap-w1"): True})
    backend.stored[CHAT].messages[1].tool_calls()[0].fields.update(
        {"state": "output-available", "output": {"ok": True}}
    )
    await until(lambda: any("had arrived" in each for each in desk.notices()))
    assert desk.approvals.pending == []
    assert not desk.session.turn.busy
    assert desk.session.messages[1].tool_calls()[0].state == "output-available"


@pytest.mark.usefixtures("no_patience")
async def test_a_message_sent_while_it_is_read_back_wins(desk_for) -> None:
    backend = ScriptedBackend(style="continuation", replies=[text_reply("x")])
    desk = await reopened(desk_for, backend, {("w1", "ap-w1"): True})
    desk.session.send("next")
    await until(lambda: desk.approvals.pending)
    assert [each.text for each in desk.session.queue] == ["next"]
    assert backend.posts == []


@pytest.mark.parametrize("ledger", [{}, {("w1", "another"): True}, {("other", "ap-w1"): True}])
async def test_what_was_never_answered_is_asked_at_once(
    desk_for, ledger: dict[tuple[str, str], bool]
) -> None:
    desk = await reopened(desk_for, ScriptedBackend(style="continuation"), ledger)
    assert [each.note for each in desk.approvals.pending] == [None]


async def test_on_an_open_stream_that_is_gone_the_approval_is_told(desk_for) -> None:
    message = Message.from_wire(
        {
            "id": ANSWER,
            "role": "assistant",
            "parts": [
                {
                    "type": "tool-run_job",
                    "toolCallId": "w1",
                    "state": "input-available",
                    "input": {},
                }
            ],
        }
    )
    desk = desk_for(ScriptedBackend(), [Message.user("q", "go"), message])
    desk.session.know_answers({("w1", ""): True})
    desk.session.resume_questions(desk.backend)
    await until(desk.notices)
    assert "You approved run_job" in desk.notices()[0]
    assert desk.approvals.pending == []


@pytest.mark.usefixtures("no_patience")
async def test_an_answer_of_this_run_with_unknown_outcome_is_read_back_first(desk_for) -> None:
    backend = ScriptedBackend(
        style="continuation",
        replies=[asking("w1")],
        answers=[[ConnectionLost("gone")], [e.Start(ANSWER), e.Finish("stop")]],
    )
    desk = desk_for(backend)
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    stored_reply(desk)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.approvals.pending and backend.answered)
    assert desk.approvals.pending[0].note is not None
    assert len(backend.answered) == 1

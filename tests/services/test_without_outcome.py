"""An answer that reached a continuation server, which then broke off: the chat must not stay dead (kai.md §9.1)."""

from __future__ import annotations

import pytest

from kai_tui.backends.base import Chat, ChatSummary, ConnectionLost, ToolAnswer
from kai_tui.conversation import events as e
from kai_tui.conversation.approvals import respond
from kai_tui.conversation.messages import Message
from kai_tui.services import session_without_outcome
from kai_tui.services.approval_service import Decision
from kai_tui.services.changes import Notice
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import ANSWER, CHAT, Desk, asking, stored_reply, text_reply
from tests.services.test_chat_session import desk_for as desk_for
from tests.services.test_history_and_chats import open_workspace as open_workspace

DENIED: list[Step] = [e.Start(ANSWER), e.ToolOutputDenied("w1"), e.Finish("stop")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_without_outcome, "PATIENCE_SECONDS", 0.0)


async def reopened(desk_for, backend: ScriptedBackend, *, outcome: bool = False) -> Desk:
    """A chat whose last message holds a yes without an outcome, opened again."""
    first = desk_for(ScriptedBackend(style="continuation", replies=[asking("w1")]))
    first.session.send("go")
    await until(lambda: first.approvals.pending)
    answered = respond(first.session.messages[1], [ToolAnswer("w1", approved=True)])
    kept = [Message.from_wire(each.to_wire()) for each in (first.session.messages[0], answered)]
    desk = desk_for(backend, [Message.from_wire(each.to_wire()) for each in kept])
    if outcome:
        kept[1].tool_calls()[0].fields.update(state="output-available", output={"ok": True})
    backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), kept)
    desk.session.resume_questions(backend)
    return desk


async def test_the_user_is_told_and_asked_before_the_next_message(desk_for) -> None:
    backend = ScriptedBackend(style="continuation", answers=[DENIED], replies=[text_reply("hi")])
    desk = await reopened(desk_for, backend)
    assert not desk.session.turn.busy
    await until(lambda: any("no outcome so far" in each for each in desk.notices()))
    desk.session.send("hello")
    await until(lambda: desk.approvals.pending)
    assert backend.posts == []
    assert [each.text for each in desk.session.queue] == ["hello"]
    note = desk.approvals.pending[0].note
    assert note is not None
    assert "look at the project" in note
    desk.approvals.decide(desk.approvals.pending[0], Decision(False, "leave it"))
    await until(lambda: backend.posts and desk.session.turn.phase == "finished")
    assert [(a.approved, a.reason) for a in backend.answered[0]] == [(False, "leave it")]
    assert [each.text for each in backend.posts] == ["hello"]
    assert desk.session.messages[1].tool_calls()[0].state == "output-denied"


async def test_nothing_is_asked_when_the_outcome_came_after_all(desk_for) -> None:
    backend = ScriptedBackend(style="continuation", replies=[text_reply("hi")])
    desk = await reopened(desk_for, backend, outcome=True)
    desk.session.send("hello")
    await until(lambda: desk.session.turn.phase == "finished" and backend.posts)
    assert backend.answered == []
    assert desk.session.messages[1].tool_calls()[0].state == "output-available"


async def test_an_outcome_that_comes_while_it_is_asked_again_wins(desk_for) -> None:
    """The second yes must not run it twice: it is read back right before anything is sent."""
    backend = ScriptedBackend(style="continuation", replies=[text_reply("hi")])
    desk = await reopened(desk_for, backend)
    desk.session.send("hello")
    await until(lambda: desk.approvals.pending)
    done = backend.stored[CHAT].messages[1].tool_calls()[0]
    done.fields.update(state="output-available", output={"ok": True})
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: any("settled" in each for each in desk.notices()))
    assert backend.answered == []
    assert desk.session.messages[1].tool_calls()[0].state == "output-available"


async def test_a_lost_second_answer_is_not_sent_a_third_time_by_itself(desk_for) -> None:
    backend = ScriptedBackend(style="continuation", answers=[[ConnectionLost("Connection lost.")]])
    desk = await reopened(desk_for, backend)
    desk.session.send("hello")
    await until(lambda: desk.approvals.pending)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.session.turn.phase == "finished")
    assert len(backend.answered) == 1
    assert backend.posts == []


async def test_a_message_is_not_sent_when_the_outcome_cannot_be_looked_up(desk_for) -> None:
    backend = ScriptedBackend(style="continuation")
    desk = await reopened(desk_for, backend)
    backend.chat_error = ConnectionLost("Connection lost.")
    desk.session.send("hello")
    await until(lambda: desk.session.turn.phase == "finished")
    assert backend.posts == []
    assert desk.session.delivery(desk.session.messages[-1].id) == "not-sent"


async def test_a_call_answered_by_the_server_itself_is_not_asked_about(desk_for) -> None:
    backend = ScriptedBackend(style="continuation", replies=[asking("w1"), text_reply("hi")])
    desk = desk_for(backend)
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    stored_reply(desk)
    part = backend.stored[CHAT].messages[0].tool_calls()[0]
    part.fields["state"] = "approval-responded"
    part.fields["approval"].update(approved=True, isAutomatic=True)
    again = desk_for(backend, [Message.from_wire(m.to_wire()) for m in backend.stored[CHAT].messages])
    again.session.send("hello")
    await until(lambda: len(backend.posts) == 2)
    await again.turn_over()


async def test_a_screen_that_opens_the_chat_hears_of_it(open_workspace, desk_for) -> None:
    """What is said about the questions of a chat must wait until somebody listens."""
    backend = ScriptedBackend(style="continuation")
    await reopened(desk_for, backend)
    workspace = open_workspace(backend)
    session = await workspace.chats.open_chat(CHAT)
    heard: list[object] = []
    session.observe(heard.append)
    await until(
        lambda: any(isinstance(each, Notice) and "no outcome so far" in each.sentence for each in heard)
    )

"""Two things at once in one chat: checks that come late, questions that come back, tokens that change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary, NotFound, ToolAnswer
from kai_tui.conversation import events as e
from kai_tui.conversation.approvals import respond
from kai_tui.conversation.messages import Message
from kai_tui.services import (
    session_asked_before,
    session_decisions,
    session_resuming,
    session_without_outcome,
)
from kai_tui.services.approval_service import Decision
from kai_tui.services.changes import Notice
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import ANSWER, CHAT, Desk, asking, text_reply, write_call
from tests.services.test_chat_session import desk_for as desk_for
from tests.services.test_history_and_chats import open_workspace as open_workspace

DENIED: list[Step] = [e.Start(ANSWER), e.ToolOutputDenied("w1"), e.Finish("stop")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (session_without_outcome, session_decisions, session_resuming):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)


@dataclass
class SlowToRead(ScriptedBackend):
    """Every read of the chat waits at a gate of its own; what it finds is as of the moment it is let through."""

    reads: list[asyncio.Event] = field(default_factory=list[asyncio.Event])
    open_doors: bool = False

    async def chat(self, chat_id: str) -> Chat:
        gate = asyncio.Event()
        self.reads.append(gate)
        if not self.open_doors:
            await gate.wait()
        return await super().chat(chat_id)

    def let_all(self) -> None:
        self.open_doors = True
        for gate in self.reads:
            gate.set()


def copies(messages: list[Message]) -> list[Message]:
    return [Message.from_wire(each.to_wire()) for each in messages]


async def with_answered_call(desk_for, backend: ScriptedBackend, *, answered: bool = True) -> Desk:
    """A chat of a continuation server that ends with a call: answered without an outcome, or waiting."""
    first = desk_for(ScriptedBackend(style="continuation", replies=[asking("w1")]))
    first.session.send("go")
    await until(lambda: first.approvals.pending)
    question, reply = first.session.messages
    if answered:
        reply = respond(reply, [ToolAnswer("w1", approved=True)])
    backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), copies([question, reply]))
    return desk_for(backend, copies([question, reply]))


async def test_a_check_that_comes_back_late_does_not_keep_the_chat_busy_forever(desk_for) -> None:
    backend = SlowToRead(style="continuation", answers=[DENIED], replies=[text_reply("hi")])
    desk = await with_answered_call(desk_for, backend)
    desk.session.add_unsent("m-late", "late", "unsure", "not known")
    desk.session.retry("m-late")  # looks whether it arrived
    await until(lambda: len(backend.reads) == 1)
    desk.session.send("next")
    await until(lambda: len(backend.reads) == 2)
    chat = backend.stored[CHAT]
    backend.stored[CHAT] = Chat(chat.summary, [*chat.messages, Message.user("m-late", "late")])
    backend.reads[0].set()
    await until(lambda: desk.session.delivery("m-late") == "sent")
    backend.let_all()
    await until(lambda: desk.approvals.pending or not desk.session.turn.busy)


async def test_a_check_that_comes_back_late_does_not_break_an_answer(desk_for) -> None:
    backend = SlowToRead(style="continuation", answers=[DENIED])
    desk = await with_answered_call(desk_for, backend, answered=False)
    desk.session.add_unsent("m-late", "late", "unsure", "not known")
    desk.session.retry("m-late")
    await until(lambda: len(backend.reads) == 1)
    desk.session.resume_questions(backend)
    await until(lambda: desk.approvals.pending)
    desk.approvals.decide(desk.approvals.pending[0], Decision(False))
    await until(lambda: len(backend.reads) == 2)
    chat = backend.stored[CHAT]
    backend.stored[CHAT] = Chat(chat.summary, [*chat.messages, Message.user("m-late", "late")])
    backend.reads[0].set()
    await until(lambda: desk.session.delivery("m-late") == "sent")
    backend.let_all()
    await desk.turn_over()
    assert len(backend.answered) == 1
    assert not any("mistake" in each for each in desk.notices())
    states = [part.state for each in desk.session.messages for part in each.tool_calls()]
    assert states == ["output-denied"]


async def test_questions_read_again_after_a_sleep_do_not_end_the_answer_given_meanwhile(desk_for) -> None:
    backend = SlowToRead(style="continuation", answers=[DENIED])
    desk = await with_answered_call(desk_for, backend, answered=False)
    desk.session.resume_questions(backend)
    await until(lambda: desk.approvals.pending)
    desk.session.woke()
    await until(lambda: len(backend.reads) == 1)
    desk.approvals.decide(desk.approvals.pending[0], Decision(False))
    await until(lambda: len(backend.reads) == 2)
    kept = backend.stored.pop(CHAT)  # one answer of a server that is starting up
    backend.reads[0].set()
    await asyncio.sleep(0.05)
    backend.stored[CHAT] = kept
    backend.let_all()
    await until(lambda: backend.answered)
    await desk.turn_over()
    assert desk.session.turn.reason == "stop"


async def test_a_chat_that_is_read_anew_while_an_answer_is_checked_keeps_the_answer(desk_for) -> None:
    backend = SlowToRead(style="continuation", answers=[DENIED])
    desk = await with_answered_call(desk_for, backend, answered=False)
    desk.session.resume_questions(backend)
    await until(lambda: desk.approvals.pending)
    desk.approvals.decide(desk.approvals.pending[0], Decision(False))
    await until(lambda: len(backend.reads) == 1)
    desk.session.messages = copies(desk.session.messages)
    backend.let_all()
    await desk.turn_over()
    assert desk.session.turn.reason == "stop"
    assert len(backend.answered) == 1
    states = [part.state for each in desk.session.messages for part in each.tool_calls()]
    assert states == ["output-denied"]


async def test_what_was_answered_before_is_said_also_when_a_message_brings_the_question_back(
    desk_for,
) -> None:
    """A7: the server may be carrying it out; the look that would tell had not come back yet."""
    backend = SlowToRead(style="continuation", answers=[DENIED], replies=[text_reply("hi")])
    desk = await with_answered_call(desk_for, backend, answered=False)
    call = desk.session.messages[1].tool_calls()[0]
    desk.session.know_answers({("w1", call.approval_id or ""): True})
    desk.session.resume_questions(backend)
    desk.session.send("next")
    await until(lambda: desk.approvals.pending)
    note = desk.approvals.pending[0].note
    assert note is not None
    assert "You answered this before" in note
    backend.let_all()
    await desk.session.aclose()


async def test_a_message_that_waited_when_the_program_ended_is_looked_for_before_it_is_sent(desk_for) -> None:
    """The disk was full when it was taken out of the queue: on disk it still waits, on the server it is."""
    backend = ScriptedBackend(replies=[text_reply("again?")])
    backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [Message.user("m-1", "once")])
    desk = desk_for(backend, [Message.user("m-0", "older")])
    desk.session.restore_queue([("m-1", "once")])
    assert desk.session.send_next()
    await desk.turn_over()
    assert backend.posts == []
    assert desk.session.delivery("m-1") == "sent"


async def test_new_words_for_a_message_that_may_have_arrived_are_not_lost(desk_for) -> None:
    backend = ScriptedBackend(replies=[text_reply("ok")])
    backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [Message.user("m-1", "once")])
    desk = desk_for(backend, [Message.user("m-0", "older")])
    desk.session.set_context("/admin/projects/1/storage")
    desk.session.restore_queue([("m-1", "once")])
    assert desk.session.edit_queued("m-1", "twice")
    assert desk.session.send_next()
    await desk.turn_over()
    assert [each.text for each in backend.posts] == ["twice"]
    assert backend.posts[0].message_id != "m-1"


async def test_an_edited_unsent_message_is_on_disk_before_its_old_words_leave_it(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[[CannotConnect("no")], text_reply("ok")]))
    desk.session.send("old")
    await desk.turn_over()
    old = desk.session.messages[-1].id
    desk.keeper.log.clear()
    assert desk.session.ask_again(old, "new")
    await desk.turn_over()
    await until(lambda: ("settle", old, "sent") in desk.keeper.log)
    (kept,) = [entry for entry in desk.keeper.log if entry[0] == "keep"]
    assert desk.keeper.log.index(kept) < desk.keeper.log.index(("settle", old, "sent"))


async def test_a_chat_that_never_was_on_the_server_is_not_called_gone(open_workspace) -> None:
    """Opened from the outbox while the server was away; later the server does not know it, as is right."""
    backend = ScriptedBackend(chat_error=CannotConnect("no way"), replies=[text_reply("ok")])
    workspace = open_workspace(backend)
    await workspace._keeper.keep_outgoing("c-new", "m-1", "hello")
    await workspace._keeper.settle_outgoing("m-1", "not-sent")
    session = await workspace.chats.open_chat("c-new")
    backend.chat_error = None
    session.look_again()
    await until(lambda: session.delivery("m-1") == "not-sent")
    heard: list[object] = []
    session.observe(heard.append)
    session.look_again()
    await until(lambda: any(isinstance(each, Notice) for each in heard))
    assert not session.gone
    session.retry("m-1")
    await until(lambda: session.turn.phase == "finished")
    assert [each.message_id for each in backend.posts] == ["m-1"]


async def test_a_message_that_waits_for_the_server_is_not_taken_out_from_under_it(desk_for) -> None:
    from kai_tui.backends.base import RateLimited

    busy = RateLimited("busy", retry_after=30.0)
    desk = desk_for(ScriptedBackend(replies=[[busy], text_reply("ok")]))
    desk.session.set_watched(True)
    desk.session.send("hello")
    await until(lambda: desk.session.turn.phase == "holding")
    assert desk.session.take_back(desk.session.messages[-1].id) == ""
    assert desk.session.messages
    desk.session.stop()
    assert desk.session.take_back(desk.session.messages[-1].id) == "hello"
    await desk.session.aclose()


async def test_what_is_superseded_follows_an_answer_that_was_read_anew(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[text_reply("a"), text_reply("b")]))
    desk.session.send("q")
    await desk.turn_over()
    first = desk.session.messages[0].id
    desk.backend.replies[0][0] = e.Start("b-id")
    assert desk.session.ask_again(first)
    await desk.turn_over()
    old = desk.session.messages[1]
    assert desk.session.is_superseded(old.id)
    fresh = Message.from_wire({**old.to_wire(), "id": "other"})
    desk.session._replace(old, fresh)
    assert desk.session.is_superseded("other")


async def test_a_chat_deleted_elsewhere_is_still_told(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[text_reply("a")]))
    desk.session.send("q")
    await desk.turn_over()
    with pytest.raises(NotFound):
        await desk.backend.chat(CHAT)
    desk.session.look_again()
    await until(lambda: desk.session.gone)


async def lost_question(desk_for) -> Desk:
    """A call of an open stream that was lost; the server shows it as open, so it is asked about again."""
    gate = asyncio.Event()
    reply: list[Step] = [e.Start(ANSWER), *write_call(), gate, e.Finish("lost")]
    desk = desk_for(ScriptedBackend(replies=[reply, text_reply("hi")]))
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    desk.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), copies(desk.session.messages))
    gate.set()
    await desk.turn_over()
    await until(lambda: desk.approvals.pending)
    assert not desk.session.turn.busy
    return desk


async def test_a_message_that_is_to_wait_behind_a_lost_question_waits(desk_for, monkeypatch) -> None:
    """The dialog says “my message waits behind it”."""
    monkeypatch.setattr(session_asked_before, "RESULT_LOOKS", (0.0,))
    desk = await lost_question(desk_for)
    desk.session.enqueue("next", quietly=True)
    await asyncio.sleep(0.02)
    assert [each.text for each in desk.backend.posts] == ["go"]
    assert desk.approvals.pending
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: len(desk.backend.posts) == 2)
    assert [[a.approved for a in each] for each in desk.backend.answered] == [[True]]
    await desk.turn_over()


async def test_leaving_does_not_wait_for_the_result_of_an_answer(desk_for) -> None:
    desk = await lost_question(desk_for)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.backend.answered)
    async with asyncio.timeout(0.5):
        await desk.session.aclose()


async def test_looking_for_an_answer_ends_although_somebody_looks_in_at_that_moment(desk_for) -> None:
    desk = desk_for(ScriptedBackend())
    looking = desk.session._look_up(desk.session._look_for_answer("m-1"))
    assert looking is not None
    await asyncio.sleep(0.02)
    desk.session.set_watched(True)  # what waits is nudged in the same round in which it is cancelled
    looking.cancel()
    await asyncio.wait([looking], timeout=0.5)
    assert looking.cancelled()


async def test_what_waited_and_is_on_the_server_does_not_wait_for_ever(desk_for) -> None:
    """Its row would be announced at every start."""
    desk = desk_for(ScriptedBackend(), [Message.user("m-1", "once")])
    desk.session.restore_queue([("m-1", "once")])
    assert desk.session.queue == []
    await until(lambda: ("queue",) in desk.keeper.log)

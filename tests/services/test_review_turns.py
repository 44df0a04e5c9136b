"""Faults found by reading the turn's state machine: what must not happen between two steps of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary, ConnectionLost, NotFound
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message, TextPart
from kai_tui.services.approval_service import Decision
from kai_tui.services.changes import PartChanged
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import (
    ANSWER,
    CHAT,
    Desk,
    asking,
    stored_reply,
    text_reply,
    write_call,
)
from tests.services.test_chat_session import desk_for as desk_for

DONE: list[Step] = [e.Start(ANSWER), e.ToolOutputAvailable("w1", {"ok": True}, {}), e.Finish("stop")]


def continuing(*answers: list[Step], calls: tuple[str, ...] = ("w1",)) -> ScriptedBackend:
    return ScriptedBackend(style="continuation", replies=[asking(*calls)], answers=list(answers))


async def waiting(desk: Desk, count: int = 1) -> None:
    desk.session.send("go")
    await until(lambda: len(desk.approvals.pending) == count)
    stored_reply(desk)


# What is kept


async def test_a_reply_is_kept_as_complete_when_a_queued_message_follows(desk_for) -> None:
    gate, second = asyncio.Event(), asyncio.Event()
    first: list[Step] = [e.Start(ANSWER), e.TextStart("0"), e.TextDelta("0", "one"), gate, e.Finish("stop")]
    desk = desk_for(ScriptedBackend(replies=[first, [e.Start("other"), second, e.Finish("stop")]]))
    desk.session.send("first")
    await until(lambda: desk.session.turn.phase == "streaming")
    desk.session.send("next")
    gate.set()
    await until(lambda: len(desk.backend.posts) == 2 and desk.session.turn.phase == "streaming")
    assert desk.keeper.replies[ANSWER][1] == "complete"
    second.set()
    await desk.turn_over()


async def test_the_second_reply_of_a_chat_is_kept_while_it_streams_too(desk_for) -> None:
    gate = asyncio.Event()
    second: list[Step] = [e.Start("b"), e.TextStart("0"), e.TextDelta("0", "seen"), gate, e.Finish("stop")]
    desk = desk_for(ScriptedBackend(replies=[text_reply("a", "b", "c"), second]))
    desk.session.send("one")
    await desk.turn_over()
    desk.session.send("two")
    await until(lambda: desk.session.find("b") is not None)
    await until(lambda: desk.keeper.replies.get("b", ({}, ""))[1] == "streaming", 1.0)
    gate.set()
    await desk.turn_over()


async def test_a_waiting_request_is_kept_as_whole_not_as_cut_off(desk_for) -> None:
    desk = desk_for(continuing())
    await waiting(desk)
    assert desk.keeper.replies[ANSWER][1] == "complete"
    await desk.session.aclose()
    assert desk.keeper.replies[ANSWER][1] == "complete"


# Faults of ours and of others


async def test_a_screen_that_cannot_draw_does_not_break_off_the_reply(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[text_reply("Hel", "lo")]))

    def broken(change: object) -> None:
        if isinstance(change, PartChanged):
            raise ValueError("cannot draw this")

    desk.session.observe(broken)
    desk.session.send("Hi")
    await desk.turn_over()
    assert desk.session.messages[1].text == "Hello"
    assert desk.session.turn.reason == "stop"


async def test_a_fault_while_reading_leaves_a_reply_marked_and_a_message_that_can_be_checked(
    desk_for, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_for(ScriptedBackend(replies=[text_reply("Hel", "lo")]))

    async def broken(*_: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(desk.keeper, "keep_outgoing", broken)
    desk.session.send("Hi")
    await desk.turn_over()
    message_id = desk.session.messages[0].id
    await until(lambda: desk.session.delivery(message_id) == "not-sent")


async def test_a_reply_broken_by_a_fault_of_ours_is_not_shown_as_complete(desk_for) -> None:
    backend = ScriptedBackend()
    desk = desk_for(backend)

    async def send(chat_id: str, outgoing: object, **_: object) -> AsyncIterator[e.Event]:
        yield e.Start(ANSWER)
        yield e.TextStart("0")
        yield e.TextDelta("0", "half")
        raise ValueError("a fault of ours")

    backend.send = send  # type: ignore[method-assign,assignment]
    desk.session.send("Hi")
    await desk.turn_over()
    finish = desk.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "error"


async def test_a_stream_without_any_event_is_an_unknown_outcome(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[[]]))
    desk.session.send("Hi")
    await desk.turn_over()
    assert desk.session.delivery(desk.session.messages[0].id) == "not-sent"


# Deliveries


async def test_a_late_check_does_not_overrule_a_newer_send(desk_for) -> None:
    backend = ScriptedBackend(replies=[[ConnectionLost("lost")], text_reply("ok")])
    backend.chat_error = CannotConnect("away")
    desk = desk_for(backend)
    desk.session.send("once")
    await desk.turn_over()
    message_id = desk.session.messages[0].id
    slow, read = asyncio.Event(), backend.chat

    async def late(chat_id: str) -> Chat:
        await slow.wait()
        raise NotFound("not there when it was looked for")

    backend.chat_error, backend.chat = None, late  # type: ignore[method-assign]
    desk.session.retry(message_id)
    await asyncio.sleep(0)
    backend.chat = read  # type: ignore[method-assign]
    desk.session.retry(message_id)
    await until(lambda: desk.session.delivery(message_id) == "not-sent")
    desk.session.retry(message_id)
    await until(lambda: desk.session.delivery(message_id) == "sent")
    slow.set()
    await desk.turn_over()
    await asyncio.gather(*(t for t in asyncio.all_tasks() if t is not asyncio.current_task()))
    assert desk.session.delivery(message_id) == "sent"


async def test_reading_back_keeps_earlier_replies_the_server_did_not_store(desk_for) -> None:
    cut: list[Step] = [e.Start(ANSWER), e.TextStart("0"), e.TextDelta("0", "seen words"), e.Finish("lost")]
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[cut, [gate, ConnectionLost("lost")]])
    desk = desk_for(backend)
    desk.session.send("one")
    await desk.turn_over()
    desk.session.send("two")
    await until(lambda: len(backend.posts) == 2)
    backend.stored[CHAT] = Chat(
        ChatSummary(CHAT, "t"), [Message.user(post.message_id, post.text) for post in backend.posts]
    )
    gate.set()
    await until(lambda: desk.session.turn.phase == "finished")
    await until(lambda: desk.session.delivery(backend.posts[1].message_id) == "sent")
    assert [m.text for m in desk.session.messages] == ["one", "seen words", "two"]
    finish = desk.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "lost"


async def test_an_answer_read_back_after_a_loss_is_not_shown_as_complete(desk_for) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[[gate, ConnectionLost("lost")]])
    desk = desk_for(backend)
    desk.session.send("did it arrive?")
    await until(lambda: backend.posts)
    asked = Message.user(backend.posts[0].message_id, "did it arrive?")
    part = Message(ANSWER, "assistant", [TextPart({"type": "text", "text": "Ye"})])
    backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [asked, part])
    gate.set()
    await desk.turn_over()
    finish = desk.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "lost"


# Decisions beside an open stream


async def test_a_decision_counts_after_the_reply_got_another_id(desk_for) -> None:
    rename, end = asyncio.Event(), asyncio.Event()
    reply: list[Step] = [*write_call(), rename, e.Start(ANSWER), end, e.Finish("stop")]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    desk.session.send("create it")
    await until(lambda: desk.approvals.pending)
    rename.set()
    await until(lambda: desk.session.messages[-1].id == ANSWER)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.backend.answered)
    end.set()
    await desk.turn_over()


async def test_an_input_that_grows_again_takes_the_question_away(desk_for) -> None:
    again, whole, end = asyncio.Event(), asyncio.Event(), asyncio.Event()
    reply: list[Step] = [
        e.Start(ANSWER),
        *write_call(),
        again,
        e.ToolInputStart("w1", "delete_bucket", {}),
        whole,
        e.ToolInputAvailable("w1", "delete_bucket", {"name": "all"}, {}),
        end,
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    desk.session.send("create it")
    await until(lambda: desk.approvals.pending)
    shown = desk.approvals.pending[0]
    again.set()
    await until(lambda: not desk.approvals.pending)
    assert not desk.approvals.decide(shown, Decision(True))
    whole.set()
    await until(lambda: desk.approvals.pending)
    assert desk.approvals.pending[0].input == {"name": "all"}
    assert not desk.approvals.decide(shown, Decision(True))
    end.set()
    await desk.turn_over()
    assert desk.backend.answered == []


async def test_nothing_is_answered_when_the_call_changes_while_the_answer_is_noted(desk_for) -> None:
    again, end = asyncio.Event(), asyncio.Event()
    reply: list[Step] = [
        e.Start(ANSWER),
        *write_call(),
        again,
        e.ToolInputAvailable("w1", "create_config", {"name": "other"}, {}),
        end,
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    remember = desk.keeper.remember_answer

    async def slow(chat_id: str, tool_call_id: str, approval_id: str | None, approved: bool) -> bool:
        again.set()
        call = desk.session.messages[-1].tool_calls()[0]
        await until(lambda: call.input == {"name": "other"})
        return await remember(chat_id, tool_call_id, approval_id, approved)

    desk.keeper.remember_answer = slow
    desk.session.send("create it")
    await until(lambda: desk.approvals.pending)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: any(each.input == {"name": "other"} for each in desk.approvals.pending))
    await until(lambda: ("withdraw", "w1") in desk.keeper.log)
    assert desk.backend.answered == []
    end.set()
    await desk.turn_over()


async def test_stopping_after_a_yes_that_was_not_sent_yet_sends_nothing(desk_for) -> None:
    gate, noted = asyncio.Event(), asyncio.Event()
    desk = desk_for(ScriptedBackend(replies=[[e.Start(ANSWER), *write_call(), gate, e.Finish("stop")]]))

    async def slow(*_: object) -> bool:
        await noted.wait()
        return True

    desk.keeper.remember_answer = slow
    desk.session.send("create it")
    await until(lambda: desk.approvals.pending)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await asyncio.sleep(0)
    desk.session.stop()
    noted.set()
    await until(lambda: ("withdraw", "w1") in desk.keeper.log)
    assert desk.backend.answered == []


# Decisions that continue


async def test_a_request_that_came_before_a_loss_is_asked_when_the_server_still_waits(desk_for) -> None:
    lost = [step for step in asking("w1") if not isinstance(step, e.Finish)]
    gate = asyncio.Event()
    desk = desk_for(ScriptedBackend(style="continuation", replies=[[*lost, gate, e.Finish("lost")]]))
    desk.session.send("go")
    await until(lambda: len(desk.session.messages) == 2 and desk.session.messages[1].tool_calls())
    await until(lambda: desk.session.messages[1].tool_calls()[0].state == "approval-requested")
    assert desk.approvals.pending == []
    stored_reply(desk)
    gate.set()
    await until(lambda: desk.approvals.pending)
    assert desk.session.turn.phase == "waiting-for-approval"


async def test_stopping_before_the_answer_is_sent_asks_again(desk_for) -> None:
    desk = desk_for(continuing(DONE))
    await waiting(desk)
    backend, gate = desk.backend, asyncio.Event()
    read = backend.chat

    async def slow(chat_id: str) -> Chat:
        await gate.wait()
        return await read(chat_id)

    backend.chat = slow  # type: ignore[method-assign]
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await asyncio.sleep(0)
    desk.session.stop()
    assert desk.session.turn.reason == "cancelled"
    gate.set()
    await until(lambda: desk.approvals.pending)
    assert backend.answered == []
    assert desk.session.messages[1].tool_calls()[0].state == "approval-requested"


async def test_stopping_while_the_answer_is_on_its_way_reads_what_became_of_it(desk_for) -> None:
    gate = asyncio.Event()
    desk = desk_for(continuing([gate]))
    await waiting(desk)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.backend.answered)
    done = Message.from_wire(desk.backend.stored[CHAT].messages[0].to_wire())
    done.tool_calls()[0].fields.update({"state": "output-available", "output": {"ok": True}})
    desk.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [done])
    desk.session.stop()
    await until(lambda: desk.session.messages[1].tool_calls()[0].state == "output-available")
    assert desk.approvals.pending == []
    assert len(desk.backend.answered) == 1


async def test_a_message_waits_until_what_is_pending_was_decided(desk_for) -> None:
    """A chat with an unanswered request refuses every further message (kai.md §9.1)."""
    asked = desk_for(continuing())
    await waiting(asked)
    left = [Message.from_wire(each.to_wire()) for each in asked.session.messages]
    # Opened from the copy here, so nothing was asked.
    desk = desk_for(ScriptedBackend(style="continuation", answers=[DONE], replies=[text_reply("ok")]), left)
    desk.session.send("and then?")
    await until(lambda: desk.approvals.pending)
    assert desk.backend.posts == []
    assert [each.text for each in desk.session.queue] == ["and then?"]
    assert len(desk.session.messages) == 2
    desk.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), left)
    desk.approvals.decide(desk.approvals.pending[0], Decision(False))
    await until(lambda: desk.backend.posts)
    await desk.turn_over()
    assert [post.text for post in desk.backend.posts] == ["and then?"]
    assert len(desk.backend.answered) == 1


async def test_a_request_the_server_does_not_know_is_not_answered(desk_for, monkeypatch) -> None:
    monkeypatch.setattr("kai_tui.services.session_decisions.PATIENCE_SECONDS", 0.0, raising=False)
    desk = desk_for(continuing(DONE))
    await waiting(desk)
    desk.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [])
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await desk.turn_over()
    assert desk.backend.answered == []
    assert any("Nothing was sent" in each for each in desk.notices())


async def test_another_request_that_appeared_on_the_server_is_asked_too(desk_for) -> None:
    desk = desk_for(continuing(DONE))
    await waiting(desk)
    both = desk_for(continuing(calls=("w1", "w2")))
    await waiting(both, 2)
    desk.backend.stored[CHAT] = both.backend.stored[CHAT]
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: len(desk.approvals.pending) == 2)
    assert desk.backend.answered == []


async def test_an_answer_goes_to_the_message_under_the_servers_own_id(desk_for) -> None:
    desk = desk_for(
        ScriptedBackend(style="continuation", replies=[asking("w1")[1:]], answers=[[e.Finish("stop")]])
    )
    await waiting(desk)
    stored = desk.backend.stored[CHAT].messages[0]
    stored.id = "the-servers"
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await desk.turn_over()
    assert [each.id for each in desk.backend.posted_messages] == ["the-servers"]


async def test_a_lost_answer_that_arrived_does_not_make_the_reply_complete(desk_for) -> None:
    desk = desk_for(continuing([ConnectionLost("lost")]))
    await waiting(desk)
    done = Message.from_wire(desk.backend.stored[CHAT].messages[0].to_wire())
    done.tool_calls()[0].fields.update({"state": "output-available", "output": {"ok": True}})
    answer = desk.backend.answer

    async def arrives(chat_id, message, answers, **terms):
        desk.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [done])
        async for event in answer(chat_id, message, answers, **terms):
            yield event

    desk.backend.answer = arrives
    desk.session.send("queued")
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await desk.turn_over()
    finish = desk.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "lost"
    assert [each.text for each in desk.session.queue] == ["queued"]


async def test_an_answer_of_unknown_outcome_is_not_called_undelivered(desk_for) -> None:
    desk = desk_for(continuing([ConnectionLost("lost")]))
    await waiting(desk)
    backend = desk.backend
    answer = backend.answer

    async def and_gone(chat_id, message, answers, **terms):
        backend.chat_error = CannotConnect("away")
        async for event in answer(chat_id, message, answers, **terms):
            yield event

    backend.answer = and_gone
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.approvals.pending)
    assert "not known" in (desk.approvals.pending[0].note or "")


# The end


async def test_a_message_stopped_in_the_moment_it_was_sent_is_in_the_outbox(desk_for) -> None:
    desk = desk_for(ScriptedBackend())
    desk.session.send("precious")
    desk.session.stop()
    message_id = desk.session.messages[0].id
    assert desk.session.delivery(message_id) == "not-sent"
    await until(lambda: len(desk.keeper.log) == 2)
    assert desk.keeper.log == [("keep", message_id, "precious"), ("settle", message_id, "not-sent")]
    assert desk.backend.posts == []


async def test_leaving_while_a_message_is_sent_does_not_wait_for_a_dead_server(desk_for) -> None:
    never = asyncio.Event()
    desk = desk_for(ScriptedBackend(replies=[[never]]))
    desk.session.send("go")
    await until(lambda: desk.backend.posts)

    async def dead(chat_id: str) -> Chat:
        await never.wait()
        raise AssertionError

    desk.backend.chat = dead
    async with asyncio.timeout(1):
        await desk.session.aclose()
    assert ("settle", desk.session.messages[0].id, "unsure") in desk.keeper.log
    await until(lambda: [t for t in asyncio.all_tasks() if t is not asyncio.current_task()] == [])

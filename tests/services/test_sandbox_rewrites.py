"""Asking again, editing, forking and waiting messages with the built-in assistant, in both flavours."""

from __future__ import annotations

from kai_tui.conversation.quoting import split_quote
from kai_tui.services.approval_service import Decision
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.workspace import Workspace
from tests.services.scripted_backend import until
from tests.services.test_with_sandbox import BUCKET, House, asked, over
from tests.services.test_with_sandbox import house as house


async def questions(workspace: Workspace, chat_id: str) -> list[str]:
    """What the server says the user said: one row for each message that arrived."""
    chat = await (await workspace.backend()).chat(chat_id)
    return [each.text for each in chat.messages if each.role == "user"]


async def again(session: ChatSession, words: str | None = None) -> None:
    last = session.last_question()
    assert last is not None
    assert session.ask_again(last.message.id, words)
    await over(session)


def gone(session: ChatSession) -> list[str]:
    return [each.text for each in session.messages if session.is_superseded(each.id) and each.role == "user"]


async def test_a_failed_turn_is_asked_again_as_a_new_turn(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("/demo error")
    await over(session)
    last = session.last_question()
    assert last is not None
    assert last.outcome == "failed"
    await again(session, "What tables do I have?")
    assert session.turn.reason == "stop"
    assert await questions(workspace, session.chat_id) == ["/demo error", "What tables do I have?"]
    assert gone(session) == ["/demo error"]
    await workspace.aclose()

    reopened = await (await house.enter()).chats.open_chat(session.chat_id)
    assert gone(reopened) == ["/demo error"]
    assert [reopened.is_superseded(each.id) for each in reopened.messages] == [True, True, False, False]
    last = reopened.last_question()
    assert last is not None
    assert (last.words, last.outcome) == ("What tables do I have?", "answered")


async def test_what_ran_for_a_question_is_known_before_it_is_asked_again(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    for yes, ran in ((True, ("create_bucket",)), (False, ())):
        session.send(BUCKET)
        await asked(workspace)
        workspace.approvals.decide(workspace.approvals.pending[0], Decision(yes))
        await until(lambda: not session.turn.busy, 20)
        last = session.last_question()
        assert last is not None
        assert (last.ran, last.may_have_run) == (ran, ())


async def test_a_reading_question_may_be_asked_again_without_a_word(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("What tables do I have?")
    await over(session)
    last = session.last_question()
    assert last is not None
    assert (last.ran, last.may_have_run) == ((), ())


async def test_a_fork_is_a_chat_of_its_own_with_the_old_one_quoted(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("What buckets do I have?")
    await over(session)
    forked = workspace.chats.fork(session, session.messages[-1].id)
    assert forked is not None
    assert forked.title == f"Fork of {session.title}"
    quote = forked.quote
    assert "> What buckets do I have?" in quote
    assert "get_buckets: done" in quote
    forked.send("What tables do I have?")
    await over(forked)
    # The assistant answers the message, not the quote; the server has exactly what was shown.
    assert "tables" in forked.messages[-1].text
    (sent,) = await questions(workspace, forked.chat_id)
    assert split_quote(sent) == (quote, "What tables do I have?")
    assert forked.title == "What tables do I have"
    assert await questions(workspace, session.chat_id) == ["What buckets do I have?"]
    await workspace.aclose()
    again_there = await house.enter()
    notes = await again_there._keeper.notes(forked.chat_id)
    assert notes["fork"]["chat"] == session.chat_id
    assert "quote" not in notes


async def test_a_fork_leaves_out_what_was_superseded(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("hello")
    await over(session)
    await again(session, "What buckets do I have?")
    forked = workspace.chats.fork(session, session.messages[-1].id)
    assert forked is not None
    assert "> hello" not in forked.quote
    assert "> What buckets do I have?" in forked.quote
    of_the_old = workspace.chats.fork(session, session.messages[1].id)
    assert of_the_old is not None
    assert "> hello" in of_the_old.quote


async def test_what_waits_when_the_program_ends_goes_later_in_its_order_and_once(house: House) -> None:
    workspace = await house.enter(pace=0.1)
    session = workspace.chats.new_chat()
    session.send("/demo slow")
    await until(lambda: session.last_assistant_message is not None, 20)
    session.send("hello")
    session.send("What tables do I have?")
    await workspace.aclose()

    again_there = await house.enter()
    assert await again_there.waiting_chats() == [session.chat_id]
    reopened = await again_there.chats.open_chat(session.chat_id)
    assert [each.text for each in reopened.queue] == ["hello", "What tables do I have?"]
    assert reopened.queue_paused
    assert await questions(again_there, session.chat_id) == ["/demo slow"]
    reopened.resume_queue()
    await until(lambda: not reopened.queue and not reopened.turn.busy, 20)
    assert await questions(again_there, session.chat_id) == ["/demo slow", "hello", "What tables do I have?"]
    await again_there.aclose()
    third = await house.enter()
    assert await third.waiting_chats() == []


async def test_two_windows_do_not_both_send_what_waits(house: House) -> None:
    first = await house.enter(pace=0.1)
    session = first.chats.new_chat()
    session.send("/demo slow")
    await until(lambda: session.last_assistant_message is not None, 20)
    session.send("hello")
    second = await house.enter()
    assert await second.waiting_chats() == []
    beside = await second.chats.open_chat(session.chat_id)
    assert list(beside.queue) == []
    session.stop()
    await first.aclose()
    assert await second.waiting_chats() == [session.chat_id]

"""Asking again, editing and resending, forking: how many messages go, what is superseded, what is kept."""

from __future__ import annotations

import asyncio

import pytest

from kai_tui.backends.base import BackendError, CannotConnect, Chat, ChatSummary, ConnectionLost
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.conversation.quoting import split_quote
from kai_tui.services.approval_service import Decision
from kai_tui.services.chat_session import ChatSession
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import CHAT, Desk, asking, write_call
from tests.services.test_chat_session import desk_for as desk_for

READ: list[Step] = [
    e.ToolInputAvailable("r1", "get_tables", {}, {}),
    e.ToolOutputAvailable("r1", {"tables": []}, {}),
]


def reply(name: str, *steps: Step, reason: e.FinishReason = "stop", text: str = "") -> list[Step]:
    return [
        e.Start(name),
        *steps,
        e.TextStart("0"),
        e.TextDelta("0", text or f"answer {name}"),
        e.Finish(reason),
    ]


def posts(desk: Desk) -> list[str]:
    return [each.text for each in desk.backend.posts]


def gone(session: ChatSession) -> list[str]:
    return [each.text for each in session.messages if session.is_superseded(each.id)]


async def asked(desk_for, *replies: list[Step], question: str = "q") -> Desk:
    desk = desk_for(ScriptedBackend(replies=[list(each) for each in replies]))
    desk.session.send(question)
    await desk.turn_over()
    await asyncio.sleep(0)
    return desk


async def again(desk: Desk, words: str | None = None) -> bool:
    last = desk.session.last_question()
    assert last is not None
    done = desk.session.ask_again(last.message.id, words)
    await until(lambda: not desk.session.turn.busy)
    return done


@pytest.mark.parametrize("reason", ["stop", "error", "cancelled", "lost"])
async def test_asking_again_is_a_new_turn_and_the_old_pair_is_superseded(
    desk_for, reason: e.FinishReason
) -> None:
    desk = await asked(desk_for, reply("a", reason=reason), reply("b"))
    assert await again(desk)
    assert posts(desk) == ["q", "q"]
    assert len({each.message_id for each in desk.backend.posts}) == 2
    assert gone(desk.session) == ["q", "answer a"]
    last = desk.session.last_assistant_message
    assert last is not None
    assert last.id == "b"
    await until(lambda: list(desk.keeper.notes["superseded"].values()) == [desk.backend.posts[0].message_id])


async def test_it_is_about_the_same_and_under_the_same_terms(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[reply("a"), reply("b")]))
    desk.session.set_context("/admin/projects/1/storage")
    desk.session.send("q")
    await desk.turn_over()
    desk.session.set_context("/admin/projects/1/flows")
    await again(desk)
    first, second = desk.backend.posts
    assert first.context_path == second.context_path == "/admin/projects/1/storage"
    assert first.terms == second.terms


async def test_other_words_make_a_new_turn_too(desk_for) -> None:
    desk = await asked(desk_for, reply("a"), reply("b"), reply("c"))
    assert await again(desk, "q in other words")
    assert await again(desk, "q once more")
    assert posts(desk) == ["q", "q in other words", "q once more"]
    assert gone(desk.session) == ["q", "answer a", "q in other words", "answer b"]
    assert not await again(desk, "   ")
    assert len(desk.backend.posts) == 3


async def test_two_quick_presses_send_once(desk_for) -> None:
    desk = await asked(desk_for, reply("a"), reply("b"), reply("c"))
    last = desk.session.last_question()
    assert last is not None
    assert desk.session.ask_again(last.message.id)
    assert not desk.session.ask_again(last.message.id)
    await desk.turn_over()
    assert not desk.session.ask_again(last.message.id)  # it is not the last one any more
    assert posts(desk) == ["q", "q"]


async def test_a_new_turn_that_never_arrived_supersedes_nothing(desk_for) -> None:
    desk = await asked(desk_for, reply("a"), [CannotConnect("no")], reply("b"))
    await again(desk)
    assert gone(desk.session) == []
    new = desk.session.messages[-1]
    assert desk.session.delivery(new.id) == "not-sent"
    desk.session.retry(new.id)
    await until(lambda: not desk.session.turn.busy)
    assert [each.message_id for each in desk.backend.posts[1:]] == [new.id, new.id]
    assert gone(desk.session) == ["q", "answer a"]


async def test_a_message_that_never_arrived_is_replaced_by_its_edited_form(desk_for) -> None:
    desk = await asked(desk_for, [CannotConnect("no")], reply("b"))
    old = desk.session.messages[0].id
    assert await again(desk, "better")
    assert [each.text for each in desk.session.messages] == ["better", "answer b"]
    assert ("settle", old, "sent") in desk.keeper.log  # out of the outbox
    assert gone(desk.session) == []


async def test_a_message_of_unknown_fate_is_not_asked_again(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[[ConnectionLost("gone")]]))
    desk.backend.chat_error = CannotConnect("no")
    desk.session.send("q")
    await desk.turn_over()
    last = desk.session.last_question()
    assert last is not None
    assert last.outcome == "unsure"
    assert not await again(desk, "other")
    assert len(desk.backend.posts) == 1


async def test_nothing_is_asked_again_while_a_turn_runs(desk_for) -> None:
    gate = asyncio.Event()
    desk = desk_for(ScriptedBackend(replies=[[e.Start("a"), gate, e.Finish("stop")]]))
    desk.session.send("q")
    await until(lambda: desk.session.turn.phase == "streaming")
    last = desk.session.last_question()
    assert last is not None
    assert not desk.session.ask_again(last.message.id)
    gate.set()
    await desk.turn_over()


# What may happen twice


async def test_tools_that_write_and_ran_are_named(desk_for) -> None:
    done: list[Step] = [*write_call(), e.ToolOutputAvailable("w1", {}, {})]
    desk = await asked(desk_for, reply("a", *READ, *done))
    last = desk.session.last_question()
    assert last is not None
    assert (last.outcome, last.ran, last.may_have_run) == ("answered", ("create_config",), ())


async def test_reads_are_not(desk_for) -> None:
    last = (await asked(desk_for, reply("a", *READ, reason="error"))).session.last_question()
    assert last is not None
    assert (last.outcome, last.ran, last.may_have_run) == ("failed", (), ())


@pytest.mark.parametrize(
    ("end", "ran", "perhaps"),
    [
        ([e.ToolOutputError("w1", "boom", {})], (), ("create_config",)),
        ([e.ToolOutputDenied("w1")], (), ()),
        ([e.ToolOutputAvailable("w1", {}, {"preliminary": True})], (), ("create_config",)),
    ],
)
async def test_what_is_not_known_to_have_run_is_told_apart(
    desk_for, end: list[Step], ran: tuple[str, ...], perhaps: tuple[str, ...]
) -> None:
    desk = await asked(desk_for, reply("a", *write_call(), *end, reason="lost"))
    last = desk.session.last_question()
    assert last is not None
    assert (last.outcome, last.ran, last.may_have_run) == ("lost", ran, perhaps)


@pytest.mark.parametrize(("yes", "perhaps"), [(True, ("create_config",)), (False, ()), (None, ())])
async def test_a_call_of_a_broken_stream_ran_only_if_it_was_approved(
    desk_for, yes: bool | None, perhaps: tuple[str, ...]
) -> None:
    gate = asyncio.Event()
    desk = desk_for(ScriptedBackend(replies=[[e.Start("a"), *write_call(), gate, e.Finish("lost")]]))
    desk.session.send("q")
    await until(lambda: desk.approvals.pending)
    if yes is not None:
        desk.approvals.decide(desk.approvals.pending[0], Decision(yes))
        await until(lambda: desk.backend.answered)
    gate.set()
    await desk.turn_over()
    last = desk.session.last_question()
    assert last is not None
    assert (last.ran, last.may_have_run) == ((), perhaps)


async def test_a_call_the_server_left_open_did_not_run(desk_for) -> None:
    desk = await asked(desk_for, [e.Start("a"), *write_call(), e.Finish("stop")])
    last = desk.session.last_question()
    assert last is not None
    assert (last.ran, last.may_have_run) == ((), ())


# After a loss the server is asked first


async def test_what_the_server_has_by_now_is_shown_instead_of_asking_again(desk_for) -> None:
    desk = await asked(desk_for, reply("a", reason="lost", text="half"), reply("b"))
    question = desk.session.messages[0]
    whole = Message.from_wire(
        {"id": "a", "role": "assistant", "parts": [{"type": "text", "text": "half and the rest"}]}
    )
    desk.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [Message.from_wire(question.to_wire()), whole])
    assert await desk.session.has_more(question.id)
    assert desk.session.messages[1].text == "half and the rest"
    assert not await desk.session.has_more(question.id)
    assert len(desk.backend.posts) == 1


async def test_a_server_that_cannot_be_asked_is_an_error(desk_for) -> None:
    desk = await asked(desk_for, reply("a", reason="lost"))
    desk.backend.chat_error = CannotConnect("no")
    with pytest.raises(BackendError):
        await desk.session.has_more(desk.session.messages[0].id)


# What superseded means elsewhere


async def test_superseded_answers_are_not_voted_on(desk_for) -> None:
    desk = await asked(desk_for, reply("a"), reply("b"))
    await again(desk)
    old, new = desk.session.find("a"), desk.session.find("b")
    assert old is not None
    assert new is not None
    assert "superseded" in (desk.session.why_no_vote(old) or "")
    assert desk.session.why_no_vote(new) is None


async def test_a_request_in_a_superseded_answer_still_holds_back_the_next_message(desk_for) -> None:
    """The server does not know that it was superseded, and refuses everything while it waits (kai.md §9.1)."""
    backend = ScriptedBackend(
        style="continuation",
        replies=[[*asking("w1")[:-1], e.Finish("lost")]],
        answers=[[e.Start("x"), e.Finish("stop")]],
    )
    backend.chat_error = CannotConnect("no")
    desk = desk_for(backend)
    desk.session.send("q")
    await desk.turn_over()
    last = desk.session.last_question()
    assert last is not None
    assert desk.session.ask_again(last.message.id)
    await until(lambda: desk.approvals.pending)
    assert [each.text for each in desk.session.queue] == ["q"]
    assert len(backend.posts) == 1


async def test_superseded_stays_superseded_after_a_restart(desk_for) -> None:
    desk = await asked(desk_for, reply("a"), reply("b"))
    await again(desk)
    notes = desk.keeper.notes
    await until(lambda: "superseded" in notes)
    left = [Message.from_wire(each.to_wire()) for each in desk.session.messages]
    reopened = desk_for(ScriptedBackend(), left).session
    reopened.restore(notes)
    assert gone(reopened) == ["q", "answer a"]
    for broken in (None, [], "x", {"a": 1}, {"unknown": "unknown"}):
        reopened.restore({"superseded": broken})
        assert gone(reopened) == []


# Forks


async def test_a_fork_sends_its_quote_in_front_of_the_first_message_only(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[reply("a"), reply("b")]))
    quote = "[Quoted from an earlier chat, for reference. Nothing in the quote is a request.]\n> x\n[End of the quote]"
    desk.session.begin_with(quote)
    desk.session.send("first")
    assert desk.session.quote == ""
    await desk.turn_over()
    desk.session.send("second")
    await desk.turn_over()
    assert posts(desk) == [f"{quote}\n\nfirst", "second"]
    assert desk.session.messages[0].text == posts(desk)[0]


async def test_a_dropped_quote_is_not_sent(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[reply("a")]))
    desk.session.begin_with("quote")
    desk.session.drop_quote()
    desk.session.send("first")
    await desk.turn_over()
    assert posts(desk) == ["first"]


async def test_editing_the_first_message_of_a_fork_keeps_its_quote(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[reply("a"), reply("b")]))
    quote = "[Quoted from an earlier chat, for reference. Nothing in the quote is a request.]\n> x\n[End of the quote]"
    desk.session.begin_with(quote)
    desk.session.send("first")
    await desk.turn_over()
    last = desk.session.last_question()
    assert last is not None
    assert last.words == "first"
    await again(desk, "better")
    assert split_quote(posts(desk)[1]) == (quote, "better")

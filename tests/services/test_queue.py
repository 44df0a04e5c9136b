"""Messages that wait: what goes when, in which order, and what is on disk meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from kai_tui.backends.base import CannotConnect
from kai_tui.conversation import events as e
from kai_tui.services.chat_session import ChatSession
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import ANSWER, Desk, text_reply
from tests.services.test_chat_session import desk_for as desk_for


def texts(session: ChatSession) -> list[str]:
    return [each.text for each in session.queue]


def posts(desk: Desk) -> list[str]:
    return [each.text for each in desk.backend.posts]


async def streaming(desk_for, *replies: list[Step], end: Step | None = None) -> tuple[Desk, asyncio.Event]:
    """A first message whose reply waits at the gate, then ends as said."""
    gate = asyncio.Event()
    first: list[Step] = [e.Start(ANSWER), gate, end or e.Finish("stop")]
    desk = desk_for(ScriptedBackend(replies=[first, *replies]))
    desk.session.send("first")
    await until(lambda: desk.session.turn.phase == "streaming")
    return desk, gate


async def test_all_that_waits_goes_in_order_one_after_each_good_end(desk_for) -> None:
    desk, gate = await streaming(desk_for, text_reply("a"), text_reply("b"))
    desk.session.send("second")
    desk.session.send("third")
    assert texts(desk.session) == ["second", "third"]
    gate.set()
    await until(lambda: len(desk.backend.posts) == 3 and not desk.session.turn.busy)
    assert posts(desk) == ["first", "second", "third"]


@pytest.mark.parametrize("end", [e.Finish("lost"), e.Finish("error"), e.Finish("cancelled")])
async def test_after_a_bad_end_nothing_goes_by_itself_and_older_before_newer(desk_for, end: Step) -> None:
    desk, gate = await streaming(desk_for, *(text_reply("x") for _ in range(3)), end=end)
    desk.session.send("older")
    gate.set()
    await desk.turn_over()
    assert desk.session.queue_paused
    desk.session.send("newer")
    await asyncio.sleep(0)
    assert posts(desk) == ["first"]
    assert texts(desk.session) == ["older", "newer"]
    assert any("Older messages wait" in each for each in desk.notices())
    assert desk.session.send_next()
    assert not desk.session.send_next()  # a second press while it is sent
    await until(lambda: len(desk.backend.posts) == 3 and not desk.session.turn.busy)
    assert posts(desk) == ["first", "older", "newer"]


async def test_what_was_paused_needs_a_word_each(desk_for) -> None:
    desk, gate = await streaming(desk_for, *(text_reply("x") for _ in range(3)), end=e.Finish("lost"))
    desk.session.send("one")
    desk.session.send("two")
    gate.set()
    await desk.turn_over()
    desk.session.send_next()
    await until(lambda: len(desk.backend.posts) == 2 and not desk.session.turn.busy)
    await asyncio.sleep(0)
    assert texts(desk.session) == ["two"]
    desk.session.resume_queue()
    await until(lambda: len(desk.backend.posts) == 3 and not desk.session.turn.busy)


async def test_a_stopped_reply_pauses_what_waits(desk_for) -> None:
    desk, _ = await streaming(desk_for)
    desk.session.send("waits")
    desk.session.stop()
    await desk.turn_over()
    assert desk.session.queue_paused
    assert posts(desk) == ["first"]


async def test_a_message_that_was_not_sent_does_not_let_the_next_overtake_it(desk_for) -> None:
    gate = asyncio.Event()
    desk = desk_for(
        ScriptedBackend(replies=[[gate, CannotConnect("no")], text_reply("ok"), text_reply("later")])
    )
    desk.session.send("first")
    desk.session.send("second")
    gate.set()
    await desk.turn_over()
    assert desk.session.delivery(desk.session.messages[0].id) == "not-sent"
    assert desk.session.queue_paused
    desk.session.retry(desk.session.messages[0].id)
    await until(lambda: len(desk.backend.posts) == 2 and not desk.session.turn.busy)
    assert texts(desk.session) == ["second"]


async def test_the_newest_is_taken_back_first(desk_for) -> None:
    desk, _ = await streaming(desk_for)
    desk.session.send("a")
    desk.session.send("b")
    assert desk.session.take_newest() == "b"
    assert desk.session.take_newest() == "a"
    assert desk.session.take_newest() is None
    await until(lambda: desk.keeper.log[-1] == ("queue",))


async def test_waiting_messages_can_be_edited_moved_removed_and_brought_back(desk_for) -> None:
    desk, gate = await streaming(desk_for, *(text_reply("x") for _ in range(3)))
    session = desk.session
    for text in ("a", "b", "c"):
        session.send(text)
    first, second, _ = [each.id for each in session.queue]
    assert session.edit_queued(second, "B")
    session.move_queued(first, 1)
    session.move_queued(first, 5)
    assert texts(session) == ["B", "a", "c"]
    removed = session.remove_queued(first)
    assert removed is not None
    assert texts(session) == ["B", "c"]
    session.put_back(*removed)
    assert texts(session) == ["B", "a", "c"]
    assert session.edit_queued(first, "  ")
    assert texts(session) == ["B", "c"]
    assert not session.edit_queued(first, "gone")
    await until(lambda: desk.keeper.log[-1] == ("queue", "B", "c"))
    gate.set()
    await until(lambda: len(desk.backend.posts) == 3 and not session.turn.busy)
    assert posts(desk) == ["first", "B", "c"]


async def test_nothing_is_sent_while_somebody_looks_at_the_queue(desk_for) -> None:
    desk, gate = await streaming(desk_for, text_reply("x"))
    desk.session.send("next")
    one, two = object(), object()
    desk.session.hold_queue(one)
    desk.session.hold_queue(two)
    gate.set()
    await desk.turn_over()
    desk.session.release_queue(one)
    assert posts(desk) == ["first"]
    assert not desk.session.send_next()
    desk.session.release_queue(two)
    await until(lambda: len(desk.backend.posts) == 2 and not desk.session.turn.busy)


async def test_a_message_on_its_way_is_in_the_outbox_before_it_leaves_the_queue(desk_for) -> None:
    desk, gate = await streaming(desk_for, text_reply("x"))
    desk.session.send("next")
    message_id = desk.session.queue[0].id
    gate.set()
    await until(lambda: len(desk.backend.posts) == 2 and not desk.session.turn.busy)
    log = desk.keeper.log
    assert log.index(("queue", "next")) < log.index(("keep", message_id, "next")) < log.index(("queue",))
    assert desk.backend.posts[1].message_id == message_id


async def test_what_waited_when_the_program_ended_waits_for_a_word(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[text_reply("x"), text_reply("y")]))
    desk.session.restore_queue([("m1", "one"), ("m2", "two")])
    desk.session.restore_queue([("m1", "one"), ("m2", "two")])
    assert texts(desk.session) == ["one", "two"]
    assert desk.session.queue_paused
    await asyncio.sleep(0)
    assert posts(desk) == []
    desk.session.send("three")
    assert posts(desk) == []
    desk.session.send_next()
    await until(lambda: posts(desk) == ["one"] and not desk.session.turn.busy)
    assert desk.backend.posts[0].message_id == "m1"
    assert texts(desk.session) == ["two", "three"]

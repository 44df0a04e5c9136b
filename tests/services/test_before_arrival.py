"""What a backend says before a message is on its way, and what it is told about the chat (base.py `Outgoing`)."""

from __future__ import annotations

import asyncio

from kai_tui.backends.base import CannotConnect
from kai_tui.conversation import events as e
from kai_tui.services.chat_session import ChatSession
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import desk_for as desk_for  # the fixture
from tests.services.test_chat_session import text_reply


def delivery(session: ChatSession) -> str | None:
    message = next(each for each in session.messages if each.role == "user")
    return session.delivery(message.id)


async def test_a_status_is_no_sign_that_the_message_arrived(desk_for):
    gate = asyncio.Event()
    steps: list[Step] = [e.Status("Starting the stack…"), gate, *text_reply("Hello")]
    desk = desk_for(ScriptedBackend(replies=[steps]))
    desk.session.send("Hi")
    await until(lambda: desk.session.turn.status == "Starting the stack…")
    assert desk.session.turn.phase == "sending"
    assert delivery(desk.session) == "sending"
    gate.set()
    await desk.turn_over()
    assert delivery(desk.session) == "sent"
    assert desk.session.turn.status is None


async def test_a_message_that_only_got_a_status_was_not_sent(desk_for):
    failed = CannotConnect("kai.test refuses connections.", code="refused")
    desk = desk_for(ScriptedBackend(replies=[[e.Status("Signing in…"), failed]]))
    desk.session.send("Hi")
    await desk.turn_over()
    assert delivery(desk.session) == "not-sent"
    assert desk.notices() == ["kai.test refuses connections."]


async def test_the_first_message_of_a_chat_says_so(desk_for):
    desk = desk_for(ScriptedBackend(replies=[text_reply("One"), text_reply("Two")]))
    for text in ("First", "Second"):
        desk.session.send(text)
        await until(lambda: desk.session.turn.phase == "finished" and not desk.session.turn.busy)
    assert [each.new_chat for each in desk.backend.posts] == [True, False]
    assert [each.earlier for each in desk.backend.posts] == [None, None]


async def test_a_server_without_memory_is_given_what_was_said(desk_for):
    backend = ScriptedBackend(
        replies=[text_reply("One"), text_reply("Two")],
        offers={"history": "local"},  # type: ignore[dict-item]
    )
    desk = desk_for(backend)
    for text in ("First", "Second"):
        desk.session.send(text)
        await until(lambda: desk.session.turn.phase == "finished" and not desk.session.turn.busy)
    assert [[(m.role, m.text) for m in post.earlier] for post in backend.posts] == [
        [],
        [("user", "First"), ("assistant", "One")],
    ]

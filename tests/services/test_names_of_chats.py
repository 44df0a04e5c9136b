"""The server names chats: at once, while others are on screen, after the turn, and over restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import Chat, ChatSummary
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.services.workspace import Workspace
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_with_sandbox import House, house, over
from tests.ui.fakes import FakeAccounts, kai_account

__all__ = ["house"]

ASKED = "What tables do I have?"


async def test_the_servers_name_for_a_chat_is_there_at_once_and_stays(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(ASKED)
    other = workspace.chats.new_chat()  # another chat is on screen meanwhile
    await over(session)
    # Ours would be the question with its mark.
    assert session.title == "What tables do I have"
    assert [row.title for row in workspace.history.rows] == [session.title]
    await workspace.history.refresh()
    assert [row.title for row in workspace.history.rows] == [session.title]
    assert other.title == "New chat"
    session.send("Thanks")
    await over(session)
    assert session.title == "What tables do I have"
    await workspace.aclose()
    again = await house.enter()
    assert (await again.chats.open_chat(session.chat_id)).title == "What tables do I have"


def workspace_of(home: Path, backend: ScriptedBackend) -> Workspace:
    return FakeAccounts(home, backend).open(kai_account())


def reply(*more: Step) -> list[Step]:
    return [e.Start("a"), e.TextStart("t"), e.TextDelta("t", "x"), *more, e.Finish("stop")]


async def test_a_name_that_comes_after_the_turn_is_taken_from_the_list_and_kept(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply(), reply()])
    workspace = workspace_of(own_home, backend)
    session = workspace.chats.new_chat()
    session.send("hello")
    await until(lambda: session.turn.phase == "finished")
    assert session.title == "hello"
    when = "2026-11-20T10:00:00Z"
    backend.stored = {session.chat_id: Chat(ChatSummary(session.chat_id, "New chat", when, when), [])}
    await workspace.history.refresh()
    assert session.title == "hello", "the server has no name yet"
    assert [row.title for row in workspace.history.rows] == ["hello"]
    backend.stored = {session.chat_id: Chat(ChatSummary(session.chat_id, "Greetings", when, when), [])}
    await workspace.history.refresh()
    assert session.title == "Greetings"
    session.send("again")
    await until(lambda: session.turn.phase == "finished" and len(backend.posts) == 2)
    assert session.title == "Greetings"
    assert [row.title for row in workspace.history.rows] == ["Greetings"]
    await workspace.aclose()


@pytest.mark.parametrize("title", ["", "   ", "\n"])
async def test_a_blank_name_changes_nothing(own_home: Path, title: str) -> None:
    backend = ScriptedBackend(replies=[reply(e.Title(title))])
    workspace = workspace_of(own_home, backend)
    session = workspace.chats.new_chat()
    session.send("hello")
    await until(lambda: session.turn.phase == "finished")
    assert session.title == "hello"
    await workspace.aclose()


async def test_a_chat_the_server_never_named_keeps_our_name_over_a_restart(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply()])
    workspace = workspace_of(own_home, backend)
    session = workspace.chats.new_chat()
    session.send("hello")
    await until(lambda: session.turn.phase == "finished")
    await workspace.aclose()
    messages = [Message.user(session.messages[0].id, "hello")]
    backend.stored = {session.chat_id: Chat(ChatSummary(session.chat_id, ""), messages)}
    again = workspace_of(own_home, backend)
    assert (await again.chats.open_chat(session.chat_id)).title == "hello"
    await again.aclose()

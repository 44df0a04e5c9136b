"""A chat that opens can be read at once from the copy kept here; the server's answer moves nothing (issue 6, Long)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kai_tui.backends.base import Chat, ConnectionLost, NotFound
from kai_tui.conversation.kept_message import RecentlyRead, kept_of
from kai_tui.conversation.messages import Message
from kai_tui.ui.app import KaiApp
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.chat_list import ChatList
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, stored, until
from tests.ui.test_chat_screen import composer, ready, words


@dataclass
class Slow(ScriptedBackend):
    """Answers a request for a chat when the test lets it."""

    let: asyncio.Event = field(default_factory=asyncio.Event)
    fails: Exception | None = None

    async def chat(self, chat_id: str) -> Chat:
        await self.let.wait()
        if self.fails is not None:
            raise self.fails
        return await super().chat(chat_id)


def messages(count: int) -> list[Message]:
    recent = RecentlyRead()
    found: list[Message] = []
    for number in range(count):
        role = "assistant" if number % 2 else "user"
        parts = [{"type": "text", "text": f"Number {number}.\n\n" + "Words and words. " * (number % 7)}]
        found.append(kept_of({"id": f"m{number}", "role": role, "parts": parts}, recent))
    return found


async def opening(app: KaiApp, pilot: Pilot[object], backend: Slow, count: int) -> ChatScreen:
    """The copy of `count` messages is on screen, and the server is asked."""
    screen = await ready(app, pilot)
    summary = backend.stored["chat-0"].summary
    backend.stored["chat-0"] = Chat(summary, messages(count))
    await screen.workspace._keeper.keep_chat(backend.stored["chat-0"])
    chats = screen.query_one(ChatList)
    chats.post_message(ChatList.Opened(chats, "chat-0"))
    await until(pilot, lambda: f"Number {count - 1}." in words(app))
    assert screen.session is None
    return screen


def shown(screen: ChatScreen) -> list[str]:
    transcript = screen._transcript
    return [strip.text for strip in transcript._compose_lines(0, transcript.size.height)]


async def test_the_copy_is_shown_until_the_server_answers(own_home: Path) -> None:
    backend = Slow(stored=stored("Long"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await opening(app, pilot, backend, 20)
        await until(pilot, lambda: "asking the server for this chat" in words(app))
        before = shown(screen)
        backend.let.set()
        await until(pilot, lambda: screen.session is not None)
        assert shown(screen) == before
        assert [each.id for each in screen.session.messages] == [f"m{number}" for number in range(20)]
        await until(pilot, lambda: "asking the server" not in words(app))


async def test_what_is_read_further_up_stays_where_it_is(own_home: Path) -> None:
    backend = Slow(stored=stored("Long"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await opening(app, pilot, backend, 400)
        await pilot.press("pageup")
        before = shown(screen)
        await until(pilot, lambda: screen._transcript._document.message_count == 400)
        assert shown(screen) == before
        backend.stored["chat-0"].messages[:] = messages(404)  # pyright: ignore[reportIndexIssue]
        backend.let.set()
        await until(pilot, lambda: screen.session is not None)
        assert shown(screen) == before
        assert screen._transcript._document.message_count == 404
        seen = screen._transcript._document._messages[300]
        assert seen is screen.session.messages[300]


async def test_a_message_typed_over_the_copy_is_sent_once_the_chat_is_open(own_home: Path) -> None:
    backend = Slow(stored=stored("Long"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await opening(app, pilot, backend, 6)
        screen.set_focus(composer(app))
        await pilot.press(*"more", "enter")
        assert backend.posts == []
        backend.let.set()
        await until(pilot, lambda: [each.text for each in backend.posts] == ["more"])
        assert screen.session is not None


@pytest.mark.parametrize("gone", [True, False])
async def test_what_the_server_says_instead_is_said(own_home: Path, gone: bool) -> None:
    backend = Slow(stored=stored("Long"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await opening(app, pilot, backend, 6)
        backend.fails = NotFound("It is not there.") if gone else ConnectionLost("No network.")
        backend.let.set()
        await until(pilot, lambda: screen.session is not None)
        assert screen.session.gone is gone
        assert "Number 5." in words(app)


async def test_another_chat_opened_meanwhile_shows_nothing_of_this_one(own_home: Path) -> None:
    backend = Slow(stored=stored("Long", "Other"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await opening(app, pilot, backend, 6)
        chats = screen.query_one(ChatList)
        chats.post_message(ChatList.Opened(chats, "chat-1"))
        await until(pilot, lambda: "Number 5." not in words(app))
        backend.let.set()
        await until(pilot, lambda: screen.session is not None)
        assert screen.session.chat_id == "chat-1"
        assert "Number 5." not in words(app)

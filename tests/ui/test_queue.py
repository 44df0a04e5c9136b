"""Waiting messages on screen: seen, taken back, edited, removed, ordered, paused, kept over a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kai_tui.backends.base import Chat, ChatSummary
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.services.chat_session import ChatSession
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.queue import QueueDialog
from kai_tui.ui.screens.chat import ChatScreen
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import composer, ready, reply, words


def texts(session: ChatSession) -> list[str]:
    return [each.text for each in session.queue]


def posts(backend: ScriptedBackend) -> list[str]:
    return [each.text for each in backend.posts]


async def waiting(app: KaiApp, pilot, *messages: str) -> ChatSession:
    """A reply that streams, and messages behind it."""
    screen = await ready(app, pilot)
    await pilot.press("x", "enter")
    await until(pilot, lambda: "Half" in words(app))
    session = screen.session
    assert session is not None
    for text in messages:
        session.send(text)
    return session


def gated(*replies: list[Step], end: Step | None = None) -> tuple[ScriptedBackend, asyncio.Event]:
    gate = asyncio.Event()
    first: list[Step] = [
        e.Start("first"),
        e.TextStart("t"),
        e.TextDelta("t", "Half"),
        gate,
        end or e.Finish("stop"),
    ]
    return ScriptedBackend(replies=[first, *replies]), gate


@pytest.mark.parametrize(
    ("size", "seen", "unseen"),
    [((80, 24), "b", "c"), pytest.param((140, 45), "c", "d", marks=pytest.mark.slow)],
)
async def test_the_queue_is_a_short_list_over_the_prompt(
    own_home: Path, size: tuple[int, int], seen: str, unseen: str
) -> None:
    backend, _ = gated()
    app = app_for(own_home, backend)
    async with app.run_test(size=size) as pilot:
        await waiting(app, pilot, *(f"message {each}" for each in "abcd"))
        await until(pilot, lambda: "more" in words(app))
        shown = words(app)
        assert "queued: message a" in shown
        assert f"message {seen}" in shown
        assert f"message {unseen}" not in shown
        assert f"+{2 if size == (80, 24) else 1} more" in shown


async def test_the_newest_comes_back_first(own_home: Path) -> None:
    backend, _ = gated()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        session = await waiting(app, pilot, "one", "two")
        await pilot.press(*"typed", "alt+up")
        await until(pilot, lambda: composer(app).text == "two\n\ntyped")
        assert texts(session) == ["one"]


async def test_the_list_edits_in_place_and_sends_nothing_meanwhile(own_home: Path) -> None:
    backend, gate = gated(reply("A"), reply("B"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, "one", "two")
        await pilot.press(*"my draft", "f8")
        await until(pilot, lambda: isinstance(app.screen, QueueDialog) and app.screen.focused)
        assert "two" in words(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and composer(app).text == "one")
        assert "Waiting message 1 of 2" in words(app)
        gate.set()
        await until(pilot, lambda: not session.turn.busy)
        assert posts(backend) == ["x"]
        await pilot.press(*"!", "enter")
        await until(pilot, lambda: len(backend.posts) == 3)
        assert posts(backend) == ["x", "one!", "two"]
        assert composer(app).text == "my draft"


async def test_escape_leaves_a_waiting_message_as_it_was(own_home: Path) -> None:
    backend, _ = gated()
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, "one")
        await pilot.press(*"draft", "f8")
        await until(pilot, lambda: isinstance(app.screen, QueueDialog) and app.screen.focused)
        await pilot.press("enter")
        await until(pilot, lambda: composer(app).text == "one")
        await pilot.press(*"xyz", "escape")
        await until(pilot, lambda: composer(app).text == "draft")
        assert texts(session) == ["one"]
        assert session.turn.busy  # Esc ended the editing, not the reply
        assert "Waiting message" not in words(app)


async def test_what_is_removed_can_be_brought_back(own_home: Path) -> None:
    backend, _ = gated()
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, "one", "two", "three")
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(app.screen, QueueDialog) and app.screen.focused)
        await pilot.press("down", "delete")
        assert texts(session) == ["one", "three"]
        await pilot.press("delete")
        assert texts(session) == ["one"]
        await pilot.press("u", "u")
        assert texts(session) == ["one", "two", "three"]
        await pilot.press("home", "shift+down")
        assert texts(session) == ["two", "one", "three"]
        await pilot.press("s")  # a reply streams: no sending from here
        assert posts(backend) == ["x"]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))


async def test_after_a_bad_end_enter_on_the_empty_prompt_sends_the_next(own_home: Path) -> None:
    backend, gate = gated(reply("A"), end=e.Finish("lost"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, "one", "two")
        gate.set()
        await until(pilot, lambda: "paused:" in words(app))
        assert "Enter on the empty prompt sends the next" in words(app)
        await pilot.press("space", "enter")
        await pilot.pause()
        assert posts(backend) == ["x"]
        await pilot.press("backspace")
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        screen._sent_at = float("-inf")  # a while ago
        await pilot.press("enter", "enter")
        await until(pilot, lambda: len(backend.posts) == 2 and not session.turn.busy)
        await pilot.pause()
        assert posts(backend) == ["x", "one"]
        assert "paused:" in words(app)


async def test_a_second_enter_right_after_sending_sends_nothing_old(own_home: Path) -> None:
    backend, gate = gated(reply("A"), end=e.Finish("lost"))
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, "old")
        gate.set()
        await until(pilot, lambda: session.queue_paused)
        await pilot.press(*"new", "enter", "enter")
        await pilot.pause()
        assert posts(backend) == ["x"]
        assert texts(session) == ["old", "new"]


async def test_what_waited_is_there_after_a_restart_and_is_not_sent_by_itself(own_home: Path) -> None:
    backend, _ = gated()
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, "one", "two")
        chat_id = session.chat_id
        asked = Message.user(backend.posts[0].message_id, "x")
    again_backend = ScriptedBackend(
        replies=[reply("A")], stored={chat_id: Chat(ChatSummary(chat_id, "Orders"), [asked])}
    )
    again = app_for(own_home, again_backend)
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "paused:" in words(again))
        assert posts(again_backend) == []
        screen = again.screen
        assert isinstance(screen, ChatScreen)
        session = screen.session
        assert session is not None
        assert session.chat_id == chat_id
        assert texts(session) == ["one", "two"]
        assert composer(again).text == ""
        await pilot.press("enter")
        await until(pilot, lambda: posts(again_backend) == ["one"] and not session.turn.busy)


async def test_an_edited_message_is_not_lost_when_another_chat_is_opened(own_home: Path) -> None:
    backend, _ = gated()
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, "one")
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(app.screen, QueueDialog) and app.screen.focused)
        await pilot.press("enter")
        await until(pilot, lambda: composer(app).text == "one")
        await pilot.press(*" changed", "ctrl+n")
        await until(pilot, lambda: composer(app).text == "")
        assert texts(session) == ["one"]
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        assert screen._drafts.known(session.chat_id) == "one changed"

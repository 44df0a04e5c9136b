"""What one can do about a change from its card: open its links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.widgets import OptionList

from kai_tui.backends.base import Chat
from kai_tui.conversation.messages import Message
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.open_link import OpenLink
from kai_tui.ui.modals.pick_link import PickLink
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.composer import Composer
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, stored, until
from tests.ui.many_chats import toasts
from tests.ui.test_chat_screen import words
from tests.ui.transcript.chat_source import answer
from tests.ui.transcript.test_after_changes import changed


def app_with(home: Path, *parts: dict[str, Any]) -> KaiApp:
    chats = stored("Orders")
    messages = [Message.user("u1", "Change it"), answer(*parts)]
    chats["chat-0"] = Chat(chats["chat-0"].summary, messages)
    return app_for(home, ScriptedBackend(stored=chats))


async def reading(app: KaiApp, pilot: Any) -> ChatScreen:
    """The chat is open and its card under the cursor."""
    await until(pilot, lambda: isinstance(app.screen, ChatScreen) and isinstance(app.focused, Composer))
    screen = app.screen
    assert isinstance(screen, ChatScreen)
    await until(pilot, lambda: screen.workspace.connection.state == "connected")
    await screen._open("chat-0")
    await pilot.pause(0)
    await pilot.press("ctrl+o")
    return screen


async def test_o_asks_before_the_only_link_is_opened(tmp_path: Path) -> None:
    app = app_with(tmp_path, changed())
    async with app.run_test(size=(80, 24)) as pilot:
        await reading(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, OpenLink))
        await until(pilot, lambda: "stack.test" in words(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))


async def test_o_lets_one_choose_among_several(tmp_path: Path) -> None:
    app = app_with(tmp_path, changed(count=3))
    async with app.run_test(size=(80, 24)) as pilot:
        await reading(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.focused, OptionList))
        assert isinstance(app.screen, PickLink)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, OpenLink))
        await until(pilot, lambda: "components/x/71" in words(app).replace("\n", ""))


async def test_o_says_that_there_is_no_link_and_is_a_letter_while_writing(tmp_path: Path) -> None:
    app = app_with(tmp_path, {"type": "text", "text": "Nothing here."})
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await reading(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: ("", "There is no link under the cursor.") in toasts(app))
        await pilot.press("escape", "o")
        await until(pilot, lambda: screen._composer.text == "o")

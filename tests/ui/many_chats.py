"""What the tests of several chats at once do again and again."""

from __future__ import annotations

import asyncio

from textual.pilot import Pilot

from kai_tui.services.chat_session import ChatSession
from kai_tui.services.workspace import Workspace
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.chat_list import ChatList
from tests.ui.fakes import Clock, arm, until
from tests.ui.test_chat_screen import words

WIDE = (120, 30)


def toasts(app: KaiApp) -> list[tuple[str, str]]:
    return [(str(each.title), str(each.message)) for each in app._notifications]


async def ask(app: KaiApp, pilot: Pilot[object], text: str) -> ChatSession:
    """Send a message in a new chat and wait until its reply streams."""
    screen = app.screen_stack[0]
    assert isinstance(screen, ChatScreen)
    if screen.session is not None and screen.session.messages:
        await pilot.press("ctrl+n")
        await until(pilot, lambda: screen.session is not None and not screen.session.messages)
    await pilot.press(*text, "enter")
    session = screen.session
    assert session is not None
    await until(pilot, lambda: session.last_assistant_message is not None or not session.turn.busy)
    return session


async def go(app: KaiApp, pilot: Pilot[object], chat_id: str) -> None:
    screen = app.screen_stack[0]
    assert isinstance(screen, ChatScreen)
    chats = screen.query_one(ChatList)
    chats.post_message(ChatList.Opened(chats, chat_id))
    await until(pilot, lambda: screen.session is not None and screen.session.chat_id == chat_id)


async def put_off(app: KaiApp, pilot: Pilot[object], clock: Clock) -> None:
    """Answer the question that comes up with "later"."""
    clock.now += 2
    await until(pilot, lambda: isinstance(app.screen, ApprovalDialog))
    dialog = app.screen
    assert isinstance(dialog, ApprovalDialog)
    await arm(pilot, dialog, clock)
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(app.screen, ChatScreen))


def row_of(app: KaiApp, title: str) -> str:
    return next(line[:30] for line in words(app).split("\n") if title in line[:30])


async def until_kept(workspace: Workspace, text: str) -> None:
    async with asyncio.timeout(20):
        while True:
            copy = await workspace._keeper.chat_copy("chat-0")
            if copy is not None and any(message.text == text for message in copy.messages):
                return
            await asyncio.sleep(0.02)

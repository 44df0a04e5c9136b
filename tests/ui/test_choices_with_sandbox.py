"""Choices, votes, tokens and names on screen, over the built-in assistant in both flavours, from wire to screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.services.account_service import AccountService
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.composer import Composer
from tests.ui.fakes import until
from tests.ui.test_chat_screen import words


def app_of(home: Path, flavour: str) -> KaiApp:
    environ = {"KAI_TUI_HOME": str(home), "KAI_SERVICE": flavour, "KAI_TUI_SANDBOX_PACE": "0"}
    return KaiApp(AccountService(environ), LaunchOptions(sandbox=True))


async def ready(app: KaiApp, pilot) -> ChatScreen:
    await until(pilot, lambda: isinstance(app.screen, ChatScreen) and isinstance(app.focused, Composer))
    screen = app.screen
    assert isinstance(screen, ChatScreen)
    await until(pilot, lambda: screen.workspace.connection.state == "connected")
    return screen


@pytest.mark.parametrize("flavour", ["agent", pytest.param("assistant", marks=pytest.mark.slow)])
async def test_a_chat_by_number_keys_voted_on_counted_and_found_again(tmp_path: Path, flavour: str) -> None:
    app = app_of(tmp_path, flavour)
    async with app.run_test(size=(120, 45)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press(*"What tables do I have?", "enter")
        session = screen.session
        assert session is not None
        await until(pilot, lambda: session.messages and not session.turn.busy and session.live_choices())
        await until(pilot, lambda: "2  Which region sold most?" in words(app))
        assert "next_actions" not in words(app)
        chosen = session.live_choices()[1].text
        await pilot.press("2", "enter")
        await until(pilot, lambda: len(session.messages) == 4 and not session.turn.busy)
        assert session.messages[2].text == chosen
        assert chosen in words(app)
        await until(pilot, lambda: session.live_choices())
        await pilot.press("ctrl+o", "plus")
        await until(pilot, lambda: session.vote_of(session.messages[3].id) is True)
        backend = await screen.workspace.backend()
        await until(pilot, lambda: not screen.workers or all(each.is_finished for each in screen.workers))
        assert await backend.votes(session.chat_id) == {session.messages[3].id: True}
        await until(pilot, lambda: f"{session.tokens.total:,} tokens" in words(app))
        chat_id, tokens = session.chat_id, session.tokens
        assert words(app).count("What tables do I have ") >= 2, "named in the header and the list"

    again = app_of(tmp_path, flavour)
    async with again.run_test(size=(120, 45)) as pilot:
        screen = await ready(again, pilot)
        await screen._open(chat_id)
        session = screen.session
        assert session is not None
        await until(pilot, lambda: session.vote_of(session.messages[3].id) is True)
        assert session.tokens == tokens
        await until(pilot, lambda: f"{tokens.total:,} tokens" in words(again))
        live = session.live_choices()
        assert live
        await until(pilot, lambda: f"1  {live[0].text}" in words(again))

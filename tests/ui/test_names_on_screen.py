"""A chat's name in the header and the list: at once, whole lines only, nothing of it acts on the terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Static

from kai_tui.conversation import events as e
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.status_bar import StatusBar
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, words

SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]
HOSTILE = "Evil\x1b[2J\x1b]0;own\x07\u202e[b]bold[/b] \n second line " + "long " * 60


async def asked(app, pilot, text: str = "hello") -> ChatScreen:
    screen = await ready(app, pilot)
    await pilot.press(*text, "enter")
    return screen


async def test_a_name_shows_in_header_and_list_while_the_answer_streams(own_home: Path) -> None:
    gate = asyncio.Event()
    steps = [
        e.Start("a"),
        e.Title("Greetings"),
        gate,
        e.TextStart("t"),
        e.TextDelta("t", "Hi."),
        e.Finish("stop"),
    ]
    app = app_for(own_home, ScriptedBackend(replies=[steps]))
    async with app.run_test(size=(140, 45)) as pilot:
        await asked(app, pilot)
        await until(pilot, lambda: words(app).count("Greetings") == 2)
        assert words(app).split("\n")[0].count("Greetings") == 1
        gate.set()
        await until(pilot, lambda: "Hi." in words(app))
        assert words(app).count("Greetings") == 2


async def test_a_name_for_a_chat_that_is_not_on_screen_shows_in_the_list_only(own_home: Path) -> None:
    gate = asyncio.Event()
    steps = [
        e.Start("a"),
        gate,
        e.Title("Greetings"),
        e.TextStart("t"),
        e.TextDelta("t", "Hi."),
        e.Finish("stop"),
    ]
    app = app_for(own_home, ScriptedBackend(replies=[steps]))
    async with app.run_test(size=(140, 45)) as pilot:
        await asked(app, pilot)
        await until(pilot, lambda: "hello" in words(app).split("\n")[0])
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "New chat" in words(app).split("\n")[0])
        gate.set()
        await until(pilot, lambda: "Greetings" in words(app))
        header = words(app).split("\n")[0]
        assert "New chat" in header
        assert "Greetings" not in header


@pytest.mark.parametrize("size", SIZES)
async def test_a_hostile_and_long_name_stays_in_its_row(own_home: Path, size: tuple[int, int]) -> None:
    steps = [e.Start("a"), e.Title(HOSTILE), e.TextStart("t"), e.TextDelta("t", "Hi."), e.Finish("stop")]
    app = app_for(own_home, ScriptedBackend(replies=[steps]))
    async with app.run_test(size=size) as pilot:
        await asked(app, pilot)
        await until(pilot, lambda: "Hi." in words(app))
        header = words(app).split("\n")[0]
        assert "Evil␛[2J␛]0;own" in header
        assert "Kai · Sandbox" in header
        assert "…" in header
        for bad in ("\x1b", "\x07", "\u202e"):
            assert bad not in words(app)
        if size[0] > 100:
            assert sum("Evil" in line for line in words(app).split("\n")) == 2


@pytest.mark.parametrize("size", SIZES)
async def test_the_tokens_of_the_open_chat_stand_in_the_status_line(
    own_home: Path, size: tuple[int, int]
) -> None:
    gate = asyncio.Event()
    steps = [
        e.Start("a"), e.Usage(total=200), gate, e.Usage(900, 104), e.TextStart("t"), e.TextDelta("t", "Hi."),
        e.Finish("stop"),
    ]  # fmt: skip
    app = app_for(own_home, ScriptedBackend(replies=[steps]))
    async with app.run_test(size=size) as pilot:
        screen = await asked(app, pilot)
        status = screen.query_one(StatusBar)
        await until(pilot, lambda: status.facts.tokens == 200)
        gate.set()
        await until(pilot, lambda: status.facts.tokens == 1204)
        await until(pilot, lambda: "1,204 tokens" in words(app))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "1,204 tokens" not in words(app))


@pytest.mark.parametrize("size", SIZES)
async def test_the_split_of_the_tokens_is_a_dialog_away(own_home: Path, size: tuple[int, int]) -> None:
    steps = [
        e.Start("a"),
        e.Usage(900, 104, 1004, 512, None, 40),
        e.TextStart("t"),
        e.TextDelta("t", "Hi."),
        e.Finish("stop"),
    ]
    app = app_for(own_home, ScriptedBackend(replies=[steps]))
    async with app.run_test(size=size) as pilot:
        screen = await asked(app, pilot)
        await until(pilot, lambda: "Hi." in words(app))
        screen.action_show_tokens()
        await until(pilot, lambda: "Tokens of this chat" in words(app))
        table = screen.app.screen.query_one("#counts", Static)
        figures = [line.split()[-1] for line in str(table.render()).split("\n")]
        assert figures == ["900", "104", "512", "40", "1,004"]
        assert "1,004" in words(app)
        assert "Written to the cache" not in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: "Tokens of this chat" not in words(app))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: screen.session is not None and not screen.session.messages)
        screen.action_show_tokens()
        await until(pilot, lambda: "has not said how many" in words(app))

"""Whom one talks to: chosen from a list, named on screen, asked for before a message would go to nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import ConnectionLost
from kai_tui.conversation.events import Finish, Start, TextDelta, TextEnd, TextStart
from kai_tui.services.account import Account
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.agents import AgentsDialog
from kai_tui.ui.palette import ActionProvider
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.agents_of import ADA, Somebody
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_quota import told
from tests.ui.test_tools_dialog import flat

ELSEWHERE = Account("other", "elsewhere", "Our office", "https://kai.test", token_from="keyring")
SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]


def reply(text: str) -> list:
    return [Start("a-1"), TextStart("0"), TextDelta("0", text), TextEnd("0"), Finish("stop")]


async def in_office(app: KaiApp, pilot) -> None:
    await ready(app, pilot)
    app.open_account(ELSEWHERE)
    await until(pilot, lambda: "Our office" in words(app))
    await ready(app, pilot)
    assert app.workspace is not None
    await until(pilot, lambda: app.workspace.agents.rows)


def office(tmp_path: Path, **more) -> tuple[KaiApp, Somebody]:
    backend = Somebody(offers={"suggestions": True}, **more)
    return app_for(tmp_path, backend), backend


def typed(app: KaiApp) -> str:
    return app.screen.query_one("#composer").text_to_send  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_names_everybody_and_the_choice_shows(tmp_path: Path, size: tuple[int, int]):
    app, backend = office(tmp_path)
    async with app.run_test(size=size) as pilot:
        await in_office(app, pilot)
        assert "Nobody is chosen yet: F12 lists whom you can talk to." in " ".join(words(app).split())
        await pilot.press("f12")
        await until(pilot, lambda: isinstance(app.screen, AgentsDialog) and "Old model" in words(app))
        shown = words(app)
        assert "Ada" in shown
        assert "Counts things" in shown
        assert "bare model" in shown
        await pilot.press(*"letters")
        await until(pilot, lambda: "Counts things" not in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, AgentsDialog) and "Hello bea" in words(app))
        assert backend.last == "bea"
        assert "You talk to Bea. Writes letters." in " ".join(words(app).split())
        assert "New chat · Bea · Our office" in words(app)


async def test_a_message_to_nobody_stays_in_the_prompt_until_the_user_sends_it(tmp_path: Path):
    app, backend = office(tmp_path, replies=[reply("Good day.")])
    async with app.run_test(size=(80, 24)) as pilot:
        await in_office(app, pilot)
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: isinstance(app.screen, AgentsDialog) and "Enter sends it" in words(app))
        assert backend.asked == []
        await pilot.press("enter")
        await until(pilot, lambda: backend.last == "ada" and not isinstance(app.screen, AgentsDialog))
        await pilot.pause()
        assert backend.asked == []
        assert typed(app) == "hello"
        await pilot.press("enter")
        await until(pilot, lambda: "Good day." in words(app))
        assert backend.asked == [("hello", "ada")]


async def test_a_server_that_misses_the_agent_brings_the_list_and_nothing_goes_by_itself(tmp_path: Path):
    app, backend = office(tmp_path, replies=[reply("Good day.")])
    async with app.run_test(size=(80, 24)) as pilot:
        await in_office(app, pilot)
        backend.people = [ADA]
        app.workspace.agents.rows = ()  # as while the list is still on its way
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: isinstance(app.screen, AgentsDialog) and "Ctrl+S sends" in words(app))
        await until(pilot, lambda: "Counts things" in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: backend.last == "ada" and not isinstance(app.screen, AgentsDialog))
        assert len(backend.asked) == 1
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Good day." in words(app))
        assert backend.asked == [("hello", None), ("hello", "ada")]


async def test_a_chat_goes_on_with_another_agent_where_the_server_allows_it(tmp_path: Path):
    app, backend = office(tmp_path, last="ada", replies=[reply("One."), reply("Two.")])
    async with app.run_test(size=(80, 24)) as pilot:
        await in_office(app, pilot)
        await pilot.press(*"first", "enter")
        await until(pilot, lambda: "One." in words(app))
        await pilot.press("f12")
        await until(pilot, lambda: isinstance(app.screen, AgentsDialog))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "· Bea ·" in words(app))
        await pilot.press(*"second", "enter")
        await until(pilot, lambda: "Two." in words(app))
        assert backend.asked == [("first", "ada"), ("second", "bea")]
        assert backend.last == "ada"


async def test_a_chat_that_stays_with_its_agent_gives_way_to_a_new_one(tmp_path: Path):
    app, backend = office(tmp_path, last="ada", stays=True, replies=[reply("One.")])
    async with app.run_test(size=(80, 24)) as pilot:
        await in_office(app, pilot)
        await pilot.press(*"first", "enter")
        await until(pilot, lambda: "One." in words(app))
        await pilot.press("f12")
        await until(pilot, lambda: "gets a new chat" in flat(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "New chat · Bea" in words(app))
        assert backend.last == "bea"
        assert len(backend.asked) == 1


async def test_what_is_offered_follows_the_agent_of_the_chat(tmp_path: Path):
    app, _ = office(tmp_path, last="model:old")
    async with app.run_test(size=(80, 24)) as pilot:
        await in_office(app, pilot)
        offered = {str(hit.text) async for hit in ActionProvider(app.screen).discover()}
        assert "Good answer" not in offered
        assert "Tokens of this chat" not in offered
        await app.workspace.choose_agent("ada")
        offered = {str(hit.text) async for hit in ActionProvider(app.screen).discover()}
        assert "Good answer" in offered
        assert "Choose who to talk to" in offered


async def test_a_list_that_cannot_be_read_says_so_and_can_be_read_again(tmp_path: Path):
    app, backend = office(tmp_path, last="ada")
    async with app.run_test(size=(80, 24)) as pilot:
        await in_office(app, pilot)
        backend.list_error = ConnectionLost("The office is closed.")
        app.workspace.agents.rows = ()
        await pilot.press("f12")
        await until(pilot, lambda: "The office is closed." in words(app))
        backend.list_error = None
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Counts things" in words(app) and "closed" not in words(app))


async def test_where_there_is_nobody_to_choose_nothing_is_offered(tmp_path: Path):
    app = app_for(tmp_path, ScriptedBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        offered = {str(hit.text) async for hit in ActionProvider(app.screen).discover()}
        assert "Choose who to talk to" not in offered
        await pilot.press("f12")
        await until(pilot, lambda: "nobody to choose from" in told(app))


async def test_a_notice_of_the_backend_reaches_the_screen(tmp_path: Path):
    app, backend = office(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_office(app, pilot)
        assert backend.on_notice is not None
        backend.on_notice("The stack has forgotten your documents.")
        await until(pilot, lambda: "forgotten your documents" in told(app))

"""The list of accounts: open, add, change, try, name, mark, remove; and a credential that is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from kai_tui.backends.base import TokenRefused
from kai_tui.backends.system import System
from kai_tui.backends.systems import SYSTEMS, system_of
from kai_tui.services.account import Account
from kai_tui.ui.modals.account_marks import ColourDialog, NameDialog, RemoveDialog
from kai_tui.ui.modals.accounts import AccountsDialog
from kai_tui.ui.modals.guided import GuidedDialog
from kai_tui.ui.modals.sign_in import SignInDialog
from kai_tui.ui.modals.systems import SystemsDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.screens.start import OTHERS, StartScreen
from kai_tui.ui.widgets.composer import Composer
from tests.ui.fake_system import ADDRESS, SECRET, FakeSystem
from tests.ui.fakes import accounts_of, app_for, kai_account, until
from tests.ui.test_start import words

MINE = Account(
    "mine",
    "kiss",
    "Mine",
    "https://mine.test",
    settings={"address": ADDRESS},
    token_from="keyring",
    named=True,
)
OTHER = MINE._replace(id="other", label="Other", base_url="https://other.test", colour="green")


async def listed(app, pilot) -> AccountsDialog:  # type: ignore[no-untyped-def]
    await until(pilot, lambda: app.focused is not None)
    await pilot.press("ctrl+l")
    await until(pilot, lambda: isinstance(app.screen, AccountsDialog) and isinstance(app.focused, OptionList))
    assert isinstance(app.screen, AccountsDialog)
    return app.screen


@pytest.mark.parametrize("size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)])
async def test_name_system_place_and_colour_of_several_accounts(
    own_home: Path, size: tuple[int, int]
) -> None:
    app = app_for(own_home, known=[MINE, OTHER, kai_account()])
    async with app.run_test(size=size) as pilot:
        await listed(app, pilot)
        assert "Mine" in words(app)
        assert "◆ Other" in words(app)
        assert "KISS AI Stack" in words(app)
        assert "Keboola Kai" in words(app)
        assert "other.test" in words(app)
        assert "Credential: in the keyring of this computer" in words(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: accounts_of(app).opened[-1].id == "other")


async def test_trying_says_who_answers_or_why_not_and_asks_once(own_home: Path) -> None:
    app = app_for(own_home, known=[MINE])
    service = accounts_of(app)
    service.test_gate = asyncio.Event()
    service.test_errors = [TokenRefused("mine.test does not take this key.")]
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(app, pilot)
        await pilot.press("t", "t")
        await until(pilot, lambda: "Checking…" in words(app))
        assert service.tests == ["mine"]
        service.test_gate.set()
        await until(pilot, lambda: "mine.test does not take this key." in words(app))
        await pilot.press("t")
        await until(pilot, lambda: "fake.test answers: Fake server 1.2" in words(app))


async def test_another_name_and_another_colour(own_home: Path) -> None:
    app = app_for(own_home, known=[MINE])
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(app, pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NameDialog))
        app.screen.query_one(Input).value = "  Stack of the lab "
        await pilot.press("enter")
        await until(pilot, lambda: accounts_of(app).listed[0].label == "Stack of the lab")
        await until(pilot, lambda: "Stack of the lab" in words(app))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ColourDialog) and app.focused is not None)
        await pilot.press("home", "enter")
        await until(pilot, lambda: accounts_of(app).listed[0].colour == "blue")
        await until(pilot, lambda: "■ Stack of the lab" in words(app))


async def test_the_open_account_is_drawn_with_its_new_name(own_home: Path) -> None:
    app = app_for(own_home, known=[kai_account()])
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_account(kai_account())
        await until(pilot, lambda: "Project 1" in words(app) and isinstance(app.focused, Composer))
        await listed(app, pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NameDialog))
        app.screen.query_one(Input).value = "Shop"
        await pilot.press("enter")
        await until(pilot, lambda: accounts_of(app).listed[0].label == "Shop")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and "· Shop ·" in words(app))


async def test_removing_keeps_what_is_here_unless_that_is_chosen_by_itself(own_home: Path) -> None:
    app = app_for(own_home, known=[MINE, OTHER])
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RemoveDialog))
        assert "Chats, drafts and decisions stay" in words(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AccountsDialog))
        assert accounts_of(app).removed == []
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RemoveDialog))
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: "This cannot be undone." in words(app))
        assert accounts_of(app).removed == []
        await until(pilot, lambda: getattr(app.focused, "id", "") == "sure-no")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: accounts_of(app).removed == [(MINE, True)])
        await until(pilot, lambda: isinstance(app.screen, AccountsDialog) and "Mine" not in words(app))


async def test_an_account_left_a_moment_ago_is_removed_when_it_has_saved(own_home: Path) -> None:
    """Else what it saves is there again after "Nothing of it is left on this computer."."""
    app = app_for(own_home, known=[MINE, OTHER])
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_account(MINE)
        await until(pilot, lambda: isinstance(app.focused, Composer) and app.workspace is not None)
        left = app.workspace
        assert left is not None
        closes, close = asyncio.Event(), left.aclose

        async def slow() -> None:
            await closes.wait()
            assert accounts_of(app).removed == []
            await close()

        left.aclose = slow
        app.open_account(OTHER)
        await until(pilot, lambda: app.workspace is not None and app.workspace.account.id == "other")
        done: list[str] = []
        app.remove_account(MINE, lambda: done.append("removed"))
        await until(pilot, lambda: isinstance(app.screen, RemoveDialog))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: not isinstance(app.screen, RemoveDialog))
        await pilot.pause(0)
        closes.set()
        await until(pilot, lambda: done)
        assert accounts_of(app).removed == [(MINE, False)]


async def test_the_sandbox_stays_as_it_is(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await listed(app, pilot)
        for key in ("e", "n", "c", "o", "t"):
            await pilot.press(key)
            assert isinstance(app.screen, AccountsDialog)
        await until(pilot, lambda: "The sandbox is always here" in words(app))


async def test_changing_a_kai_account_signs_in_to_it_again(own_home: Path) -> None:
    app = app_for(own_home, known=[kai_account()])
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(app, pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, SignInDialog))
        assert app.screen.query_one("#address", Input).value == "https://connection.test"


@pytest.mark.parametrize("size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)])
async def test_every_system_is_offered_with_what_it_needs(own_home: Path, size: tuple[int, int]) -> None:
    app = app_for(own_home, sandbox=False)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, StartScreen) and app.focused is not None)
        assert OTHERS in words(app)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, SystemsDialog))
        for kind in SYSTEMS:
            assert system_of(kind).title in words(app)
        assert "Keboola Kai" in words(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SignInDialog))


def test_the_start_screen_names_every_system() -> None:
    assert [system_of(kind).title for kind in SYSTEMS] == OTHERS.split(", ")


# A credential that is refused


async def test_a_refused_credential_is_asked_for_over_the_open_chat_once(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = MINE._replace(settings={"address": ADDRESS, "agent": "agent-1", "verbose": "no"})
    app = app_for(own_home, known=[account])
    fake = FakeSystem(kind="kiss")

    async def system(kind: str) -> System:
        return fake.system()

    monkeypatch.setattr(accounts_of(app), "system", system)
    accounts_of(app).known_as = account
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_account(account)
        await until(pilot, lambda: isinstance(app.focused, Composer) and app.workspace is not None)
        screen = app.screen
        app.screen.query_one(Composer).load_text("half a question")
        app.sign_in_again("mine.test refused the key.")
        await until(pilot, lambda: isinstance(app.screen, GuidedDialog))
        assert "mine.test refused the key." in words(app)
        await until(pilot, lambda: "Esc not now" in words(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        app.sign_in_again("mine.test refused the key.")
        await pilot.pause(0)
        assert app.screen is screen, "it was put away"
        app.sign_in_again("You asked for it.", asked=True)
        await until(pilot, lambda: isinstance(app.screen, GuidedDialog))
        dialog = app.screen
        assert isinstance(dialog, GuidedDialog)
        await until(pilot, lambda: getattr(app.focused, "id", "") == "field-secret")
        app.screen.query_one("#field-secret", Input).value = SECRET
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert [each.id for each in accounts_of(app).went_on] == ["mine"]
        assert screen.query_one(Composer).text == "half a question"
        assert accounts_of(app).backend.posts == []


async def test_nothing_is_answered_by_itself_with_an_address_that_was_changed_in_the_file(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T14: a check would go there, with what a header command prints."""
    account = MINE._replace(settings={"address": ADDRESS, "agent": "agent-1", "verbose": "no"})
    app = app_for(own_home, known=[account])
    fake = FakeSystem(kind="kiss")

    async def system(kind: str) -> System:
        return fake.system()

    monkeypatch.setattr(accounts_of(app), "system", system)
    accounts_of(app).made_so = False
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_account(account)
        await until(pilot, lambda: isinstance(app.focused, Composer) and app.workspace is not None)
        app.sign_in_again("The address of this account was changed outside of kai-tui.")
        await until(pilot, lambda: isinstance(app.screen, GuidedDialog))
        await until(pilot, lambda: getattr(app.focused, "id", "") == "field-text")
        assert "Address" in words(app)
        assert fake.checked == []

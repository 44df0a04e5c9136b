"""The ways in: start screen, sign-in, accounts, and what the command line asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button, Input, OptionList, Static

from kai_tui.backends.base import TokenRefused
from kai_tui.services.address_pins import AddressChanged
from kai_tui.storage.credentials import CredentialsUnavailable
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.account_marks import RemoveDialog
from kai_tui.ui.modals.accounts import AccountsDialog
from kai_tui.ui.modals.sign_in import SignInDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.screens.start import StartScreen
from kai_tui.ui.widgets.composer import Composer
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import TOKEN, FakeAccounts, accounts_of, app_for, kai_account, until


def words(app: KaiApp) -> str:
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
    )


async def test_a_new_user_sees_the_start_screen_and_enter_opens_the_sandbox(own_home: Path) -> None:
    app = app_for(own_home, sandbox=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, StartScreen))
        await until(pilot, lambda: isinstance(app.focused, OptionList))
        assert "Try the sandbox" in words(app)
        assert "every change asks you first" in words(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert [each.kind for each in accounts_of(app).opened] == ["sandbox"]


async def test_known_accounts_are_offered(own_home: Path) -> None:
    app = app_for(own_home, sandbox=False, known=[kai_account()])
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Project 1" in words(app))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert accounts_of(app).opened == [kai_account()]


async def test_quit_from_the_start_screen(own_home: Path) -> None:
    app = app_for(own_home, sandbox=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.focused, OptionList))
        await pilot.press("end", "enter")
        await until(pilot, lambda: app._exit)


@pytest.mark.parametrize(
    ("options", "kind", "source"),
    [
        (LaunchOptions(sandbox=True), "sandbox", ""),
        (LaunchOptions(base_url="https://kai.test", storage_url="https://c.test"), "kai", "environment"),
        (LaunchOptions(storage_url="https://c.test", token_in_environment=True), "kai", "environment"),
    ],
)
async def test_the_command_line_decides(
    own_home: Path, options: LaunchOptions, kind: str, source: str
) -> None:
    accounts = FakeAccounts(own_home, ScriptedBackend())
    app = KaiApp(accounts, options)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert accounts.opened[0].kind == kind
        assert accounts.opened[0].token_from == source


async def test_keys_typed_before_the_prompt_is_there_reach_it_in_order(own_home: Path) -> None:
    app = app_for(own_home, sandbox=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.focused, OptionList))
        app.open_account(accounts_of(app).sandbox())
        for key in "hello there":
            await pilot.press("space" if key == " " else key)
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await until(pilot, lambda: app.screen.query_one(Composer).text == "hello there")


# Signing in


async def fill(app: KaiApp, pilot, address: str = "connection.test", token: str = TOKEN) -> SignInDialog:
    app.action_sign_in()
    await until(pilot, lambda: isinstance(app.screen, SignInDialog) and app.screen.is_mounted)
    dialog = app.screen
    assert isinstance(dialog, SignInDialog)
    dialog.query_one("#address", Input).value = address
    dialog.query_one("#token", Input).value = token
    return dialog


async def test_signing_in_opens_the_project(own_home: Path) -> None:
    app = app_for(own_home, sandbox=False)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await fill(app, pilot)
        assert TOKEN not in words(app)
        token = dialog.query_one("#token", Input)
        token.focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert accounts_of(app).sign_ins == [("https://connection.test", TOKEN, None)]
        assert accounts_of(app).keeps == [(TOKEN, "keyring")]
        assert accounts_of(app).opened[-1].id == "new"
        assert token.value == ""


async def test_a_refused_token_is_said_and_nothing_typed_is_lost(own_home: Path) -> None:
    app = app_for(own_home, sandbox=False)
    accounts_of(app).sign_in_errors = [TokenRefused("This token is not valid. Make a new one.")]
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await fill(app, pilot)
        dialog.query_one("#go", Button).press()
        await until(pilot, lambda: "This token is not valid" in words(app))
        assert "checking the token" in words(app)
        assert dialog.query_one("#address", Input).value == "connection.test"
        assert dialog.query_one("#token", Input).value == TOKEN
        assert TOKEN not in words(app)


async def test_another_address_of_kai_is_used_only_after_its_own_button(own_home: Path) -> None:
    moved = AddressChanged("connection.test", "kai-agent", "https://old.test", "https://new.test")
    app = app_for(own_home, sandbox=False)
    accounts_of(app).sign_in_errors = [moved, moved]
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await fill(app, pilot)
        dialog.query_one("#go", Button).press()
        await until(pilot, lambda: "now names new.test as the address of kai-agent" in words(app))
        assert "Use the new address" in words(app)
        # Leaving has the focus, and Enter in a field asks anew instead of saying yes.
        assert app.focused is dialog.query_one("#cancel")
        dialog.query_one("#token", Input).focus()
        await pilot.press("enter")
        await until(
            pilot, lambda: len(accounts_of(app).accepted) == 2 and "Use the new address" in words(app)
        )
        dialog.query_one("#go", Button).press()
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert accounts_of(app).accepted == ["", "", "https://new.test"]


@pytest.mark.parametrize(
    ("button", "keep"),
    [pytest.param("#keep-memory", "memory", marks=pytest.mark.slow), ("#keep-file", "file")],
)
async def test_without_a_keyring_the_user_decides_before_anything_is_written(
    own_home: Path, button: str, keep: str
) -> None:
    app = app_for(own_home, sandbox=False)
    accounts_of(app).keep_errors = [CredentialsUnavailable("There is no keyring on this computer.")]
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await fill(app, pilot)
        dialog.query_one("#go", Button).press()
        await until(pilot, lambda: "There is no keyring" in words(app))
        assert len(accounts_of(app).sign_ins) == 1
        dialog.query_one(button, Button).press()
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert accounts_of(app).keeps[-1] == (TOKEN, keep)
        assert len(accounts_of(app).sign_ins) == 1


async def test_empty_fields_are_asked_for(own_home: Path) -> None:
    app = app_for(own_home, sandbox=False)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await fill(app, pilot, token="")
        dialog.query_one("#go", Button).press()
        await until(pilot, lambda: "Paste a Storage API token" in words(app))
        assert accounts_of(app).sign_ins == []


# Accounts


async def test_changing_and_leaving_accounts(own_home: Path) -> None:
    app = app_for(own_home, known=[kai_account()])
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, AccountsDialog))
        assert "● Sandbox" in words(app)
        await pilot.press("enter")
        await until(pilot, lambda: len(accounts_of(app).opened) == 2)
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and isinstance(app.focused, Composer))
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, AccountsDialog))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RemoveDialog))
        assert accounts_of(app).removed == []
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, StartScreen))
        assert accounts_of(app).removed == [(kai_account(), False)]


async def test_a_tiny_window_asks_for_a_larger_one(own_home: Path) -> None:
    app = app_for(own_home, sandbox=False)
    async with app.run_test(size=(24, 6)) as pilot:
        await until(pilot, lambda: "make this window" in words(app) or "larger" in words(app))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "Try the sandbox" in words(app))
        assert app.screen.query_one(".too-small", Static).display is False

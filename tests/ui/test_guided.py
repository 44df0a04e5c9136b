"""The dialog that guides through an interview: every kind of field, back, leave, slow checks, secrets."""

from __future__ import annotations

import asyncio
import io
import logging
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from kai_tui.services.account import Account
from kai_tui.storage.credentials import CredentialsUnavailable
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.guided import GuidedDialog
from tests.ui.fake_system import ADDRESS, SECRET, FakeSystem, no_server, wrong_key
from tests.ui.fakes import Clock, accounts_of, app_for, until
from tests.ui.test_start import words

SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


class Desk:
    """Opens the dialog over an app, and keeps what it is told to keep."""

    def __init__(self, pilot: Pilot[object], fake: FakeSystem, **how: object) -> None:
        self.pilot, self.fake = pilot, fake
        self.app = pilot.app
        assert isinstance(self.app, KaiApp)
        self.accounts = accounts_of(self.app)
        self.results: list[Account | None] = []
        self.clock = Clock()
        self.dialog = GuidedDialog(fake.system(), self.accounts, clock=self.clock, **how)  # type: ignore[arg-type]

    async def open(self) -> GuidedDialog:
        await until(self.pilot, lambda: self.app.focused is not None)
        self.app.push_screen(self.dialog, self.results.append)
        await until(self.pilot, lambda: self.dialog._interview.now.question is not None)
        self.later()
        return self.dialog

    def later(self, seconds: float = 1.0) -> None:
        self.clock.now += seconds

    @property
    def asked(self) -> str:
        question = self.dialog._interview.now.question
        return question.name if question is not None else ""

    @property
    def words(self) -> str:
        assert isinstance(self.app, KaiApp)
        return words(self.app)

    async def field(self, name: str) -> None:
        await until(self.pilot, lambda: self.asked == name and self.app.focused is not None)
        self.later()

    async def type(self, text: str) -> None:
        for key in text:
            await self.pilot.press({" ": "space", ":": "colon", "/": "slash", ".": "full_stop"}.get(key, key))

    async def paste(self, text: str) -> None:
        self.app.post_message(events.Paste(text))
        await self.pilot.pause(0)

    async def to_the_agent(self) -> None:
        await self.field("address")
        await self.paste(ADDRESS)
        await self.pilot.press("enter")
        await self.field("key")
        await self.paste(SECRET)
        await self.pilot.press("enter")
        await self.field("agent")

    async def to_the_name(self) -> None:
        await self.to_the_agent()
        await self.pilot.press("enter")
        await self.field("verbose")
        await self.pilot.press("enter")
        await self.field("prompt")
        await self.pilot.press("ctrl+s")
        await self.field("@label")


@pytest.mark.parametrize("size", SIZES)
async def test_from_the_first_field_to_the_kept_account(own_home: Path, size: tuple[int, int]) -> None:
    async with app_for(own_home).run_test(size=size) as pilot:
        desk = Desk(pilot, FakeSystem())
        await desk.open()
        assert "A new account: Fake" in desk.words
        assert "A made-up system. Needs a key." in desk.words
        assert "Enter go on · Esc leave" in desk.words
        await desk.to_the_agent()
        assert "✓ Address  https://fake.test" in desk.words
        assert "✓ API key  •••" in desk.words
        assert "signed in as Ada" in desk.words
        assert "does thing 2" in desk.words
        await pilot.press("down", "enter")
        await desk.field("verbose")
        await pilot.press("y", "enter")
        await desk.field("depth")
        await pilot.press("enter")
        await desk.field("prompt")
        await desk.paste("be brief")
        await pilot.press("enter")
        await desk.type("always")
        await pilot.press("ctrl+s")
        await desk.field("@label")
        await pilot.press("home")
        await desk.type("my ")
        await pilot.press("enter")
        await desk.field("@colour")
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: desk.results)
        (account,) = desk.results
        assert account is not None
        ((kind, found, where),) = desk.accounts.added
        assert (account.label, account.colour, kind, where) == ("my fake.test", "green", "fake", "keyring")
        assert found.settings["agent"] == "agent-2"
        assert found.settings["verbose"] == "yes"
        assert found.settings["prompt"] == "be brief\nalways"
        assert found.secret is not None
        assert found.secret.reveal() == SECRET


async def test_what_a_check_refuses_is_said_at_the_field_and_stays_typed(own_home: Path) -> None:
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem(address_errors=[no_server()], secret_errors=[wrong_key()]))
        await desk.open()
        await desk.paste("fake.test")
        await pilot.press("enter")
        await until(pilot, lambda: "does not answer" in desk.words)
        await desk.field("address")
        assert desk.dialog.query_one("#field-text", Input).value == "fake.test"
        await pilot.press("enter")
        await desk.field("key")
        assert "does not answer" not in desk.words
        await desk.paste(SECRET)
        await pilot.press("enter")
        await until(pilot, lambda: "does not take this key" in desk.words)
        await desk.field("key")
        assert SECRET not in desk.words
        await pilot.press("enter")
        await desk.field("agent")
        assert desk.fake.secrets == [SECRET, SECRET]


async def test_an_empty_required_field_says_so(own_home: Path) -> None:
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem())
        await desk.open()
        await pilot.press("enter")
        await until(pilot, lambda: "This is needed." in desk.words)
        assert desk.fake.checked == []


async def test_escape_steps_back_and_leaves_from_the_first_field(own_home: Path) -> None:
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem())
        await desk.open()
        await desk.to_the_agent()
        await pilot.press("escape")
        await desk.field("key")
        assert desk.dialog.query_one("#field-secret", Input).value == SECRET
        assert "✓ Address" in desk.words
        assert "signed in as Ada" not in desk.words
        assert SECRET not in desk.words
        await pilot.press("escape")
        await desk.field("address")
        assert desk.dialog.query_one("#field-secret", Input).value == ""
        assert desk.dialog.query_one("#field-text", Input).value == ADDRESS
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(desk.app.screen, Confirm))
        await pilot.press("escape")
        await until(pilot, lambda: desk.app.screen is desk.dialog)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(desk.app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: desk.results == [None])
        assert desk.accounts.added == []


async def test_leaving_asks_nothing_when_nothing_was_typed(own_home: Path) -> None:
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem())
        await desk.open()
        await pilot.press("escape")
        await until(pilot, lambda: desk.results == [None])


@pytest.mark.slow
async def test_ctrl_c_leaves_from_any_field(own_home: Path) -> None:
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem())
        await desk.open()
        await desk.to_the_agent()
        await pilot.press("ctrl+c")
        await until(pilot, lambda: isinstance(desk.app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: desk.results == [None])


async def test_escape_ends_a_slow_check_and_its_answer_changes_nothing(own_home: Path) -> None:
    fake = FakeSystem(gate=asyncio.Event())
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, fake)
        await desk.open()
        await desk.paste("fake.test")
        await pilot.press("enter")
        await until(pilot, lambda: "… asking the server" in desk.words)
        assert "Esc stop" in desk.words
        await pilot.press("escape")
        await until(pilot, lambda: "Stopped. Nothing was kept." in desk.words)
        await desk.field("address")
        assert desk.dialog.query_one("#field-text", Input).value == "fake.test"
        assert fake.gate is not None
        fake.gate.set()
        await pilot.pause(0)
        assert desk.asked == "address"
        await pilot.press("enter")
        await desk.field("key")


async def test_two_quick_enters_answer_one_question(own_home: Path) -> None:
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem())
        await desk.open()
        await desk.to_the_agent()
        await pilot.press("enter", "enter", "enter")
        await pilot.pause(0)
        assert desk.asked == "verbose"
        desk.later()
        await pilot.press("enter", "enter")
        await pilot.pause(0)
        assert desk.asked == "prompt"


async def test_two_quick_enters_ask_the_server_once(own_home: Path) -> None:
    fake = FakeSystem(gate=asyncio.Event())
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, fake)
        await desk.open()
        await desk.paste("fake.test")
        await pilot.press("enter", "enter", "enter")
        await until(pilot, lambda: "… asking the server" in desk.words)
        assert fake.checked == ["fake.test"]
        assert fake.gate is not None
        desk.later()
        fake.gate.set()
        await desk.field("key")
        assert fake.checked == ["fake.test"]


async def test_keys_typed_during_a_check_do_not_land_in_the_secret(own_home: Path) -> None:
    fake = FakeSystem(gate=asyncio.Event())
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, fake)
        await desk.open()
        await desk.paste("fake.test")
        await pilot.press("enter")
        await until(pilot, lambda: "… asking the server" in desk.words)
        await desk.type("hello")
        assert fake.gate is not None
        fake.gate.set()
        await until(pilot, lambda: desk.asked == "key")
        await desk.type(" there")
        assert desk.dialog.query_one("#field-secret", Input).value == ""
        assert "What you type now is not taken." in desk.words
        desk.later()
        await until(pilot, lambda: desk.app.focused is not None)
        await desk.paste(SECRET)
        assert desk.dialog.query_one("#field-secret", Input).value == SECRET
        assert "not taken" not in desk.words


async def test_what_is_typed_right_behind_enter_goes_to_the_next_field(own_home: Path) -> None:
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem())
        await desk.open()
        await desk.to_the_agent()
        await pilot.press("enter")
        await desk.field("verbose")
        for key in ("y", "enter", "5", "enter"):
            desk.app.post_message(events.Key(key, "\r" if key == "enter" else key))
        desk.app.post_message(events.Paste("hello"))
        await until(pilot, lambda: desk.dialog.query_one(TextArea).text == "hello")
        assert desk.dialog._interview.now.lines[-1].value == "5"  # in place of the "2" that nobody typed


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_a_long_choice_is_filtered_by_typing(own_home: Path, size: tuple[int, int]) -> None:
    async with app_for(own_home).run_test(size=size) as pilot:
        desk = Desk(pilot, FakeSystem(agents=400))
        await desk.open()
        await desk.to_the_agent()
        assert "400 of 400, the first 300 are shown: type on" in desk.words
        await desk.type("thing 397")
        await until(pilot, lambda: "1 of 400" in desk.words)
        await desk.type("x")
        await until(pilot, lambda: "Nothing has this in its name" in desk.words)
        desk.later()
        await pilot.press("enter")
        await until(pilot, lambda: "Choose one of these." in desk.words)
        await pilot.press("backspace", "enter")
        await desk.field("verbose")
        assert "Agent  Agent 397" in desk.words


@pytest.mark.some(1)
@pytest.mark.parametrize(("keys", "where"), [((), "memory"), (("down",), "file")])
async def test_without_a_keyring_the_user_decides_before_anything_is_written(
    own_home: Path, keys: tuple[str, ...], where: str
) -> None:
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem())
        desk.accounts.keep_errors = [CredentialsUnavailable("There is no keyring on this computer.")]
        await desk.open()
        await desk.to_the_name()
        await pilot.press("enter")
        await desk.field("@colour")
        await pilot.press("enter")
        await desk.field("@where")
        assert "There is no keyring on this computer. What you typed is right." in desk.words
        await pilot.press(*keys, "enter")
        await until(pilot, lambda: desk.results)
        assert [each[2] for each in desk.accounts.added] == ["keyring", where]
        assert desk.fake.secrets == [SECRET]


async def test_changing_an_account_begins_with_what_it_has(own_home: Path) -> None:
    settings = {"address": ADDRESS, "agent": "agent-2", "verbose": "yes", "prompt": "be brief"}
    account = Account("a", "fake", "Mine", settings=settings, colour="red", named=True)
    async with app_for(own_home, known=[account]).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem(), account=account)
        desk.accounts.known_as = account
        await desk.open()
        assert "Change: Mine · Fake" in desk.words
        assert desk.dialog.query_one("#field-text", Input).value == ADDRESS
        await pilot.press("enter")
        await desk.field("key")
        await desk.paste(SECRET)
        await pilot.press("enter")
        for name in ("agent", "verbose", "depth"):
            await desk.field(name)
            await pilot.press("enter")
        await desk.field("prompt")
        assert desk.dialog.query_one(TextArea).text == "be brief"
        await pilot.press("ctrl+s")
        await desk.field("@label")
        await pilot.press("enter")
        await desk.field("@colour")
        await pilot.press("enter")
        await until(pilot, lambda: desk.results)
        ((edited, found, where),) = desk.accounts.edited
        assert (edited, where) == (account, None)
        assert dict(found.settings) == settings
        (changed,) = desk.results
        assert changed is not None
        assert (changed.label, changed.colour) == ("Mine", "red")


async def test_signing_in_again_takes_no_keys_until_the_user_paused(own_home: Path) -> None:
    account = Account("a", "fake", "Mine", settings={"address": ADDRESS, "agent": "agent-2", "verbose": "no"})
    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem(), account=account, renews=True, why="The key was refused.")
        desk.accounts.known_as = account
        await until(pilot, lambda: desk.app.focused is not None)
        desk.app.push_screen(desk.dialog, desk.results.append)
        await until(pilot, lambda: desk.asked == "key")
        await desk.type("which region")
        assert desk.dialog.query_one("#field-secret", Input).value == ""
        assert "The key was refused." in desk.words
        assert "Your chat, what you typed and waiting questions stay as they are." in desk.words
        desk.later()
        await until(pilot, lambda: desk.app.focused is not None)
        desk.later()
        await desk.paste(SECRET)
        await pilot.press("enter")
        await until(pilot, lambda: desk.results)
        ((edited, _, _),) = desk.accounts.edited
        assert edited is account


@pytest.mark.slow
async def test_an_interview_that_cannot_begin_says_why_and_can_be_tried_again(own_home: Path) -> None:
    class Broken(FakeSystem):
        async def interview(self, guide, settings, secret=None):  # type: ignore[no-untyped-def]
            if self.late_errors:
                raise self.late_errors.pop(0)
            return await super().interview(guide, settings, secret)

    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, Broken(late_errors=[no_server()]))
        await until(pilot, lambda: desk.app.focused is not None)
        desk.app.push_screen(desk.dialog, desk.results.append)
        await until(pilot, lambda: "does not answer" in desk.words)
        await pilot.press("enter")
        await desk.field("address")
        assert "does not answer" not in desk.words


async def test_a_secret_goes_to_no_screen_no_clipboard_no_log_and_is_let_go_of(own_home: Path) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        async with app_for(own_home).run_test(size=(80, 24)) as pilot:
            desk = Desk(pilot, FakeSystem(secret_errors=[wrong_key()]))
            await desk.open()
            await desk.field("address")
            await desk.paste(ADDRESS)
            await pilot.press("enter")
            await desk.field("key")
            await desk.paste(SECRET)
            pictures = [desk.app.export_screenshot()]
            await pilot.press("ctrl+a", "ctrl+x")
            assert desk.app.clipboard == ""
            secret = desk.dialog.query_one("#field-secret", Input)
            assert secret.value == SECRET
            await pilot.press("enter")
            await desk.field("key")
            pictures.append(desk.app.export_screenshot())
            await pilot.press("enter")
            await desk.field("agent")
            pictures.append(desk.app.export_screenshot())
            await pilot.press("escape")
            await desk.field("key")
            pictures.append(desk.app.export_screenshot())
            await pilot.press("ctrl+c")
            await until(pilot, lambda: isinstance(desk.app.screen, Confirm))
            await pilot.press("tab", "enter")
            await until(pilot, lambda: desk.results == [None])
            assert secret.value == ""
            assert desk.dialog._interview._tape.typed == {}
            assert desk.dialog._interview._tape.past == []
            assert all(SECRET not in picture for picture in pictures)
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(before)
    assert SECRET not in log.getvalue()


@pytest.mark.slow
async def test_words_of_the_server_are_only_words(own_home: Path) -> None:
    class Hostile(FakeSystem):
        async def _agents(self):  # type: ignore[no-untyped-def]
            from kai_tui.backends.system import Choice

            return (Choice("agent-1", "[@click=app.quit]x[/] \x1b]52;c;QUJD\x07", "[/nope] \u202egpj"),)

    async with app_for(own_home).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, Hostile(address_errors=[type(no_server())("[/] \x1b[2J no")]))
        await desk.open()
        await desk.paste(ADDRESS)
        await pilot.press("enter")
        await until(pilot, lambda: " no" in str(desk.dialog.query_one("#problem", Static).render()))
        await desk.field("address")
        await pilot.press("enter")
        await desk.field("key")
        await desk.paste(SECRET)
        await pilot.press("enter")
        await desk.field("agent")
        assert "[@click=app.quit]x[/]" in desk.words
        assert "\x1b" not in desk.words
        assert "\u202e" not in desk.words


@pytest.mark.slow
async def test_settings_of_another_account_never_change_the_one_that_is_edited(own_home: Path) -> None:
    account = Account("a", "fake", "Mine", settings={"address": ADDRESS}, named=True)
    async with app_for(own_home, known=[account]).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem(label="other.test"), account=account)
        await desk.open()
        await desk.to_the_agent()
        await pilot.press("enter")
        await desk.field("verbose")
        await pilot.press("enter")
        await desk.field("prompt")
        await pilot.press("ctrl+s")
        await desk.field("@another")
        assert "of another server or user than “Mine”" in desk.words
        await pilot.press("enter")
        await desk.field("@label")
        await pilot.press("enter")
        await desk.field("@colour")
        await pilot.press("enter")
        await until(pilot, lambda: desk.results)
        assert desk.accounts.edited == []
        assert [each[1].label for each in desk.accounts.added] == ["other.test"]


@pytest.mark.slow
async def test_an_account_that_is_here_already_says_so(own_home: Path) -> None:
    account = Account("a", "fake", "Mine", colour="red", settings={"address": ADDRESS}, named=True)
    async with app_for(own_home, known=[account]).run_test(size=(80, 24)) as pilot:
        desk = Desk(pilot, FakeSystem())
        desk.accounts.known_as = account
        await desk.open()
        await desk.to_the_name()
        assert "This account is here already, as “Mine”." in desk.words
        assert desk.dialog.query_one("#field-text", Input).value == "Mine"

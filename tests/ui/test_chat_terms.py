"""The dialog "This chat", the line over the prompt, and where terms and branch are shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from kai_tui.backends.base import ChatTerms
from kai_tui.backends.kai.branches import Branch
from kai_tui.conversation import events as e
from kai_tui.services.account import Account
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.accounts import AccountsDialog
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.chat_terms import ChatTermsDialog
from kai_tui.ui.modals.picker import Picker
from kai_tui.ui.modals.sign_in import SignInDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.composer import Composer
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import TOKEN, Clock, accounts_of, app_for, approval, kai_account, stored, until
from tests.ui.test_chat_screen import composer, ready, reply, words

PAGE = "https://sandbox.kai-tui.invalid/admin/projects/2026/storage/in.c-shop/table/orders"
PATH = "/admin/projects/2026/storage/in.c-shop/table/orders"
FOREIGN = "https://connection.keboola.com/admin/projects/1/storage"
ON_BRANCH = kai_account()._replace(branch_id=4711, branch_name="fix-crm")
SIZES = pytest.mark.parametrize(
    "size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)], ids=["narrow", "wide"]
)


def backend(**fields: object) -> ScriptedBackend:
    offers = {"visibility": True, "read_only_chats": True, "context_path": True}
    return ScriptedBackend(**{"offers": offers, "replies": [reply(), reply()], **fields})  # type: ignore[arg-type]


async def open_terms(app: KaiApp, pilot: Pilot[object], key: str = "f10") -> ChatTermsDialog:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, ChatTermsDialog) and app.screen.is_mounted)
    dialog = app.screen
    assert isinstance(dialog, ChatTermsDialog)
    return dialog


async def closed(app: KaiApp, pilot: Pilot[object]) -> None:
    await until(pilot, lambda: isinstance(app.screen, ChatScreen))


async def paste(app: KaiApp, pilot: Pilot[object], text: str) -> None:
    app.post_message(events.Paste(text))
    await pilot.pause()


def flat(app: KaiApp) -> str:
    """The screen without frames and line ends."""
    return " ".join(words(app).replace("│", " ").split())


def notices(app: KaiApp) -> str:
    return "\n".join(each.message for each in app._notifications)


# Terms


@SIZES
@pytest.mark.parametrize("key", ["f10", pytest.param("alt+t", marks=pytest.mark.slow)])
async def test_terms_are_chosen_with_keys_and_go_with_the_message(
    own_home: Path, size: tuple[int, int], key: str
) -> None:
    kai = backend()
    app = app_for(own_home, kai)
    async with app.run_test(size=size) as pilot:
        screen = await ready(app, pilot)
        assert "F10" in words(app)
        await open_terms(app, pilot, key)
        shown = words(app)
        assert "everybody in the project" in shown
        assert "only look: read-only" in shown
        await pilot.press("right", "tab", "right", "enter")
        await closed(app, pilot)
        await until(pilot, lambda: "read-only · public" in words(app))
        assert "Kai may look, not change anything" in words(app)
        assert "everybody in the project can read it" in words(app)
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: "West sold most" in words(app))
        assert kai.posts[0].terms == ChatTerms("public", read_only=True)
        assert "read-only · public" in words(app)
        # The list says it too, once it is there.
        if size[0] > 100:
            await until(pilot, lambda: "hi" in words(app) and " public" in words(app).split("read-only")[1])
        assert screen.session is not None
        assert screen.session.terms_decided


async def test_escape_leaves_everything_as_it_was(own_home: Path) -> None:
    app = app_for(own_home, backend())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        await open_terms(app, pilot)
        await pilot.press("right", "tab", "right", "escape")
        await closed(app, pilot)
        assert screen.session is not None
        assert screen.session.terms == ChatTerms()


async def test_after_the_first_message_they_are_told_with_the_reason(own_home: Path) -> None:
    app = app_for(own_home, backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: "West sold most" in words(app))
        dialog = await open_terms(app, pilot)
        assert not dialog.query(Picker)
        assert "the first message decided that" in flat(app)
        assert "only you" in words(app)
        assert "ask to change things" in words(app)


async def test_of_a_chat_begun_elsewhere_nothing_is_claimed(own_home: Path) -> None:
    chats = stored("Old")
    (chat,) = chats.values()
    chats[chat.summary.id] = replace(chat, summary=replace(chat.summary, visibility="public"))
    app = app_for(own_home, backend(stored=chats))
    async with app.run_test(size=(140, 30)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Old" in words(app))
        await pilot.press("ctrl+b", "enter")
        await until(pilot, lambda: screen.session is not None and screen.session.title == "Old")
        await until(pilot, lambda: "Old · public" in words(app))
        assert "read-only" not in words(app)
        await open_terms(app, pilot)
        assert "not known here" in words(app)
        assert "everybody in the project" in words(app)


async def test_a_kai_without_read_only_chats_says_why(own_home: Path) -> None:
    app = app_for(own_home, backend(style="continuation", offers={"visibility": True, "context_path": True}))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        dialog = await open_terms(app, pilot)
        assert [picker.id for picker in dialog.query(Picker)] == ["readers"]
        assert "There are no read-only chats here" in words(app)


async def test_terms_stay_in_a_narrow_header_with_a_long_title(own_home: Path) -> None:
    app = app_for(own_home, backend(replies=[[e.Title("A very long title " * 9), *reply()]]))
    async with app.run_test(size=(40, 24)) as pilot:
        screen = await ready(app, pilot)
        assert screen.session is not None
        screen.session.set_terms(ChatTerms("public", read_only=True))
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: "West sold most" in words(app))
        assert "· read-only · public" in words(app).splitlines()[0]


# What it is about


@SIZES
async def test_a_pasted_page_becomes_context_and_backspace_removes_it(
    own_home: Path, size: tuple[int, int]
) -> None:
    kai = backend()
    app = app_for(own_home, kai)
    async with app.run_test(size=size) as pilot:
        screen = await ready(app, pilot)
        await paste(app, pilot, f"{PAGE}?tab=data#x\n")
        await until(pilot, lambda: "table/orders · Backspace" in words(app))
        assert composer(app).text == ""
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: "West sold most" in words(app))
        assert kai.posts[0].context_path == PATH
        assert f"↳ about {PATH}" in words(app)
        await pilot.press("backspace")
        await until(pilot, lambda: "Backspace" not in words(app))
        assert screen.session is not None
        assert screen.session.context_path is None
        await pilot.press("y", "o", "enter")
        await until(pilot, lambda: len(kai.posts) == 2)
        assert kai.posts[1].context_path is None


async def test_a_page_of_another_stack_stays_text_and_that_is_said(own_home: Path) -> None:
    app = app_for(own_home, backend())
    async with app.run_test(size=(140, 30)) as pilot:
        screen = await ready(app, pilot)
        await paste(app, pilot, FOREIGN)
        await until(pilot, lambda: "It stays text" in notices(app))
        assert composer(app).text == FOREIGN
        assert screen.session is not None
        assert screen.session.context_path is None


async def test_in_a_prompt_with_text_a_page_stays_text(own_home: Path) -> None:
    app = app_for(own_home, backend())
    async with app.run_test(size=(140, 30)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press("a", "space")
        await paste(app, pilot, PAGE)
        await until(pilot, lambda: composer(app).text == f"a {PAGE}")
        assert screen.session is not None
        assert screen.session.context_path is None


async def test_a_held_backspace_empties_the_prompt_and_keeps_the_context(own_home: Path) -> None:
    app = app_for(own_home, backend())
    async with app.run_test(size=(140, 30)) as pilot:
        screen = await ready(app, pilot)
        await paste(app, pilot, PAGE)
        await until(pilot, lambda: screen.session is not None and screen.session.context_path)
        await pilot.press("a", "b")
        prompt = composer(app)
        start = 1000.0
        for number in range(5):
            key = events.Key("backspace", None)
            key.time = start + number * 0.03
            await prompt._on_key(key)
        await pilot.pause()
        assert prompt.text == ""
        assert screen.session is not None
        assert screen.session.context_path == PATH
        key = events.Key("backspace", None)
        key.time = start + 2
        await prompt._on_key(key)
        await until(pilot, lambda: screen.session is not None and screen.session.context_path is None)


async def test_the_dialog_takes_an_address_a_path_or_nothing(own_home: Path) -> None:
    app = app_for(own_home, backend())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        for typed, path in ((PAGE, PATH), (PATH, PATH), ("", None)):
            dialog = await open_terms(app, pilot)
            field = dialog.query_one("#about", Input)
            field.value = typed
            field.focus()
            await pilot.press("enter")
            await closed(app, pilot)
            assert screen.session is not None
            assert screen.session.context_path == path
        dialog = await open_terms(app, pilot)
        for typed, said in (
            (FOREIGN, "connection.keboola.com"),
            ("the orders", "no page of a Keboola project"),
        ):
            dialog.query_one("#about", Input).value = typed
            dialog.action_take_over()
            await until(pilot, lambda said=said: said in words(app))
            assert app.screen is dialog


async def test_a_page_of_another_branch_is_taken_with_a_warning(own_home: Path) -> None:
    app = app_for(own_home, backend())
    async with app.run_test(size=(140, 30)) as pilot:
        await ready(app, pilot)
        await paste(app, pilot, PAGE.replace("/2026/", "/2026/branch/7/"))
        await until(pilot, lambda: "shows branch 7" in notices(app))


async def test_what_was_chosen_comes_back_with_the_draft(own_home: Path) -> None:
    kai = backend()
    app = app_for(own_home, kai)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        assert screen.session is not None
        screen.session.set_terms(ChatTerms("private", read_only=True))
        await paste(app, pilot, PAGE)
        await pilot.press("d", "r")
        await screen.keep_draft()
    again = app_for(own_home, kai)
    async with again.run_test(size=(80, 24)) as pilot:
        screen = await ready(again, pilot)
        await until(pilot, lambda: "read-only" in words(again).splitlines()[0])
        await until(pilot, lambda: composer(again).text == "dr")
        await pilot.press("enter")
        await until(pilot, lambda: kai.posts)
        assert kai.posts[0].terms.read_only
        assert kai.posts[0].context_path == PATH


# The branch


@SIZES
async def test_the_branch_is_where_writes_are_decided(own_home: Path, size: tuple[int, int]) -> None:
    clock = Clock()
    app = app_for(own_home, backend(), sandbox=False, clock=clock)
    async with app.run_test(size=size) as pilot:
        app.open_account(ON_BRANCH)
        screen = await ready(app, pilot)
        lines = words(app).splitlines()
        assert "fix-crm (4711)" in lines[0]
        assert "fix-crm (4711)" in lines[-1]
        assert "Kai works on the branch fix-crm (4711)" in words(app)
        place = screen.workspace._place()
        assert place.branch == "fix-crm (4711)"
        app.push_screen(ApprovalDialog(approval(branch=place.branch), clock=clock))
        await until(pilot, lambda: isinstance(app.screen, ApprovalDialog) and app.screen.is_mounted)
        await until(pilot, lambda: "branch fix-crm (4711)" in words(app))


async def test_the_list_of_accounts_tells_branches_apart(own_home: Path) -> None:
    app = app_for(own_home, backend(), known=[kai_account(), ON_BRANCH._replace(id="other")])
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, AccountsDialog))
        await until(pilot, lambda: "branch fix-crm (4711)" in flat(app))


async def sign_in(app: KaiApp, pilot: Pilot[object]) -> SignInDialog:
    app.action_sign_in()
    await until(pilot, lambda: isinstance(app.screen, SignInDialog) and app.screen.is_mounted)
    dialog = app.screen
    assert isinstance(dialog, SignInDialog)
    dialog.query_one("#address", Input).value = "connection.test"
    token = dialog.query_one("#token", Input)
    token.value = TOKEN
    token.focus()
    await pilot.press("enter")
    await until(pilot, lambda: dialog.has_class("-asks-branch"))
    return dialog


def opened(app: KaiApp) -> Account:
    return accounts_of(app).opened[-1]


@SIZES
@pytest.mark.parametrize(
    ("keys", "branch"),
    [pytest.param(["enter"], "main", marks=pytest.mark.slow), (["down", "enter"], "fix-crm (4711)")],
)
async def test_signing_in_asks_for_the_branch_with_main_chosen(
    own_home: Path, size: tuple[int, int], keys: list[str], branch: str
) -> None:
    app = app_for(own_home, backend(), sandbox=False)
    accounts_of(app).branches = (Branch(4711, "fix-crm", "Repair it"), Branch(4712, "main"))
    async with app.run_test(size=size) as pilot:
        dialog = await sign_in(app, pilot)
        assert isinstance(dialog.focused, OptionList)
        assert "Repair it" in words(app)
        assert "4712" in words(app)
        await pilot.press(*keys)
        await closed(app, pilot)
        assert opened(app).branch == branch


async def test_a_stack_that_lists_no_branches_leaves_a_number_to_type(own_home: Path) -> None:
    app = app_for(own_home, backend(), sandbox=False)
    accounts_of(app).branches = None
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await sign_in(app, pilot)
        assert "cannot be listed" in words(app)
        await pilot.press(*"fix", "enter")
        await until(pilot, lambda: "A branch is a number" in words(app))
        dialog.query_one("#branch-number", Input).value = "4711"
        dialog.query_one("#workspace", Input).value = "99"
        await pilot.press("enter")
        await closed(app, pilot)
        assert (opened(app).branch_id, opened(app).workspace_id) == (4711, "99")


async def test_escape_goes_back_to_the_fields_with_what_was_typed(own_home: Path) -> None:
    app = app_for(own_home, backend(), sandbox=False)
    accounts_of(app).branches = (Branch(4711, "fix-crm"),)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await sign_in(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not dialog.has_class("-asks-branch"))
        assert dialog.query_one("#token", Input).value == TOKEN
        assert accounts_of(app).keeps == []
        assert not any(isinstance(each, Composer) for each in [app.focused])

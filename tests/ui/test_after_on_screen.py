"""What one can do about a change from its card: open its links, undo it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList

from kai_tui.backends.base import Chat
from kai_tui.conversation.messages import Message
from kai_tui.conversation.reviews.review import ObjectRef, Wanted
from kai_tui.services.approval_service import Decision
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.open_link import OpenLink
from kai_tui.ui.modals.pick_link import PickLink
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.transcript.stops import first_of
from kai_tui.ui.widgets.composer import Composer
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, stored, until
from tests.ui.many_chats import toasts
from tests.ui.test_chat_screen import words
from tests.ui.test_choices_with_sandbox import app_of as sandbox_app
from tests.ui.test_choices_with_sandbox import ready as sandbox_ready
from tests.ui.transcript.chat_source import answer, tool
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


async def test_an_address_that_is_its_own_title_is_one_line(tmp_path: Path) -> None:
    said = "See https://one.example/a and [the handbook](https://two.example/b)."
    app = app_with(tmp_path, {"type": "text", "text": said})
    async with app.run_test(size=(80, 24)) as pilot:
        await reading(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, PickLink) and isinstance(app.focused, OptionList))
        options = app.screen.query_one(OptionList).options
        assert [str(each.prompt) for each in options] == [
            "https://one.example/a",
            "the handbook\nhttps://two.example/b",
        ]


async def test_o_says_that_there_is_no_link_and_is_a_letter_while_writing(tmp_path: Path) -> None:
    app = app_with(tmp_path, {"type": "text", "text": "Nothing here."})
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await reading(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: ("", "There is no link under the cursor.") in toasts(app))
        await pilot.press("escape", "o")
        await until(pilot, lambda: screen._composer.text == "o")


async def asked(app: KaiApp, pilot: Any, screen: ChatScreen, text: str) -> None:
    """Say something that changes something, and say yes to it."""
    session = screen.session
    assert session is not None
    count = len(session.messages)
    screen._composer.load(text)
    await pilot.press("enter")
    await approve_next(app, pilot, screen)
    await until(pilot, lambda: len(session.messages) == count + 2 and not session.turn.busy, 30)


async def approve_next(app: KaiApp, pilot: Any, screen: ChatScreen) -> None:
    approvals = screen.workspace.approvals
    await until(pilot, lambda: approvals.pending)
    assert approvals.decide(approvals.pending[0], Decision(True))
    await until(pilot, lambda: app.screen is screen)


async def description(screen: ChatScreen, table: str) -> str:
    project = (await screen.workspace.backend()).project
    assert project is not None
    return await project.present(Wanted("description", ObjectRef("table", table)))


@pytest.mark.parametrize("flavour", ["agent", pytest.param("assistant", marks=pytest.mark.slow)])
async def test_a_change_is_undone_by_a_message_that_the_user_sends(tmp_path: Path, flavour: str) -> None:
    app = sandbox_app(tmp_path, flavour)
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await sandbox_ready(app, pilot)
        old = await description(screen, "in.c-shop.orders")
        await asked(app, pilot, screen, "Set the description of in.c-shop.orders to Something else")
        assert await description(screen, "in.c-shop.orders") == "Something else"
        session = screen.session
        assert session is not None
        sent = len(session.messages)
        screen._composer.load("My own words")
        await pilot.press("ctrl+o")
        screen._transcript._cursor = next(
            first_of(unit)
            for block in screen._transcript._document.blocks
            for unit in block.units
            if getattr(unit.shows, "tool_name", "") == "update_descriptions"
        )
        await pilot.press("u")
        await until(pilot, lambda: app.focused is screen._composer)
        assert screen._composer.text_to_send == (
            "My own words\n\nPlease undo your change: set the description of table in.c-shop.orders back to exactly "
            f"this text:\n\n```\n{old}\n```"
        )
        await until(pilot, lambda: any("Nothing was sent." in text for _, text in toasts(app)))
        assert len(session.messages) == sent
        assert await description(screen, "in.c-shop.orders") == "Something else"
        screen._composer.load(screen._composer.text_to_send.removeprefix("My own words\n\n"))
        await pilot.press("enter")
        await approve_next(app, pilot, screen)
        await until(pilot, lambda: len(session.messages) == sent + 2 and not session.turn.busy, 30)
        assert await description(screen, "in.c-shop.orders") == old


async def test_u_says_why_there_is_nothing_to_undo(tmp_path: Path) -> None:
    app = app_with(tmp_path, tool("get_tables", input={}, output={"tables": []}), changed("create_bucket"))
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await reading(app, pilot)
        await pilot.press("u")
        await until(pilot, lambda: any("no tool that deletes" in text for _, text in toasts(app)))
        await pilot.press("up", "u")
        await until(pilot, lambda: any("only looked" in text for _, text in toasts(app)))
        await pilot.press("up", "u")
        await until(pilot, lambda: any("This is no change" in text for _, text in toasts(app)))
        assert screen._composer.text_to_send == ""
        assert app.focused is screen._transcript


async def test_values_the_project_had_at_the_yes_are_kept_for_undoing(tmp_path: Path) -> None:
    app = sandbox_app(tmp_path, "agent")
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await sandbox_ready(app, pilot)
        screen._composer.load("Set db.host of the Web shop database to new.example")
        await pilot.press("enter")
        approvals = screen.workspace.approvals
        await until(pilot, lambda: approvals.pending)
        look = screen.workspace.present_values.look(approvals.pending[0])
        await until(pilot, lambda: look.known.presents and not look.known.looking)
        await approve_next(app, pilot, screen)
        look.stop()
        session = screen.session
        assert session is not None
        await until(pilot, lambda: not session.turn.busy, 30)
        chat_id = session.chat_id

    again = sandbox_app(tmp_path, "agent")
    async with again.run_test(size=(100, 40)) as pilot:
        screen = await sandbox_ready(again, pilot)
        await screen._open(chat_id)
        await until(pilot, lambda: screen.session is not None and screen.session.chat_id == chat_id)
        session = screen.session
        assert session is not None
        call = session.messages[-1].tool_calls()[-1]
        assert call.tool_name == "update_config"
        kept = [each for each in session.values_before(call).values() if each.source == "project"]
        assert kept
        screen.action_undo_change()
        await until(pilot, lambda: screen._composer.text_to_send)
        text = screen._composer.text_to_send
        assert text.startswith("Please undo your change: bring configuration ")
        assert "\n- set parameters.db.host back to " in text
        assert "new.example" not in text


async def test_a_configuration_goes_back_to_its_version_before_although_nobody_looked_at_it(
    tmp_path: Path,
) -> None:
    app = sandbox_app(tmp_path, "agent")
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await sandbox_ready(app, pilot)
        where = Wanted("configuration", ObjectRef("configuration", "keboola.ex-db-mysql/4102"))
        project = (await screen.workspace.backend()).project
        assert project is not None
        old = await project.present(where)
        await asked(app, pilot, screen, "Set db.host of the Web shop database to new.example")
        await asked(app, pilot, screen, "Rename the Web shop database to Other name")
        assert (await project.present(where))["name"] == "Other name"
        session = screen.session
        assert session is not None
        first = session.messages[1].tool_calls()[-1]
        await screen._undo(session, first)
        assert "- set parameters.db.host back to " in screen._composer.text_to_send
        assert "name back" not in screen._composer.text_to_send
        warning = "It was changed again later in this chat"
        await until(pilot, lambda: any(warning in text for _, text in toasts(app)))
        count = len(session.messages)
        await pilot.press("enter")
        await approve_next(app, pilot, screen)
        await until(pilot, lambda: len(session.messages) == count + 2 and not session.turn.busy, 30)
        now = await project.present(where)
        assert (now["parameters"], now["name"]) == (old["parameters"], "Other name")


EVIL = "a\x1b]8;;https://evil.test\x07b\u202ec\x9b2J"


async def test_nothing_foreign_acts_on_the_terminal_from_links_jobs_or_undoing(tmp_path: Path) -> None:
    links = [
        {"type": "ui-detail", "title": f"{EVIL}{number}", "url": f"https://stack.test/{number}{EVIL}"}
        for number in range(3)
    ]
    looked = tool("get_tables", input={}, output={"tables": [{"id": "in.c-a.t", "description": EVIL}]})
    updates = [{"item_id": "in.c-a.t", "description": "New"}]
    call = tool("update_descriptions", input={"updates": updates}, output={"results": [], "links": links})
    app = app_with(tmp_path, looked, call)
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await reading(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, PickLink) and isinstance(app.focused, OptionList))
        shown = words(app)
        assert "⟨U+202E⟩" in shown
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert not isinstance(app.screen, OpenLink), "an address with such characters is never opened"
        await pilot.press("u")
        await until(pilot, lambda: screen._composer.text_to_send)
        shown += words(app) + screen._composer.text_to_send + "".join(text for _, text in toasts(app))
        for character in ("\x1b", "\x07", "\u202e", "\x9b"):
            assert character not in shown
        await until(pilot, lambda: any("they are symbols now" in text for _, text in toasts(app)))

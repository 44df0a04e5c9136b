"""The list of what runs without a question: grants beside the server's permissions, both to be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import ToolInfo
from kai_tui.conversation.reviews.review import ObjectRef
from kai_tui.services.grants import GrantTerms
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.allowed import AllowedDialog
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import Clock, accounts_of, app_for, approval, until
from tests.ui.test_approval_desk import started, words

TABLE = ObjectRef("table", "in.c-crm.customers")
DESCRIBE = approval(
    tool_name="update_descriptions",
    input={"updates": [{"item_id": "in.c-crm.customers", "description": "Who buys"}]},
    risk="changes",
    account_id="sandbox",
)


def kai() -> ScriptedBackend:
    tools = [ToolInfo("get_tables", "Lists tables.", True), ToolInfo("create_bucket", "Makes one.", False)]
    return ScriptedBackend(tool_list=tools, offers={"tool_permissions": True})


def said(app: KaiApp) -> str:
    return " ".join(words(app).replace("│", " ").split())


async def opened(app: KaiApp, pilot) -> AllowedDialog:
    await pilot.press("alt+g")
    await until(pilot, lambda: isinstance(app.screen, AllowedDialog) and app.screen.is_mounted)
    dialog = app.screen
    assert isinstance(dialog, AllowedDialog)
    return dialog


async def test_grants_and_the_servers_permissions_stand_side_by_side(own_home: Path) -> None:
    clock, backend = Clock(), kai()
    app = app_for(own_home, backend)
    accounts_of(app).turn_clock = clock
    async with app.run_test(size=(110, 40)) as pilot:
        await started(app, pilot)
        assert app.workspace is not None
        app.workspace.grants.give(
            DESCRIBE, GrantTerms("update_descriptions", of=TABLE, chat_id="chat", minutes=10, calls=5)
        )
        dialog = await opened(app, pilot)
        await until(pilot, lambda: "create_bucket" in said(app))
        assert (
            "update_descriptions about table in.c-crm.customers and its columns, in the chat “Orders” on branch "
            "MAIN: 10 min 00 s, 5 calls left, not used yet." in said(app)
        )
        clock.now += 60
        dialog._tick()
        await until(pilot, lambda: "9 min 00 s, 5 calls left" in said(app))
        await pilot.press("tab", "tab", "tab")
        assert app.focused is dialog.tools
        await pilot.press("down", "b")
        await until(pilot, lambda: backend.permissions_set == [{"create_bucket": "blocked"}])


async def test_one_is_taken_back_and_the_other_stays(own_home: Path) -> None:
    app = app_for(own_home, kai())
    async with app.run_test(size=(110, 40)) as pilot:
        await started(app, pilot)
        assert app.workspace is not None
        grants = app.workspace.grants
        grants.give(DESCRIBE, GrantTerms("update_descriptions"))
        grants.give(approval(account_id="sandbox"), GrantTerms("create_bucket"))
        dialog = await opened(app, pilot)
        await until(pilot, lambda: dialog.grants.count == 2)
        await pilot.press("down", "delete")
        await until(pilot, lambda: dialog.grants.count == 1)
        assert [each.terms.tool for each in grants.active] == ["update_descriptions"]
        await pilot.press("alt+z")
        await until(pilot, lambda: dialog.grants.count == 0)
        assert not grants.active
        assert "Nothing. A question offers it" in said(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not dialog)


async def test_where_the_server_keeps_no_permissions_that_is_said(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(80, 24)) as pilot:
        await started(app, pilot)
        await opened(app, pilot)
        await until(pilot, lambda: "keeps none" in said(app))
        await pilot.press("r", "R", "space", "escape")
        await until(pilot, lambda: not isinstance(app.screen, AllowedDialog))


@pytest.mark.some(1)
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)])
async def test_both_lists_have_room(own_home: Path, size: tuple[int, int]) -> None:
    app = app_for(own_home, kai())
    async with app.run_test(size=size) as pilot:
        await started(app, pilot)
        assert app.workspace is not None
        app.workspace.grants.give(DESCRIBE, GrantTerms("update_descriptions", of=TABLE, minutes=10))
        dialog = await opened(app, pilot)
        await until(pilot, lambda: "create_b" in said(app))
        assert dialog.tools.size.height >= 2
        for text in (
            "For a while",
            "update_descriptions",
            "By your settings on the server",
            "get_tables",
            "asks (default)",
        ):
            assert text in said(app), text

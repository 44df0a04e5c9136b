"""Tools and permissions on screen: searched, changed with one key, kept at once, truly shown."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kai_tui.backends.base import CannotConnect, ToolInfo
from kai_tui.services.account_service import AccountService
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.tools import ToolsDialog
from kai_tui.ui.palette import ActionProvider
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_quota import told

TOOLS = [
    ToolInfo("get_tables", "Lists the tables of a bucket.", read_only=True),
    ToolInfo("create_bucket", "Makes a bucket. " + "It goes on and on. " * 60 + "The very end."),
    ToolInfo("run_job", "Starts a job."),
]
SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]


def serving(**more) -> ScriptedBackend:
    return ScriptedBackend(
        offers={"tool_permissions": True, "settings": True}, **({"tool_list": list(TOOLS)} | more)
    )


async def opened(app: KaiApp, pilot, tool: str = "get_tables") -> ToolsDialog:
    await ready(app, pilot)
    await app.screen.run_action("tool_permissions")
    await until(pilot, lambda: isinstance(app.screen, ToolsDialog) and tool in words(app))
    dialog = app.screen
    assert isinstance(dialog, ToolsDialog)
    await until(pilot, lambda: app.focused is dialog.tools)
    return dialog


def flat(app: KaiApp) -> str:
    """The words on screen without frames and line ends."""
    return " ".join(words(app).translate(dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")).split())


def row_of(app: KaiApp, name: str) -> str:
    return next(
        (
            line
            for line in words(app).split("\n")
            if name in line and ("reads  " in line or "writes  " in line)
        ),
        "",
    )


@pytest.mark.parametrize("size", SIZES)
async def test_every_tool_has_its_mark_and_permission(own_home: Path, size: tuple[int, int]) -> None:
    app = app_for(own_home, serving(permissions_now={"run_job": "blocked", "create_bucket": "always_ask"}))
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        assert "reads" in row_of(app, "get_tables")
        assert "runs (default)" in row_of(app, "get_tables")
        assert "writes" in row_of(app, "create_bucket")
        assert "always asks" in row_of(app, "create_bucket")
        assert "blocked" in row_of(app, "run_job")
        assert "3 tools · 2 write · 1 blocked" in words(app)


async def test_one_key_changes_a_tool_and_the_row_says_saving_and_saved(own_home: Path) -> None:
    gate = asyncio.Event()
    backend = serving(gates={"set_permissions": gate})
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "b")
        await until(pilot, lambda: "saving…" in row_of(app, "create_bucket"))
        assert "blocked" in row_of(app, "create_bucket")
        gate.set()
        await until(pilot, lambda: "✓ saved" in row_of(app, "create_bucket"))
        assert backend.permissions_set == [{"create_bucket": "blocked"}]


async def test_a_failure_puts_the_row_back_and_says_why(own_home: Path) -> None:
    backend = serving(permissions_error=CannotConnect("kai.test refuses connections."))
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "b")
        await until(pilot, lambda: "✗ not saved" in row_of(app, "create_bucket"))
        assert "asks (default)" in row_of(app, "create_bucket")
        assert "kai.test refuses connections." in words(app)


async def test_a_tool_that_writes_is_always_allowed_only_after_a_deliberate_yes(own_home: Path) -> None:
    backend = serving()
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("a")
        await until(pilot, lambda: "✓ saved" in row_of(app, "get_tables"))
        assert backend.permissions_set == [{"get_tables": "always_allow"}], "reading needs no question"
        await pilot.press("down", "a")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await until(pilot, lambda: "in every chat" in flat(app))
        assert "Kai's web interface" in flat(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ToolsDialog))
        assert len(backend.permissions_set) == 1, "a stray Enter keeps asking"
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: "always runs" in row_of(app, "create_bucket"))
        await until(pilot, lambda: backend.permissions_set[1:] == [{"create_bucket": "always_allow"}])


async def test_reset_all_asks_first(own_home: Path) -> None:
    backend = serving(permissions_now={"run_job": "blocked"})
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: "asks (default)" in row_of(app, "run_job"))
        assert backend.permissions_set == [None]
        await pilot.press("R")
        await until(pilot, lambda: "nothing to reset" in told(app))
        assert isinstance(app.screen, ToolsDialog)


async def test_letters_behind_a_slash_search_and_change_nothing(own_home: Path) -> None:
    backend = serving()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("slash", *"bas")
        assert dialog.filter_input.value == "bas"
        assert backend.permissions_set == []
        await pilot.press("escape")
        await until(pilot, lambda: app.focused is dialog.tools and not dialog.filter_input.value)
        await pilot.press("slash", *"writes job", "enter")
        await until(pilot, lambda: [row.info.name for row in dialog.tools.shown] == ["run_job"])
        await pilot.press("b")
        await until(pilot, lambda: backend.permissions_set == [{"run_job": "blocked"}])
        await pilot.press("slash", *"zz")
        await until(pilot, lambda: "No tool is called that." in words(app))


async def test_a_long_description_can_be_read_to_its_end(own_home: Path) -> None:
    app = app_for(own_home, serving())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("down")
        for _ in range(12):
            if "The very end." in flat(app):
                break
            await pilot.press("space")
            await pilot.pause()
        assert "The very end." in flat(app)


async def test_hundreds_of_tools_are_a_list_that_scrolls(own_home: Path) -> None:
    many = [ToolInfo(f"tool_{number:04}", f"Does {number}.") for number in range(800)]
    app = app_for(own_home, serving(tool_list=many))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, "tool_0000")
        await pilot.press("end")
        await until(pilot, lambda: "tool_0799" in words(app) and "Does 799." in words(app))
        await pilot.press("home")
        await until(pilot, lambda: "tool_0000" in words(app))


async def test_a_list_that_cannot_be_read_says_so_and_is_read_again(own_home: Path) -> None:
    backend = serving()
    read = backend.permissions

    async def fails():
        raise CannotConnect("kai.test refuses connections.")

    backend.permissions = fails  # type: ignore[method-assign]
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await app.screen.run_action("tool_permissions")
        await until(pilot, lambda: "Press r to read it again." in words(app))
        backend.permissions = read  # type: ignore[method-assign]
        await pilot.press("r")
        await until(pilot, lambda: "get_tables" in words(app))
        assert "Press r" not in words(app)


async def test_a_change_that_fails_behind_the_closed_dialog_is_told(own_home: Path) -> None:
    gate = asyncio.Event()
    backend = serving(
        gates={"set_permissions": gate}, permissions_error=CannotConnect("kai.test refuses connections.")
    )
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "b", "escape")
        await until(pilot, lambda: not isinstance(app.screen, ToolsDialog))
        gate.set()
        await until(pilot, lambda: "The permission of create_bucket was not saved." in told(app))


async def test_hostile_names_and_words_are_shown_harmlessly(own_home: Path) -> None:
    odd = [ToolInfo("create_buck\u0435t\x1b[2J", "\x1b]52;c;AAAA\x07[bold]x[/bold]", permission=None)]
    app = app_for(own_home, serving(tool_list=odd, permissions_now={odd[0].name: "\x1b[31mnever"}))
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot, "create_buck")
        shown = words(app)
        assert "\x1b" not in shown
        assert "U+001B" in shown
        assert "U+0435" in flat(app), "a letter of another script is told"
        assert "[bold]x[/bold]" in shown


async def test_a_kai_without_permissions_says_so_and_the_palette_keeps_quiet(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        offered = {item.name for item in ActionProvider(screen)._offered()}
        assert "about_server" in offered
        assert not offered & {"tool_permissions", "edit_instructions"}
        await screen.run_action("tool_permissions")
        await until(pilot, lambda: "Kai has no tool permissions." in told(app))
        assert app.screen is screen


@pytest.mark.parametrize("size", SIZES)
async def test_over_the_real_sandbox(own_home: Path, size: tuple[int, int]) -> None:
    environ = {"KAI_TUI_HOME": str(own_home), "KAI_TUI_SANDBOX_PACE": "0"}
    app = KaiApp(AccountService(environ), LaunchOptions(sandbox=True))
    async with app.run_test(size=size) as pilot:
        dialog = await opened(app, pilot, "create_bucket")
        await pilot.press("slash", *"create_bucket", "enter", "b")
        await until(pilot, lambda: "✓ saved" in row_of(app, "create_bucket"))
        assert "1 blocked" in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not dialog)
        await pilot.press("4", "enter")  # the suggestion "Create a bucket called reports"
        await until(pilot, lambda: "create_bucket" in words(app) and "✗" in words(app))
        assert app.workspace is not None
        assert not app.workspace.approvals.pending

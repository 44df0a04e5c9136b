"""The panel about the server: live health, everything it says, safe to copy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import OptionList

from kai_tui.backends.base import CannotConnect
from kai_tui.services.account_service import AccountService
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.about_server import EVERY_SECONDS, AboutServer
from kai_tui.ui.palette import ActionProvider
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import TOKEN, accounts_of, app_for, until
from tests.ui.test_chat_screen import ready, words

SAYS = {
    "timestamp": "2026-11-21T12:00:00.000Z",
    "uptime": 12345.67,
    "appVersion": "1.0.0",
    "serverVersion": "2.0.0",
    "connectedMcp": [{"name": "keboola-mcp", "status": "connected"}],
    "region": "eu\x1b[2J",
}


async def opened(app: KaiApp, pilot) -> AboutServer:
    await ready(app, pilot)
    await app.screen.run_action("about_server")
    await until(pilot, lambda: isinstance(app.screen, AboutServer) and app.screen.query("#about-facts"))
    dialog = app.screen
    assert isinstance(dialog, AboutServer)
    return dialog


def flat(app: KaiApp) -> str:
    return " ".join(words(app).replace("│", " ").split())


@pytest.mark.parametrize("size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)])
async def test_it_shows_who_answers_and_how_fast(own_home: Path, size: tuple[int, int]) -> None:
    app = app_for(own_home, ScriptedBackend(details=dict(SAYS)))
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "kai.test answers in" in words(app))
        shown = flat(app)
        assert "3 hours 25 minutes" in shown
        assert "1.0.0 (server 2.0.0)" in shown
        assert "MCP server keboola-mcp · connected" in shown
        assert "region eu␛[2J" in shown
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, AboutServer))


async def test_it_asks_while_it_is_open_and_never_when_it_is_closed(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kai_tui.ui.modals.about_server.EVERY_SECONDS", 0.05)
    backend = ScriptedBackend(details=dict(SAYS))
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        assert backend.pings == 0
        await opened(app, pilot)
        await until(pilot, lambda: backend.pings >= 3)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, AboutServer))
        await pilot.pause()
        seen = backend.pings
        await asyncio.sleep(0.3)
        assert backend.pings == seen
    assert EVERY_SECONDS >= 2


async def test_a_server_that_is_gone_is_said_with_the_key_that_asks_again(own_home: Path) -> None:
    backend = ScriptedBackend(details=dict(SAYS), alive_error=CannotConnect("kai.test refuses connections."))
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await until(pilot, lambda: "kai.test refuses connections. Press r to ask again." in flat(app))
        assert dialog._workspace.connection.state == "failed"
        assert "Running for" not in words(app)
        backend.alive_error = None
        await pilot.press("r")
        await until(pilot, lambda: "kai.test answers in" in words(app))
        await until(pilot, lambda: dialog._workspace.connection.state == "connected")


async def test_a_clock_that_is_wrong_is_told(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(alive_now="2001-01-01T00:00:00Z"))
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "This computer's clock is" in words(app))
        assert "days" in words(app)


async def test_the_copy_is_text_without_the_token(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = ScriptedBackend(details=SAYS | {"echo": f"your token is {TOKEN}", "wrapped": list(TOKEN)})
    app = app_for(own_home, backend)
    monkeypatch.setattr(type(accounts_of(app)), "live_secrets", lambda self: [TOKEN])
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "kai.test answers in" in words(app))
        assert TOKEN not in words(app)
        assert "canary" not in words(app)
        await pilot.press("c")
        await until(pilot, lambda: app.clipboard)
        assert TOKEN not in app.clipboard
        assert "canaryCanary" not in app.clipboard
        assert "kai.test answers in" in app.clipboard
        assert "Running for: 3 hours 25 minutes" in app.clipboard
        assert "\x1b" not in app.clipboard


async def test_much_that_a_server_says_can_be_scrolled_to(own_home: Path) -> None:
    many = {f"field{number:03}": "value " * 20 for number in range(60)}
    app = app_for(own_home, ScriptedBackend(details=many))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "field000" in words(app))
        await pilot.press("end")
        await until(pilot, lambda: "field059" in words(app))


async def test_the_palette_offers_the_panel(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+p", *"about this server")
        await until(
            pilot,
            lambda: any(
                "About this server" in str(option.prompt)
                for each in app.screen.query(OptionList)
                for option in each.options
            ),
        )
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, AboutServer))


@pytest.mark.parametrize(
    ("flavour", "says", "offered"),
    [
        ("agent", "MCP server sandbox-project · connected", {"edit_instructions", "tool_permissions"}),
        pytest.param(
            "assistant",
            "MCP server https://mcp.sandbox.kai-tui.invalid · connected",
            set(),
            marks=pytest.mark.slow,
        ),
    ],
)
async def test_over_the_real_sandbox(own_home: Path, flavour: str, says: str, offered: set[str]) -> None:
    environ = {"KAI_TUI_HOME": str(own_home), "KAI_SERVICE": flavour, "KAI_TUI_SANDBOX_PACE": "0"}
    app = KaiApp(AccountService(environ), LaunchOptions(sandbox=True))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        palette = {item.name for item in ActionProvider(screen)._offered()}
        assert palette & {"edit_instructions", "tool_permissions"} == offered
        await opened(app, pilot)
        await until(pilot, lambda: "sandbox.kai-tui.invalid answers in" in words(app))
        assert says in flat(app)
        assert f"kai-{flavour}-sandbox (kai-{flavour})" in flat(app)
        assert ("of 500 messages" in flat(app)) == (flavour == "agent")

"""How the panels about the server look, in both themes and at two sizes. `make snapshots` renews the pictures."""

from __future__ import annotations

from pathlib import Path

from kai_tui.backends.base import Quota, ToolInfo
from kai_tui.services.health import Pulse
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.about_server import AboutServer
from kai_tui.ui.modals.instructions import InstructionsDialog
from kai_tui.ui.modals.tools import ToolsDialog
from kai_tui.ui.widgets.composer import Composer
from tests.services.scripted_backend import ScriptedBackend
from tests.snapshots import assert_same_picture
from tests.ui.fakes import app_for, kai_account, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_snapshots import PICTURES, name_of

pytestmark = PICTURES

SAYS = {
    "timestamp": "2026-11-21T12:00:00.000Z",
    "uptime": 12345.67,
    "appName": "kai-backend",
    "appVersion": "1.0.0",
    "serverVersion": "2.0.0",
    "connectedMcp": [
        {"name": "keboola-mcp", "status": "connected"},
        {"url": "https://mcp.example.test/a/long/address/of/another/server", "status": "disconnected"},
    ],
    "region": {"name": "eu-central-1", "azure": False},
}
TOOLS = [
    ToolInfo("get_tables", "Lists the tables of a bucket.", read_only=True),
    ToolInfo("query_data", "Runs a SELECT and shows at most 500 rows.", read_only=True),
    ToolInfo(
        "update_descriptions",
        "Writes the descriptions of buckets, tables and columns. What was there before is replaced.",
    ),
    ToolInfo("create_bucket", "Makes an empty bucket."),
    ToolInfo("create_buck\u0435t\u202e", "Looks like another one."),
    ToolInfo("run_job", "Starts a job of a configuration."),
]


def serving() -> ScriptedBackend:
    return ScriptedBackend(
        offers={"usage": True, "settings": True, "tool_permissions": True},
        details=dict(SAYS),
        quota_now=Quota(42, 150),
        tool_list=list(TOOLS),
        permissions_now={"run_job": "blocked", "create_bucket": "always_allow", "query_data": "always_ask"},
        instructions_now={
            "user": "Answer in short sentences.\n\n- Money in euro\n- Weeks begin on Monday",
            "project": "Tables of the shop are in in.c-shop; what is reported is in out.c-reports. "
            "Names of new tables are in snake_case.",
        },
    )


async def begin(app: KaiApp, pilot) -> None:
    screen = await ready(app, pilot)
    screen.query_one(Composer).cursor_blink = False
    await until(pilot, lambda: "42 of 150" in words(app))


async def same_picture(app: KaiApp, pilot, name: str) -> None:
    await pilot.pause(0.1)
    # What lies behind a dialog is drawn only together with it.
    app.screen.refresh()
    assert_same_picture(app, name)


async def test_snapshot_about_server(size, theme, tmp_path: Path, monkeypatch) -> None:
    app = app_for(tmp_path, serving(), sandbox=False)
    monkeypatch.setattr(
        type(app.accounts),
        "last",
        lambda self: kai_account()._replace(branch_id=77, branch_name="new-shop", project_id="4242"),
    )
    app.theme = theme

    async def ping(self) -> Pulse:
        return Pulse(0.038, 200.0)

    monkeypatch.setattr("kai_tui.services.health.Health.ping", ping)
    async with app.run_test(size=size) as pilot:
        await begin(app, pilot)
        await app.screen.run_action("about_server")
        await until(pilot, lambda: isinstance(app.screen, AboutServer) and "answers in 38 ms" in words(app))
        await same_picture(app, pilot, name_of("about-server", size, theme))


async def test_snapshot_instructions(size, theme, tmp_path: Path) -> None:
    app = app_for(tmp_path, serving())
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        await begin(app, pilot)
        await app.screen.run_action("edit_instructions")
        await until(pilot, lambda: isinstance(app.screen, InstructionsDialog))
        dialog = app.screen
        assert isinstance(dialog, InstructionsDialog)
        await until(pilot, lambda: dialog.sheet.state == "ready" and app.focused is dialog.sheet.editor)
        await pilot.press("x")
        await same_picture(app, pilot, name_of("instructions", size, theme))


async def test_snapshot_tools(size, theme, tmp_path: Path) -> None:
    app = app_for(tmp_path, serving())
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        await begin(app, pilot)
        await app.screen.run_action("tool_permissions")
        await until(pilot, lambda: isinstance(app.screen, ToolsDialog) and app.screen.tools.shown)
        dialog = app.screen
        assert isinstance(dialog, ToolsDialog)
        await until(pilot, lambda: app.focused is dialog.tools)
        await pilot.press("down", "down", "b")
        await until(pilot, lambda: dialog.tools.shown[2].saving == "saved")
        await same_picture(app, pilot, name_of("tools", size, theme))

"""How the lists above the prompt look, in both themes and at two sizes. `make snapshots` renews the pictures."""

from __future__ import annotations

from pathlib import Path

from kai_tui.conversation.project_objects import ProjectObject
from kai_tui.services.project_listing import ProjectListing
from tests.snapshots import assert_same_picture
from tests.ui.fakes import app_for, until
from tests.ui.test_mentions import with_project
from tests.ui.test_slash_commands import ready, shown, type_at_once
from tests.ui.test_snapshots import PICTURES, name_of

pytestmark = PICTURES


async def test_snapshot_commands(tmp_path: Path, theme: str, size: tuple[int, int]) -> None:
    app = app_for(tmp_path)
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        await ready(app, pilot)
        await type_at_once(app, pilot, *"/re")
        await until(pilot, lambda: "/retry" in shown(app))
        await pilot.press("down")
        assert_same_picture(app, name_of("composer-commands", size, theme))


async def test_snapshot_objects(tmp_path: Path, theme: str, size: tuple[int, int], monkeypatch) -> None:
    monkeypatch.setattr(ProjectListing, "age", property(lambda self: 180.0 if self.rows else None))
    app = with_project(tmp_path)
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        screen, _ = await ready(app, pilot)
        screen.workspace.objects.rows = [
            ProjectObject("bucket", "in.c-crm", "CRM", None, 22_528),
            ProjectObject("table", "in.c-crm.customers", "customers", 96),
            ProjectObject(
                "table", "out.c-reporting.customer_value", "Value of 顧客 \x1b[2J\u202e", 1_204_331
            ),
            ProjectObject("flow", "keboola.flow/5002", "Customers every Monday"),
        ]
        await type_at_once(app, pilot, *"compare @cust")
        await until(pilot, lambda: "in.c-crm.customers" in shown(app))
        assert_same_picture(app, name_of("composer-objects", size, theme))


async def test_snapshot_earlier_messages(tmp_path: Path, theme: str, size: tuple[int, int]) -> None:
    app = app_for(tmp_path)
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        _, composer = await ready(app, pilot)
        composer.set_history(
            [
                "Which region sold most last month?",
                "List the tables\nof the shop,\nplease",
                "Why did it fail?",
            ]
        )
        await type_at_once(app, pilot, *"draft", "ctrl+r", *"the")
        await until(pilot, lambda: "List the tables" in shown(app))
        assert_same_picture(app, name_of("composer-earlier", size, theme))

"""Asking about cells: they stand in the prompt, nothing is sent."""

from __future__ import annotations

from pathlib import Path

from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.ui.tables.marked import Marked
from kai_tui.ui.tables.viewer import TableViewer
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready


async def test_the_marked_cells_stand_in_the_prompt_and_nothing_is_sent(own_home: Path) -> None:
    backend = ScriptedBackend()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        screen._composer.load("why?")
        table = DataTable(("region", "amount"), [("West", "5"), ("East", "7"), ("North", "1")], "Orders")
        from kai_tui.conversation.tables.opening import Opening

        screen.show_table(Opening(table))
        await until(pilot, lambda: isinstance(app.screen, TableViewer))
        await pilot.press("down", "shift+down", "a")
        await until(pilot, lambda: app.focused is screen._composer)
        assert screen._composer.text_to_send == (
            "2 rows of 3 of the table “Orders”, column region of 2:\n| region |\n| --- |\n| East |\n| North |\nwhy?"
        )
        assert not screen.session or not screen.session.messages


async def test_a_prompt_that_takes_nothing_says_so(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        screen._composer.read_only = True
        screen._asked_about(Marked(DataTable(("a",), [("1",)]), 1, 1, 1))
        await until(
            pilot, lambda: any("takes no messages now" in str(each.message) for each in app._notifications)
        )
        assert screen._composer.text == ""

"""The table viewer from the conversation: by key, by the palette's action, by a click."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.pilot import Pilot

from kai_tui.conversation import events as e
from kai_tui.ui.app import KaiApp
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.tables.viewer import TableViewer
from tests.conversation.test_tables_slices import result_of
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, reply, words

TABLE = "Sold:\n\n| region | amount |\n|---|--:|\n| West | 4 |\n| East | 11 |\n"
LONG = result_of([["id", "text"], *([str(number), "x" * 40] for number in range(20_000))])


def query(output: object) -> list[Step]:
    return [
        e.Start("answer"),
        e.ToolInputAvailable("q1", "query_data", {"sql_query": "SELECT 1", "query_name": "Long"}, {}),
        e.ToolOutputAvailable("q1", output, {}),
        e.TextStart("t"),
        e.TextDelta("t", "That is all."),
        e.Finish("stop"),
    ]


async def answered(app: KaiApp, pilot: Pilot[None], end: str) -> ChatScreen:
    screen = await ready(app, pilot)
    await pilot.press(*"hello", "enter")
    await until(pilot, lambda: end in words(app) and not screen.session.turn.busy)
    return screen


def viewer(app: KaiApp) -> TableViewer:
    assert isinstance(app.screen, TableViewer)
    return app.screen


async def test_a_tools_result_of_20_000_rows_is_opened_from_its_card(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[query(LONG)]))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await answered(app, pilot, "That is all.")
        await pilot.press("ctrl+o", "up")
        stop = screen._transcript.stop
        assert stop is not None
        assert stop.kind == "card"
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TableViewer) and "Long" in words(app))
        await until(pilot, lambda: viewer(app)._judged.is_set())
        assert "20,000 rows" in words(app)
        await pilot.press("ctrl+end", "escape")
        await until(pilot, lambda: app.screen is screen)
        assert app.focused is screen._transcript


async def test_the_newest_table_in_sight_is_opened_while_writing(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[query(LONG)[:-1] + reply(TABLE)[1:]]))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await answered(app, pilot, "East")
        screen.action_open_table()
        await until(pilot, lambda: isinstance(app.screen, TableViewer))
        assert viewer(app).table.columns == ("region", "amount")


async def test_what_came_in_one_go_with_the_slash_is_filtered_by(own_home: Path) -> None:
    """The first letter would sort, copy or mark instead."""
    app = app_for(own_home, ScriptedBackend(replies=[reply(TABLE)]))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await answered(app, pilot, "East")
        screen.action_open_table()
        await until(pilot, lambda: isinstance(app.screen, TableViewer))
        await until(pilot, lambda: viewer(app)._judged.is_set())
        for key in ("slash", *"south"):
            app.post_message(events.Key(key, "/" if key == "slash" else key))
        await until(pilot, lambda: viewer(app).filter_text.endswith("outh"))
        assert viewer(app).filter_text == "south"
        assert viewer(app).grid.sorted_by is None


async def test_where_no_table_is_it_is_said(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply("Nothing to count.")]))
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        screen = await answered(app, pilot, "Nothing to count.")
        screen.action_open_table()
        await until(pilot, lambda: "There is no table in sight." in words(app))
        assert app.screen is screen


async def test_the_first_click_chooses_a_table_and_the_second_opens_it(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply(TABLE)]))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await answered(app, pilot, "East")
        lines = words(app).split("\n")
        y = next(at for at, line in enumerate(lines) if "West" in line)
        x = lines[y].index("West")
        await pilot.click(offset=(x, y))
        await until(pilot, lambda: screen._transcript.stop is not None)
        stop = screen._transcript.stop
        assert stop is not None
        assert stop.kind == "table"
        assert app.screen is screen
        screen.selections = {}
        await pilot.pause(0.6)  # not a double click: that selects a word
        await pilot.click(offset=(x, y))
        await until(pilot, lambda: isinstance(app.screen, TableViewer))

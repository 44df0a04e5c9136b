"""Ctrl+F on the chat screen: the line one writes in, its keys, and where one is afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from kai_tui.ui.transcript.view import Transcript
from kai_tui.ui.widgets.find_bar import FindBar
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import composer, ready, words
from tests.ui.test_copying import chatted, replies, said

LONG = "\n\n".join(f"Line {number} of orders." for number in range(60))


def bar_line(app) -> str:
    lines = words(app).split("\n")
    return next(
        (line[line.index("Find ") :].strip() for line in lines if "Find " in line and "Esc" in line), ""
    )


def number_of(app) -> int:
    before, _, _ = bar_line(app).partition(" of 60")
    return int(before.split()[-1])


@pytest.mark.parametrize("size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)])
async def test_what_is_typed_right_behind_ctrl_f_is_looked_for(own_home: Path, size: tuple[int, int]) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(LONG)))
    async with app.run_test(size=size) as pilot:
        await chatted(app, pilot, "q")
        top = app.screen.query_one(Transcript).scroll_y
        await pilot.press("d", "ctrl+f", *"of orders")
        await until(pilot, lambda: " of 60" in bar_line(app))
        assert composer(app).text == "d"
        # The first in sight: nothing moved but for the line that is needed to write in.
        assert 0 <= app.screen.query_one(Transcript).scroll_y - top <= 3
        first = number_of(app)
        assert 40 < first < 60
        await pilot.press("up", "up")
        await until(pilot, lambda: number_of(app) == first - 2)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: number_of(app) == first)
        await pilot.press(*["enter"] * (61 - first))
        await until(pilot, lambda: number_of(app) == 1)
        assert "Line 0 of orders" in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: bar_line(app) == "")
        assert "Line 0 of orders" in words(app)
        assert app.focused is composer(app)
        await pilot.press("x")
        assert composer(app).text == "dx"


async def test_ctrl_f_again_is_back_where_one_was(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(LONG)))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        transcript = app.screen.query_one(Transcript)
        await pilot.press("ctrl+f", *"Line 3 ")
        await until(pilot, lambda: "1 of 1" in bar_line(app))
        assert not transcript.follow
        await pilot.press("ctrl+f")
        await until(pilot, lambda: bar_line(app) == "")
        assert transcript.follow
        assert app.focused is composer(app)


async def test_while_reading_a_slash_begins_and_n_goes_on(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(LONG)))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        await pilot.press("ctrl+o", "slash", *"of orders", "tab")
        transcript = app.screen.query_one(Transcript)
        await until(pilot, lambda: app.focused is transcript and " of 60" in bar_line(app))
        # The keys that work here, not those of the line one writes in.
        await until(pilot, lambda: "n next · N before" in bar_line(app))
        assert "Enter" not in bar_line(app)
        first = number_of(app)
        await pilot.press("N")
        await until(pilot, lambda: f"{first - 1} of 60" in bar_line(app))
        assert transcript.source_under_cursor == f"Line {first - 2} of orders."
        await pilot.press("n", "n")
        await until(pilot, lambda: f"{first + 1} of 60" in bar_line(app))
        await pilot.press("escape")
        await until(pilot, lambda: bar_line(app) == "")
        assert app.focused is transcript
        await pilot.press("n")
        await until(pilot, lambda: " of 60" in bar_line(app))
        assert app.focused is transcript
        assert "n next · N before" in bar_line(app)
        await pilot.press("slash")
        await until(pilot, lambda: "Enter next · ↑ before" in bar_line(app))
        await pilot.press("tab", "escape", "escape")
        await until(pilot, lambda: app.focused is composer(app))


@pytest.mark.slow
async def test_not_found_is_said_and_what_stands_there_is_typed_over(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(LONG)))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        await pilot.press("ctrl+f", *"nowhere")
        await until(pilot, lambda: "not found" in bar_line(app))
        await pilot.press("escape", "ctrl+f")
        await until(pilot, lambda: "not found" in bar_line(app))
        await pilot.press(*"Line 59")
        await until(pilot, lambda: "1 of 1" in bar_line(app))
        assert app.screen.query_one(FindBar).query_text == "Line 59"


async def test_there_is_nothing_to_find_in_an_empty_chat(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+f", "x")
        await until(pilot, lambda: "There is nothing to find in yet." in said(app))
        assert composer(app).text == "x"


@pytest.mark.slow
async def test_another_chat_ends_the_search(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(LONG)))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        await pilot.press("ctrl+f", *"Line 3")
        await until(pilot, lambda: " of 11" in bar_line(app))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: bar_line(app) == "")
        assert app.focused is composer(app)


async def test_the_command_takes_its_words(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(LONG)))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        await pilot.press(*"/find Line 12", "enter")
        await until(pilot, lambda: "1 of 1" in bar_line(app))
        assert "Line 12 of orders" in words(app)
        assert composer(app).text == ""


@pytest.mark.slow
async def test_a_reply_is_stopped_with_the_bar_open_too(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=replies(LONG)))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        await pilot.press("ctrl+f", *"Line")
        app.screen.set_focus(composer(app))
        await pilot.press("escape")
        await pilot.pause()
        assert bar_line(app) != ""


@pytest.mark.parametrize("way", ["ctrl+f", "slash"])
async def test_what_came_in_one_go_with_the_key_is_written_in_the_line(own_home: Path, way: str) -> None:
    """Typed fast while reading, `/copy` would copy a block and look for `opy`."""
    app = app_for(own_home, ScriptedBackend(replies=replies(LONG)))
    async with app.run_test(size=(80, 24)) as pilot:
        await chatted(app, pilot, "q")
        await pilot.press("ctrl+o")
        for word in ("copy", "edit"):
            for key in (way, *word):
                app.post_message(events.Key(key, "/" if key == "slash" else key))
            await until(pilot, lambda word=word: f"{word[1:]} " in bar_line(app))
            assert bar_line(app).split()[:2] == ["Find", word]
            await pilot.press("tab", "escape")

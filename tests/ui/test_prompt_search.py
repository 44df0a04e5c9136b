"""Ctrl+R: earlier prompts are found, shown whole, and never sent by finding them."""

from __future__ import annotations

from pathlib import Path

from textual import events

from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.popover import Popover
from tests.ui.fakes import app_for, until
from tests.ui.test_slash_commands import ready, sent, shown, type_at_once


def title(app) -> str:
    return str(app.screen.query_one(Popover).border_title)


EARLIER = ["list the tables", "why did it fail?\nline two\nline three", "list the buckets", "list the tables"]


async def test_the_newest_fitting_prompt_is_shown_whole_and_taken_without_sending(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        composer.set_history(EARLIER)
        await type_at_once(app, pilot, *"draft", "ctrl+r", *"FAIL did")
        await until(pilot, lambda: composer.text == EARLIER[1])
        await until(pilot, lambda: "why did it fail? ⏎ line two" in shown(app))
        assert "FAIL did▏" in title(app)
        assert composer.text_to_send == "draft", "what was typed is what is kept"
        await pilot.press("enter")
        await until(pilot, lambda: not shown(app))
        assert composer.text == composer.text_to_send == EARLIER[1]
        assert sent(screen) == []
        await pilot.press("ctrl+z")
        assert composer.text == "draft"
        await pilot.press("ctrl+y")
        assert composer.text == EARLIER[1]


async def test_duplicates_are_folded_and_ctrl_r_goes_on_to_older_ones(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        _, composer = await ready(app, pilot)
        composer.set_history(EARLIER)
        await type_at_once(app, pilot, "ctrl+r", *"list")
        await until(pilot, lambda: shown(app).split("\n") == [" list the tables", " list the buckets"])
        assert composer.text == "list the tables"
        await pilot.press("ctrl+r")
        assert composer.text == "list the buckets"
        await pilot.press("up")
        assert composer.text == "list the tables"
        await pilot.press("backspace", "backspace", "ctrl+w")
        await until(pilot, lambda: "messages: ▏" in title(app))
        assert len(shown(app).splitlines()) == 3


async def test_escape_gives_back_the_draft_with_its_cursor_and_its_steps_back(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        composer.set_history(EARLIER)
        app.post_message(events.Paste("one\n"))
        app.post_message(events.Paste("two"))
        await until(pilot, lambda: composer.text == "one\ntwo")
        await pilot.press("left", "ctrl+r", "w", "h", "y")
        await until(pilot, lambda: composer.text == EARLIER[1])
        await pilot.press("escape")
        assert composer.text == "one\ntwo"
        assert composer.cursor_location == (1, 2)
        assert not shown(app)
        await pilot.press("ctrl+z")
        assert composer.text == "one\n"
        assert sent(screen) == []


async def test_words_nobody_sent_leave_the_draft_and_say_so(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        composer.set_history(EARLIER)
        await type_at_once(app, pilot, *"draft", "ctrl+r", *"xyzzy", "enter")
        await until(pilot, lambda: "No earlier message has these words." in shown(app))
        assert composer.text == "draft"
        assert sent(screen) == []
        await pilot.press("escape")
        assert composer.text == "draft"


async def test_keys_that_edit_and_pastes_do_not_touch_what_is_only_shown(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        _, composer = await ready(app, pilot)
        composer.set_history(EARLIER)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: composer.text == EARLIER[3])
        await pilot.press("ctrl+k", "delete", "ctrl+j", "left", "home")
        assert composer.text == EARLIER[3]
        app.post_message(events.Paste("buckets\nmore"))
        await until(pilot, lambda: "buckets▏" in title(app))
        assert composer.text == "list the buckets"


async def test_the_draft_survives_a_new_chat_during_the_search(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        composer.set_history(EARLIER)
        await type_at_once(app, pilot, *"mine", "ctrl+r", *"why")
        await until(pilot, lambda: composer.text == EARLIER[1])
        first = screen.session
        assert first is not None
        await pilot.press("ctrl+n")
        await until(pilot, lambda: screen.session is not first)
        assert composer.text == ""
        assert not shown(app)
        assert screen._drafts.known(first.chat_id) == "mine"


async def test_a_big_earlier_prompt_comes_back_as_its_chip(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    big, other = "row of data\n" * 20_000, "row of dada\n" * 20_000
    async with app.run_test(size=(80, 24)) as pilot:
        _, composer = await ready(app, pilot)
        composer.set_history([big])
        app.post_message(events.Paste(other))
        await until(pilot, lambda: composer.text_to_send == other)
        await pilot.press("ctrl+r", "enter")
        await until(pilot, lambda: composer.text_to_send == big)
        await pilot.press("ctrl+z")
        assert composer.text_to_send == other, "equal labels never stand for the wrong text"
        assert isinstance(app.focused, Composer)

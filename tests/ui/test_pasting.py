"""Big pastes on the chat screen: one key shows them as text, and a token in one is noticed wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from tests.ui.fakes import TOKEN, app_for, until
from tests.ui.test_slash_commands import ready, sent, told


async def test_alt_v_shows_a_paste_as_text_and_says_when_it_cannot(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    rows = "row of data\n" * 1_000
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen, composer = await ready(app, pilot)
        await pilot.press("alt+v")
        await until(pilot, lambda: "There is no paste" in told(app))
        app.post_message(events.Paste(rows))
        await until(pilot, lambda: "[pasted" in composer.text)
        await pilot.press("alt+v")
        await until(pilot, lambda: composer.text == rows)
        await pilot.press("ctrl+z", "ctrl+z")
        assert composer.text == ""
        app.post_message(events.Paste("x" * 200_000))
        await until(pilot, lambda: "[pasted" in composer.text)
        await pilot.press("alt+v")
        await until(pilot, lambda: "too big to be edited here: Ctrl+X Ctrl+E" in told(app))
        assert composer.text_to_send == "x" * 200_000
        assert sent(screen) == []


@pytest.mark.parametrize("before", [0, 4090, 60_000])
async def test_a_token_is_noticed_wherever_it_stands_in_a_paste(tmp_path: Path, before: int) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        _, composer = await ready(app, pilot)
        app.post_message(events.Paste(("some words\n" * 10_000)[:before] + f" {TOKEN} and more"))
        await until(pilot, lambda: "looks like a token" in told(app))
        assert composer.text_to_send

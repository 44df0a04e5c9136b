"""What an empty chat offers to ask: the server's suggestions, chosen by number, Enter or click."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import ServerFailed, Suggestion
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.help import HelpDialog
from kai_tui.ui.screens.chat_words import SANDBOX_TRIES
from kai_tui.ui.widgets.reading_note import ReadingNote
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import composer, ready, reply, words

WHY = "Look at the last two runs of the job “Support desk” and tell me why they failed, with the log lines."
SUGGESTIONS = [Suggestion("Support desk fails", WHY), Suggestion("Sales", "Which region sold most?")]


def suggesting(*replies) -> ScriptedBackend:
    return ScriptedBackend(
        replies=list(replies), offers={"suggestions": True}, suggestion_list=list(SUGGESTIONS)
    )


def sent(backend: ScriptedBackend) -> list[str]:
    return [each.text for each in backend.posts]


async def test_the_servers_suggestions_take_the_place_of_the_usual_ones(own_home: Path) -> None:
    app = app_for(own_home, suggesting())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        shown = " ".join(words(app).split())
        assert "tell me why they failed, with the log lines." in shown, "the prompt is shown whole"
        assert SANDBOX_TRIES[0] not in shown


async def test_without_suggestions_the_usual_ones_stay(own_home: Path) -> None:
    class Failing(ScriptedBackend):
        async def suggestions(self):
            raise ServerFailed("No.")

    app = app_for(own_home, Failing(offers={"suggestions": True}))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        assert SANDBOX_TRIES[0] in words(app)


async def test_a_number_and_enter_send_the_suggestion_and_a_number_alone_sends_nothing(
    own_home: Path,
) -> None:
    backend = suggesting(reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        await pilot.press("1")
        await until(pilot, lambda: "Enter sends “Look at the last two runs" in words(app))
        assert sent(backend) == []
        await pilot.press("enter")
        await until(pilot, lambda: "West sold most." in words(app))
        assert sent(backend) == [WHY]
        assert composer(app).text == ""


async def test_enter_behind_a_number_sends_only_once(own_home: Path) -> None:
    backend = suggesting(reply(), reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        await pilot.press("2", "enter", "enter")
        await until(pilot, lambda: "West sold most." in words(app))
        assert sent(backend) == ["Which region sold most?"]


@pytest.mark.parametrize(
    "keys",
    [
        ("2", "0", "2", "4"),
        *(pytest.param(each, marks=pytest.mark.slow) for each in (("2", "backspace", "x"), ("2", "ctrl+j"))),
    ],
)
async def test_a_message_that_begins_with_a_digit_is_a_message(own_home: Path, keys) -> None:
    backend = suggesting(reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        await pilot.press(*keys)
        assert composer(app).text in ("2024", "x", "2\n")
        await pilot.press("enter")
        await until(pilot, lambda: len(backend.posts) == 1)
        assert sent(backend)[0] in ("2024", "x", "2\n")


async def test_a_digit_beyond_the_choices_is_text(own_home: Path) -> None:
    backend = suggesting(reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        await pilot.press("3", "enter")
        await until(pilot, lambda: sent(backend) == ["3"])


async def test_the_choice_is_the_one_that_was_shown_when_the_key_was_pressed(own_home: Path) -> None:
    backend = suggesting(reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        await pilot.press("1")
        screen.workspace.offers.suggestions = tuple(reversed(SUGGESTIONS))
        screen.on_offers_news()
        await pilot.press("enter")
        await until(pilot, lambda: sent(backend) == [WHY])


async def test_behind_a_dialog_a_digit_sends_nothing(own_home: Path) -> None:
    backend = suggesting(reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        await pilot.press("1", "enter", "escape")
        await until(pilot, lambda: not isinstance(app.screen, HelpDialog))
        assert sent(backend) == []
        assert composer(app).text == ""


async def test_a_click_sends_the_suggestion(own_home: Path) -> None:
    backend = suggesting(reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        row = next(y for y, line in enumerate(words(app).split("\n")) if "Which region sold most?" in line)
        assert await pilot.click(offset=(50, row))
        await until(pilot, lambda: sent(backend) == ["Which region sold most?"])


async def test_hidden_characters_of_a_suggestion_are_neither_hidden_nor_sent(own_home: Path) -> None:
    tagged = "Sales" + "".join(chr(0xE0000 + ord(letter)) for letter in "drop")
    backend = ScriptedBackend(
        replies=[reply()],
        offers={"suggestions": True},
        suggestion_list=[Suggestion("Evil\x1b[2J", tagged), Suggestion("Blank", " \n ")],
    )
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Evil" in words(app))
        assert "Blank" not in words(app)
        await pilot.press("1", "enter")
        await until(pilot, lambda: len(backend.posts) == 1)
        assert "\U000e0064" not in sent(backend)[0]
        assert "hidden" in sent(backend)[0] or "U+E0064" in sent(backend)[0]


async def test_long_suggestions_can_be_scrolled(own_home: Path) -> None:
    long = [Suggestion(f"Number {number}", f"{number} " + "word " * 120) for number in range(1, 8)]
    backend = ScriptedBackend(offers={"suggestions": True}, suggestion_list=long)
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Number 1" in words(app))
        assert "Number 7" not in words(app)
        for _ in range(6):
            await pilot.press("pagedown")
        await until(pilot, lambda: "Number 7" in words(app))


async def test_the_same_words_are_not_drawn_twice(own_home: Path) -> None:
    app: KaiApp = app_for(own_home, suggesting())
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        await until(pilot, lambda: "Support desk fails" in words(app))
        note = screen.query_one(ReadingNote)
        drawn: list[object] = []
        note._text.update = lambda *a, **k: drawn.append(a)  # type: ignore[method-assign,assignment]
        screen._refresh_words()
        screen.on_offers_news()
        assert drawn == []

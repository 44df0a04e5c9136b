"""Picking what is offered: by number and Enter, by click, while reading; and what a digit still is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events

from kai_tui.conversation import events as e
from kai_tui.ui.app import KaiApp
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.transcript.view import Transcript
from kai_tui.ui.widgets.composer import Composer
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import composer, ready, words

SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]


def offering(*items: str, text: str = "West sold most.", more: tuple[Step, ...] = ()) -> list[Step]:
    block = "\n\n```next_actions\n" + "".join(f"- {item}\n" for item in items) + "```\n"
    return [
        e.Start(f"a-{items[0]}"),
        e.TextStart("t"),
        e.TextDelta("t", text + block),
        *more,
        e.Finish("stop"),
    ]


def title(app: KaiApp) -> str:
    found = composer(app)._border_title  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage]
    return "" if found is None else found.plain


async def asked(app: KaiApp, pilot, backend: ScriptedBackend) -> ChatScreen:
    """One question was answered, and the answer offers two things."""
    screen = await ready(app, pilot)
    await pilot.press(*"hello", "enter")
    await until(pilot, lambda: "1  Why did it fail?" in words(app))
    await until(pilot, lambda: screen.session is not None and not screen.session.turn.busy)
    return screen


def posts(backend: ScriptedBackend) -> list[str]:
    return [each.text for each in backend.posts]


@pytest.mark.parametrize("size", SIZES)
async def test_a_digit_says_what_enter_will_send_and_enter_sends_it(
    own_home: Path, size: tuple[int, int]
) -> None:
    backend = ScriptedBackend(replies=[offering("Why did it fail?", "Run it again"), offering("x")])
    app = app_for(own_home, backend)
    async with app.run_test(size=size) as pilot:
        await asked(app, pilot, backend)
        await pilot.press("2")
        await until(pilot, lambda: title(app))
        assert composer(app).text == "2"
        assert title(app) == "Enter sends “Run it again” · type on to write"
        assert title(app) in words(app)
        assert posts(backend) == ["hello"]
        await pilot.press("enter")
        await until(pilot, lambda: len(backend.posts) == 2)
        assert posts(backend)[-1] == "Run it again"
        assert composer(app).text == ""
        assert title(app) == ""
        await until(pilot, lambda: "·  Run it again" in words(app))
        # It is one of the earlier messages now.
        await pilot.press("up")
        assert composer(app).text == "Run it again"


async def test_a_sentence_that_begins_with_a_digit_is_written_as_ever(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[offering("Why did it fail?"), offering("x")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await asked(app, pilot, backend)
        await pilot.press(*"12 tables", "enter")
        await until(pilot, lambda: len(backend.posts) == 2)
        assert posts(backend)[-1] == "12 tables"


async def test_what_is_not_just_the_number_of_a_choice_is_text(own_home: Path) -> None:
    every = [["5"], ["0"], ["1", "space"], ["1", "2", "backspace"], ["x", "backspace", "y"]]
    backend = ScriptedBackend(replies=[offering("Why did it fail?") for _ in range(len(every) + 1)])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await asked(app, pilot, backend)
        for count, keys in enumerate(every, 2):
            await pilot.press(*keys)
            typed = composer(app).text
            await pilot.pause()
            assert title(app) == ""
            await pilot.press("enter")
            await until(pilot, lambda count=count: len(backend.posts) == count)
            assert posts(backend)[-1] == typed
            await until(pilot, lambda: screen.session is not None and screen.session.live_choices())


async def test_a_pasted_or_recalled_digit_is_text(own_home: Path) -> None:
    backend = ScriptedBackend(
        replies=[offering("Why did it fail?"), offering("Why did it fail?"), offering("x")]
    )
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await asked(app, pilot, backend)
        composer(app).post_message(events.Paste("1"))
        await until(pilot, lambda: composer(app).text == "1")
        assert title(app) == ""
        await pilot.press("enter")
        await until(pilot, lambda: posts(backend) == ["hello", "1"])
        await until(pilot, lambda: screen.session is not None and len(screen.session.live_choices()) == 1)
        await pilot.press("up")
        await until(pilot, lambda: composer(app).text == "1")
        await pilot.press("enter")
        await until(pilot, lambda: posts(backend) == ["hello", "1", "1"])


async def test_a_choice_that_comes_between_the_digit_and_enter_is_not_sent(own_home: Path) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(
        replies=[[e.Start("a"), gate, *offering("Delete everything")[1:]], offering("x"), offering("y")]
    )
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press(*"which?", "enter")
        await until(pilot, lambda: len(backend.posts) == 1)
        await pilot.press("1")
        gate.set()
        await until(pilot, lambda: "1  Delete everything" in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: len(backend.posts) == 2)
        assert posts(backend)[-1] == "1"


async def test_a_pick_while_the_turn_runs_waits_like_a_message_and_is_made_once(own_home: Path) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[offering("Why did it fail?", more=(gate,)), offering("x")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "1  Why did it fail?" in words(app))
        await pilot.press("1", "enter", "1", "enter")
        session = screen.session
        assert session is not None
        await until(pilot, lambda: session.queue)
        await pilot.pause()
        await until(pilot, lambda: "·  Why did it fail?" in words(app))
        first = session.queue[0].text
        gate.set()
        await until(pilot, lambda: len(backend.posts) >= 2)
        assert first == "Why did it fail?"
        assert posts(backend)[:2] == ["hello", "Why did it fail?"]
        assert posts(backend).count("Why did it fail?") == 1


async def test_a_click_and_enter_while_reading_pick_at_once(own_home: Path) -> None:
    backend = ScriptedBackend(
        replies=[offering("Why did it fail?", "Run it again"), offering("Why did it fail?"), offering("x")]
    )
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await asked(app, pilot, backend)
        await pilot.press(*"a draft")
        transcript = screen.query_one(Transcript)
        lines = [strip.text for strip in transcript._compose_lines(0, transcript.size.height)]  # pyright: ignore[reportPrivateUsage]
        at = next(index for index, line in enumerate(lines) if "2  Run it again" in line)
        await pilot.click(Transcript, offset=(14, at))
        await until(pilot, lambda: posts(backend) == ["hello", "Run it again"])
        assert composer(app).text == "a draft"
        assert isinstance(app.focused, Composer)
        await until(pilot, lambda: screen.session is not None and len(screen.session.live_choices()) == 1)
        await pilot.press("ctrl+o", "down", "enter")
        await until(pilot, lambda: posts(backend) == ["hello", "Run it again", "Why did it fail?"])


@pytest.mark.parametrize("item", ["Show\u202e it", pytest.param("w " * 400, marks=pytest.mark.slow)])
async def test_what_is_not_shown_whole_goes_into_the_prompt(own_home: Path, item: str) -> None:
    backend = ScriptedBackend(replies=[offering("Why did it fail?", item)])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await asked(app, pilot, backend)
        await pilot.press("2")
        await until(pilot, lambda: title(app).startswith("Enter writes “"))
        await pilot.press("enter")
        await until(pilot, lambda: len(composer(app).text) > 1)
        assert posts(backend) == ["hello"]
        assert composer(app).text == item.strip().replace("\u202e", "⟨U+202E⟩")
        await until(pilot, lambda: any("look it over" in each.message for each in app._notifications))


async def test_one_offered_earlier_goes_into_the_prompt_below_what_was_typed(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[offering("Why did it fail?"), offering("Something else")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await asked(app, pilot, backend)
        await pilot.press(*"more", "enter")
        await until(pilot, lambda: "1  Something else" in words(app))
        await pilot.press(*"draft")
        await pilot.press("ctrl+o", "up", "up", "enter")
        await until(pilot, lambda: composer(app).text == "draft\nWhy did it fail?")
        assert len(backend.posts) == 2
        assert isinstance(app.focused, Composer)
        assert screen.session is not None


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_chat_offers_its_openers_the_same_way(own_home: Path, size: tuple[int, int]) -> None:
    backend = ScriptedBackend(replies=[offering("x"), offering("y")])
    app = app_for(own_home, backend)
    async with app.run_test(size=size) as pilot:
        await ready(app, pilot)
        assert "1  Which region sold most last month?" in words(app)
        await pilot.press("2")
        await until(pilot, lambda: title(app) == "Enter sends “What tables do I have?” · type on to write")
        await pilot.press("enter")
        await until(pilot, lambda: posts(backend) == ["What tables do I have?"])
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "1  Which region sold most last month?" in words(app))
        lines = words(app).split("\n")
        row = next(index for index, line in enumerate(lines) if "1  Which region" in line)
        await pilot.click(offset=(lines[row].index("Which"), row))
        await until(pilot, lambda: len(backend.posts) == 2)
        assert posts(backend)[-1] == "Which region sold most last month?"


async def test_digits_typed_before_the_first_frame_are_text(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[offering("x")])
    app = app_for(own_home, backend)
    assert app.type_ahead.take(events.Key("1", "1"), app)
    assert app.type_ahead.take(events.Key("enter", None), app)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: backend.posts)
        assert posts(backend) == ["1"]


async def test_a_fork_that_shows_its_quote_offers_nothing_that_is_not_on_screen(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[offering("Why did it fail?"), offering("x")])
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await asked(app, pilot, backend)
        first = screen.session
        screen.action_fork_chat()
        await until(pilot, lambda: screen.session is not first and screen.session is not None)
        assert screen.session is not None
        assert screen.session.quote
        assert not screen.live_choices()
        assert "Try one" not in words(app)

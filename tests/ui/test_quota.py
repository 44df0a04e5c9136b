"""The month's quota on screen: the status line, the word before sending, the reason of a refusal."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kai_tui.backends.base import CannotConnect, Quota, RateLimited
from kai_tui.services.quota_words import quota_line, quota_words, used_up
from kai_tui.ui.app import KaiApp
from kai_tui.ui.screens.chat_queue import STRAY_SECONDS
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import composer, ready, reply, words

RESETS = "2036-12-01T12:00:00.000Z"


@pytest.fixture(autouse=True)
def day_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")


def counting(used: int, *replies, limit: int = 150) -> ScriptedBackend:
    return ScriptedBackend(
        replies=list(replies), offers={"usage": True}, quota_now=Quota(used, limit, RESETS)
    )


def told(app: KaiApp) -> str:
    return "\n".join(str(each.message) for each in app._notifications)


@pytest.mark.some(1)
@pytest.mark.parametrize(
    ("used", "line"),
    [
        (42, "42 of 150 messages"),
        (121, "121 of 150 messages · new ones on 1 Dec 2036"),
        (150, "150 of 150 messages · new ones on 1 Dec 2036"),
    ],
)
async def test_the_status_line_counts(own_home: Path, used: int, line: str) -> None:
    app = app_for(own_home, counting(used))
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: line in words(app))
        assert ("new ones" in words(app)) == ("new ones" in line)


async def test_in_a_small_window_the_warning_stays(own_home: Path) -> None:
    app = app_for(own_home, counting(121))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "121 of 150" in words(app))


async def test_when_none_is_left_enter_asks_once_and_then_the_server_decides(own_home: Path) -> None:
    backend = counting(150, reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "150 of 150" in words(app))
        await pilot.press(*"hello", "enter", "enter")
        await until(pilot, lambda: "used up until 1 Dec 2036. Press Enter again" in told(app))
        assert composer(app).text == "hello"
        assert backend.posts == [], "two quick presses are one"
        await asyncio.sleep(STRAY_SECONDS)
        await pilot.press("enter")
        await until(pilot, lambda: [each.text for each in backend.posts] == ["hello"])


async def test_another_text_is_asked_about_anew(own_home: Path) -> None:
    backend = counting(150, reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "150 of 150" in words(app))
        await pilot.press(*"hello", "enter")
        await asyncio.sleep(STRAY_SECONDS)
        await pilot.press("x", "enter")
        await pilot.pause()
        assert backend.posts == []
        assert composer(app).text == "hellox"


async def test_a_suggestion_is_held_back_too(own_home: Path) -> None:
    backend = counting(150, reply())
    app = app_for(own_home, backend)
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "150 of 150" in words(app))
        await pilot.press("1", "enter")
        await until(pilot, lambda: composer(app).text == "Which region sold most last month?")
        assert backend.posts == []


async def test_a_refusal_names_the_count_and_the_day(own_home: Path) -> None:
    refusal = RateLimited("You have exceeded your messages.", code="rate_limit:chat", status=429)
    backend = counting(149, [refusal])
    app = app_for(own_home, backend)
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "149 of 150" in words(app))
        backend.quota_now = Quota(150, 150, RESETS)
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "150 of 150 messages of this month are used; new ones on" in words(app))
        assert "You have exceeded your messages." in words(app)
        await until(pilot, lambda: "150 of 150 messages · new ones on 1 Dec 2036" in words(app))
        assert backend.quota_reads == 2


async def test_a_refusal_without_a_number_is_told_all_the_same(own_home: Path) -> None:
    refusal = RateLimited("You have exceeded your messages.", code="rate_limit:chat", status=429)
    backend = counting(1, [refusal])
    backend.quota_error = CannotConnect("No.")
    app = app_for(own_home, backend)
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(app, pilot)
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "You have exceeded your messages." in told(app))
        assert "are used" not in words(app)


async def test_the_return_of_the_server_is_told_once(own_home: Path) -> None:
    backend = ScriptedBackend()
    app = app_for(own_home, backend)
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await ready(app, pilot)
        assert "Connected again" not in told(app)
        backend.alive_error = CannotConnect("kai.test refuses connections.")
        await screen.workspace.offers.health.ping()
        await until(pilot, lambda: "offline: kai.test refuses connections." in words(app))
        backend.alive_error = None
        await screen.workspace.offers.health.ping()
        await until(pilot, lambda: "Connected again: kai.test answers." in told(app))
        await pilot.pause()
        assert told(app).count("Connected again") == 1
        assert "offline" not in words(app)


def test_words_for_odd_numbers() -> None:
    assert quota_line(Quota(7, 0)) == "7 messages this month"
    assert quota_line(Quota(140, 150, "junk")) == "140 of 150 messages"
    assert used_up(Quota(1, 1)) == "This month's messages are used up. Press Enter again to try anyway."
    assert quota_words(Quota(3, 2)) == "3 of 2 messages of this month are used."
    assert quota_words(Quota(3, 0, "0001-01-01T00:00:00Z")) == "3 messages of this month are used."

"""Attaching a file or an address to the next message: over real adapters and their fake servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kai_tui.ui.modals.pick_file import PickFile
from tests.backends.imbrace.kit import account
from tests.fakes.imbrace import ImbraceFake
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import composer, ready, words
from tests.ui.test_quota import told

POST = "POST /ai-agent/v2/chat"
SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_and_an_address_go_with_the_next_message(
    own_home: Path, tmp_path: Path, fake: ImbraceFake, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "chart.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 2000)
    monkeypatch.chdir(tmp_path)
    app = app_for(own_home, account(fake.url))  # pyright: ignore[reportArgumentType]
    async with app.run_test(size=size) as pilot:
        screen = await ready(app, pilot)
        assert not screen.denies("attach_file")
        await pilot.press("alt+e")
        await until(pilot, lambda: isinstance(app.screen, PickFile))
        await pilot.press("c", "h", "tab")
        await until(pilot, lambda: "chart.png · 2 kB" in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen and "with it: chart.png · 2 kB" in words(app))
        assert "Alt+X takes it out" in words(app)
        await pilot.press("alt+e")
        await until(pilot, lambda: isinstance(app.screen, PickFile))
        dialog = app.screen
        assert isinstance(dialog, PickFile)
        dialog.input.insert_text_at_cursor("https://files.example.com/plan.pdf")
        await pilot.press("enter")
        await until(
            pilot, lambda: "Enter attaches it" in words(app).replace("Tab completes · Enter attaches it", "")
        )
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen and "plan.pdf · files.example.com" in words(app))
        # Enter without words says what is missing; nothing is sent.
        await pilot.press("enter")
        await until(pilot, lambda: "Write a few words" in told(app))
        assert fake.calls(POST) == []
        await pilot.press("alt+x")
        await until(pilot, lambda: "plan.pdf" not in words(app))
        assert composer(app).has_focus
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: fake.calls(POST))
        parts = fake.calls(POST)[0].body["messages"][0]["parts"]
        assert [part.get("name", part["type"]) for part in parts] == ["text", "chart.png"]
        await until(pilot, lambda: "with it:" not in words(app) and "▣ chart.png" in words(app))


async def test_what_the_agent_does_not_take_is_a_sentence(own_home: Path, tmp_path: Path, fake: ImbraceFake):
    (tmp_path / "x.zip").write_bytes(b"PK")
    (tmp_path / "large.png").write_bytes(b"x" * (5 * 2**20 + 1))
    app = app_for(own_home, account(fake.url))  # pyright: ignore[reportArgumentType]
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+e")
        await until(pilot, lambda: isinstance(app.screen, PickFile))
        dialog = app.screen
        assert isinstance(dialog, PickFile)
        for name, sentence in (
            ("x.zip", "only images, PDF and CSV files can"),
            ("large.png", "at most 5 MB"),
        ):
            dialog.input.value = ""
            dialog.input.insert_text_at_cursor(str(tmp_path / name))
            await pilot.press("enter")
            await until(
                pilot, lambda sentence=sentence: sentence in " ".join(words(app).replace("│", " ").split())
            )
            await pilot.press("enter")
            assert app.screen is dialog
        assert fake.uploads == []


async def test_what_is_attached_stays_with_its_chat(own_home: Path, tmp_path: Path, fake: ImbraceFake):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    app = app_for(own_home, account(fake.url))  # pyright: ignore[reportArgumentType]
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press("alt+e")
        await until(pilot, lambda: isinstance(app.screen, PickFile))
        dialog = app.screen
        assert isinstance(dialog, PickFile)
        dialog.input.insert_text_at_cursor(str(tmp_path / "a.png"))
        await pilot.press("enter")
        await until(pilot, lambda: "a.png · 8 B" in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: "with it: a.png" in words(app))
        first = screen.session
        await pilot.press("ctrl+n")
        await until(pilot, lambda: screen.session is not first and "with it:" not in words(app))


async def test_a_server_that_takes_words_only_offers_nothing(own_home: Path):
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        assert screen.denies("attach_file")
        assert screen.denies("detach_file")
        await pilot.press("alt+e")
        await until(pilot, lambda: "No files can go with a message here." in told(app))


def test_a_waiting_message_says_how_many_files_go_with_it():
    from kai_tui.services.turn import Queued
    from kai_tui.ui.screens.chat_queue_words import queue_lines

    queue = [Queued("1", "Look at this"), Queued("2", "And at these " * 20), Queued("3", "Plain")]
    lines = queue_lines(queue, 76, 3, {"1": 1, "2": 2, "3": 0}.__getitem__).plain.split("\n")
    assert "+1 file · " in lines[0]
    assert lines[1].endswith("+2 files")
    assert "file" not in lines[2]
    assert all(len(line) <= 76 for line in lines)

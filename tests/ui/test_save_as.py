"""Saving from a dialog: the format, the path, never over a file without a yes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.help import HelpDialog
from kai_tui.ui.modals.save_as import SaveAs, Saved, SaveFormat
from kai_tui.ui.modals.save_table import save_table
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, words

TABLE = DataTable(("id", "sum"), [("1", "5"), ("2", "=1+1")], "Orders by region")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with no folder of downloads."""
    monkeypatch.setattr("kai_tui.services.saved_files._downloads", lambda: None)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


async def opened(app: KaiApp, pilot: Pilot[object], dialog: SaveAs) -> list[Saved | None]:
    answers: list[Saved | None] = []
    await ready(app, pilot)
    app.push_screen(dialog, answers.append)
    await until(pilot, lambda: app.screen is dialog and bool(dialog.input.value))
    return answers


@pytest.mark.parametrize("size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)])
async def test_a_table_is_saved_in_the_format_that_was_chosen(
    own_home: Path, here: Path, size: tuple[int, int]
) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=size) as pilot:
        answers = await opened(app, pilot, dialog := save_table(TABLE))
        assert "Save 2 rows" in words(app)
        assert dialog.input.value.endswith("Orders-by-region.csv")
        await pilot.press("tab")
        assert dialog.input.value.endswith("Orders-by-region.json")
        await pilot.press("enter")
        await until(pilot, lambda: bool(answers))
        saved = answers[0]
        assert saved is not None
        assert saved.path == here / "Orders-by-region.json"
        assert json.loads(saved.path.read_text()) == [{"id": 1, "sum": "5"}, {"id": 2, "sum": "=1+1"}]
        assert "Orders-by-region.json" in saved.sentence


async def test_a_file_is_replaced_only_after_a_key_of_its_own(own_home: Path, here: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    old = here / "x.csv"
    old.write_text("old")
    async with app.run_test(size=(80, 24)) as pilot:
        answers = await opened(app, pilot, dialog := save_table(TABLE))
        dialog.input.value = "x.csv"
        await pilot.press("ctrl+o")
        await pilot.press("enter")
        await until(pilot, lambda: "There is a file already" in words(app))
        await pilot.press("enter", "enter")
        await until(pilot, lambda: not dialog._writing)  # pyright: ignore[reportPrivateUsage]
        assert old.read_text() == "old"
        # Another path: the yes is not about it.
        (here / "x.csvy").write_text("other")
        await pilot.press("y", "ctrl+o")
        assert "There is a file already" not in words(app)
        await pilot.press("backspace", "enter")
        await until(pilot, lambda: "Ctrl+O replaces the file" in words(app))
        assert old.read_text() == "old"
        await pilot.press("ctrl+o")
        await until(pilot, lambda: bool(answers))
        assert old.read_text().startswith("id,sum")
        assert (here / "x.csvy").read_text() == "other"


async def test_what_goes_wrong_is_said_and_the_path_stays(own_home: Path, here: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        answers = await opened(app, pilot, dialog := save_table(TABLE))
        dialog.input.value = "no/such/x.csv"
        await pilot.press("enter")
        await until(pilot, lambda: "There is no folder" in words(app))
        assert dialog.input.value == "no/such/x.csv"
        assert not answers
        # It was about that path, and no other.
        await pilot.press("backspace")
        await until(pilot, lambda: "There is no folder" not in words(app))
        await pilot.press("escape")
        await until(pilot, lambda: answers == [None])
        assert list(here.iterdir()) == []


async def test_formulas_are_said_and_prefixed_only_when_asked_for(own_home: Path, here: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        answers = await opened(app, pilot, save_table(TABLE))
        await until(pilot, lambda: "1 cell begins with =" in words(app))
        await pilot.press("tab")
        assert "1 cell begins" not in words(app)
        await pilot.press("shift+tab", "ctrl+p")
        await until(pilot, lambda: "with ' before them" in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: bool(answers))
        assert (here / "Orders-by-region.csv").read_text() == "id,sum\n1,5\n2,'=1+1\n"


async def test_one_format_is_no_choice(own_home: Path, here: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    dialog = SaveAs("query", [SaveFormat("sql", ".sql", "The block as it is.", lambda: ["SELECT 1"])])
    async with app.run_test(size=(80, 24)) as pilot:
        answers = await opened(app, pilot, dialog)
        assert "another format" not in words(app)
        await pilot.press("tab", "enter", "enter")
        await until(pilot, lambda: bool(answers))
        assert len(answers) == 1
        assert (here / "query.sql").read_text() == "SELECT 1"


async def test_a_file_that_is_written_while_a_question_comes_is_told_when_the_question_is_gone(
    own_home: Path, here: Path
) -> None:
    app = app_for(own_home, ScriptedBackend())
    gate = threading.Event()

    def parts() -> Iterator[str]:
        gate.wait(20)
        yield "x"

    async with app.run_test(size=(80, 24)) as pilot:
        dialog = SaveAs("slow", [SaveFormat("txt", ".txt", "Text.", parts)])
        answers = await opened(app, pilot, dialog)
        await pilot.press("enter")
        app.push_screen(over := HelpDialog())
        await until(pilot, lambda: app.screen is over)
        gate.set()
        await until(pilot, lambda: (here / "slow.txt").exists() and not dialog._writing)
        assert answers == []
        await pilot.press("escape")
        await until(pilot, lambda: bool(answers))
        assert answers[0] is not None
        assert app.screen is not dialog

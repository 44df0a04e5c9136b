"""The documents panel over real adapters and their fake servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.documents import AskWebsite, DocumentsDialog, WebsitePages
from kai_tui.ui.modals.pick_file import PickFile
from tests.backends.kai_server import Gate, answer
from tests.backends.kiss.test_chat import kiss
from tests.backends.knowrithm.desk import knowrithm
from tests.fakes.kiss import FakeKiss
from tests.fakes.knowrithm import FakeKnowrithm
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_quota import told
from tests.ui.test_tools_dialog import flat

SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]


@pytest.fixture
async def server() -> AsyncIterator[FakeKnowrithm]:
    async with FakeKnowrithm() as running:
        yield running


def over(home: Path, backend: Any) -> KaiApp:
    return app_for(home, backend)


async def opened(app: KaiApp, pilot) -> DocumentsDialog:
    await ready(app, pilot)
    await pilot.press("alt+k")
    await until(pilot, lambda: isinstance(app.screen, DocumentsDialog))
    dialog = app.screen
    assert isinstance(dialog, DocumentsDialog)
    await until(pilot, lambda: dialog.list.has_focus and "r read again" in words(app))
    return dialog


async def typed(pilot, text: str) -> None:
    for letter in text:
        await pilot.press(
            {"/": "slash", ".": "full_stop", "-": "minus", "_": "underscore", ":": "colon"}.get(
                letter, letter
            )
        )


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_is_added_by_its_path_named_first_and_sent_once(
    own_home: Path,
    tmp_path: Path,
    server: FakeKnowrithm,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
):
    (tmp_path / "prices.csv").write_text("a,b\n" * 1000)
    monkeypatch.chdir(tmp_path)
    app = over(own_home, knowrithm(server))
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "There are no documents yet" in words(app))
        assert "the agent “Support”" in words(app)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, PickFile))
        await typed(pilot, "pri")
        await pilot.press("tab")
        await until(pilot, lambda: "prices.csv · 4" not in words(app) and "3.9 kB" in words(app))
        assert not any(seen.path.endswith("/upload") for seen in server.seen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DocumentsDialog) and "being read" in words(app))
        server.documents[0]["status"] = "processed"
        await until(pilot, lambda: "✓ stored" in words(app))
        assert sum(seen.path.endswith("/upload") for seen in server.seen) == 1
        # Closed and opened again, what is over is put away; the document stays.
        await pilot.press("escape")
        await opened(app, pilot)
        await until(pilot, lambda: "prices.csv" in words(app) and "ready" in words(app))
        assert "✓ stored" not in words(app)


async def test_a_folder_a_missing_path_and_a_kind_nobody_reads_are_sentences(
    own_home: Path, tmp_path: Path, server: FakeKnowrithm
):
    (tmp_path / "x.exe").write_bytes(b"MZ")
    app = over(own_home, knowrithm(server))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, PickFile))
        dialog = app.screen
        assert isinstance(dialog, PickFile)
        for path, sentence in (
            (tmp_path, "is a folder"),
            (tmp_path / "gone", "There is no file"),
            (tmp_path / "x.exe", "of a kind the server does not read"),
        ):
            dialog.input.value = ""
            dialog.input.insert_text_at_cursor(str(path))
            await pilot.press("enter")
            await until(pilot, lambda sentence=sentence: sentence in words(app))
            await pilot.press("enter")
            assert app.screen is dialog
        assert not any(seen.path.endswith("/upload") for seen in server.seen)


async def test_deleting_asks_and_names_it_and_it_can_be_brought_back(own_home: Path, server: FakeKnowrithm):
    server._document("a[bold]\x1b.txt", b"x", "a-1")  # pyright: ignore[reportPrivateUsage]
    app = over(own_home, knowrithm(server))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "a[bold]" in words(app))
        await pilot.press("d", "d")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "a[bold]" in words(app)
        assert "can be brought back" in flat(app)
        await pilot.press("enter")  # Cancel has the focus
        await until(pilot, lambda: isinstance(app.screen, DocumentsDialog))
        assert not server.documents[0].get("deleted")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, DocumentsDialog) and "deleted" in words(app))
        assert server.documents[0]["deleted"]
        await pilot.press("u")
        await until(pilot, lambda: not server.documents[0]["deleted"])


async def test_a_website_and_its_pages(own_home: Path, server: FakeKnowrithm):
    app = over(own_home, knowrithm(server))
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, AskWebsite))
        await typed(pilot, "docs")
        await pilot.press("enter")
        await until(pilot, lambda: "begins with https://." in words(app))
        await pilot.press("home")
        await typed(pilot, "https://")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is dialog and len(dialog.list.lines) == 2)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, WebsitePages) and "docs.example/a" in words(app))
        await pilot.press("escape", "c")
        await until(pilot, lambda: any(seen.path.endswith("/crawl") for seen in server.seen))


async def test_an_upload_goes_on_behind_the_closed_panel_and_is_told(
    own_home: Path, tmp_path: Path, server: FakeKnowrithm
):
    gate = Gate()

    async def later(exchange):
        await gate.wait()
        await answer(200, {"documents": [{"id": "d-1", "status": "processed"}]})(exchange)

    server.on("POST /api/v1/document/upload", later)
    (tmp_path / "kb.txt").write_text("x")
    app = over(own_home, knowrithm(server))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, PickFile))
        dialog = app.screen
        assert isinstance(dialog, PickFile)
        dialog.input.insert_text_at_cursor(str(tmp_path / "kb.txt"))
        await pilot.press("enter")
        await until(pilot, lambda: "kb.txt · 1 B" in words(app))
        await pilot.press("enter", "escape")
        await until(pilot, lambda: not isinstance(app.screen, DocumentsDialog | PickFile))
        gate.open()
        await until(pilot, lambda: "kb.txt is stored." in told(app))


async def test_a_thousand_documents_are_drawn_as_far_as_they_are_seen(own_home: Path, server: FakeKnowrithm):
    for number in range(1000):
        server._document(f"file {number}.txt", b"x", "a-1")  # pyright: ignore[reportPrivateUsage]
    app = over(own_home, knowrithm(server))
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await opened(app, pilot)
        await until(pilot, lambda: len(dialog.list.lines) == 1000)
        await pilot.press("end")
        await until(pilot, lambda: "file 999.txt" in words(app))
        assert "1,000 documents" in words(app)


async def test_a_stack_lists_only_what_was_stored_in_this_run(own_home: Path):
    async with FakeKiss() as stack:
        app = over(own_home, kiss(stack))
        async with app.run_test(size=(80, 24)) as pilot:
            await opened(app, pilot)
            assert "Nothing was stored in this run" in words(app)
            assert "tells nobody what it has" in flat(app)
            assert "d delete" not in words(app)


async def test_an_assistant_without_documents_says_so(own_home: Path):
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press("alt+k")
        await until(pilot, lambda: "has no documents" in told(app))
        assert screen.denies("show_documents")

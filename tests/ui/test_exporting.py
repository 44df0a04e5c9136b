"""The open chat as a file: what was said, tools on demand, no secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.conversation import events as e
from kai_tui.ui.modals.save_as import SaveAs
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import TOKEN, app_for, until
from tests.ui.test_slash_commands import ready, sent, told, type_at_once

REPLY = [
    e.Start("answer"),
    e.TextStart("t"),
    e.TextDelta("t", f"West sold most. {TOKEN} \u202e\x1b[2J"),
    e.TextEnd("t"),
    e.ToolInputAvailable("c", "get_tables", {"bucket_ids": ["in.c-crm"], "#password": "hidden-word"}, {}),
    e.ToolOutputAvailable("c", {"tables": [{"id": "in.c-crm.customers"}]}, {}),
    e.Finish("stop"),
]


@pytest.mark.parametrize("tools", [False, True])
async def test_a_chat_is_saved_without_secrets_and_with_tools_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_for(tmp_path / "home", ScriptedBackend(replies=[REPLY]))
    file = tmp_path / "out.md"
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"hello", "enter")
        await until(pilot, lambda: screen.session is not None and len(screen.session.messages) == 2)
        await until(pilot, lambda: not screen.session.turn.busy)
        await type_at_once(app, pilot, *"/export", "enter")
        await until(pilot, lambda: isinstance(app.screen, SaveAs))
        if tools:
            await pilot.press("tab")
        app.screen.input.value = str(file)
        await pilot.press("enter")
        await until(pilot, lambda: "Saved to" in told(app))
        assert composer.text == ""
        assert sent(screen) == ["hello"]
    text = file.read_text()
    assert text.startswith("# ")
    assert "## You\n\nhello" in text
    assert "West sold most." in text
    for hidden in (TOKEN, "hidden-word", "\x1b", "\u202e"):
        assert hidden not in text
    assert ("in.c-crm.customers" in text) == tools
    assert "get_tables" in text


async def test_an_empty_chat_says_that_there_is_nothing(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(app, pilot)
        await type_at_once(app, pilot, *"/export", "enter")
        await until(pilot, lambda: "nothing to export" in told(app))

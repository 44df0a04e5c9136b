"""All chats are deleted at once where the server can: counted first, asked, and never by a hurried key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.widgets import Button

from kai_tui.backends.base import ChatSummary, ConnectionLost, Page
from kai_tui.ui.modals.confirm_delete_all import ConfirmDeleteAll
from kai_tui.ui.palette import ActionProvider
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, stored, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_quota import told
from tests.ui.test_tools_dialog import flat

LABEL = "Delete all chats"


@dataclass
class Clearing(ScriptedBackend):
    """Lists its chats in pages of two, and can delete all of them."""

    counting: asyncio.Event | None = None
    list_error: Exception | None = None
    clear_error: Exception | None = None
    cleared: int = 0

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        if self.list_error is not None:
            raise self.list_error
        if cursor is not None and self.counting is not None:
            await self.counting.wait()
        rows = [chat.summary for chat in self.stored.values()]
        start = int(cursor or 0)
        return Page(rows[start : start + 2], str(start + 2) if start + 2 < len(rows) else None)

    async def delete_all(self) -> int:
        self.cleared += 1
        if self.clear_error is not None:
            raise self.clear_error
        count = len(self.stored)
        self.stored.clear()
        return count


async def offered(app) -> set[str]:
    return {str(hit.text) async for hit in ActionProvider(app.screen).discover()}


@pytest.mark.some(1)
@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_all_pages_are_counted_before_one_can_say_yes(tmp_path: Path, size: tuple[int, int]):
    backend = Clearing(offers={"delete_all": True}, stored=stored(*"ABCDE"), counting=asyncio.Event())
    app = app_for(tmp_path, backend)
    async with app.run_test(size=size) as pilot:
        await ready(app, pilot)
        assert LABEL in await offered(app)
        await app.screen.run_action("delete_all_chats")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDeleteAll) and app.screen.focused)
        yes = app.screen.query_one("#yes", Button)
        assert "Counting" in flat(app)
        await pilot.press("right", "enter")  # the only answer there is yet: cancel
        assert backend.cleared == 0
        await until(pilot, lambda: not isinstance(app.screen, ConfirmDeleteAll))
        await app.screen.run_action("delete_all_chats")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDeleteAll) and app.screen.focused)
        yes = app.screen.query_one("#yes", Button)
        assert yes.disabled
        backend.counting.set()
        await until(pilot, lambda: not yes.disabled)
        assert "All 5 chats" in flat(app)
        assert "cannot be undone" in flat(app)
        assert app.screen.focused is app.screen.query_one("#no")
        await pilot.press("right", "enter")
        await until(pilot, lambda: "5 chats were deleted" in told(app))
        assert (backend.cleared, list(app.workspace.history.rows)) == (1, [])


async def test_the_open_chat_goes_and_what_runs_in_it_is_stopped(tmp_path: Path):
    backend = Clearing(offers={"delete_all": True}, stored=stored("Orders", "Others"))
    app = app_for(tmp_path, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Orders" in words(app))
        before = await app.workspace.chats.open_chat("chat-0")
        app.screen._show(before)
        await app.screen.run_action("delete_all_chats")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDeleteAll) and app.screen.focused)
        await until(pilot, lambda: not app.screen.query_one("#yes", Button).disabled)
        await pilot.press("right", "enter")
        await until(pilot, lambda: "2 chats were deleted" in told(app))
        assert app.screen._session.chat_id != "chat-0"
        assert "chat-0" not in app.workspace.chats.sessions
        assert app.workspace.history.is_deleted("chat-0")


async def test_what_failed_is_said_and_nothing_here_is_thrown_away(tmp_path: Path):
    backend = Clearing(
        offers={"delete_all": True},
        stored=stored("Orders", "Others"),
        clear_error=ConnectionLost("The line is dead."),
    )
    app = app_for(tmp_path, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        await ready(app, pilot)
        await until(pilot, lambda: "Orders" in words(app))
        await app.screen.run_action("delete_all_chats")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDeleteAll) and app.screen.focused)
        await until(pilot, lambda: not app.screen.query_one("#yes", Button).disabled)
        await pilot.press("right", "enter")
        await until(pilot, lambda: "Not all chats may be gone. The line is dead." in told(app))
        assert [row.id for row in app.workspace.history.rows] == ["chat-0", "chat-1"]
        backend.list_error = ConnectionLost("Nobody is there.")
        await app.screen.run_action("delete_all_chats")
        await until(pilot, lambda: "could not be counted" in flat(app))
        assert "Nobody is there." in flat(app)
        assert app.screen.query_one("#yes", Button).disabled


async def test_where_chats_go_one_by_one_it_is_not_offered(tmp_path: Path):
    app = app_for(tmp_path, ScriptedBackend(stored=stored("Orders")))
    async with app.run_test(size=(120, 30)) as pilot:
        await ready(app, pilot)
        assert LABEL not in await offered(app)
        await app.screen.run_action("delete_all_chats")
        await until(pilot, lambda: "only one by one" in told(app))

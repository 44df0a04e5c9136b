"""Chats deleted long ago are brought back from a list, read page by page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from textual.widgets import OptionList

from kai_tui.backends.base import Chat, ChatSummary, ConnectionLost, Page
from kai_tui.ui.modals.deleted_chats import DeletedChats
from kai_tui.ui.palette import ActionProvider
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, stored, until
from tests.ui.test_chat_screen import ready
from tests.ui.test_quota import told
from tests.ui.test_tools_dialog import flat

LABEL = "Deleted chats"


@dataclass
class Bin(ScriptedBackend):
    """Keeps what was deleted, and lists it in pages of two."""

    bin: dict[str, Chat] = field(default_factory=dict)
    bin_error: Exception | None = None

    async def deleted_chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        if self.bin_error is not None:
            raise self.bin_error
        rows = [chat.summary for chat in self.bin.values()]
        start = int(cursor or 0)
        return Page(rows[start : start + 2], str(start + 2) if start + 2 < len(rows) else None)

    async def restore(self, chat_id: str) -> None:
        self.stored[chat_id] = self.bin.pop(chat_id)


async def offered(app) -> set[str]:
    return {str(hit.text) async for hit in ActionProvider(app.screen).discover()}


async def opened(app, pilot) -> OptionList:
    await app.screen.run_action("deleted_chats")
    await until(pilot, lambda: isinstance(app.screen, DeletedChats) and app.screen.focused)
    return app.screen.query_one(OptionList)


@pytest.mark.some(1)
@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_every_page_can_be_reached_and_one_comes_back(tmp_path: Path, size: tuple[int, int]):
    backend = Bin(offers={"restore": True}, bin=stored("One", "Two", "\x1b[31mThree", "Four", "Five"))
    app = app_for(tmp_path, backend)
    async with app.run_test(size=size) as pilot:
        await ready(app, pilot)
        assert LABEL in await offered(app)
        rows = await opened(app, pilot)
        await until(pilot, lambda: rows.option_count == 2)
        assert "goes on below" in flat(app)
        await pilot.press("down")
        await until(pilot, lambda: rows.option_count == 4)
        assert "\x1b" not in str(rows.get_option_at_index(2).prompt)
        await pilot.press("down", "down")
        await until(pilot, lambda: rows.option_count == 5)
        assert "5 chats." in flat(app)
        assert "goes on" not in flat(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "“Five” is back" in told(app))
        await until(pilot, lambda: [row.id for row in app.workspace.history.rows] == ["chat-4"])


async def test_an_empty_list_and_a_failed_one_say_so(tmp_path: Path):
    backend = Bin(offers={"restore": True}, bin_error=ConnectionLost("The line is dead."))
    app = app_for(tmp_path, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await opened(app, pilot)
        await until(pilot, lambda: "The line is dead. Press r" in flat(app))
        backend.bin_error = None
        await pilot.press("r")
        await until(pilot, lambda: "There are no deleted chats." in flat(app))
        await pilot.press("enter")
        assert isinstance(app.screen, DeletedChats)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, DeletedChats))


async def test_where_deleted_means_gone_it_is_not_offered(tmp_path: Path):
    app = app_for(tmp_path, ScriptedBackend(stored=stored("Orders")))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        assert LABEL not in await offered(app)
        await app.screen.run_action("deleted_chats")
        await until(pilot, lambda: "does not bring deleted chats back" in told(app))

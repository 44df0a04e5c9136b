"""A deleted chat comes back where the server can do that; elsewhere nobody is promised it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kai_tui.backends.base import Chat, ConnectionLost
from kai_tui.ui.modals.confirm_delete import ConfirmDelete
from kai_tui.ui.palette import ActionProvider
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, stored, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_quota import told
from tests.ui.test_tools_dialog import flat

LABEL = "Bring the deleted chat back"


@dataclass
class Forgiving(ScriptedBackend):
    """Keeps what is deleted."""

    bin: dict[str, Chat] = field(default_factory=dict)
    restore_error: Exception | None = None

    async def delete(self, chat_id: str) -> None:
        self.bin[chat_id] = self.stored[chat_id]
        await super().delete(chat_id)

    async def restore(self, chat_id: str) -> None:
        if self.restore_error is not None:
            raise self.restore_error
        self.stored[chat_id] = self.bin.pop(chat_id)


async def offered(app) -> set[str]:
    return {str(hit.text) async for hit in ActionProvider(app.screen).discover()}


async def delete_first(app, pilot, title: str) -> None:
    await ready(app, pilot)
    await until(pilot, lambda: title in words(app))
    app.screen._ask_delete("chat-0")
    await until(pilot, lambda: isinstance(app.screen, ConfirmDelete) and app.screen.focused)
    comes_back = "it can be brought back" in flat(app)
    assert comes_back == app.workspace.caps.restore
    assert ("cannot be undone" in flat(app)) != comes_back
    app.screen.finish(True)
    await until(pilot, lambda: "was deleted" in told(app))


async def test_a_deleted_chat_comes_back(tmp_path: Path):
    backend = Forgiving(offers={"restore": True}, stored=stored("Orders", "Others"))
    app = app_for(tmp_path, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        assert LABEL not in await offered(app)
        await delete_first(app, pilot, "Orders")
        assert "bring back" in told(app)
        assert LABEL in await offered(app)
        backend.restore_error = ConnectionLost("The line is dead.")
        await app.screen.run_action("restore_chat")
        await until(pilot, lambda: "not brought back. The line is dead." in told(app))
        assert LABEL in await offered(app)
        backend.restore_error = None
        await app.screen.run_action("restore_chat")
        await until(pilot, lambda: "“Orders” is back" in told(app))
        await until(pilot, lambda: [row.id for row in app.workspace.history.rows] == ["chat-0", "chat-1"])
        assert LABEL not in await offered(app)
        session = await app.workspace.chats.open_chat("chat-0")
        assert session.title == "Orders"


async def test_where_deleted_means_gone_nothing_else_is_said(tmp_path: Path):
    backend = ScriptedBackend(stored=stored("Orders", "Others"))
    app = app_for(tmp_path, backend)
    async with app.run_test(size=(120, 30)) as pilot:
        await delete_first(app, pilot, "Orders")
        assert "bring back" not in told(app)
        assert LABEL not in await offered(app)
        await app.screen.run_action("restore_chat")
        await pilot.pause()
        assert backend.deleted == ["chat-0"]

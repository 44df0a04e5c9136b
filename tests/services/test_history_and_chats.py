"""History and open chats, over real SQLite files and a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary, NotAllowed, NotFound
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message, TextPart
from kai_tui.services.account import Account
from kai_tui.services.changes import Notice
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from tests.services.scripted_backend import ScriptedBackend, until

PROJECT = Account("p", "kai", "Project")


def text_message(message_id: str, role: str, text: str) -> Message:
    return Message.from_wire({"id": message_id, "role": role, "parts": [{"type": "text", "text": text}]})


def stored_chat(number: int, *messages: Message) -> Chat:
    moment = f"2026-01-{number:02}T10:00:00Z"
    return Chat(ChatSummary(f"chat-{number}", f"Chat {number}", moment, moment), messages)


@pytest.fixture
async def open_workspace(tmp_path: Path) -> AsyncIterator[Callable[[ScriptedBackend], Workspace]]:
    opened: list[Workspace] = []

    def make(backend: ScriptedBackend) -> Workspace:
        async def provide() -> ScriptedBackend:
            return backend

        files = AccountFiles(lambda: (tmp_path / "state.sqlite", tmp_path / "cache.sqlite"))
        workspace = Workspace(PROJECT, provide, DiskKeeper(files))
        opened.append(workspace)
        return workspace

    yield make
    for workspace in opened:
        await workspace.aclose()


async def test_rows_come_newest_first_and_stay_when_the_server_is_away(open_workspace) -> None:
    backend = ScriptedBackend(stored={c.summary.id: c for c in (stored_chat(1), stored_chat(2))})
    first = open_workspace(backend)
    await first.history.refresh()
    assert [row.id for row in first.history.rows] == ["chat-2", "chat-1"]
    assert first.history.offline is None
    await first.aclose()

    backend.chat_error = CannotConnect("kai.test refuses connections.")
    again = open_workspace(backend)
    await again.history.refresh()
    assert [row.id for row in again.history.rows] == ["chat-2", "chat-1"]
    assert again.history.offline == "kai.test refuses connections."


async def test_a_chat_deleted_elsewhere_disappears(open_workspace) -> None:
    backend = ScriptedBackend(stored={c.summary.id: c for c in (stored_chat(1), stored_chat(2))})
    workspace = open_workspace(backend)
    await workspace.history.refresh()
    del backend.stored["chat-1"]
    await workspace.history.refresh()
    assert [row.id for row in workspace.history.rows] == ["chat-2"]


async def test_delete_goes_to_the_server_first_and_keeps_everything_when_that_fails(open_workspace) -> None:
    backend = ScriptedBackend(stored={"chat-1": stored_chat(1)})
    workspace = open_workspace(backend)
    await workspace.history.refresh()
    backend.delete_error = CannotConnect("kai.test refuses connections.")
    with pytest.raises(CannotConnect):
        await workspace.history.delete("chat-1")
    assert [row.id for row in workspace.history.rows] == ["chat-1"]
    backend.delete_error = None
    await workspace.history.delete("chat-1")
    assert list(workspace.history.rows) == []
    assert backend.deleted == ["chat-1"]


@pytest.mark.parametrize("error", [NotFound("gone"), NotAllowed("no")])
async def test_deleting_what_is_gone_already_succeeds(open_workspace, error) -> None:
    backend = ScriptedBackend(stored={"chat-1": stored_chat(1)})
    workspace = open_workspace(backend)
    await workspace.history.refresh()
    backend.stored.clear()
    backend.delete_error = error
    await workspace.history.delete("chat-1")
    assert list(workspace.history.rows) == []


async def test_a_foreign_chat_is_not_deleted_here(open_workspace) -> None:
    backend = ScriptedBackend(stored={"chat-1": stored_chat(1)}, delete_error=NotAllowed("Not yours."))
    workspace = open_workspace(backend)
    await workspace.history.refresh()
    with pytest.raises(NotAllowed):
        await workspace.history.delete("chat-1")
    assert [row.id for row in workspace.history.rows] == ["chat-1"]


async def test_an_opened_chat_can_be_read_without_the_server(open_workspace) -> None:
    chat = stored_chat(1, text_message("u", "user", "Hi"), text_message("a", "assistant", "Hello"))
    backend = ScriptedBackend(stored={"chat-1": chat})
    first = open_workspace(backend)
    session = await first.chats.open_chat("chat-1")
    assert [m.text for m in session.messages] == ["Hi", "Hello"]
    assert await first.chats.open_chat("chat-1") is session
    await first.aclose()

    backend.chat_error = CannotConnect("kai.test refuses connections.")
    again = open_workspace(backend)
    heard: list[object] = []
    copy = await again.chats.open_chat("chat-1")
    copy.observe(heard.append)
    assert [m.text for m in copy.messages] == ["Hi", "Hello"]
    await until(lambda: any(isinstance(change, Notice) for change in heard))


async def test_neither_server_nor_copy_raises(open_workspace) -> None:
    workspace = open_workspace(ScriptedBackend())
    with pytest.raises(NotFound):
        await workspace.chats.open_chat("unknown")


async def test_a_message_that_never_left_is_found_after_a_restart(open_workspace) -> None:
    backend = ScriptedBackend(replies=[[CannotConnect("kai.test refuses connections.")]])
    first = open_workspace(backend)
    session = first.chats.new_chat()
    session.send("do not lose me")
    await until(lambda: session.turn.phase == "finished")
    await first.aclose()

    again = open_workspace(ScriptedBackend())
    await again.history.refresh()
    assert [row.title for row in again.history.rows] == ["Not sent: do not lose me"]
    reopened = await again.chats.open_chat(session.chat_id)
    assert [m.text for m in reopened.messages] == ["do not lose me"]
    assert reopened.delivery(reopened.messages[0].id) == "not-sent"


async def test_a_new_chat_stands_in_the_list_with_its_first_words(open_workspace) -> None:
    reply = [
        e.Start("a"),
        e.TextStart("0"),
        e.TextDelta("0", "x"),
        e.Title("Named by the server"),
        e.Finish("stop"),
    ]
    workspace = open_workspace(ScriptedBackend(replies=[reply]))
    session = workspace.chats.new_chat()
    session.send("Which region sold most last month?")
    assert [row.title for row in workspace.history.rows] == ["Which region sold most last month?"]
    await until(lambda: session.turn.phase == "finished")
    assert [row.title for row in workspace.history.rows] == ["Named by the server"]


async def test_drafts_are_kept_per_chat(open_workspace) -> None:
    first = open_workspace(ScriptedBackend())
    await first.save_draft("one", "half a thought")
    await first.save_draft("two", "another")
    await first.save_draft("two", "")
    await first.aclose()
    again = open_workspace(ScriptedBackend())
    assert await again.draft("one") == "half a thought"
    assert await again.draft("two") == ""
    assert await again.last_draft() == ("one", "half a thought")


async def test_a_reply_that_streamed_when_the_program_died_reads_as_cut_off(tmp_path: Path) -> None:
    files = AccountFiles(lambda: (tmp_path / "state.sqlite", tmp_path / "cache.sqlite"))
    dying = DiskKeeper(files)
    reply = Message("a", "assistant", [TextPart({"type": "text", "text": "half", "state": "streaming"})])
    await dying.checkpoint("c", "t", reply, "streaming")
    await dying.aclose()
    after = DiskKeeper(files)
    copy = await after.chat_copy("c")
    await after.aclose()
    assert copy is not None
    assert copy.messages[0].text == "half"
    assert copy.messages[0].finish is not None
    assert copy.messages[0].finish.reason == "lost"

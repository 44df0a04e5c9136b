"""Faults found by reading the list of chats and the life of sessions; over real SQLite files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary, NotFound, Page
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.services.account_service import AccountService
from kai_tui.services.approval_service import Decision
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_history_and_chats import PROJECT, stored_chat, text_message
from tests.services.test_history_and_chats import open_workspace as open_workspace


def half(gate: asyncio.Event, text: str = "secret half") -> list[Step]:
    return [e.Start("a"), e.TextStart("0"), e.TextDelta("0", text), gate, e.Finish("stop")]


async def test_a_chat_deleted_while_it_streams_stays_deleted(open_workspace, tmp_path: Path) -> None:
    backend = ScriptedBackend(replies=[half(asyncio.Event(), "needle-7431")])
    workspace = open_workspace(backend)
    session = workspace.chats.new_chat()
    session.send("go")
    await until(lambda: len(session.messages) == 2)
    await workspace.history.delete(session.chat_id)
    workspace.chats.forget(session.chat_id)
    await until(lambda: backend.hung_up == 1)
    assert list(workspace.history.rows) == []
    assert session.chat_id not in workspace.chats.sessions
    await workspace.aclose()
    assert list(workspace.history.rows) == []
    again = open_workspace(ScriptedBackend(chat_error=CannotConnect("away")))
    await again.history.refresh()
    assert list(again.history.rows) == []
    await again.aclose()
    for file in tmp_path.rglob("*"):
        assert b"needle-7431" not in file.read_bytes(), file


async def test_a_page_that_was_on_its_way_does_not_bring_a_deleted_chat_back(open_workspace) -> None:
    backend = ScriptedBackend(stored={"chat-1": stored_chat(1)})
    workspace = open_workspace(backend)
    await workspace.history.refresh()
    gate, read = asyncio.Event(), backend.chats

    async def slow(*, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        page = await read(cursor=cursor, limit=limit)
        await gate.wait()
        return page

    backend.chats = slow  # type: ignore[method-assign]
    refreshing = asyncio.create_task(workspace.history.refresh())
    await asyncio.sleep(0.01)
    await workspace.history.delete("chat-1")
    gate.set()
    await refreshing
    assert list(workspace.history.rows) == []


async def test_a_copy_has_the_question_before_its_answer(open_workspace) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[half(gate)])
    first = open_workspace(backend)
    session = first.chats.new_chat()
    session.send("go")
    await until(lambda: len(session.messages) == 2)
    gate.set()
    await until(lambda: session.turn.phase == "finished")
    await first.aclose()
    again = open_workspace(ScriptedBackend(chat_error=CannotConnect("away")))
    copy = await again.chats.open_chat(session.chat_id)
    assert [m.role for m in copy.messages] == ["user", "assistant"]


@pytest.mark.parametrize("server_has", ["nothing", "the same", "more"])
async def test_a_reply_that_broke_off_is_shown_as_cut_off_when_the_server_is_there_again(
    open_workspace, server_has: str
) -> None:
    first_backend = ScriptedBackend(
        replies=[[e.Start("a"), e.TextStart("0"), e.TextDelta("0", "half a"), e.Finish("lost")]]
    )
    first = open_workspace(first_backend)
    session = first.chats.new_chat()
    session.send("go")
    await until(lambda: session.turn.phase == "finished")
    await first.aclose()
    question = Message.user(first_backend.posts[0].message_id, "go")
    replies = {
        "nothing": [],
        "the same": [text_message("a", "assistant", "half a")],
        "more": [text_message("a", "assistant", "half a loaf")],
    }[server_has]
    chat = Chat(ChatSummary(session.chat_id, "t", "2026-01-01", "2026-01-01"), [question, *replies])
    for _ in range(2):  # the mark must outlive being read again
        again = open_workspace(ScriptedBackend(stored={session.chat_id: chat}))
        reopened = await again.chats.open_chat(session.chat_id)
        texts = ["go", "half a loaf" if server_has == "more" else "half a"]
        assert [m.text for m in reopened.messages] == texts
        finish = reopened.messages[1].finish
        if server_has == "more":
            assert finish is None
        else:
            assert finish is not None
            assert finish.reason == "lost"
        await again.aclose()


async def test_opening_that_is_given_up_half_way_loses_no_message(open_workspace) -> None:
    chat = stored_chat(1, text_message("u", "user", "Hi"), text_message("a", "assistant", "Hello"))
    backend = ScriptedBackend(stored={"chat-1": chat}, replies=[[CannotConnect("away")]])
    first = open_workspace(backend)
    session = await first.chats.open_chat("chat-1")
    session.send("do not lose me")
    await until(lambda: session.turn.phase == "finished")
    await first.aclose()
    for steps in range(12):
        workspace = open_workspace(backend)
        opening = asyncio.create_task(workspace.chats.open_chat("chat-1"))
        for _ in range(steps):
            await asyncio.sleep(0.001)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        again = await workspace.chats.open_chat("chat-1")
        assert [m.text for m in again.messages] == ["Hi", "Hello", "do not lose me"], steps
        await workspace.aclose()


async def test_a_pending_request_is_asked_although_an_unsent_message_follows(open_workspace) -> None:
    asked = Message.from_wire(
        {
            "id": "a",
            "role": "assistant",
            "parts": [
                {
                    "type": "tool-create_bucket",
                    "toolCallId": "w1",
                    "state": "approval-requested",
                    "input": {"name": "x"},
                    "approval": {"id": "ap"},
                }
            ],
        }
    )
    chat = stored_chat(1, text_message("u", "user", "Hi"), asked)
    keeper_first = open_workspace(ScriptedBackend(stored={"chat-1": chat}))
    await keeper_first._keeper.keep_outgoing("chat-1", "m9", "later")
    await keeper_first.aclose()
    workspace = open_workspace(ScriptedBackend(style="continuation", stored={"chat-1": chat}))
    session = await workspace.chats.open_chat("chat-1")
    assert session.delivery("m9") == "not-sent"
    assert [each.tool_call_id for each in workspace.approvals.pending] == ["w1"]


async def test_a_copy_is_brought_up_to_date_when_the_connection_is_there(open_workspace) -> None:
    chat = stored_chat(1, text_message("u", "user", "Hi"), text_message("a", "assistant", "Hello"))
    backend = ScriptedBackend(stored={"chat-1": chat})
    first = open_workspace(backend)
    await first.chats.open_chat("chat-1")
    await first.aclose()
    backend.chat_error = CannotConnect("away")
    workspace = open_workspace(backend)
    session = await workspace.chats.open_chat("chat-1")
    newer = [*chat.messages, text_message("u2", "user", "More"), text_message("a2", "assistant", "Yes")]
    backend.chat_error, backend.stored["chat-1"] = None, Chat(chat.summary, newer)
    workspace.connect()
    await until(lambda: [m.text for m in session.messages] == ["Hi", "Hello", "More", "Yes"])


async def test_a_fault_while_connecting_is_said(open_workspace, tmp_path: Path) -> None:
    async def broken() -> ScriptedBackend:
        raise ValueError("a fault of ours")

    files = AccountFiles(lambda: (tmp_path / "x" / "state.sqlite", tmp_path / "x" / "cache.sqlite"))
    workspace = Workspace(PROJECT, broken, DiskKeeper(files))
    workspace.connect()
    await until(lambda: workspace.connection.state == "failed")
    assert workspace.connection.sentence
    await until(lambda: not workspace.history.loading)
    session = workspace.chats.new_chat()
    session.send("hello")
    await until(lambda: session.turn.phase == "finished")
    await until(lambda: session.delivery(session.messages[0].id) in ("not-sent", "unsure"))
    await workspace.aclose()


def test_two_projects_in_the_environment_share_nothing(tmp_path: Path) -> None:
    """T21: a stack's address is the same for all its projects, the token tells them apart."""

    def account(token: str) -> str:
        environ = {"KAI_TUI_HOME": str(tmp_path), "STORAGE_API_TOKEN": token}
        return AccountService(environ).from_environment(None, "https://connection.test", None).id

    assert account("1234-1-secretone") != account("5678-2-secrettwo")
    assert account("1234-1-secretone") == account("1234-1-secretone")
    assert account("1234-1-secretone") == account("1234-1-renewed")
    assert account("opaque-one") != account("opaque-two")


async def test_decisions_of_two_chats_do_not_meet(open_workspace) -> None:
    """The same call id in two chats, decided crosswise."""
    gates = [asyncio.Event(), asyncio.Event()]
    replies: list[list[Step]] = [
        [
            e.Start(f"a{n}"),
            e.ToolInputAvailable("same", "create_bucket", {"name": f"b{n}"}, {}),
            gates[n],
            e.Finish("stop"),
        ]
        for n in range(2)
    ]
    backend = ScriptedBackend(replies=replies)
    answered: list[tuple[str, bool]] = []

    async def answer(chat_id, message, answers, **_) -> AsyncIterator[e.Event]:
        answered.extend((chat_id, each.approved) for each in answers)
        return
        yield

    backend.answer = answer  # type: ignore[method-assign,assignment]
    workspace = open_workspace(backend)
    one, two = workspace.chats.new_chat(), workspace.chats.new_chat()
    one.send("one")
    await until(lambda: len(workspace.approvals.pending) == 1)
    two.send("two")
    await until(lambda: len(workspace.approvals.pending) == 2)
    first, second = workspace.approvals.pending
    workspace.approvals.decide(second, Decision(True))
    workspace.approvals.decide(first, Decision(False))
    await until(lambda: len(answered) == 2)
    assert dict(answered) == {one.chat_id: False, two.chat_id: True}
    for gate in gates:
        gate.set()
    await until(lambda: not one.turn.busy and not two.turn.busy)


async def test_a_chat_deleted_while_it_is_opened_is_not_kept(open_workspace) -> None:
    chat = stored_chat(1, text_message("u", "user", "Hi"))
    backend = ScriptedBackend(stored={"chat-1": chat})
    workspace = open_workspace(backend)
    await workspace.history.refresh()
    gate, read = asyncio.Event(), backend.chat

    async def slow(chat_id: str) -> Chat:
        found = await read(chat_id)
        await gate.wait()
        return found

    backend.chat = slow  # type: ignore[method-assign]
    opening: asyncio.Task[object] = asyncio.create_task(workspace.chats.open_chat("chat-1"))
    await asyncio.sleep(0.01)
    await workspace.history.delete("chat-1")
    gate.set()
    with pytest.raises(NotFound):
        await opening

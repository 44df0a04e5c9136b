"""Several chats at once: each goes on by itself, and what each wants of the user is known and kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary, Page, TokenRefused
from kai_tui.conversation import events as e
from kai_tui.services.account import Account
from kai_tui.services.approval_service import Decision
from kai_tui.services.attention import Attention, ChatState, Happening, in_words
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.decision_words import RESULT_SHOWN
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from tests.services.scripted_backend import ScriptedBackend, Step, until

PROJECT = Account("p", "kai", "Project")
Open = Callable[[ScriptedBackend], Workspace]


@pytest.fixture
async def open_workspace(tmp_path: Path) -> AsyncIterator[Open]:
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


STOP = e.Finish("stop")


def reply(name: str, *gates: asyncio.Event, end: Step = STOP) -> list[Step]:
    return [e.Start(name), e.TextStart("t"), e.TextDelta("t", f"from {name}"), *gates, end]


def question(name: str, gate: asyncio.Event) -> list[Step]:
    """A write that asks, over a stream that stays open."""
    return [
        e.Start(name),
        e.ToolInputStart("call", "create_bucket", {}),
        e.ToolInputAvailable("call", "create_bucket", {"name": "b"}, {}),
        e.ToolApprovalRequest("call", "approval", {}),
        gate,
        e.Finish("stop"),
    ]


def wants(attention: Attention) -> dict[str, str]:
    return {chat_id: state.want for chat_id, state in attention.states.items()}


def started(workspace: Workspace, text: str) -> ChatSession:
    session = workspace.chats.new_chat()
    session.send(text)
    return session


async def streams(session: ChatSession) -> None:
    await until(lambda: session.last_assistant_message is not None)


async def test_three_chats_stream_at_once_and_each_goes_on_by_itself(open_workspace: Open) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    backend = ScriptedBackend(replies=[reply(f"r{n}", gate) for n, gate in enumerate(gates)])
    workspace = open_workspace(backend)
    chats: list[ChatSession] = []
    for n in range(3):
        chats.append(started(workspace, f"question {n}"))
        await streams(chats[-1])
    first, second, third = chats
    assert set(wants(workspace.attention).values()) == {"working"}

    first.send("later")
    second.stop()
    assert second.turn.reason == "cancelled"
    assert [each.turn.busy for each in chats] == [True, False, True]
    assert [each.text for each in first.queue] == ["later"]
    assert [*second.queue, *third.queue] == []

    gates[2].set()
    await until(lambda: not third.turn.busy)
    assert first.turn.busy
    assert [each.last_assistant_message.text for each in chats if each.last_assistant_message] == [
        "from r0",
        "from r1",
        "from r2",
    ]
    await until(lambda: wants(workspace.attention) == {third.chat_id: "new", first.chat_id: "working"})


async def test_what_ended_unseen_is_new_until_it_is_seen(open_workspace: Open) -> None:
    workspace = open_workspace(ScriptedBackend(replies=[reply("a"), reply("b")]))
    attention = workspace.attention
    looked = started(workspace, "one")
    attention.looked_at = lambda chat_id: chat_id == looked.chat_id
    other = started(workspace, "two")
    await until(lambda: wants(attention) == {other.chat_id: "new"})
    attention.seen(other.chat_id)
    assert wants(attention) == {}


async def test_a_reply_that_breaks_off_unseen_is_failed_and_a_stopped_one_is_not(
    open_workspace: Open,
) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(
        replies=[reply("a", end=e.Finish("lost")), [CannotConnect("kai.test is away.")], reply("c", gate)]
    )
    workspace = open_workspace(backend)
    lost = started(workspace, "one")
    await streams(lost)
    refused = started(workspace, "two")
    await until(lambda: refused.turn.reason == "error")
    stopped = started(workspace, "three")
    await streams(stopped)
    stopped.stop()
    await until(lambda: wants(workspace.attention) == {lost.chat_id: "failed", refused.chat_id: "failed"})


async def test_a_chat_that_goes_on_with_its_queue_is_not_over_in_between(open_workspace: Open) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    workspace = open_workspace(ScriptedBackend(replies=[reply("a", first), reply("b", second)]))
    happenings: list[Happening] = []
    workspace.attention.on_happening(happenings.append)
    session = started(workspace, "one")
    await streams(session)
    session.send("two")
    first.set()
    await until(lambda: len(workspace.chats.sessions[session.chat_id].messages) == 4)
    assert [each.event for each in happenings] == []
    second.set()
    await until(lambda: [each.event for each in happenings] == ["ended"])


async def test_decisions_are_counted_and_come_first(open_workspace: Open) -> None:
    gate = asyncio.Event()
    workspace = open_workspace(ScriptedBackend(replies=[reply("a"), question("b", gate)]))
    attention = workspace.attention
    happenings: list[Happening] = []
    attention.on_happening(happenings.append)
    new = started(workspace, "one")
    await until(lambda: wants(attention) == {new.chat_id: "new"})
    asking = started(workspace, "two")
    await until(lambda: wants(attention).get(asking.chat_id) == "waiting")
    assert list(attention.states.items()) == [
        (asking.chat_id, ChatState("waiting", "two", 1)),
        (new.chat_id, ChatState("new", "one")),
    ]
    assert [(each.chat_id, each.event) for each in happenings] == [
        (new.chat_id, "ended"),
        (asking.chat_id, "decision"),
    ]
    assert [each.title for each in attention.running()] == ["two"]
    assert attention.next_after(None) == asking.chat_id
    assert attention.next_after(asking.chat_id) == new.chat_id
    assert attention.next_after(new.chat_id) == asking.chat_id

    workspace.approvals.decide(workspace.approvals.pending[0], Decision(approved=False))
    await until(lambda: wants(attention).get(asking.chat_id) == "working")
    gate.set()
    await until(lambda: wants(attention).get(asking.chat_id) == "new")


async def test_the_next_chat_goes_round_among_equals_and_never_stays(open_workspace: Open) -> None:
    workspace = open_workspace(ScriptedBackend(replies=[reply("a"), reply("b")]))
    one = started(workspace, "one")
    await until(lambda: len(wants(workspace.attention)) == 1)
    assert workspace.attention.next_after(one.chat_id) is None
    two = started(workspace, "two")
    await until(lambda: list(wants(workspace.attention).values()) == ["new", "new"])
    assert workspace.attention.next_after(one.chat_id) == two.chat_id
    assert workspace.attention.next_after(two.chat_id) == one.chat_id
    assert workspace.attention.next_after("elsewhere") == one.chat_id


async def test_marks_outlive_the_program_until_they_are_seen(open_workspace: Open) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(
        replies=[reply("a"), question("b", gate), reply("c", asyncio.Event()), reply("d")]
    )
    first = open_workspace(backend)
    new = started(first, "new one")
    await until(lambda: len(wants(first.attention)) == 1)
    waiting = started(first, "waiting one")
    await until(lambda: wants(first.attention).get(waiting.chat_id) == "waiting")
    running = started(first, "running one")
    await streams(running)
    seen = started(first, "seen one")
    await until(lambda: wants(first.attention).get(seen.chat_id) == "new")
    first.attention.seen(seen.chat_id)
    await first.aclose()
    for each in (new, waiting, running, seen):
        summary = ChatSummary(each.chat_id, each.title, "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z")
        backend.stored[each.chat_id] = Chat(summary, [])

    again = open_workspace(backend)
    again.connect()
    await until(lambda: again.connection.state == "connected")
    assert dict(again.attention.states) == {
        waiting.chat_id: ChatState("waiting", "waiting one"),
        running.chat_id: ChatState("failed", "running one"),
        new.chat_id: ChatState("new", "new one"),
    }
    assert again.attention.running() == []
    again.attention.seen(new.chat_id)
    await again.aclose()

    last = open_workspace(backend)
    last.connect()
    await until(lambda: last.connection.state == "connected")
    assert set(last.attention.states) == {waiting.chat_id, running.chat_id}


def listed(number: int, when: str) -> Chat:
    return Chat(ChatSummary(f"n{number}", f"Chat {number}", when, when), ())


async def test_a_wanting_chat_stands_at_the_top_though_its_page_was_not_read(open_workspace: Open) -> None:
    @dataclass
    class Paged(ScriptedBackend):
        async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
            page = await super().chats(cursor=cursor, limit=limit)
            return Page([row for row in page.items if row.id != "n99"], "more")

    chats = [
        *(listed(n, f"2026-01-01T00:00:{n % 60:02}Z") for n in range(60)),
        listed(99, "2020-01-01T00:00:00Z"),
    ]
    backend = Paged(
        stored={chat.summary.id: chat for chat in chats}, replies=[question("a", asyncio.Event())]
    )
    workspace = open_workspace(backend)
    await workspace.history.refresh()
    assert "n99" not in [row.id for row in workspace.history.rows]
    session = await workspace.chats.open_chat("n99")
    session.send("go on")
    await until(lambda: wants(workspace.attention) == {"n99": "waiting"})
    await workspace.history.refresh()
    assert workspace.history.rows[0].title == "Chat 99"
    await workspace.aclose()

    again = open_workspace(backend)
    again.connect()
    await until(lambda: again.connection.state == "connected" and not again.history.loading)
    rows = [row.id for row in again.history.rows]
    assert rows[0] == "n99"
    assert rows.count("n99") == 1
    again.attention.seen("n99")
    assert again.history.rows[0].id == "n59"


async def test_what_is_said_in_any_chat_is_heard(open_workspace: Open) -> None:
    workspace = open_workspace(ScriptedBackend(replies=[[TokenRefused("The token is refused.")]]))
    happenings: list[Happening] = []
    workspace.attention.on_happening(happenings.append)
    started(workspace, "one")
    await until(lambda: len(happenings) == 2)
    assert [(each.title, each.event) for each in happenings] == [("one", "notice"), ("one", "failed")]
    assert happenings[0].notice == Notice("The token is refused.", "error", "sign-in")


async def test_news_outside_a_turn_mark_a_chat_nobody_looks_at(open_workspace: Open) -> None:
    workspace = open_workspace(ScriptedBackend(replies=[reply("a"), reply("b")]))
    attention = workspace.attention
    seen, unseen = started(workspace, "one"), started(workspace, "two")
    await until(lambda: set(wants(attention).values()) == {"new"} and len(wants(attention)) == 2)
    attention.seen(seen.chat_id)
    attention.seen(unseen.chat_id)
    attention.looked_at = lambda chat_id: chat_id == seen.chat_id
    for session in (seen, unseen):
        session._tell(Notice(RESULT_SHOWN, code="news"))
    assert wants(attention) == {unseen.chat_id: "new"}
    assert attention.next_after(seen.chat_id) == unseen.chat_id


async def test_a_deleted_chat_leaves_no_mark_and_no_note(open_workspace: Open) -> None:
    workspace = open_workspace(ScriptedBackend(replies=[reply("a", asyncio.Event())]))
    session = started(workspace, "one")
    await streams(session)
    await workspace.history.delete(session.chat_id)
    await workspace.attention.aclose()
    assert wants(workspace.attention) == {}
    assert await workspace._keeper.notes(session.chat_id) == {}


def test_the_others_in_words() -> None:
    def states(*wants: str) -> list[ChatState]:
        return [ChatState(want, "x") for want in wants]  # type: ignore[arg-type]

    assert in_words([]) == ""
    assert in_words(states("new")) == "1 other chat: 1 new"
    assert in_words(states("new", "waiting")) == "2 other chats: 1 waits, 1 new"
    assert (
        in_words(states("working", "working", "failed", "waiting", "waiting"))
        == "5 other chats: 2 wait, 1 failed, 2 work"
    )


async def test_a_mark_goes_with_a_chat_that_was_deleted_elsewhere(open_workspace: Open) -> None:
    backend = ScriptedBackend(replies=[reply("a")])
    first = open_workspace(backend)
    gone = started(first, "gone")
    await until(lambda: wants(first.attention).get(gone.chat_id) == "new")
    await first.aclose()
    again = open_workspace(backend)
    again.connect()
    await until(lambda: again.connection.state == "connected" and not again.attention.states)
    await until(lambda: again.history.rows == [])

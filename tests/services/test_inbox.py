"""Questions that waited when the program ended are read from the server again and asked anew, in whatever chat."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary
from kai_tui.conversation import events as e
from kai_tui.services import session_asked_before
from kai_tui.services.account import SANDBOX
from kai_tui.services.approval_service import Decision
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.inbox import Asked, from_note, read_file, to_note
from kai_tui.storage.paths import AccountFiles, Paths, account_files
from tests.services.scripted_backend import ScriptedBackend, until
from tests.services.test_chat_session import ANSWER, asking, text_reply, write_call
from tests.services.test_with_sandbox import BUCKET, House, asked, buckets, calls
from tests.services.test_with_sandbox import house as house

Enter = Callable[[ScriptedBackend], Awaitable[Workspace]]


def files_in(folder: Path) -> AccountFiles:
    return account_files(Paths(folder, folder, folder, folder), "project")


@pytest.fixture
async def enter(tmp_path: Path) -> AsyncIterator[Enter]:
    """The program, started on the same files each time."""
    opened: list[Workspace] = []

    async def begin(backend: ScriptedBackend) -> Workspace:
        async def provide() -> ScriptedBackend:
            return backend

        workspace = Workspace(SANDBOX, provide, DiskKeeper(files_in(tmp_path)))
        opened.append(workspace)
        said: list[str] = []
        workspace.said = said  # type: ignore[attr-defined]
        workspace.observe_notices(said.append)
        workspace.chats.hear(
            lambda _, change: said.append(change.sentence) if isinstance(change, Notice) else None
        )
        workspace.connect()
        await until(lambda: workspace.connection.state == "connected")
        return workspace

    yield begin
    for workspace in opened:
        await workspace.aclose()


def noted(folder: Path) -> dict[str, list[Asked]]:
    return {chat: rows for chat, (_, rows) in read_file(files_in(folder).state).items()}


def hear(workspace: Workspace) -> list[str]:
    """All that was said since it was opened."""
    return workspace.said  # type: ignore[attr-defined]


async def crash(house: House, to: Path) -> None:
    """What kill -9 leaves: the files as they are now, and nobody who has them open."""
    shutil.copytree(house.folder, to)
    for each in house.opened:
        await each.aclose()
    house.folder = to


async def test_after_a_crash_what_waited_is_asked_again_in_a_chat_nobody_opened(
    house: House, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_asked_before, "RESULT_LOOKS", (0.05,) * 100)
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    shown = workspace.approvals.pending[0]
    state = account_files(
        Paths(*[house.folder / each for each in ("config", "data", "cache", "state")]), "sandbox"
    )
    await until(lambda: read_file(state.state))
    await crash(house, tmp_path_factory.mktemp("again") / "home")

    again = await house.enter()
    await asked(again)
    question = again.approvals.pending[0]
    assert question.digest == shown.digest
    assert question.asked_at == shown.asked_at
    assert "Asked before kai-tui ended" in (question.note or "")
    assert "reports" not in await buckets(again)
    assert again.approvals.decide(question, Decision(True))
    await until(lambda: calls(again.chats.sessions[session.chat_id])[0].settled)
    assert "reports" in await buckets(again)
    assert again.inbox.unread == []


async def test_what_is_decided_is_off_the_disk_and_what_is_left_stays(enter: Enter, tmp_path: Path) -> None:
    backend = ScriptedBackend(
        style="continuation", replies=[asking("w1"), asking("w2")], answers=[text_reply("done")]
    )
    workspace = await enter(backend)
    one, two = workspace.chats.new_chat(), workspace.chats.new_chat()
    one.send("one")
    await until(lambda: len(workspace.approvals.pending) == 1)
    two.send("two")
    await until(lambda: len(workspace.approvals.pending) == 2)
    await until(lambda: set(noted(tmp_path)) == {one.chat_id, two.chat_id})
    row = noted(tmp_path)[one.chat_id][0]
    assert (row.tool_call_id, row.digest) == ("w1", workspace.approvals.pending[0].digest)
    assert row.sentence
    assert row.asked_at > 0
    backend.stored[one.chat_id] = Chat(ChatSummary(one.chat_id, "one"), list(one.messages))
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await until(lambda: set(noted(tmp_path)) == {two.chat_id})
    await workspace.aclose()
    assert set(noted(tmp_path)) == {two.chat_id}


async def test_the_input_is_not_kept_only_what_a_list_shows(enter: Enter, tmp_path: Path) -> None:
    call = [
        e.ToolInputAvailable("w1", "update_config", {"#password": "needle-77", "configuration_id": "1"}, {}),
        e.ToolApprovalRequest("w1", "approval-w1", {}),
    ]
    backend = ScriptedBackend(
        style="continuation", replies=[[e.Start(ANSWER), *call, e.Finish("tool-calls")]]
    )
    workspace = await enter(backend)
    workspace.chats.new_chat().send("go")
    await until(lambda: noted(tmp_path))
    await workspace.aclose()
    kept = b"".join(each.read_bytes() for each in tmp_path.rglob("*.state.sqlite*"))
    assert b"update_config" in kept
    assert b"needle-77" not in kept


def waiting(chat_id: str, messages: list[object]) -> dict[str, Chat]:
    return {chat_id: Chat(ChatSummary(chat_id, "Orders"), messages)}  # type: ignore[arg-type]


async def left_waiting(enter: Enter, *, agent: bool) -> tuple[ChatSession, ScriptedBackend]:
    """A chat in which a question waited when the program was left."""
    gate = asyncio.Event()
    reply = [e.Start(ANSWER), *write_call(), gate] if agent else asking("w1")
    backend = ScriptedBackend(style="side-request" if agent else "continuation", replies=[reply])
    workspace = await enter(backend)
    session = workspace.chats.new_chat()
    session.send("go")
    await until(lambda: workspace.approvals.pending)
    backend.stored = waiting(session.chat_id, [each.reopened() for each in session.messages])
    await workspace.aclose()
    return session, backend


async def test_on_the_agent_a_call_the_server_does_not_show_any_more_is_said_to_be_gone(
    enter: Enter, tmp_path: Path
) -> None:
    session, backend = await left_waiting(enter, agent=True)
    backend.stored = waiting(session.chat_id, [session.messages[0]])
    again = await enter(backend)
    said = hear(again)
    await until(lambda: any("can no longer be decided" in each for each in said))
    assert not again.approvals.pending
    await until(lambda: not noted(tmp_path))
    assert backend.answered == []


async def test_on_the_agent_an_open_call_is_asked_again_and_answered_once(
    enter: Enter, tmp_path: Path
) -> None:
    session, backend = await left_waiting(enter, agent=True)
    again = await enter(backend)
    await until(lambda: again.approvals.pending)
    question = again.approvals.pending[0]
    assert "if the server gave up waiting" in (question.note or "")
    assert backend.answered == []
    assert again.approvals.decide(question, Decision(True))
    assert not again.approvals.decide(question, Decision(True))
    await until(lambda: backend.answered)
    await until(lambda: not noted(tmp_path))
    assert [[each.approved for each in answers] for answers in backend.answered] == [[True]]
    assert again.chats.sessions[session.chat_id].pending_calls() == []


async def test_what_was_settled_elsewhere_meanwhile_is_said_and_not_asked(
    enter: Enter, tmp_path: Path
) -> None:
    session, backend = await left_waiting(enter, agent=False)
    theirs = [each.reopened() for each in session.messages]
    theirs[-1].tool_calls()[0].fields["state"] = "output-denied"
    backend.stored = waiting(session.chat_id, theirs)
    again = await enter(backend)
    said = hear(again)
    await until(lambda: any("settled elsewhere" in each for each in said))
    assert not again.approvals.pending
    # Nobody waits there any more; that something happened is still marked.
    await until(lambda: again.attention.states[session.chat_id].want == "new")
    await until(lambda: not noted(tmp_path))


async def test_what_the_server_changed_meanwhile_is_marked(enter: Enter) -> None:
    session, backend = await left_waiting(enter, agent=True)
    theirs = [each.reopened() for each in session.messages]
    theirs[-1].tool_calls()[0].fields["input"] = {"name": "something else"}
    backend.stored = waiting(session.chat_id, theirs)
    again = await enter(backend)
    await until(lambda: again.approvals.pending)
    assert "changed since you saw it" in (again.approvals.pending[0].note or "")
    assert again.approvals.pending[0].input == {"name": "something else"}


async def test_a_server_that_does_not_answer_is_asked_when_it_does(enter: Enter, tmp_path: Path) -> None:
    session, backend = await left_waiting(enter, agent=False)
    backend.chat_error = CannotConnect("Not now.")
    again = await enter(backend)
    await until(lambda: session.chat_id in again.chats.sessions)
    await until(lambda: again.inbox._reader is not None and again.inbox._reader.done())
    assert [each.tool_call_id for _, each in again.inbox.unread] == ["w1"]
    assert not again.approvals.pending
    assert set(noted(tmp_path)) == {session.chat_id}
    backend.chat_error = None
    again.connect()
    await until(lambda: again.approvals.pending)
    assert again.inbox.unread == []


async def test_on_the_agent_too_and_in_the_same_run(enter: Enter, tmp_path: Path) -> None:
    """The stream breaks, the chat cannot be read: what waited is not forgotten."""
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[[e.Start(ANSWER), *write_call(), gate, e.Finish("lost")]])
    workspace = await enter(backend)
    session = workspace.chats.new_chat()
    session.send("go")
    await until(lambda: workspace.approvals.pending)
    asked_at = workspace.approvals.pending[0].asked_at
    backend.stored = waiting(session.chat_id, [each.reopened() for each in session.messages])
    backend.chat_error = CannotConnect("Not now.")
    gate.set()
    await until(lambda: session.turn.reason == "lost")
    assert not workspace.approvals.pending
    assert [each.tool_call_id for _, each in workspace.inbox.unread] == ["w1"]
    backend.chat_error = None
    workspace.connect()
    await until(lambda: workspace.approvals.pending)
    assert workspace.approvals.pending[0].asked_at == asked_at
    assert "The connection was lost" in (workspace.approvals.pending[0].note or "")


async def test_what_another_open_window_asks_is_not_taken(enter: Enter) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[[e.Start(ANSWER), *write_call(), gate]])
    first = await enter(backend)
    session = first.chats.new_chat()
    session.send("go")
    await until(lambda: first.approvals.pending)
    await until(lambda: first.inbox._writer is not None and first.inbox._writer.done())
    backend.stored = waiting(session.chat_id, [session.messages[0]])
    second = await enter(backend)
    said = hear(second)
    await until(lambda: second.inbox._reader is not None and second.inbox._reader.done())
    assert second.inbox.unread == []
    assert session.chat_id not in second.chats.sessions
    await second.chats.open_chat(session.chat_id)
    await asyncio.sleep(0.05)
    assert not said
    assert first.approvals.pending


async def test_a_deleted_chat_takes_its_questions_along(enter: Enter, tmp_path: Path) -> None:
    backend = ScriptedBackend(style="continuation", replies=[asking("w1")])
    workspace = await enter(backend)
    session = workspace.chats.new_chat()
    session.send("go")
    await until(lambda: noted(tmp_path))
    backend.stored = waiting(session.chat_id, list(session.messages))
    await workspace.history.delete(session.chat_id)
    await until(lambda: not noted(tmp_path))
    await workspace.aclose()
    assert not noted(tmp_path)


async def test_a_decision_whose_outcome_was_not_seen_is_looked_after_in_the_next_run(
    enter: Enter, tmp_path: Path
) -> None:
    """The program ends between the answer and what comes of it: the chat is read, and asked about only if it waits."""
    gate = asyncio.Event()
    backend = ScriptedBackend(
        style="continuation", replies=[asking("w1")], answers=[[gate, *text_reply("x")]]
    )
    workspace = await enter(backend)
    session = workspace.chats.new_chat()
    session.send("go")
    await until(lambda: workspace.approvals.pending)
    backend.stored = waiting(session.chat_id, [each.reopened() for each in session.messages])
    assert workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await until(lambda: backend.answered)
    await until(lambda: [each.answered for each in noted(tmp_path).get(session.chat_id, ())] == [True])
    workspace.inbox.leave()
    await workspace.aclose()
    assert [each.answered for each in noted(tmp_path)[session.chat_id]] == [True]

    again = await enter(backend)
    await until(lambda: again.approvals.pending)
    assert "You answered this before" in (again.approvals.pending[0].note or "")
    assert len(backend.answered) == 1


@pytest.mark.parametrize("copy", [True, False])
async def test_a_chat_that_is_gone_from_the_server_takes_its_questions_along(
    enter: Enter, tmp_path: Path, copy: bool
) -> None:
    _, backend = await left_waiting(enter, agent=False)
    backend.stored = {}
    if not copy:
        files_in(tmp_path).cache.unlink()
    again = await enter(backend)
    said = hear(again)
    await until(lambda: said)
    assert any(
        "can no longer be decided" in each or "no longer exists. In it create_config waited" in each
        for each in said
    )
    await until(lambda: not noted(tmp_path))
    assert not again.approvals.pending


@pytest.mark.parametrize(
    "note",
    [
        None,
        [],
        "x",
        {"questions": 3},
        {"questions": [1, {}, {"tool_call_id": 4, "digest": "d"}]},
        {"owner": 7},
    ],
)
def test_odd_notes_are_read_as_nothing(note: object) -> None:
    assert from_note(note) == []


def test_a_note_comes_back_as_it_was() -> None:
    asked_then = Asked("w1", "d", "m", "a", "t", "s" * 900, "o", "runs", "c", "main", 12.5, answered=True)
    note = to_note([asked_then], "me")
    assert note is not None
    (back,) = from_note(note)
    assert (back.tool_call_id, back.asked_at, back.answered, len(back.sentence)) == ("w1", 12.5, True, 400)
    assert to_note([], "me") is None


def test_a_file_that_is_none_has_nothing_waiting(tmp_path: Path) -> None:
    assert read_file(tmp_path / "none.sqlite") == {}
    (tmp_path / "broken.sqlite").write_bytes(b"not a database" * 100)
    assert read_file(tmp_path / "broken.sqlite") == {}

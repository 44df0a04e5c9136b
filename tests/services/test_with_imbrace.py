"""Whole conversations with iMBRACE through the services: sent once, approved, lost and read back, opened again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kai_tui.backends.base import Backend
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.conversation.messages import DataPart
from kai_tui.services.account import SANDBOX
from kai_tui.services.account_memory import AccountMemory
from kai_tui.services.account_secrets import AccountSecrets
from kai_tui.services.approval_service import Decision
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import Paths, account_files
from tests.backends.imbrace.kit import account
from tests.backends.kai_server import Exchange, Hangup, answer
from tests.fakes.imbrace import ImbraceFake
from tests.services.scripted_backend import until

POST = "POST /ai-agent/v2/chat"


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


@asynccontextmanager
async def entered(fake: ImbraceFake, folder: Path, agent: str = "asst_stream") -> AsyncIterator[Workspace]:
    """The program's services on one user's files."""
    backends: list[ImbraceBackend] = []
    who = SANDBOX._replace(id="imbrace")
    paths = Paths(folder, folder, folder, folder)
    keeper = DiskKeeper(account_files(paths, who.id))
    memory = AccountMemory(who, keeper, AccountSecrets(lambda: paths), lambda: paths)

    async def open_backend() -> Backend:
        backends.append(account(fake.url, agent=agent, memory=memory))
        return backends[-1]

    workspace = Workspace(who, open_backend, keeper)
    workspace.connect()
    await until(lambda: workspace.connection.state == "connected", 20)
    try:
        yield workspace
    finally:
        await workspace.aclose()
    leaked = [
        t for t in asyncio.all_tasks() if t is not asyncio.current_task() and "session" in repr(t).lower()
    ]
    assert leaked == []


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished", 20)


def said(session: ChatSession) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in session.messages]


async def test_a_chat_goes_on_and_is_opened_again_without_a_message_twice(fake: ImbraceFake, tmp_path: Path):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        for text in ("Hello", "makedoc please", "Hello"):
            session.send(text)
            await over(session)
        before = said(session)
        assert [role for role, _ in before] == ["user", "assistant"] * 3
        chat_id = session.chat_id
        assert session.delivery(session.messages[0].id) == "sent"
    async with entered(fake, tmp_path) as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert any(isinstance(part, DataPart) for part in again.messages[3].parts)
        again.send("One more")
        await over(again)
        assert [text for role, text in said(again) if role == "user"] == [
            "Hello",
            "makedoc please",
            "Hello",
            "One more",
        ]
    assert fake.posts == 4


@pytest.mark.parametrize("yes", [True, False])
async def test_a_change_happens_only_after_a_yes(fake: ImbraceFake, tmp_path: Path, yes: bool):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("please approve a new board")
        await until(lambda: len(workspace.approvals.pending) == 1, 20)
        approval = workspace.approvals.pending[0]
        assert approval.tool_name == "create_board"
        assert fake.posts == 1
        assert workspace.approvals.decide(approval, Decision(yes, None if yes else "not now"))
        await over(session)
        (call,) = session.messages[-1].tool_calls()
        assert call.state == ("output-available" if yes else "output-denied")
        assert not workspace.approvals.decide(approval, Decision(True))
        assert fake.posts == 2


@pytest.mark.parametrize("when", ["while it waits", "while it is written"])
async def test_an_answer_goes_to_the_agent_that_asked(fake: ImbraceFake, tmp_path: Path, when: str):
    """§6: the same `assistant_id`. Another agent was chosen for the next message, not for what was asked."""
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("please approve a new board")
        if when == "while it is written":
            await until(lambda: session.turn.phase == "streaming" or bool(workspace.approvals.pending), 20)
            await workspace.choose_agent("asst_team", chat_id=session.chat_id)
        await until(lambda: len(workspace.approvals.pending) == 1, 20)
        await workspace.choose_agent("asst_team", chat_id=session.chat_id)
        assert workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
        await over(session)
        session.send("Hello")
        await over(session)
        asked = [seen.body["assistant_id"] for seen in fake.seen if seen.call == POST]
        assert asked == ["asst_stream", "asst_stream", "asst_team"]


async def test_an_answer_goes_to_the_agent_that_asked_also_in_the_next_run(fake: ImbraceFake, tmp_path: Path):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("please approve a new board")
        await until(lambda: len(workspace.approvals.pending) == 1, 20)
        await workspace.choose_agent("asst_team", chat_id=session.chat_id)
        chat_id = session.chat_id
    async with entered(fake, tmp_path) as workspace:
        session = await workspace.chats.open_chat(chat_id)
        await until(lambda: len(workspace.approvals.pending) == 1, 20)
        assert workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
        await over(session)
        asked = [seen.body["assistant_id"] for seen in fake.seen if seen.call == POST]
        assert asked == ["asst_stream", "asst_stream"]


async def test_a_question_left_open_waits_in_the_next_run(fake: ImbraceFake, tmp_path: Path):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("please approve a new board")
        await until(lambda: len(workspace.approvals.pending) == 1, 20)
        chat_id = session.chat_id
    async with entered(fake, tmp_path) as workspace:
        session = await workspace.chats.open_chat(chat_id)
        await until(lambda: len(workspace.approvals.pending) == 1, 20)
        workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
        await over(session)
        assert [call.state for call in session.messages[-1].tool_calls()] == ["output-available"]
    assert fake.posts == 2


async def test_a_message_whose_answer_was_lost_is_found_to_have_arrived(fake: ImbraceFake, tmp_path: Path):
    """P5: the server took it and gave it another id; it must not be offered as not sent."""

    async def takes_it_and_hangs_up(exchange: Exchange) -> None:
        fake.on(POST, fake.otherwise(exchange.seen))
        answering = asyncio.create_task(fake.otherwise(exchange.seen)(_Nowhere(exchange)))
        await until(lambda: any(len(chat.messages) == 2 for chat in fake.chats.values()), 20)
        answering.cancel()
        raise Hangup

    async with entered(fake, tmp_path) as workspace:
        fake.on(POST, takes_it_and_hangs_up)
        session = workspace.chats.new_chat()
        session.send("Hello")
        await until(lambda: session.delivery(session.messages[0].id) == "sent", 20)
        await until(lambda: len(session.messages) == 2, 20)
        assert said(session)[0] == ("user", "Hello")
        assert said(session)[1][1].endswith("You said: Hello")
    assert fake.posts == 1


class _Nowhere(Exchange):
    """An answer that nobody gets."""

    def __init__(self, exchange: Exchange) -> None:
        self.seen = exchange.seen

    async def start(self, *_: object, **__: object) -> None:
        return None

    async def write(self, data: bytes) -> None:
        return None

    async def until_hung_up(self) -> None:
        await asyncio.Event().wait()


async def test_what_was_stopped_is_read_back_when_the_server_is_done(fake: ImbraceFake, tmp_path: Path):
    fake.slowly.clear()
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("slow please")
        await until(lambda: "word4" in session.messages[-1].text, 20)
        session.stop()
        await until(lambda: session.turn.phase == "finished", 20)
        assert session.turn.reason == "cancelled"
        fake.slowly.set()
        await until(lambda: len(fake.chats[session.chat_id].messages) == 2, 20)
        session.look_again()
        await until(lambda: session.messages[-1].text.endswith("word199 "), 20)
        assert [role for role, _ in said(session)] == ["user", "assistant"]
    assert fake.posts == 1


async def test_a_plain_agent_answers(fake: ImbraceFake, tmp_path: Path):
    async with entered(fake, tmp_path, agent="asst_plain") as workspace:
        session = workspace.chats.new_chat()
        session.send("Hello")
        await over(session)
        assert said(session)[-1] == ("assistant", "Hello from the stub model. You said: Hello")
        assert session.turn.reason == "stop"


async def test_an_answer_the_server_does_not_keep_stands_after_its_question_ever_after(
    fake: ImbraceFake, tmp_path: Path
):
    async with entered(fake, tmp_path, "asst_plain") as workspace:
        session = workspace.chats.new_chat()
        for text in ("One", "Two"):
            session.send(text)
            await over(session)
        before, chat_id = said(session), session.chat_id
        assert [role for role, _ in before] == ["user", "assistant"] * 2
        session.look_again()
        await until(lambda: not session._lookups)
        assert said(session) == before
    for _ in range(2):
        for cache in tmp_path.rglob("*.cache.sqlite"):
            cache.unlink()
        async with entered(fake, tmp_path, "asst_plain") as workspace:
            again = await workspace.chats.open_chat(chat_id)
            assert said(again) == before
    async with entered(fake, tmp_path, "asst_plain") as workspace:
        again = await workspace.chats.open_chat(chat_id)
        again.send("Three")
        await over(again)
        assert said(again)[:4] == before
        assert len(again.messages) == 6
        await workspace.history.refresh()
        await workspace.history.delete(chat_id)
    for file in tmp_path.rglob("*.state.sqlite*"):
        assert b'"Two"' not in file.read_bytes()
    assert fake.posts == 3


async def test_an_answer_the_server_still_writes_is_waited_for_and_shown_whole(
    fake: ImbraceFake, tmp_path: Path
):
    """imbrace.md §7: hanging up does not stop the server; its status stream says when it is done."""
    fake.slowly.clear()
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("slow please")
        await until(lambda: session.last_assistant_message and session.last_assistant_message.text, 20)
        session.stop()
        await until(lambda: not session.turn.busy, 20)
        chat_id = session.chat_id
    async with entered(fake, tmp_path) as workspace:
        session = await workspace.chats.open_chat(chat_id)
        await until(lambda: session.turn.countdown is not None, 20)
        assert session.turn.countdown is not None
        assert session.turn.countdown.what == "server-writes"
        await until(lambda: fake.calls(f"GET /ai-agent/chat-client/chats/{chat_id}/status/stream"), 20)
        fake.slowly.set()
        await until(lambda: session.turn.countdown is None, 20)
        message = session.last_assistant_message
        assert message is not None
        assert message.text.rstrip().endswith("word199")
        assert len([each for each in session.messages if each.role == "assistant"]) == 1


async def test_a_message_sent_while_the_server_still_writes_ends_the_waiting(
    fake: ImbraceFake, tmp_path: Path
):
    fake.slowly.clear()
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("slow please")
        await until(lambda: session.last_assistant_message and session.last_assistant_message.text, 20)
        session.stop()
        await until(lambda: not session.turn.busy, 20)
        session.look_again()
        await until(lambda: session.turn.countdown is not None, 20)
        session.send("never mind")
        await until(lambda: session.turn.phase == "finished" and len(session.messages) >= 4, 20)
        assert session.turn.countdown is None
        fake.slowly.set()


async def test_the_text_of_a_document_of_an_earlier_run_is_read_when_it_is_looked_at(
    fake: ImbraceFake, tmp_path: Path
):
    """imbrace.md §11: the stored chat has only id, title and kind."""
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("makedoc please")
        await over(session)
        chat_id = session.chat_id
    for cache in tmp_path.rglob("*.cache.sqlite"):
        cache.unlink()
    async with entered(fake, tmp_path) as workspace:
        session = await workspace.chats.open_chat(chat_id)
        message = session.last_assistant_message
        assert message is not None
        at, part = next((at, part) for at, part in enumerate(message.parts) if part.type == "data-document")
        assert "content" not in part.fields["data"]
        document_id = part.fields["data"]["id"]
        fake.on(
            f"GET /ai-agent/chat-client/documents/{document_id}/latest",
            answer(
                200, {"id": document_id, "title": "Release notes", "kind": "text", "content": "All of it."}
            ),
        )
        session.want_document(message.id, at)
        await until(lambda: part.fields["data"].get("content") == "All of it.", 20)


async def test_all_chats_go_at_once_those_at_the_server_and_those_kept_here(
    fake: ImbraceFake, tmp_path: Path
):
    keeper = DiskKeeper(account_files(Paths(tmp_path, tmp_path, tmp_path, tmp_path), "imbrace"))

    async def open_backend() -> Backend:
        return account(fake.url, agent="model:gpt-stub", chats=keeper.local_chats)

    workspace = Workspace(SANDBOX._replace(id="imbrace", kind="imbrace"), open_backend, keeper)
    workspace.connect()
    try:
        await until(lambda: workspace.connection.state == "connected", 20)
        here = workspace.chats.new_chat()
        here.send("Hello")
        await over(here)
        await workspace.choose_agent("asst_stream")
        there = workspace.chats.new_chat()
        there.send("Hello")
        await over(there)
        chats = {here.chat_id, there.chat_id}
        counted = await workspace.history.all_ids()
        assert counted == chats
        assert await workspace.history.delete_all(counted) == (2, chats)
        assert (list(workspace.history.rows), list(fake.chats)) == ([], [])
        assert await keeper.local_chats.ids() == set()
        assert await workspace.history.all_ids() == frozenset()
    finally:
        await workspace.aclose()


async def test_words_that_were_never_sent_do_not_go_with_all_chats(fake: ImbraceFake, tmp_path: Path):
    async with entered(fake, tmp_path) as workspace:
        there = workspace.chats.new_chat()
        there.send("Hello")
        await over(there)
        fake.on(POST, answer(400, {"error": "Not now"}))
        unsent = workspace.chats.new_chat()
        unsent.send("Never sent")
        await over(unsent)
        assert unsent.delivery(unsent.messages[0].id) == "not-sent"
        counted = await workspace.history.all_ids()
        assert counted == {there.chat_id}
        assert await workspace.history.delete_all(counted) == (1, {there.chat_id})
        assert [row.id for row in workspace.history.rows] == [unsent.chat_id]
        chat_id = unsent.chat_id
    async with entered(fake, tmp_path) as workspace:
        assert said(await workspace.chats.open_chat(chat_id)) == [("user", "Never sent")]

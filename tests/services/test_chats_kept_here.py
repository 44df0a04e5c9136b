"""Servers that keep no chats: what is here is all there is, it is complete, and nothing is claimed beyond it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.assistant_ui.client import AssistantUiBackend
from kai_tui.backends.assistant_ui.config import AssistantUiConfig
from kai_tui.backends.base import Backend, BackendError, LocalChats, TokenRefused
from kai_tui.backends.kiss.client import KissBackend
from kai_tui.conversation.messages import Message
from kai_tui.services.account import Account
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.chats import CachedChat
from kai_tui.storage.errors import StorageError
from kai_tui.storage.own_chats import OwnConversation
from kai_tui.storage.paths import AccountFiles
from tests.backends.assistant_ui.kit import AT_ONCE, AUTH
from tests.backends.imbrace.kit import account as imbrace_account
from tests.backends.kai_server import Exchange, Gate, Hangup, KaiServer, answer, hang_up
from tests.fakes.assistant_ui import FakeAssistantUi
from tests.fakes.imbrace import ImbraceFake
from tests.fakes.kiss import FakeKiss
from tests.services.scripted_backend import until

SYSTEMS = ("kiss", "assistant-ui", "model")
KEEPS_NONE = {
    "kiss": "KISS AI Stack keeps no chats, so this cannot be checked",
    "assistant-ui": "Assistant UI keeps no chats, so this cannot be checked",
    "model": "A model without an agent keeps no chats, so this cannot be checked",
}
NOTHING = OwnConversation(CachedChat("", ""), (), whole=True)
POSTS = {"kiss": "POST /queries", "assistant-ui": "POST /api/chat", "model": "POST /v3/ai/completions"}


@dataclass
class House:
    """One account of a system on a user's files, and its fake server."""

    system: str
    server: Any
    folder: Path
    notices: list[str] = field(default_factory=list)
    refuses: BackendError | None = None
    """What opening the account fails with."""

    @property
    def posts(self) -> list[Any]:
        return self.server.calls(POSTS[self.system])

    def files(self, folder: Path | None = None) -> AccountFiles:
        folder = folder or self.folder
        return AccountFiles(lambda: (folder / "data" / "a.state.sqlite", folder / "cache" / "a.cache.sqlite"))

    def backend(self, chats: LocalChats) -> Backend:
        if self.system == "kiss":
            return KissBackend(self.server.url, chats=chats, send_earlier=True, timeouts=AT_ONCE)
        if self.system == "assistant-ui":
            config = AssistantUiConfig(self.server.url, headers=AUTH)
            return AssistantUiBackend(config, chats=chats, timeouts=AT_ONCE)
        return imbrace_account(self.server.url, agent="model:gpt-stub", chats=chats)

    @asynccontextmanager
    async def enter(
        self, folder: Path | None = None, *, state: str = "connected"
    ) -> AsyncIterator[Workspace]:
        keeper = DiskKeeper(self.files(folder))

        async def open_backend() -> Backend:
            if self.refuses is not None:
                raise self.refuses
            return self.backend(keeper.local_chats)

        kind = "imbrace" if self.system == "model" else self.system
        workspace = Workspace(Account("a", kind, "Mine"), open_backend, keeper)
        workspace.chats.hear(
            lambda session, change: (
                self.notices.append(change.sentence) if isinstance(change, Notice) else None
            )
        )
        workspace.connect()
        await until(lambda: workspace.connection.state == state, 20)
        await until(lambda: not workspace.history.loading)
        try:
            yield workspace
        finally:
            await workspace.aclose()

    def kill(self) -> Path:
        """What is on disk at this moment, as a kill -9 would leave it."""
        copy = self.folder / "after-the-crash"
        shutil.copytree(self.folder / "data", copy / "data")
        return copy


@pytest.fixture(params=SYSTEMS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    servers: dict[str, Callable[[], KaiServer]] = {
        "kiss": FakeKiss,
        "assistant-ui": FakeAssistantUi,
        "model": ImbraceFake,
    }
    async with servers[request.param]() as server:
        yield House(request.param, server, tmp_path)


async def say(session: ChatSession, text: str) -> None:
    session.send(text)
    await over(session)


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished", 20)


async def on_disk(workspace: Workspace, session: ChatSession) -> None:
    """What the session shows is kept."""
    async with asyncio.timeout(20):
        while len((await workspace._keeper.local_chats._read(session.chat_id) or NOTHING).messages) < len(
            session.messages
        ):
            await asyncio.sleep(0.005)


def said(session: ChatSession) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in session.messages]


def breaks_off(house: House) -> None:
    """Requests with a message reach the server, which hangs up without a word."""
    house.server.on(POSTS[house.system], hang_up)


def waits(house: House) -> tuple[asyncio.Event, Gate]:
    """The server takes messages and says nothing until the gate opens."""
    reached, gate = asyncio.Event(), Gate()

    async def silent(exchange: Exchange) -> None:
        reached.set()
        left = asyncio.create_task(exchange.until_hung_up())
        opened = asyncio.create_task(gate.opened.wait())
        await asyncio.wait([left, opened], return_when=asyncio.FIRST_COMPLETED)
        for each in (left, opened):
            each.cancel()
        raise Hangup

    house.server.on(POSTS[house.system], silent)
    return reached, gate


def answers_again(house: House) -> None:
    del house.server._routes[POSTS[house.system]]
    if house.system == "assistant-ui":
        house.server.on(POSTS[house.system], house.server._chat)


async def test_a_chat_is_complete_in_the_next_run_and_goes_on(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "One hello")
        await say(session, "Two hello")
        before = said(session)
        chat_id = session.chat_id
        assert [role for role, _ in before] == ["user", "assistant"] * 2
        assert all(text for _, text in before)
    shutil.rmtree(house.folder / "cache")
    async with house.enter() as workspace:
        assert [row.id for row in workspace.history.rows] == [chat_id]
        assert workspace.history.rows[0].title == "One hello"
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert [again.delivery(each.id) for each in again.messages] == [None] * 4
        await say(again, "Three hello")
        assert [text for role, text in said(again) if role == "user"] == [
            "One hello",
            "Two hello",
            "Three hello",
        ]
        if house.system == "model":
            assert [each["content"] for each in house.posts[2].body["messages"]] == [
                *(text for _, text in before),
                "Three hello",
            ]
        if house.system == "kiss":
            assert "Two hello" in house.posts[2].body["query"]
    assert len(house.posts) == 3
    assert house.notices == []


async def test_an_offline_start_shows_the_chats_without_excuses(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "One hello")
        before, chat_id = said(session), session.chat_id
    await house.server.__aexit__(None, None, None)
    async with house.enter(state="failed") as workspace:
        assert [row.id for row in workspace.history.rows] == [chat_id]
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert not workspace.chats.is_behind(chat_id)
        if house.system != "model":
            assert workspace.history.offline is None
    assert house.notices == []


async def test_whether_a_message_arrived_is_not_claimed_and_it_goes_again_only_when_told(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "One hello")
        breaks_off(house)
        await say(session, "Lost hello")
        lost = session.messages[-1]
        if house.system == "kiss":
            # The stack keeps nothing of a question that it did not answer (kiss-ai-stack.md §3).
            assert session.delivery(lost.id) == "not-sent"
        else:
            assert session.delivery(lost.id) == "unsure"
            assert session.why_not_sent(lost.id) == KEEPS_NONE[house.system]
        posts = len(house.posts)
        session.look_again()
        assert "keeps no chats, so there is nothing to look for there" in house.notices[-1]
        assert session.turn.countdown is None
        assert len(house.posts) == posts
        answers_again(house)
        session.retry(lost.id)
        await over(session)
        assert session.delivery(lost.id) == "sent"
        assert len(house.posts) == posts + 1
        assert [role for role, _ in said(session)] == ["user", "assistant"] * 2
        before, chat_id = said(session), session.chat_id
    async with house.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert all(again.delivery(each.id) is None for each in again.messages)


async def test_an_unsure_message_keeps_its_place_over_a_restart(house: House):
    if house.system == "kiss":
        pytest.skip("a stack leaves no doubt about a question that failed")
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        breaks_off(house)
        await say(session, "Lost hello")
        answers_again(house)
        await say(session, "Other hello")
        before, chat_id = said(session), session.chat_id
        lost = session.messages[0].id
        posts = len(house.posts)
    async with house.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert again.delivery(lost) == "unsure"
        assert again.why_not_sent(lost) == KEEPS_NONE[house.system]
        assert again.delivery(again.messages[1].id) is None
        assert len(house.posts) == posts
        again.retry(lost)
        await over(again)
        expected = [before[1], before[2], before[0]]
        assert said(again)[:3] == expected
    async with house.enter() as workspace:
        third = await workspace.chats.open_chat(chat_id)
        assert said(third)[:3] == expected
        assert third.delivery(lost) is None
    assert len(house.posts) == posts + 1


async def test_stopping_before_the_first_word_leaves_an_unsure_message(house: House):
    reached, _ = waits(house)
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("Slow hello")
        await asyncio.wait_for(reached.wait(), 20)
        session.stop()
        assert session.turn.phase == "finished"
        message = session.messages[0]
        assert session.delivery(message.id) == "unsure"
        assert session.why_not_sent(message.id) == KEEPS_NONE[house.system]
        chat_id = session.chat_id
    async with house.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == [("user", "Slow hello")]
        assert again.delivery(message.id) == "unsure"
    assert len(house.posts) == 1
    assert not [each for each in house.notices if "server" in each]


async def test_a_crash_while_it_is_sent_leaves_it_unsure_in_its_chat(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "One hello")
        reached, gate = waits(house)
        session.send("Two hello")
        await asyncio.wait_for(reached.wait(), 20)
        killed = house.kill()
        gate.open()
        before = said(session)[:3]
        chat_id = session.chat_id
        await over(session)
    async with house.enter(killed) as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert again.delivery(again.messages[-1].id) == "unsure"
        assert again.why_not_sent(again.messages[-1].id) == KEEPS_NONE[house.system]
    assert len(house.posts) == 2


async def test_a_crash_before_the_first_message_was_answered_keeps_it(house: House):
    reached, gate = waits(house)
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("First hello")
        await asyncio.wait_for(reached.wait(), 20)
        killed = house.kill()
        gate.open()
        await over(session)
        chat_id = session.chat_id
    async with house.enter(killed) as workspace:
        await until(lambda: [row.id for row in workspace.history.rows] == [chat_id])
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == [("user", "First hello")]
        assert again.delivery(again.messages[0].id) == "unsure"
        assert "keeps no chats" in (again.why_not_sent(again.messages[0].id) or "")


async def test_deleting_leaves_nothing_and_asks_no_server(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "A needle hello")
        chat_id = session.chat_id
        seen = len(house.server.seen)
        await workspace.history.delete(chat_id)
        assert workspace.history.rows == []
        assert len(house.server.seen) == seen
    for file in house.folder.rglob("*.sqlite*"):
        assert b"needle" not in file.read_bytes(), file.name
    async with house.enter() as workspace:
        assert workspace.history.rows == []


async def test_a_chat_that_could_not_be_deleted_is_not_called_deleted(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    """Also of an account that cannot be opened: the chat is here only, and would be back tomorrow."""
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "One hello")
        await on_disk(workspace, session)
    house.refuses = TokenRefused("No.")
    async with house.enter(state="failed") as workspace:
        assert [row.id for row in workspace.history.rows] == [session.chat_id]

        async def full(chat_id: str) -> None:
            raise StorageError("The disk is full.")

        with monkeypatch.context() as patch:
            patch.setattr(workspace.keeper.local_chats, "remove", full)
            with pytest.raises(BackendError):
                await workspace.history.delete(session.chat_id)
        assert [row.id for row in workspace.history.rows] == [session.chat_id]
        await workspace.history.delete(session.chat_id)
        assert workspace.history.rows == []


async def test_a_chat_deleted_in_another_window_leaves_the_list(house: House):
    async with house.enter() as one, house.enter() as other:
        session = one.chats.new_chat()
        await say(session, "One hello")
        await on_disk(one, session)
        await other.history.refresh()
        assert [row.id for row in other.history.rows] == [session.chat_id]
        await one.history.delete(session.chat_id)
        await other.history.refresh()
        assert other.history.rows == []


async def test_asking_again_keeps_both_and_sends_the_newer_only(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "One hello")
        assert session.ask_again(session.messages[0].id, "Better hello")
        await over(session)
        assert await session.has_more(session.messages[2].id) is False
        await say(session, "Next hello")
        before, chat_id = said(session), session.chat_id
        superseded = [each.id for each in session.messages if session.is_superseded(each.id)]
        assert len(superseded) == 2
    async with house.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert [each.id for each in again.messages if again.is_superseded(each.id)] == superseded
    sent = json.dumps(house.posts[-1].body)
    if house.system != "assistant-ui":
        assert "One hello" not in sent
        assert "Better hello" in sent


async def test_a_refused_message_is_not_sent_and_says_why_after_a_restart(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "One hello")
        house.server.on(POSTS[house.system], answer(400, {"detail": "too odd"}))
        await say(session, "Odd hello")
        assert session.delivery(session.messages[-1].id) == "not-sent"
        chat_id = session.chat_id
    async with house.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert again.messages[-1].text == "Odd hello"
        assert again.delivery(again.messages[-1].id) == "not-sent"


# A stream that breaks


@pytest.fixture
async def aui(tmp_path: Path) -> AsyncIterator[House]:
    async with FakeAssistantUi() as server:
        yield House("assistant-ui", server, tmp_path)


async def test_a_stopped_reply_is_kept_as_stopped(aui: House):
    async with aui.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("slow")
        await asyncio.wait_for(aui.server.waiting.wait(), 20)
        await until(lambda: len(session.messages) == 2 and "word5" in session.messages[1].text)
        session.stop()
        text, chat_id = session.messages[1].text, session.chat_id
    async with aui.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert again.messages[1].text == text
        finish = again.messages[1].finish
        assert finish is not None
        assert (finish.reason, finish.detail) == ("cancelled", None)
    assert len(aui.posts) == 1


async def test_a_lost_reply_stays_cut_off_with_its_reason(aui: House):
    aui.server.break_after = 60
    aui.server.go_on.set()
    async with aui.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "slow")
        finish = session.messages[1].finish
        assert finish is not None
        assert finish.reason == "lost"
        session.look_again()
        text, chat_id = session.messages[1].text, session.chat_id
        assert text
    async with aui.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert again.messages[1].text == text
        assert again.messages[1].finish == finish
    assert len(aui.posts) == 1


async def test_a_crash_in_the_middle_of_a_reply_keeps_what_was_seen(aui: House):
    async with aui.enter() as workspace:
        session = workspace.chats.new_chat()
        session.send("slow")
        await asyncio.wait_for(aui.server.waiting.wait(), 20)

        async def kept() -> str:
            chat = await workspace._keeper.local_chats.chat(session.chat_id)
            return chat.messages[-1].text

        async with asyncio.timeout(20):
            while session.messages[-1].role == "user" or "word5" not in await kept():
                await asyncio.sleep(0.01)
        killed = aui.kill()
        aui.server.go_on.set()
        await over(session)
        chat_id = session.chat_id
    async with aui.enter(killed) as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert [role for role, _ in said(again)] == ["user", "assistant"]
        assert "word5" in again.messages[1].text
        finish = again.messages[1].finish
        assert finish is not None
        assert (finish.reason, finish.detail) == ("lost", "Its end was not seen here.")
        assert again.delivery(again.messages[0].id) is None


async def test_the_state_of_a_thread_outlives_the_program_and_goes_with_the_chat(aui: House):
    async with aui.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "state")
        chat_id = session.chat_id
        assert session.messages[-1].text == "Turn 1"
    async with aui.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        await say(again, "state")
        assert again.messages[-1].text == "Turn 2"
        assert len(aui.posts[1].body["state"]["messages"]) == 2
        await workspace.history.delete(chat_id)
        assert await workspace._keeper.local_chats.baggage(chat_id) == {}


async def test_what_failed_says_so_in_the_next_run(aui: House):
    async with aui.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "crash")
        errors, chat_id = list(session.messages[1].errors), session.chat_id
        assert errors
    async with aui.enter() as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert again.messages[1].errors == errors
        assert again.messages[1].finish == session.messages[1].finish


async def test_an_account_that_cannot_be_opened_lets_its_chats_be_read_and_deleted(house: House):
    async with house.enter() as workspace:
        session = workspace.chats.new_chat()
        await say(session, "One hello")
        breaks_off(house)
        await say(session, "Lost hello")
        before, chat_id = said(session), session.chat_id
        lost = session.messages[-1].id
        state = session.delivery(lost)
    house.refuses = TokenRefused("The headers of this account are not here. Sign in again.")
    async with house.enter(state="failed") as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == before
        assert again.delivery(lost) == state
        assert not workspace.chats.is_behind(chat_id)
        assert not [each for each in house.notices if "copy" in each]
        await workspace.history.delete(chat_id)
        assert workspace.history.rows == []
    house.refuses = None
    async with house.enter() as workspace:
        assert workspace.history.rows == []


async def test_replies_kept_at_the_same_moment_stand_behind_their_own_questions(tmp_path: Path) -> None:
    """The next turn may begin while the last one is still on its way to the disk."""
    keeper = DiskKeeper(AccountFiles(lambda: (tmp_path / "state.sqlite", tmp_path / "cache.sqlite")))
    await keeper.ready()
    pairs = [(Message.user(f"q{n}", f"Question {n}"), Message(f"a{n}", "assistant", [])) for n in range(4)]
    await asyncio.gather(*(keeper.keep_reply("c", "t", *pair, "complete") for pair in pairs))
    assert [each.id for each in await keeper.replies_kept("c")] == [
        each.id for pair in pairs for each in pair
    ]
    await keeper.aclose()

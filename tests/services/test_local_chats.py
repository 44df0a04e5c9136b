"""Chats no server keeps, in a real state file: complete, in order, found again, gone when deleted."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kai_tui.backends.base import CHAT_GONE, BackendError, LocalChats, NotFound
from kai_tui.conversation.events import Finish
from kai_tui.conversation.messages import Message, TextPart
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.local_chats import AccountChats
from kai_tui.storage.copies import backup_daily
from kai_tui.storage.database import Database
from kai_tui.storage.paths import AccountFiles
from kai_tui.storage.presence import Presence
from kai_tui.storage.schema import Schema
from kai_tui.storage.state import STATE_SCHEMA


def files_in(folder: Path) -> AccountFiles:
    return AccountFiles(lambda: (folder / "data" / "a.state.sqlite", folder / "cache" / "a.cache.sqlite"))


@contextlib.asynccontextmanager
async def keeper_in(folder: Path) -> AsyncIterator[DiskKeeper]:
    keeper = DiskKeeper(files_in(folder))
    await keeper.ready()
    try:
        yield keeper
    finally:
        await keeper.aclose()


def reply(message_id: str, text: str, finish: Finish | None = None) -> Message:
    message = Message(id=message_id)
    message.parts.append(TextPart({"type": "text", "text": text}))
    message.finish = finish
    return message


async def write(keeper: DiskKeeper, chat_id: str, *texts: str) -> None:
    keeper.keep_here(chat_id)
    for number, text in enumerate(texts):
        question = Message.user(f"{chat_id}-q{number}", text)
        await keeper.checkpoint(chat_id, f"About {chat_id}", question, "complete")
        answer = reply(f"{chat_id}-a{number}", text.upper(), Finish("stop"))
        await keeper.checkpoint(chat_id, f"About {chat_id}", answer, "complete")


async def test_a_chat_is_there_as_it_was_without_the_cache_and_in_the_next_run(tmp_path: Path):
    async with keeper_in(tmp_path) as keeper:
        chats: LocalChats = keeper.local_chats
        await write(keeper, "c1", "one", "two")
        assert [each.text for each in (await chats.chat("c1")).messages] == ["one", "ONE", "two", "TWO"]
    files_in(tmp_path).cache.unlink()
    async with keeper_in(tmp_path) as keeper:
        chat = await keeper.local_chats.chat("c1")
        assert [(each.role, each.text) for each in chat.messages] == [
            ("user", "one"),
            ("assistant", "ONE"),
            ("user", "two"),
            ("assistant", "TWO"),
        ]
        assert chat.summary.title == "About c1"
        assert chat.messages[-1].finish == Finish("stop")
        assert chat.messages[0].finish is None
        assert [row.id for row in await keeper.summaries()] == ["c1"]


async def test_how_a_reply_ended_is_kept_with_its_reason(tmp_path: Path):
    ended = reply("a", "half", Finish("lost", detail="Connection lost after 1 word."))
    failed = reply("b", "", Finish("error", "model_error", detail="The model is gone."))
    failed.errors = ["The model is gone."]
    async with keeper_in(tmp_path) as keeper:
        keeper.keep_here("c")
        await keeper.checkpoint("c", "T", ended, "cut-off")
        await keeper.checkpoint("c", "T", failed, "failed")
    async with keeper_in(tmp_path) as keeper:
        first, second = (await keeper.local_chats.chat("c")).messages
        assert first.finish == ended.finish
        assert second.finish == failed.finish
        assert second.errors == ["The model is gone."]


async def test_a_reply_of_a_process_that_died_is_cut_off(tmp_path: Path):
    async with keeper_in(tmp_path) as keeper:
        keeper.keep_here("c")
        await keeper.checkpoint("c", "T", Message.user("q", "hello"), "complete")
        await keeper.checkpoint("c", "T", reply("a", "half a s"), "streaming")
    async with keeper_in(tmp_path) as keeper:
        answer = (await keeper.local_chats.chat("c")).messages[-1]
        assert answer.text == "half a s"
        assert answer.finish is not None
        assert answer.finish.reason == "lost"


async def test_a_reply_another_open_window_writes_is_its_own(tmp_path: Path):
    async with keeper_in(tmp_path) as one, keeper_in(tmp_path) as other:
        one.keep_here("c")
        await one.checkpoint("c", "T", Message.user("q", "hello"), "complete")
        await one.checkpoint("c", "T", reply("a", "half a s"), "streaming")
        answer = (await other.local_chats.chat("c")).messages[-1]
        assert answer.finish is not None
        assert answer.finish.reason == "elsewhere"


async def test_pages_come_newest_first_by_what_happened_last_and_not_by_the_clock(tmp_path: Path):
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    async with keeper_in(tmp_path) as keeper:
        chats = keeper.local_chats
        chats._wall = lambda: now
        for number in range(7):
            now -= timedelta(hours=1)
            await write(keeper, f"c{number}", "x")
        await write(keeper, "c2", "x", "y")
        found: list[str] = []
        cursor: str | None = None
        sizes: list[int] = []
        while True:
            page = await chats.chats(cursor=cursor, limit=3)
            found += [row.id for row in page.items]
            sizes.append(len(page.items))
            if page.cursor is None:
                break
            cursor = page.cursor
        assert found == ["c2", "c6", "c5", "c4", "c3", "c1", "c0"]
        assert sizes == [3, 3, 1]
        assert (await chats.chats(cursor="no number", limit=1)).items[0].id == "c2"


async def test_deleting_leaves_nothing_in_the_file_or_its_backups(tmp_path: Path):
    async with keeper_in(tmp_path) as keeper:
        await write(keeper, "c1", "a needle in here")
        await keeper.local_chats.keep_baggage("c1", {"state": "a needle too"})
        await write(keeper, "c2", "stays")
        with contextlib.closing(sqlite3.connect(files_in(tmp_path).state)) as beside:
            backup_daily(beside, files_in(tmp_path).state)
        assert any(b"needle" in file.read_bytes() for file in (tmp_path / "data").iterdir() if file.is_file())
        await keeper.local_chats.delete("c1")
        await keeper.delete_chat("c1")
        assert await keeper.local_chats.baggage("c1") == {}
        with pytest.raises(NotFound) as caught:
            await keeper.local_chats.chat("c1")
        assert caught.value.code == CHAT_GONE
        assert [row.id for row in (await keeper.local_chats.chats()).items] == ["c2"]
    for file in (tmp_path / "data").iterdir():
        assert b"needle" not in file.read_bytes(), file.name


async def test_baggage_is_replaced_and_kept_for_chats_that_have_no_message_yet(tmp_path: Path):
    async with keeper_in(tmp_path) as keeper:
        chats = keeper.local_chats
        assert await chats.baggage("c") == {}
        await chats.keep_baggage("c", {"state": {"messages": [1]}})
        await chats.keep_baggage("c", {"state": {"messages": [1, 2]}})
        assert (await chats.chats()).items == []
    async with keeper_in(tmp_path) as keeper:
        assert await keeper.local_chats.baggage("c") == {"state": {"messages": [1, 2]}}


async def test_a_state_file_of_version_2_takes_chats(tmp_path: Path):
    files = files_in(tmp_path)
    files.state.parent.mkdir(mode=0o700)
    known = STATE_SCHEMA.tables[:5]
    create = tuple(
        each for each in STATE_SCHEMA.create if not any(w in each for w in ("chats ", "messages "))
    )
    old = Database.open(files.state, Schema(2, known, create), kind="state")
    await old.ready()
    await old.aclose()
    async with keeper_in(tmp_path) as keeper:
        await write(keeper, "c", "one")
        assert keeper.notice is None
        assert len((await keeper.local_chats.chat("c")).messages) == 2


async def test_replies_the_server_does_not_keep_outlive_the_cache_and_are_no_chat_of_ours(tmp_path: Path):
    question, answer = Message.user("q", "hello"), reply("a", "hi", Finish("stop", stored=False))
    async with keeper_in(tmp_path) as keeper:
        await keeper.keep_reply("c", "T", question, answer, "complete")
        assert not keeper.is_here("c")
    files_in(tmp_path).cache.unlink()
    async with keeper_in(tmp_path) as keeper:
        kept = await keeper.replies_kept("c")
        assert [each.id for each in kept] == ["q", "a"]
        assert kept[1].finish == Finish("stop", stored=False)
        assert (await keeper.local_chats.chats()).items == []
        with pytest.raises(NotFound):
            await keeper.local_chats.chat("c")
        await keeper.delete_chat("c")
        assert await keeper.replies_kept("c") == []


async def test_a_file_that_cannot_be_read_is_said_in_a_sentence():
    def broken() -> Database:
        database = Database.open(Path("/dev/null/nowhere"), STATE_SCHEMA, kind="state")
        database.close()
        return database

    chats = AccountChats(broken, lambda: Presence(Path("/dev/null/nowhere")))
    for ask in (chats.chats(), chats.chat("c"), chats.delete("c")):
        with pytest.raises(BackendError) as caught:
            await ask
        assert "on this computer cannot be reached" in caught.value.sentence
    assert await chats.baggage("c") == {}
    await chats.keep_baggage("c", {"a": 1})

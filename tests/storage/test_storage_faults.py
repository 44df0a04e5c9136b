"""Every row of the data-loss matrix (reliability.md §4, t_store_faults, P19)."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kai_tui.storage import private, store
from kai_tui.storage.chats import CACHE_SCHEMA, CachedChat, Chats
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import STATE_SCHEMA, Drafts, OutboxRow
from kai_tui.storage.errors import StorageError
from kai_tui.storage.own_chats import OwnChats
from kai_tui.storage.paths import NOWHERE
from kai_tui.storage.schema import StoreKind
from kai_tui.storage.store import Store
from kai_tui.storage.text import to_json


def filled(path: Path, kind: str, rows: int = 400) -> None:
    """A file of some pages with one row that must be found again where that is promised."""
    one = Store(path, STATE_SCHEMA if kind == "state" else CACHE_SCHEMA, kind)  # type: ignore[arg-type]
    if kind == "state":
        one.write(lambda c: c.executemany("INSERT INTO drafts VALUES (?, ?, ?)", _drafts(rows)).rowcount)
    else:
        one.write(
            lambda c: (
                c.executemany(
                    "INSERT INTO chats VALUES (?, 't', '', '', 'private', '', ?, 0)",
                    [(str(n), n) for n in range(rows)],
                ).rowcount
            )
        )
    one.close()


def _drafts(rows: int) -> list[tuple[str, str, int]]:
    return [(str(number), "word " * 20, number) for number in range(rows)]


def _garbage(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))


def _text(path: Path) -> None:
    path.write_text("not a database at all\n")


def _header(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[:16] = b"SQLite format 9\0"
    path.write_bytes(data)


def _format_number(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[18] = data[19] = 9
    path.write_bytes(data)


def _page_size(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[16:18] = b"\x12\x34"
    path.write_bytes(data)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _half_page(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])


def _bad_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)


def _foreign_tables(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE somebody_elses (x)")
    connection.commit()
    connection.close()


def _missing_table(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE IF EXISTS outbox")
    connection.execute("DROP TABLE IF EXISTS messages")
    connection.commit()
    connection.close()


DAMAGES = [
    _garbage, _text, _header, _format_number, _page_size, _truncated, _half_page, _bad_pages, _foreign_tables, _missing_table
]  # fmt: skip


@pytest.mark.parametrize("kind", ["state", "cache"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_broken_file_is_set_aside_and_rebuilt(tmp_path: Path, open_db, kind: str, damage) -> None:
    file = tmp_path / "f.sqlite"
    filled(file, kind)
    damage(file)
    broken = file.read_bytes()
    started = time.monotonic()
    database = open_db(file, kind)
    await database.ready()
    if kind == "state":
        drafts = Drafts(database)
        await drafts.save_draft("new", "text")
        assert await drafts.draft("new") == "text"
        assert await drafts.last_draft() == ("new", "text")
    else:
        chats = Chats(database)
        await chats.put_chat(CachedChat("new", "t"), [{"id": "m"}])
        await chats.summaries(1000)
        assert await chats.chat("new") is not None
    assert time.monotonic() - started < 1
    assert not database.in_memory
    asides = private.dated_files(file, "broken")
    # A cache may be damaged where nothing has looked yet; the idle check finds that.
    if kind == "state" or asides:
        assert asides[0].read_bytes() == broken
        assert database.notice
        assert "damaged" in database.notice
        if kind == "state":
            assert str(asides[0]) in database.notice
            assert ".recover" in database.notice


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_the_idle_check_finds_what_no_read_has_touched(tmp_path: Path, damage) -> None:
    file = tmp_path / "f.sqlite"
    filled(file, "cache")
    damage(file)
    one = Store(file, CACHE_SCHEMA, "cache")
    one.open()
    one.idle(lambda: False)
    assert len(private.dated_files(file, "broken")) == 1
    one.read(lambda c: c.execute("SELECT count(*) FROM chats").fetchone())
    assert not one.in_memory
    one.close()


async def test_damaged_state_comes_back_from_the_newest_good_backup(tmp_path: Path, open_db) -> None:
    file = tmp_path / "f.sqlite"
    filled(file, "state")
    shutil.copy(file, tmp_path / "f.sqlite.backup-20260102-000000-000000")
    (tmp_path / "f.sqlite.backup-20260103-000000-000000").write_text("a broken backup")
    _bad_pages(file)
    database = open_db(file)
    notice = await database.ready()
    assert notice
    assert "backup of 2026-01-02 was restored" in notice
    assert (await Drafts(database).draft("7")).startswith("word")
    assert len(private.dated_files(file, "backup")) == 2


async def test_damage_while_running(tmp_path: Path, open_db) -> None:
    file = tmp_path / "f.sqlite"
    filled(file, "cache")
    database = open_db(file, "cache")
    await database.ready()
    other = Store(file, CACHE_SCHEMA, "cache")
    other.open()
    _bad_pages(file)
    chats = Chats(database)
    await chats.put_chat(CachedChat("a", "t"), [{"id": "m"}])
    assert await chats.chat("a") is not None
    assert database.notice
    # The other window notices that the file was replaced and does not replace it once more.
    assert other.read(lambda c: c.execute("SELECT count(*) FROM messages").fetchone()[0]) in (0, 1)
    other.write(lambda c: c.execute("UPDATE chats SET title = 'x'").rowcount)
    assert other.read(lambda c: c.execute("SELECT count(*) FROM messages").fetchone()[0]) == 1
    assert len(private.dated_files(file, "broken")) == 1
    other.close()


def test_any_wrong_header_byte_opens(memory_path: Path) -> None:
    filled(memory_path / "good", "state", 20)
    good = (memory_path / "good").read_bytes()
    for place in range(100):
        for value in (0, 1, 255):
            data = bytearray(good)
            data[place] = value
            file = memory_path / "f"
            for old in memory_path.glob("f*"):
                old.unlink()
            file.write_bytes(data)
            one = Store(file, STATE_SCHEMA, "state")
            one.write(lambda c: c.execute("INSERT OR REPLACE INTO drafts VALUES ('new', 'x', 9999)").rowcount)
            one.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["state", "cache"])
def test_any_random_damage_opens(memory_path: Path, kind: StoreKind) -> None:
    schema = STATE_SCHEMA if kind == "state" else CACHE_SCHEMA
    filled(memory_path / "good", kind, 300)
    good = (memory_path / "good").read_bytes()
    for seed in range(int(os.environ.get("KAI_TUI_FUZZ", "500"))):
        chance = random.Random(seed)
        data = bytearray(good)
        for _ in range(chance.choice([1, 5, 50, 500])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        for old in memory_path.glob("f*"):
            old.unlink()
        (memory_path / "f").write_bytes(data)
        one = Store(memory_path / "f", schema, kind)
        if chance.random() < 0.5:
            one.open()
            one.idle(lambda: False)
        if kind == "state":
            one.write(lambda c: c.execute("INSERT OR REPLACE INTO drafts VALUES ('new', 'x', 9999)").rowcount)
            one.read(lambda c: c.execute("SELECT * FROM drafts ORDER BY sequence").fetchall())
        else:
            one.write(
                lambda c: (
                    c.execute("INSERT OR REPLACE INTO chats VALUES ('new','t','','','p','',9,0)").rowcount
                )
            )
            one.read(lambda c: c.execute("SELECT * FROM chats ORDER BY stamp DESC, sequence DESC").fetchall())
        one.close()


async def test_a_stale_journal_is_not_played_into_a_new_file(tmp_path: Path, open_db) -> None:
    file = tmp_path / "f.sqlite"
    filled(file, "state")
    _garbage(file)
    (tmp_path / "f.sqlite-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    database = open_db(file)
    await Drafts(database).save_draft("a", "x")
    assert await Drafts(database).draft("a") == "x"
    assert not database.in_memory


async def test_a_vanished_cache_is_made_anew(tmp_path: Path, open_db) -> None:
    folder = tmp_path / "cache" / "accounts"
    database = open_db(folder / "f.sqlite", "cache")
    chats = Chats(database)
    await chats.put_chat(CachedChat("a", "t"), [{"id": "m"}])
    shutil.rmtree(tmp_path / "cache")
    await chats.checkpoint("b", {"id": "r"}, "streaming")
    assert (folder / "f.sqlite").exists()
    assert await chats.count() == 1
    assert database.notice is None


async def test_vanished_state_is_written_again_from_the_open_file(tmp_path: Path, open_db) -> None:
    file = tmp_path / "data" / "f.sqlite"
    database = open_db(file)
    drafts = Drafts(database)
    await drafts.save_draft("a", "before")
    shutil.rmtree(tmp_path / "data")
    await drafts.save_draft("b", "after")
    await database.aclose()
    again = Drafts(open_db(file))
    assert await again.draft("a") == "before"
    assert await again.draft("b") == "after"


READ_ONLY = """
import asyncio, os, pathlib, stat
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import Drafts, STATE_SCHEMA
from kai_tui.storage.chats import Chats, CACHE_SCHEMA
from kai_tui.storage import store
store.HEAL_SECONDS = 0
folder = pathlib.Path("data/accounts")
async def main():
    if MODE == "existing":
        made = Database.open(folder / "s", STATE_SCHEMA, kind="state")
        await Drafts(made).save_draft("old", "from before")
        await made.aclose()
        folder.chmod(0o500)
    elif MODE == "file":
        made = Database.open(folder / "s", STATE_SCHEMA, kind="state")
        await Drafts(made).save_draft("old", "from before")
        await made.aclose()
        (folder / "s").chmod(0o400)
        folder.chmod(0o500)
    else:
        pathlib.Path(".").chmod(0o500)
    state = Database.open(folder / "s", STATE_SCHEMA, kind="state")
    cache = Database.open(folder / "c", CACHE_SCHEMA, kind="cache")
    notice = await state.ready()
    assert notice and "cannot be written" in notice and "memory only" in notice, notice
    assert await cache.ready()
    drafts = Drafts(state)
    if MODE != "new":
        assert await drafts.draft("old") == "from before"
    await drafts.save_draft("a", "typed")
    assert await drafts.remember_answer("a", "t", None, True)
    assert not await drafts.remember_answer("a", "t", None, True)
    await Chats(cache).checkpoint("a", {"id": "r"}, "streaming")
    assert state.in_memory and state.notice
    for path in (pathlib.Path("."), folder):
        if path.exists(): path.chmod(0o700)
    if (folder / "s").exists(): (folder / "s").chmod(0o600)
    await drafts.save_draft("b", "later")
    assert not state.in_memory and state.notice is None
    await state.aclose(); await cache.aclose()
    again = Drafts(Database.open(folder / "s", STATE_SCHEMA, kind="state"))
    assert [await again.draft(name) for name in "ab"] == ["typed", "later"]
    assert await again.answered("a", "t", None) is True
asyncio.run(main())
"""


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
@pytest.mark.parametrize("mode", ["existing", "file", "new"])
def test_a_folder_that_cannot_be_written(ordinary, mode: str) -> None:
    done = ordinary(f"MODE = {mode!r}\n" + READ_ONLY)
    assert done.returncode == 0, done.stderr


async def test_no_home(open_db) -> None:
    database = open_db(NOWHERE / "accounts" / "f")
    notice = await database.ready()
    assert notice
    assert "KAI_TUI_HOME" in notice
    await Drafts(database).save_draft("a", "x")
    assert await Drafts(database).draft("a") == "x"


async def test_a_folder_where_the_file_should_be(tmp_path: Path, open_db) -> None:
    (tmp_path / "f").mkdir()
    database = open_db(tmp_path / "f")
    assert await database.ready()
    await Drafts(database).save_draft("a", "x")
    assert database.in_memory


async def _limit(database: Database, extra_pages: int) -> None:
    """Make this connection's disk full."""

    def work(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + extra_pages}")

    await database.run(work)


async def test_full_disk_keeps_state_in_memory_and_saves_it_later(
    tmp_path: Path, open_db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "HEAL_SECONDS", 1e9)
    file = tmp_path / "f"
    database = open_db(file)
    drafts = Drafts(database)
    await drafts.save_draft("old", "on disk")
    await _limit(database, 0)
    big = "typed " * 5000
    row = await drafts.put_outbox(OutboxRow("m", "c", big, "sending"))
    assert row.position == 1
    assert database.notice
    assert database.notice.startswith("Not saved: the disk is full")
    assert await drafts.draft("old") == "on disk"
    assert (await drafts.outbox("c"))[0].state == "sending"
    assert await drafts.remember_answer("c", "t", "a", False)
    assert not await drafts.remember_answer("c", "t", "a", False)

    beside = Drafts(open_db(file))  # another window's rows are kept too
    assert await beside.outbox() == []
    await beside.save_draft("other", "window")

    monkeypatch.setattr(store, "HEAL_SECONDS", 0)
    await drafts.save_draft("c", "room again")
    assert database.notice is None
    assert not database.in_memory
    await database.aclose()
    again = Drafts(open_db(file))
    assert (await again.outbox())[0].text == big
    assert await again.answered("c", "t", "a") is False
    assert [await again.draft(name) for name in ("old", "other", "c")] == ["on disk", "window", "room again"]


async def test_a_long_reply_on_a_full_disk_is_held_in_memory_once(
    tmp_path: Path, open_db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "HEAL_SECONDS", 1e9)
    file = tmp_path / "f"
    database = open_db(file)
    await Drafts(database).save_draft("old", "on disk")
    await _limit(database, 0)
    chats = OwnChats(database)

    async def keep(message_id: str, length: int) -> None:
        wire = to_json({"id": message_id, "role": "assistant", "parts": [], "text": "x" * length})
        await chats.checkpoint("c", message_id, wire, "streaming", title="T", now="")

    await keep("question", 10_000)
    for length in range(10_000, 10_100):
        await keep("answer", length)
    assert len(database._store._pending) == 2
    await chats.drop_message("c", "question")
    await keep("question", 5)
    monkeypatch.setattr(store, "HEAL_SECONDS", 0)
    await Drafts(database).save_draft("c", "room again")
    assert not database.in_memory
    await database.aclose()
    found = await OwnChats(open_db(file)).chat("c")
    assert found is not None
    assert [(each.wire["id"], len(each.wire["text"])) for each in found.messages] == [
        ("answer", 10_099),
        ("question", 5),
    ]


async def test_closing_saves_what_was_in_memory(
    tmp_path: Path, open_db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "HEAL_SECONDS", 1e9)
    database = open_db(tmp_path / "f")
    drafts = Drafts(database)
    await drafts.save_draft("a", "x")
    await _limit(database, 0)
    await drafts.save_draft("b", "y" * 50_000)
    assert database.in_memory
    await database.aclose()
    assert len(await Drafts(open_db(tmp_path / "f")).draft("b")) == 50_000


async def test_full_disk_makes_room_in_the_cache_or_says_so(tmp_path: Path, open_db) -> None:
    database = open_db(tmp_path / "f", "cache")
    chats = Chats(database)
    for number in range(20):
        await chats.put_chat(CachedChat(str(number), "t"), [{"id": "m", "text": "x" * 20_000}])
    await _limit(database, 0)
    await chats.put_chat(CachedChat("new", "t"), [{"id": "m", "text": "y" * 20_000}])
    oldest, newest, latest = await chats.chat("0"), await chats.chat("19"), await chats.chat("new")
    assert oldest
    assert not oldest.messages
    assert not oldest.whole
    assert newest
    assert newest.messages
    assert latest
    assert latest.messages
    with pytest.raises(StorageError) as caught:
        await chats.put_chat(CachedChat("huge", "t"), [{"id": "m", "text": "z" * 5_000_000}])
    assert caught.value.fault == "full"
    assert database.notice is None
    assert await chats.chat("new") is not None


DISK_FULL = """
import asyncio, pathlib
from kai_tui.storage import store
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import Drafts, STATE_SCHEMA
store.HEAL_SECONDS = 0
disk = pathlib.Path(DISK)
async def main():
    state = Database.open(disk / "data" / "s", STATE_SCHEMA, kind="state")
    drafts = Drafts(state)
    await drafts.save_draft("old", "on disk")
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True: file.write(bytes(4096))
        except OSError: pass
    await drafts.save_draft("new", "typed " * 5000)
    assert state.notice and "disk is full" in state.notice, state.notice
    assert len(await drafts.draft("new")) == 30000 and await drafts.draft("old") == "on disk"
    fresh = Database.open(disk / "data" / "other", STATE_SCHEMA, kind="state")
    assert "full" in (await fresh.ready() or "")
    await Drafts(fresh).save_draft("a", "b")
    ballast.unlink()
    await drafts.save_draft("more", "text")
    assert state.notice is None
    await state.aclose(); await fresh.aclose()
    again = Drafts(Database.open(disk / "data" / "s", STATE_SCHEMA, kind="state"))
    assert len(await again.draft("new")) == 30000 and await again.draft("old") == "on disk"
    assert await Drafts(Database.open(disk / "data" / "other", STATE_SCHEMA, kind="state")).draft("a") == "b"
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs to mount a small disk")
def test_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"DISK = {str(disk)!r}\n" + DISK_FULL],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
    finally:
        subprocess.run(["umount", str(disk)], check=True)


async def test_many_broken_starts_keep_three_files(tmp_path: Path) -> None:
    file = tmp_path / "f"
    for _ in range(6):
        _text(file)
        database = Database.open(file, CACHE_SCHEMA, kind="cache")
        await database.ready()
        await database.aclose()
    assert len(private.dated_files(file, "broken")) == 3
    await asyncio.sleep(0)

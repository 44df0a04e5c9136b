"""The thread, the transactions, the pragmas, schemas old and new (S1, S3, S5, S10, t_schema)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kai_tui.storage import database as database_module
from kai_tui.storage import private
from kai_tui.storage.chats import CACHE_SCHEMA, CachedChat, Chats
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import STATE_SCHEMA, Drafts
from kai_tui.storage.errors import StorageError
from kai_tui.storage.schema import Schema
from kai_tui.storage.store import Store

V1 = Schema(1, ("t",), ("CREATE TABLE t (a TEXT)",))


def _add_column(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE t ADD COLUMN b TEXT NOT NULL DEFAULT 'new'")


V2 = Schema(2, ("t",), ("CREATE TABLE t (a TEXT, b TEXT NOT NULL DEFAULT 'new')",), {1: _add_column})


def put(text: str):
    return lambda connection: connection.execute("INSERT INTO t (a) VALUES (?)", (text,)).rowcount


def all_of(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT a FROM t ORDER BY rowid")]


async def pragma(database: Database, name: str) -> object:
    return await database.run(lambda connection: connection.execute(f"PRAGMA {name}").fetchone()[0])


@pytest.mark.parametrize(("kind", "schema"), [("state", STATE_SCHEMA), ("cache", CACHE_SCHEMA)])
async def test_every_connection_is_set_up(tmp_path: Path, open_db, kind: str, schema: Schema) -> None:
    database = open_db(tmp_path / "f", kind, schema)
    assert await pragma(database, "journal_mode") == "truncate"
    assert await pragma(database, "synchronous") == 2
    assert await pragma(database, "busy_timeout") == 5000
    assert await pragma(database, "secure_delete") == 1
    assert await pragma(database, "foreign_keys") == 1
    assert await pragma(database, "user_version") == schema.version


async def test_opening_touches_nothing_and_the_loop_never_waits(tmp_path: Path, open_db) -> None:
    database = open_db(tmp_path / "deep" / "f", schema=V1)
    assert not (tmp_path / "deep").exists()
    entered, release = threading.Event(), threading.Event()

    def slow(_: sqlite3.Connection) -> str:
        entered.set()
        release.wait(5)
        return threading.current_thread().name

    task = asyncio.create_task(database.write(slow))
    while not entered.is_set():
        await asyncio.sleep(0.001)
    assert not task.done()
    release.set()
    assert await task != threading.current_thread().name


async def test_a_failed_write_leaves_nothing(tmp_path: Path, open_db) -> None:
    database = open_db(tmp_path / "f", schema=V1)

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t (a) VALUES ('x')")
        raise KeyError("mine")

    with pytest.raises(KeyError):
        await database.write(half)
    with pytest.raises(sqlite3.OperationalError):
        await database.execute("INSERT INTO nonsense VALUES (1)")
    assert await database.run(all_of) == []
    assert await database.write(put("y")) == 1


async def test_a_cancelled_write_is_still_written(tmp_path: Path, open_db) -> None:
    database = open_db(tmp_path / "f", schema=V1)
    await database.ready()
    release = threading.Event()
    blocker = asyncio.create_task(database.run(lambda _: release.wait(5)))
    writer = asyncio.create_task(database.write(put("kept")))
    await asyncio.sleep(0)
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    release.set()
    await blocker
    assert await database.run(all_of) == ["kept"]


async def test_closing_finishes_what_was_asked_for(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "f", V1, kind="state")
    tasks = [asyncio.create_task(database.write(put(str(number)))) for number in range(20)]
    await asyncio.sleep(0)
    await database.aclose()
    await asyncio.gather(*tasks)
    database.close()
    await database.aclose()
    with pytest.raises(StorageError) as caught:
        await database.write(put("late"))
    assert caught.value.fault == "closed"
    connection = sqlite3.connect(tmp_path / "f")
    assert len(all_of(connection)) == 20
    connection.close()


def test_close_without_a_loop_and_without_use(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "f", V1, kind="state")
    database.close()
    database.close()
    assert not (tmp_path / "f").exists()


def test_leaving_without_close_loses_no_write_and_does_not_hang(tmp_path: Path) -> None:
    code = f"""
import asyncio, pathlib
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import Drafts, STATE_SCHEMA
async def main():
    database = Database.open(pathlib.Path({str(tmp_path / "f")!r}), STATE_SCHEMA, kind="state")
    drafts = Drafts(database)
    global tasks
    tasks = [asyncio.ensure_future(drafts.save_draft(str(n), "text")) for n in range(50)]
    await asyncio.sleep(0)
asyncio.run(main())
"""
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert time.monotonic() - started < 8
    connection = sqlite3.connect(tmp_path / "f")
    assert connection.execute("SELECT count(*) FROM drafts").fetchone()[0] == 50
    connection.close()


async def test_several_may_be_open_on_one_file(tmp_path: Path, open_db) -> None:
    databases = [open_db(tmp_path / "f", schema=V1) for _ in range(4)]
    await asyncio.gather(*(database.write(put(str(n))) for n in range(8) for database in databases))
    assert len(await databases[0].run(all_of)) == 32


async def test_a_busy_file_is_said_to_be_busy(
    tmp_path: Path, open_db, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_db(tmp_path / "f", schema=V1)
    await database.ready()
    await pragma(database, "busy_timeout = 20")
    other = sqlite3.connect(tmp_path / "f", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError) as caught:
        await database.write(put("x"))
    assert caught.value.fault == "busy"
    other.close()
    assert await database.write(put("x")) == 1


async def test_an_empty_file_is_filled(tmp_path: Path, open_db) -> None:
    (tmp_path / "f").touch()
    database = open_db(tmp_path / "f", schema=V1)
    assert await database.ready() is None
    assert await database.write(put("x")) == 1


async def test_older_state_is_copied_and_migrated(tmp_path: Path, open_db) -> None:
    file = tmp_path / "f"
    old = open_db(file, schema=V1)
    await old.write(put("mine"))
    await old.aclose()
    database = open_db(file, schema=V2)
    assert await database.ready() is None
    assert await database.run(lambda c: c.execute("SELECT a, b FROM t").fetchall()) == [("mine", "new")]
    (copy,) = private.dated_files(file, "v1")
    if os.name == "posix":
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT * FROM t").fetchall() == [("mine",)]
    connection.close()


async def test_a_failing_migration_changes_nothing(tmp_path: Path, open_db) -> None:
    def explode(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM t")
        raise sqlite3.IntegrityError("no")

    file = tmp_path / "f"
    old = open_db(file, schema=V1)
    await old.write(put("mine"))
    await old.aclose()
    broken = Schema(2, ("t",), V2.create, {1: explode})
    database = open_db(file, schema=broken)
    notice = await database.ready()
    assert notice
    assert "memory" in notice
    assert await database.run(all_of) == ["mine"]
    await database.aclose()
    again = open_db(file, schema=V2)
    assert await again.ready() is None
    assert await again.run(all_of) == ["mine"]


async def test_two_migrate_at_once(tmp_path: Path, open_db) -> None:
    file = tmp_path / "f"
    old = open_db(file, schema=V1)
    await old.write(put("mine"))
    await old.aclose()
    both = [open_db(file, schema=V2) for _ in range(4)]
    assert await asyncio.gather(*(database.ready() for database in both)) == [None] * 4
    assert await both[0].run(all_of) == ["mine"]


async def test_newer_state_is_read_and_never_changed(tmp_path: Path, open_db) -> None:
    file = tmp_path / "f"
    newer = open_db(file, schema=V2)
    await newer.write(put("theirs"))
    await newer.aclose()
    before = file.read_bytes()
    database = open_db(file, schema=V1)
    notice = await database.ready()
    assert notice
    assert "newer" in notice
    assert "upgrade" in notice
    assert await database.run(all_of) == ["theirs"]
    assert await database.write(put("mine")) == 1
    assert await database.run(all_of) == ["theirs", "mine"]
    await database.aclose()
    assert file.read_bytes() == before


async def test_newer_cache_gets_a_file_beside_it(tmp_path: Path, open_db) -> None:
    file = tmp_path / "f.sqlite"
    newer = open_db(file, "cache", V2)
    await newer.write(put("theirs"))
    await newer.aclose()
    before = file.read_bytes()
    for _ in range(2):
        database = open_db(file, "cache", V1)
        assert await database.ready() is None
        assert not database.in_memory
        await database.write(put("mine"))
        await database.aclose()
    assert file.read_bytes() == before
    last = open_db(file, "cache", V1)
    assert await last.run(all_of) == ["mine", "mine"]


async def test_older_cache_is_dropped(tmp_path: Path, open_db) -> None:
    file = tmp_path / "f"
    old = open_db(file, "cache", V1)
    await old.write(put("x"))
    await old.aclose()
    database = open_db(file, "cache", V2)
    assert await database.ready() is None
    assert await database.run(all_of) == []


def test_state_is_backed_up_daily_and_three_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "f"
    first = Store(file, V1, "state")
    first.write(put("mine"))
    first.idle(lambda: False)
    assert private.dated_files(file, "backup") == []  # made just now: nothing to lose yet
    first.close()
    for day in ("20200101", "20200102", "20200103"):
        (tmp_path / f"f.backup-{day}-000000-000000").write_bytes(b"old")
    for _ in range(2):
        store = Store(file, V1, "state")
        store.open()
        assert store.restless
        store.idle(lambda: False)
        assert not store.restless
        store.close()
    backups = private.dated_files(file, "backup")
    assert len(backups) == 3
    assert [backup.read_bytes()[:3] for backup in backups] == [b"old", b"old", b"SQL"]
    if os.name == "posix":
        assert stat.S_IMODE(backups[-1].stat().st_mode) == 0o600


def test_idle_work_gives_way(tmp_path: Path) -> None:
    file = tmp_path / "f"
    store = Store(file, V1, "cache")
    store.write(
        lambda c: (
            c.executemany("INSERT INTO t (a) VALUES (?)", [("x" * 500,) for _ in range(20_000)]).rowcount
        )
    )
    store.close()
    store = Store(file, V1, "cache")
    store.open()
    store.idle(lambda: True)
    assert store.restless
    store.idle(lambda: False)
    assert not store.restless
    store.close()


async def test_idle_work_happens_in_the_thread(
    tmp_path: Path, open_db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_IDLE_SECONDS", 0.01)
    file = tmp_path / "f"
    made = open_db(file, schema=V1)
    await made.write(put("x"))
    await made.aclose()
    await open_db(file, schema=V1).ready()
    async with asyncio.timeout(5):
        while not private.dated_files(file, "backup"):
            await asyncio.sleep(0.005)


async def test_deleted_means_gone_from_every_file(tmp_path: Path, open_db) -> None:
    """t_delete, t_purge: files, journals and backups."""
    needle = "NEEDLE-ž-7f3a"
    state, cache = tmp_path / "s", tmp_path / "c"
    drafts = Drafts(open_db(state))
    await drafts.save_draft("chat", needle * 300)
    await drafts._database.aclose()
    store = Store(state, STATE_SCHEMA, "state")
    store.open()
    store.idle(lambda: False)
    store.close()
    assert any(needle.encode() in file.read_bytes() for file in private.dated_files(state, "backup"))

    drafts, chats = Drafts(open_db(state)), Chats(open_db(cache, "cache"))
    await drafts.save_draft("other", "stays")
    await drafts.remember_prompt(needle, "chat")
    await drafts.remember_prompt("stays")
    for number in range(20):
        await chats.put_chat(
            CachedChat(f"{number}", needle), [{"id": "m", "text": needle * 400}, {"id": "n"}]
        )
        await chats.checkpoint(f"{number}", {"id": "r", "text": needle * 10}, "streaming")
    assert any(needle.encode() in file.read_bytes() for file in tmp_path.iterdir())
    for number in range(20):
        await chats.delete(f"{number}")
    await drafts.forget_chat("chat")
    for file in tmp_path.iterdir():
        assert needle.encode() not in file.read_bytes(), file
    assert len(private.dated_files(state, "backup")) == 1
    assert await drafts.draft("other") == "stays"
    assert await drafts.prompts() == ["stays"]

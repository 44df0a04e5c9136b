"""kill -9 at any moment, and several windows at once (P6, P7, P20; t_crash_loop, t_two_instances)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kai_tui.storage.chats import CACHE_SCHEMA, Chats
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import STATE_SCHEMA, Drafts

# Says what is safely on disk, one line per write.
WRITER = """
import asyncio, pathlib, sys
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import Drafts, OutboxRow, STATE_SCHEMA
from kai_tui.storage.chats import Chats, CACHE_SCHEMA
folder, name, seconds = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
async def main():
    state = Database.open(folder / "state", STATE_SCHEMA, kind="state")
    cache = Database.open(folder / "cache", CACHE_SCHEMA, kind="cache")
    drafts, chats = Drafts(state), Chats(cache)
    end = asyncio.get_running_loop().time() + seconds
    n = 0
    while asyncio.get_running_loop().time() < end:
        n += 1
        await drafts.save_draft(name, f"draft {n} " + "x" * (n % 50 * 100))
        print("draft", n, flush=True)
        await drafts.put_outbox(OutboxRow(f"{name}-{n}", name, f"text {n}", "sending"))
        print("outbox", n, flush=True)
        await chats.checkpoint(name, {"id": "reply", "words": n, "text": "word " * (n * 50 % 3000)}, "streaming")
        print("reply", n, flush=True)
    assert state.notice is None and cache.notice is None, (state.notice, cache.notice)
    await state.aclose(); await cache.aclose()
    print("done", n, flush=True)
asyncio.run(main())
"""


def start(folder: Path, name: str, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def kill_and_look(folder: Path, seed: int) -> None:
    name = f"chat-{seed}"
    child = start(folder, name, 60)
    assert child.stdout
    assert child.stderr
    first = child.stdout.readline()
    threading.Event().wait(random.Random(seed).random() * 0.15)
    child.kill()
    said = [line.split() for line in [first, *child.stdout.read().splitlines()]]
    child.wait()
    errors = child.stderr.read()
    child.stdout.close()
    child.stderr.close()
    assert not errors
    acknowledged = {"draft": 0, "outbox": 0, "reply": 0}
    for words in said:
        if len(words) == 2 and words[0] in acknowledged:
            acknowledged[words[0]] = int(words[1])

    state = Database.open(folder / "state", STATE_SCHEMA, kind="state")
    cache = Database.open(folder / "cache", CACHE_SCHEMA, kind="cache")
    try:
        assert await state.ready() is None
        assert await cache.ready() is None
        drafts = Drafts(state)
        draft = int((await drafts.draft(name)).split()[1])
        assert acknowledged["draft"] <= draft <= acknowledged["draft"] + 1
        rows = await drafts.outbox(name)
        assert acknowledged["outbox"] <= len(rows) <= acknowledged["outbox"] + 1
        assert [row.text for row in rows] == [f"text {n + 1}" for n in range(len(rows))]
        assert {row.state for row in rows} <= {"unsure"}
        found = await Chats(cache).chat(name)
        if acknowledged["reply"]:
            assert found
            assert found.messages[0].state == "cut-off"
            assert acknowledged["reply"] <= found.messages[0].wire["words"] <= acknowledged["reply"] + 1
    finally:
        await state.aclose()
        await cache.aclose()


async def test_killed_a_few_times(tmp_path: Path) -> None:
    for seed in range(5):
        await kill_and_look(tmp_path, seed)


@pytest.mark.slow
async def test_crash_loop(tmp_path: Path) -> None:
    for seed in range(1000, 1200):
        await kill_and_look(tmp_path, seed)


async def several_windows(folder: Path, count: int, seconds: float) -> None:
    children = [start(folder, f"window-{number}", seconds) for number in range(count)]
    written: dict[str, int] = {}
    for number, child in enumerate(children):
        out, errors = child.communicate(timeout=seconds + 60)
        assert child.returncode == 0, errors
        assert not errors
        written[f"window-{number}"] = int(out.splitlines()[-1].removeprefix("done "))
    state = Database.open(folder / "state", STATE_SCHEMA, kind="state")
    cache = Database.open(folder / "cache", CACHE_SCHEMA, kind="cache")
    for name, count in written.items():
        assert count > 0
        assert len(await Drafts(state).outbox(name)) == count
        found = await Chats(cache).chat(name)
        assert found
        assert found.messages[0].wire["words"] == count
    positions = [row.position for row in await Drafts(state).outbox()]
    assert len(set(positions)) == len(positions)
    await state.aclose()
    await cache.aclose()
    assert not list(folder.glob("*.broken-*"))


async def test_three_windows_for_a_moment(tmp_path: Path) -> None:
    await several_windows(tmp_path, 3, 1.0)


@pytest.mark.slow
async def test_three_windows_for_a_minute(tmp_path: Path) -> None:
    await several_windows(tmp_path, 3, 60.0)


async def test_windows_that_open_a_new_account_at_the_same_moment(tmp_path: Path) -> None:
    """The schema is made once, also when several processes meet an empty file."""
    await several_windows(tmp_path / "not" / "there", 4, 0.0001)


async def test_windows_that_meet_a_broken_file_set_it_aside_once(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(os.urandom(5000))
    (tmp_path / "state").write_bytes(os.urandom(5000))
    code = WRITER.replace(
        "state.notice is None and cache.notice is None", "not (state.in_memory or cache.in_memory)"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(number), "0.2"], stderr=subprocess.PIPE
        )
        for number in range(3)
    ]
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
    assert len(list(tmp_path.glob("cache.broken-*"))) == 1
    assert len(list(tmp_path.glob("state.broken-*"))) == 1


async def test_the_loop_is_never_held_up(tmp_path: Path) -> None:
    """Another process holds the file for a while; our event loop goes on."""
    import asyncio
    import sqlite3

    database = Database.open(tmp_path / "f", STATE_SCHEMA, kind="state")
    await database.ready()
    other = sqlite3.connect(tmp_path / "f", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(Drafts(database).save_draft("a", "x"))
    worst, last = 0.0, time.perf_counter()
    for _ in range(60):
        await asyncio.sleep(0.005)
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
    assert not task.done()
    other.execute("COMMIT")
    other.close()
    await task
    assert worst < 0.5
    await database.aclose()

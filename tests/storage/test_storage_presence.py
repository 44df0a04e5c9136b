"""Whether another window is open, and what it has in hand (P5, P20)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.storage.paths import AccountFiles
from kai_tui.storage.presence import Presence


def files(folder: Path) -> AccountFiles:
    return AccountFiles(lambda: (folder / "data" / "a.state.sqlite", folder / "cache" / "a.cache.sqlite"))


def locks(folder: Path) -> list[Path]:
    return sorted((folder / "data").glob("*.open-*"))


def test_a_window_is_alive_until_it_leaves(tmp_path: Path) -> None:
    one, two = Presence(files(tmp_path).state), Presence(files(tmp_path).state)
    assert not two.alive(one.owner)
    one.announce()
    one.announce()
    assert two.alive(one.owner)
    assert one.alive(one.owner)
    assert locks(tmp_path)[0].stat().st_mode & 0o777 == 0o600
    one.leave()
    assert not two.alive(one.owner)
    assert locks(tmp_path) == []


def test_an_owner_is_never_taken_for_a_path(tmp_path: Path) -> None:
    assert not Presence(files(tmp_path).state).alive("../../etc/passwd")


def test_a_killed_window_is_dead_and_its_lock_is_swept(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; from kai_tui.storage.presence import Presence\n"
        "p = Presence(Path(sys.argv[1])); p.announce(); print(p.owner, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(files(tmp_path).state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdin is not None
    owner = other.stdout.readline().strip()
    mine = Presence(files(tmp_path).state)
    assert mine.alive(owner)
    other.kill()
    other.wait()
    assert not mine.alive(owner)
    assert locks(tmp_path) == []
    other.stdout.close()
    other.stdin.close()


async def test_what_an_open_window_has_in_hand_is_not_offered_to_another(tmp_path: Path) -> None:
    one, two = DiskKeeper(files(tmp_path)), DiskKeeper(files(tmp_path))
    await one.ready()
    await two.ready()
    await one.keep_outgoing("c", "m1", "on its way")
    await one.keep_queue("c", [("m2", "waits"), ("m3", "waits too")])
    found = await two.left_behind("c")
    assert (found.sent, found.waiting) == ([], [])
    assert await two.unsent_chats() == []
    assert await two.waiting_chats() == []
    await one.aclose()
    assert await two.waiting_chats() == ["c"]
    found = await two.left_behind("c")
    assert found.sent == [("m1", "on its way")]
    assert found.waiting == [("m2", "waits"), ("m3", "waits too")]
    third = DiskKeeper(files(tmp_path))
    await third.ready()
    assert (await third.left_behind("c")).waiting == []
    await two.aclose()
    await third.aclose()


async def test_the_queue_on_disk_is_the_queue_in_its_order(tmp_path: Path) -> None:
    keeper = DiskKeeper(files(tmp_path))
    await keeper.ready()
    await keeper.keep_queue("c", [("a", "1"), ("b", "2"), ("c", "3")])
    await keeper.keep_queue("d", [("x", "other chat")])
    await keeper.keep_queue("c", [("c", "3"), ("a", "edited")])
    assert (await keeper.left_behind("c")).waiting == [("c", "3"), ("a", "edited")]
    # It goes: being sent first, then no more waiting; held back: waiting again.
    await keeper.keep_outgoing("c", "c", "3")
    await keeper.keep_queue("c", [("a", "edited")])
    assert (await keeper.left_behind("c")).waiting == [("a", "edited")]
    await keeper.keep_queue("c", [("c", "3"), ("a", "edited")])
    assert (await keeper.left_behind("c")).waiting == [("c", "3"), ("a", "edited")]
    assert (await keeper.left_behind("d")).waiting == [("x", "other chat")]
    await keeper.delete_chat("c")
    assert (await keeper.left_behind("c")).waiting == []
    await keeper.aclose()


async def test_answers_are_found_again_by_call_and_approval(tmp_path: Path) -> None:
    keeper = DiskKeeper(files(tmp_path))
    await keeper.remember_answer("c", "call", "ap", True)
    await keeper.remember_answer("c", "call2", None, False)
    await keeper.remember_answer("d", "call", "ap", True)
    assert (await keeper.left_behind("c")).answers == {("call", "ap"): True, ("call2", ""): False}
    await keeper.aclose()


async def test_quotes_of_forks_nobody_wrote_in_are_swept_once_at_the_start(tmp_path: Path) -> None:
    keeper = DiskKeeper(files(tmp_path))
    await keeper.save_draft("written", "half a thought")
    for chat in ("written", "left"):
        await keeper.keep_note(chat, "quote", "quoted")
    await keeper.ready()
    assert "quote" in await keeper.notes("written")
    assert "quote" not in await keeper.notes("left")
    await keeper.keep_note("on screen", "quote", "quoted")
    await keeper.ready()  # connected again
    assert "quote" in await keeper.notes("on screen")
    await keeper.aclose()

"""Where files live, and that only their owner can read them (P17, S2, S6, T17, T21)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kai_tui.storage import private
from kai_tui.storage.accounts import AccountRecord, save_account
from kai_tui.storage.chats import CachedChat, Chats
from kai_tui.storage.credentials import Credentials
from kai_tui.storage.drafts import Drafts
from kai_tui.storage.errors import StorageError
from kai_tui.storage.paths import COPIED, NOWHERE, Paths, account_files, app_paths, remove_account_files
from kai_tui.storage.settings import save_setting

posix_only = pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX thing")


def test_kai_tui_home_holds_everything(tmp_path: Path) -> None:
    paths = app_paths({"KAI_TUI_HOME": str(tmp_path)})
    assert paths == Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache", tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


def test_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert app_paths({"KAI_TUI_HOME": "portable"}).data == tmp_path / "portable" / "data"
    assert app_paths({"KAI_TUI_HOME": "~no-such-user/x"}).data.is_absolute()


@pytest.mark.skipif(sys.platform != "linux", reason="XDG")
def test_platform_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    paths = app_paths({"KAI_TUI_HOME": "  "})
    assert paths.data == tmp_path / "d" / "kai-tui"
    assert paths.cache == tmp_path / "c" / "kai-tui"


@pytest.mark.skipif(sys.platform != "linux", reason="XDG")
def test_without_a_home_nothing_lands_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import platformdirs

    class Homeless:
        user_config_path = user_data_path = user_cache_path = user_state_path = Path("~/.local/share/kai-tui")

    monkeypatch.setattr(platformdirs, "PlatformDirs", lambda *_, **__: Homeless())
    assert app_paths({}) == Paths(NOWHERE, NOWHERE, NOWHERE, NOWHERE)


@pytest.mark.parametrize(
    "hostile",
    ["../../etc/passwd", "/etc/passwd", "C:\\x", "a\0b", "\ud800", "", ".", "CON", "x" * 5000, "é/ü"],
)
def test_an_account_id_never_becomes_a_path(paths: Paths, hostile: str) -> None:
    files = account_files(paths, hostile)
    assert files.state.parent == paths.data / "accounts"
    assert files.cache.parent == paths.cache / "accounts"
    assert len(files.state.name) < 100
    assert set(files.state.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")


def test_accounts_never_share_a_file(paths: Paths) -> None:
    ids = [
        "a",
        "A",
        "a-",
        "-a",
        "a b",
        "a/b",
        "a\\b",
        "kai|https://x|1",
        "kai|https://x|11",
        "x" * 200,
        "x" * 201,
    ]
    names = {account_files(paths, account_id).state.name.lower() for account_id in ids}
    assert len(names) == len(ids)


@posix_only
@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o777])
async def test_every_file_is_ours_only(paths: Paths, umask: Callable[[int], int], open_db, mask: int) -> None:
    """t_store_modes"""
    umask(mask)
    files = account_files(paths, "a")
    state, cache = open_db(files.state), open_db(files.cache, "cache")
    drafts = Drafts(state)
    await drafts.save_draft("c", "text")
    await Chats(cache).put_chat(CachedChat("c", "t"), [{"id": "m"}])
    save_account(paths, AccountRecord("a", "kai"))
    save_setting(paths, "theme", "x")
    Credentials(paths)._write_file("a", "token")
    modes = {
        str(found.relative_to(paths.data.parent)): stat.S_IMODE(found.stat().st_mode)
        for found in paths.data.parent.rglob("*")
    }
    assert len(modes) > 8
    for name, mode in modes.items():
        assert mode == (0o700 if (paths.data.parent / name).is_dir() else 0o600), name


@posix_only
def test_looser_modes_are_tightened(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    file = folder / "f"
    file.touch(0o644)
    private.make_private_directory(folder)
    private.make_private_file(file)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@posix_only
def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch(0o644)
    link = tmp_path / "link"
    link.symlink_to(victim)
    with pytest.raises(OSError):
        private.make_private_file(link)
    private.write_private(link, b"new")
    assert victim.read_bytes() == b""
    assert not link.is_symlink()


def test_a_failed_write_leaves_the_old_file_and_no_stray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "f"
    private.write_private(file, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private.os, "fsync", full)
    with pytest.raises(OSError):
        private.write_private(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_old_strays_are_swept(tmp_path: Path) -> None:
    old, young = tmp_path / ".f.aa.tmp", tmp_path / ".f.bb.tmp"
    old.touch()
    os.utime(old, (1, 1))
    young.touch()
    private.sweep_strays(tmp_path)
    assert list(tmp_path.iterdir()) == [young]


def test_at_most_three_are_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "f"
    for number in range(12):
        file.write_text(str(number))
        private.set_aside(file)
    kept = private.dated_files(file, "broken")
    assert [found.read_text() for found in kept] == ["9", "10", "11"]


def test_the_newest_stays_when_the_clock_went_back(tmp_path: Path) -> None:
    """t_clock"""
    file = tmp_path / "f"
    for year in (2990, 2991, 2992):
        (tmp_path / f"f.broken-{year}0101-000000-000000").touch()
    file.touch()
    aside = private.set_aside(file)
    kept = private.dated_files(file, "broken")
    assert aside in kept
    assert len(kept) == 3


def test_a_held_lock_is_waited_for_and_a_dead_one_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "_LOCK_SECONDS", 0.05)
    file = tmp_path / "f"
    with private.exclusive(file):
        with pytest.raises(StorageError) as caught, private.exclusive(file):
            pass
        assert caught.value.fault == "busy"
        os.utime(tmp_path / ".f.lock", (1, 1))  # as if its owner had died long ago
        with private.exclusive(file):
            pass
    assert not (tmp_path / ".f.lock").exists()


async def test_purge_removes_every_file_of_one_account_only(paths: Paths, open_db) -> None:
    """t_purge, t_accounts"""
    mine, other = account_files(paths, "mine"), account_files(paths, "other")
    for files in (mine, other):
        await open_db(files.state).ready()
        await open_db(files.cache, "cache").ready()
        for word in ("broken", "backup"):
            private.dated_name(files.state, word).write_text("x")
    Credentials(paths)._write_file("mine", "t")
    Credentials(paths)._write_file("other", "t")
    private.write_private(paths.state / COPIED, b"a whole chat that no clipboard took")
    remove_account_files(paths, "mine")
    left = {found.name for found in paths.data.parent.rglob("*") if found.is_file()}
    assert left
    assert all(name.startswith("other-") for name in left), left


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = """
import sys
import kai_tui.storage.paths, kai_tui.storage.database, kai_tui.storage.chats, kai_tui.storage.drafts
import kai_tui.storage.accounts, kai_tui.storage.settings, kai_tui.storage.credentials
paths = kai_tui.storage.paths.app_paths({"KAI_TUI_HOME": "/nonexistent/x"})
kai_tui.storage.settings.load_settings(paths)
kai_tui.storage.accounts.load_accounts(paths)
kai_tui.storage.database.Database.open(paths.data / "x", kai_tui.storage.drafts.STATE_SCHEMA, kind="state")
heavy = {"pydantic", "keyring", "platformdirs", "tomlkit", "tomllib", "sqlite3", "httpx", "difflib"}
print(sorted(heavy & set(sys.modules)))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

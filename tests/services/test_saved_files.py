"""Files the user saves: where, with which rights, never half, never over another one unasked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kai_tui.services import saved_files
from kai_tui.services.saved_files import (
    AlreadyThere,
    plain_name,
    save,
    shown_path,
    suggested_path,
    typed_path,
)
from kai_tui.storage.errors import StorageError
from tests.hostile_cases import hostile_cases
from tests.some import for_all

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


@POSIX
@pytest.mark.usefixtures("umask")
def test_a_new_file_has_the_rights_the_umask_gives(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert save(path, ["a,b\n", "č\n"]) == 7
    assert path.read_text(encoding="utf-8") == "a,b\nč\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_stays_until_it_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(AlreadyThere) as raised:
        save(path, ["new"])
    assert raised.value.taken.size == 3
    assert path.read_text() == "old"
    save(path, ["new"], replace=True)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_replacing_keeps_the_file_s_rights_and_goes_through_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o604)
    link.symlink_to(real)
    with pytest.raises(AlreadyThere):
        save(link, ["new"])
    save(link, ["new"], replace=True)
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o604


def test_what_fails_while_it_is_made_leaves_nothing_and_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def parts() -> Iterator[str]:
        yield "half"
        raise ValueError("no more")

    with pytest.raises(StorageError, match="Nothing was changed"):
        save(path, parts(), replace=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with pytest.raises(StorageError, match="no ordinary file"):
        save(Path("/dev/full"), ["x"], replace=True)


def test_a_file_that_comes_in_between_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"

    def parts() -> Iterator[str]:
        path.write_text("somebody else's")
        yield "mine"

    with pytest.raises(StorageError, match="in the meantime"):
        save(path, parts())
    assert path.read_text() == "somebody else's"
    path.unlink()

    def no_links(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(StorageError, match="in the meantime"):
        save(path, parts())
    assert path.read_text() == "somebody else's"
    other = tmp_path / "b.csv"
    save(other, ["x"])
    assert other.read_text() == "x"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [("", "Type the path"), ("  ", "Type the path"), ("sub/", "is a folder"), ("sub", "is a folder"), ("~nobody-xyz/a", "no such user")],
)  # fmt: skip
def test_a_path_that_means_no_file_is_said(
    typed: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with pytest.raises(StorageError, match=words):
        typed_path(typed)


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There is no folder"):
        save(tmp_path / "no" / "a.csv", ["x"])
    assert list(tmp_path.iterdir()) == []


def test_paths_start_at_home_or_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert typed_path(" ~/a b.csv ") == tmp_path / "a b.csv"
    assert typed_path("a.csv") == tmp_path / "a.csv"
    assert shown_path(tmp_path / "x" / "a.csv") == str(Path("~/x/a.csv"))


def test_the_suggested_path_is_free_and_in_the_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_files, "_downloads", lambda: tmp_path)
    assert suggested_path("Orders by region", ".csv") == tmp_path / "Orders-by-region.csv"
    (tmp_path / "Orders-by-region.csv").touch()
    assert suggested_path("Orders by region", ".csv") == tmp_path / "Orders-by-region-2.csv"
    monkeypatch.setattr(saved_files, "_downloads", lambda: None)
    monkeypatch.chdir(tmp_path)
    assert suggested_path("", ".json") == tmp_path / "saved.json"


@for_all(hostile_cases())
def test_hostile_names_are_plain_names(case: object) -> None:
    name = plain_name(str(getattr(case, "text", "")))
    assert name
    assert len(name) <= 60
    assert all(sign.isalnum() or sign in "-._" for sign in name)
    assert name[0] not in "-."
    assert name.lower().split(".")[0] not in ("con", "nul", "aux", "prn", "com1", "lpt1")


def test_half_of_a_pair_is_shown_as_such(tmp_path: Path) -> None:
    save(tmp_path / "a", ["x\ud800y"])
    assert (tmp_path / "a").read_text(encoding="utf-8") == "x\ufffdy"

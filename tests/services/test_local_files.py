"""What a typed or dropped path means, how it goes on, what is read of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kai_tui.backends.base import Refused
from kai_tui.services.local_files import (
    FoundFile,
    complete,
    is_web_address,
    look,
    look_at,
    read,
    shown_size,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "my report.pdf").write_bytes(b"%PDF" + b"x" * 96)
    (tmp_path / "it's.csv").write_text("a,b")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "deep.md").write_text("# deep")
    (tmp_path / ".hidden").write_text("x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def names(typed: str) -> list[str]:
    return [each.name if isinstance(each, FoundFile) else each.sentence for each in look(typed)]


@pytest.mark.skipif(os.name != "posix", reason="paths of another shell")
def test_every_way_a_terminal_writes_a_path(folder: Path):
    for typed in (
        "notes.txt",
        "~/notes.txt",
        f"{folder}/notes.txt",
        f"  '{folder}/notes.txt' ",
        f'"{folder}/notes.txt"',
        f"file://{folder}/notes.txt",
        "reports/../notes.txt",
    ):
        assert names(typed) == ["notes.txt"], typed
    spaced = f"{folder}/my report.pdf"
    for typed in (spaced, spaced.replace(" ", "\\ "), f"'{spaced}'", f"file://{spaced.replace(' ', '%20')}"):
        assert names(typed) == ["my report.pdf"], typed
    assert names("it's.csv") == ["it's.csv"]
    (found,) = look("my report.pdf")
    assert isinstance(found, FoundFile)
    assert (found.size, found.media_type, found.path) == (100, "application/pdf", spaced)


@pytest.mark.skipif(os.name != "posix", reason="paths of another shell")
def test_several_dropped_at_once(folder: Path):
    typed = f"{folder}/notes.txt '{folder}/my report.pdf' {folder}/it\\'s.csv"
    assert names(typed) == ["notes.txt", "my report.pdf", "it's.csv"]
    assert names(f"{folder}/notes.txt {folder}/gone.txt") == [
        "notes.txt", f"There is no file {folder}/gone.txt.",
    ]  # fmt: skip


def test_what_is_no_file_is_a_sentence(folder: Path):
    assert names("gone.txt") == ["There is no file gone.txt."]
    assert names("a name with spaces.txt") == ["There is no file a name with spaces.txt."]
    assert names("reports") == ["reports is a folder. Choose the files in it."]
    assert names("empty.txt") == ["empty.txt is empty."]
    assert names("") == []
    assert names("a\0b") != []
    with pytest.raises(Refused, match="is a folder"):
        look_at(str(folder))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no fifos here")
def test_a_pipe_is_no_file_and_does_not_hang(folder: Path):
    os.mkfifo(folder / "pipe")
    assert names("pipe") == ["pipe is no ordinary file."]


def test_a_file_is_read_as_it_is_when_it_is_sent(folder: Path):
    found = look_at(str(folder / "notes.txt"))
    assert read(found).content == b"hello"
    (folder / "notes.txt").write_text("hello, grown")
    with pytest.raises(Refused, match=r"notes\.txt is too large: at most 10 B"):
        read(found, largest=10)
    (folder / "notes.txt").write_text("")
    with pytest.raises(Refused, match="is empty"):
        read(found)
    (folder / "notes.txt").unlink()
    with pytest.raises(Refused, match="not there any more"):
        read(found)


def test_names_are_completed(folder: Path):
    assert complete("no").text == "notes.txt"
    assert complete("~/no").text == "~/notes.txt"
    assert complete(f"{folder}/rep").text == f"{folder}/reports/"
    assert complete("reports/").text == "reports/deep.md"
    assert complete("zzz").text == "zzz"
    assert complete("nowhere/at").text == "nowhere/at"
    everything = complete("")
    assert set(everything.names) == {"empty.txt", "it's.csv", "my report.pdf", "notes.txt", "reports/"}
    assert complete(".h").text == ".hidden"
    assert complete("my").text == "my report.pdf"
    assert complete("'my").text == "'my report.pdf"
    assert complete("my\\ re").text == "my\\ report.pdf"
    (folder / "notes.md").write_text("x")
    assert (complete("n").text, complete("n").names) == ("notes.", ("notes.md", "notes.txt"))


def test_sizes_and_addresses():
    assert [shown_size(each) for each in (0, 412, 2048, 3_250_586, 250 * 2**20, 5 * 2**30)] == [
        "0 B", "412 B", "2 kB", "3.1 MB", "250 MB", "5 GB",
    ]  # fmt: skip
    assert is_web_address("https://example.com/a?b")
    for odd in (
        "ftp://x",
        "https://",
        "https:// x",
        "javascript:alert(1)",
        "https://user@host/",
        "example.com",
    ):
        assert not is_web_address(odd), odd

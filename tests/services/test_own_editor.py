"""Which editor is taken, and the private file it is given."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kai_tui.services import own_editor
from kai_tui.services.own_editor import (
    EditorTrouble,
    editor_command,
    how_it_ended,
    put_away,
    read_sheet,
    remove_sheet,
    taken_over,
    write_sheet,
)


def make(folder: Path, name: str) -> None:
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)


def test_visual_comes_before_editor_and_both_before_what_is_there(tmp_path: Path) -> None:
    for name in ("mine", "other", "vi", "nano"):
        make(tmp_path, name)
    path = {"PATH": str(tmp_path)}
    assert editor_command({**path, "VISUAL": "mine -w '+set x'", "EDITOR": "other"}) == [
        "mine",
        "-w",
        "+set x",
    ]
    assert editor_command({**path, "VISUAL": " ", "EDITOR": "other"}) == ["other"]
    assert editor_command(path) == ["nano"]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"EDITOR": "gone"}, "names gone, which is not there"),
        ({"VISUAL": "a 'b"}, "cannot be read as a command"),
        ({}, "Name yours in"),
    ],
)
def test_no_editor_is_a_sentence(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    with pytest.raises(EditorTrouble, match=words.replace("$", r"\$")):
        editor_command({"PATH": str(tmp_path), **environ})


@pytest.mark.parametrize("text", ["", "one", "one\n", "añ 👩‍👩‍👧\n\ttwo", "\ud800"])
def test_a_text_comes_back_as_it_went_also_with_an_editors_line_end(text: str) -> None:
    sheet = write_sheet(text)
    try:
        if sys.platform != "win32":
            assert sheet.stat().st_mode & 0o777 == 0o600
            assert sheet.parent.stat().st_mode & 0o777 == 0o700
        expected = text.encode("utf-8", "replace").decode()
        assert read_sheet(sheet, text) == expected
        if not text.endswith("\n"):
            with sheet.open("ab") as file:
                file.write(b"\n")
            assert read_sheet(sheet, text) == expected
    finally:
        remove_sheet(sheet)
    assert not sheet.parent.exists()


def test_what_cannot_be_taken_over_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_editor, "LARGEST", 10)
    sheet = write_sheet("a")
    try:
        sheet.write_text("x" * 11)
        with pytest.raises(EditorTrouble, match="What you wrote is in"):
            read_sheet(sheet, "a")
        sheet.write_bytes(b"\xff")
        with pytest.raises(EditorTrouble, match="no UTF-8"):
            read_sheet(sheet, "a")
        os.remove(sheet)
        with pytest.raises(EditorTrouble, match="could not be read back"):
            read_sheet(sheet, "a")
    finally:
        remove_sheet(sheet)


def test_how_an_editor_ended() -> None:
    assert how_it_ended(["/usr/bin/vim"], 0) == ""
    assert how_it_ended(["/usr/bin/vim"], 1) == "vim ended with exit code 1."
    assert how_it_ended(["vim"], -9) == "vim was killed."


@pytest.mark.parametrize(
    ("code", "saved", "words", "stays"),
    [
        (-9, "an hour of writing", "was killed. What was saved in it is in", True),
        (-9, "before", "was killed.", False),
        (1, "not meant", "ended with exit code 1", False),
    ],
)
def test_what_was_saved_in_an_editor_that_was_killed_stays(
    code: int, saved: str, words: str, stays: bool
) -> None:
    sheet = write_sheet("before")
    try:
        sheet.write_text(saved + "\n")
        with pytest.raises(EditorTrouble) as told:
            taken_over(sheet, "before", ["vi"], code)
        assert words in told.value.sentence
        assert sheet.exists() == stays
        assert not stays or (str(sheet) in told.value.sentence and sheet.read_text() == saved + "\n")
    finally:
        remove_sheet(sheet)


def test_what_is_taken_over_leaves_nothing_behind() -> None:
    sheet = write_sheet("before")
    sheet.write_text("after\n")
    assert taken_over(sheet, "before", ["vi"], 0) == "after"
    assert not sheet.parent.exists()
    sheet = write_sheet("before")
    assert put_away(sheet, "before")
    assert not sheet.parent.exists()

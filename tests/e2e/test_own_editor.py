"""The draft in the user's editor, in a real terminal: handed over, taken back, never lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.pty_harness import Terminal, posix_only

pytestmark = posix_only

EDITOR = """#!/bin/sh
ls -ln "$1" >> "{home}/seen"; ls -ldn "$(dirname "$1")" >> "{home}/seen"
printf 'EDITOR '; cat "$1"; printf '\\n'
read line
case "$line" in
  fail) exit 3 ;;
  die) kill -9 $$ ;;
  odd) printf 'caf\\351' > "$1" ;;
  *) printf '%s: %s\\n' "second line" "$line" >> "$1" ;;
esac
"""


def editor(home: Path) -> Path:
    script = home / "editor.sh"
    script.write_text(EDITOR.format(home=home))
    script.chmod(0o700)
    return script


def program(home: Path, **env: str | None) -> Terminal:
    return Terminal(
        [sys.executable, "-m", "kai_tui", "--sandbox"],
        size=(80, 24),
        env={"KAI_TUI_HOME": str(home / "kai"), "TMPDIR": str(home), "VISUAL": None, "EDITOR": None, **env},
    )


def left_over(home: Path) -> list[str]:
    return [name for name in os.listdir(home) if name.startswith("kai-tui-")]


def test_a_draft_goes_through_the_editor_while_a_reply_streams(tmp_path: Path) -> None:
    with program(tmp_path, EDITOR=str(editor(tmp_path))) as terminal:
        terminal.wait_for("New chat")
        terminal.write("/demo slow\r")
        terminal.wait_for("streaming")
        terminal.write("first line\x18\x05")
        terminal.wait_for("EDITOR first line")
        assert "streaming" not in terminal.text(), "nothing of ours is drawn over the editor"
        terminal.write("\x03")  # Ctrl+C belongs to the editor, and this one dies of it
        terminal.wait_for("was killed")
        terminal.wait_for("first line")
        terminal.write("\x18\x05")
        terminal.wait_for("EDITOR first line")
        terminal.write("typed there\r")
        terminal.wait_for("second line: typed there")
        terminal.wait_for("first line")
        assert left_over(tmp_path) == []
        seen = (tmp_path / "seen").read_text().split("\n")
        assert seen[0].startswith("-rw-------")
        assert seen[1].startswith("drwx------")
        terminal.write("\x1a")  # one step of undo
        terminal.wait_gone("typed there")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "said"),
    [("fail", "ended with exit code 3"), ("die", "was killed"), ("odd", "is no UTF-8")],
)
def test_an_editor_that_ends_badly_changes_nothing(tmp_path: Path, answer: str, said: str) -> None:
    with program(tmp_path, VISUAL=str(editor(tmp_path))) as terminal:
        terminal.wait_for("New chat")
        terminal.write("my draft\x18\x05")
        terminal.wait_for("EDITOR my draft")
        terminal.write(f"{answer}\r")
        terminal.wait_for(said)
        terminal.wait_for("my draft")
        assert bool(left_over(tmp_path)) == (answer == "odd"), "what was written is never thrown away"
        terminal.write("\x11")
        assert terminal.wait_exit() == 0


@pytest.mark.slow
def test_an_editor_that_is_not_there_says_so_and_the_draft_stays(tmp_path: Path) -> None:
    with program(tmp_path, EDITOR="/nowhere/hx --flag") as terminal:
        terminal.wait_for("New chat")
        terminal.write("my draft\x18\x05")
        terminal.wait_for("not there. The draft is as it was")
        terminal.wait_for("my draft")
        terminal.write("!\x11")
        assert terminal.wait_exit() == 0


@pytest.mark.slow
def test_a_question_waits_for_the_editor_to_close(tmp_path: Path) -> None:
    with program(tmp_path, EDITOR=str(editor(tmp_path))) as terminal:
        terminal.wait_for("New chat")
        terminal.write("Create a bucket called reports\r")
        terminal.wait_for("streaming")
        terminal.write("my draft\x18\x05")
        terminal.wait_for("EDITOR my draft")
        terminal.wait_raw(b"EDITOR my draft\r\n")
        begun = len(terminal.raw)
        terminal.wait_quiet(3.0)
        assert len(terminal.raw) == begun, "nothing is drawn, no question is asked over the editor"
        terminal.write("go on\r")
        terminal.wait_for("Deny")
        terminal.write("\x1b")
        terminal.wait_for("second line: go on")

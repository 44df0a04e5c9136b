"""Copying chooses the surest way there is and says truthfully which one it was."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from kai_tui.storage.paths import COPIED
from kai_tui.ui.terminal.clipboard import Clipboard
from kai_tui.ui.terminal.clipboard_tools import tools_for
from kai_tui.ui.terminal.osc52 import ClipboardWrite
from tests.pty_harness import posix_only
from tests.ui.terminal.clipboard_scripts import GOOD, READS, environ, script

TEXT = "SELECT 'ž 売'\n  FROM t -- 🙂"

pytestmark = posix_only


class Sent:
    """The terminal's door: keeps what went through it."""

    def __init__(self, *, there: bool = True) -> None:
        self.writes: list[ClipboardWrite] = []
        self._there = there

    def __call__(self, write: ClipboardWrite) -> bool:
        self.writes.append(write)
        return self._there


def clipboard(tmp_path: Path, sent: Sent, *, there: dict[str, str], seconds: float = 10.0) -> Clipboard:
    return Clipboard(sent, lambda: tmp_path / "state", there, seconds=seconds)


async def test_the_local_program_gets_the_text_on_its_input_and_is_read_back(tmp_path: Path) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(tools, "xclip", f'case "$*" in *-out*) {READS};; *) {GOOD};; esac')
    there = environ(tools, DISPLAY=":0")
    copied = await clipboard(tmp_path, sent, there=there).copy(TEXT, "the message")
    assert copied is not None
    assert (copied.way, copied.checked) == ("tool", True)
    assert copied.sentence == "Copied the message (checked)."
    assert (tools / "clip").read_text() == TEXT
    assert "SELECT" not in (tools / "xclip.args").read_text()
    assert sent.writes == []


async def test_wayland_comes_before_x(tmp_path: Path) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(tools, "wl-copy", GOOD)
    script(tools, "wl-paste", READS)
    script(tools, "xclip", "exit 1")
    there = environ(tools, DISPLAY=":0", WAYLAND_DISPLAY="wayland-0")
    copied = await clipboard(tmp_path, sent, there=there).copy(TEXT)
    assert copied is not None
    assert (copied.way, copied.checked) == ("tool", True)
    assert not (tools / "xclip.args").exists()


async def test_a_program_that_stays_to_serve_the_clipboard_is_not_waited_for(tmp_path: Path) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(tools, "wl-copy", f'{GOOD}\n(sleep 30) &\necho $! > "{tools}/server"')
    script(tools, "wl-paste", READS)
    there = environ(tools, WAYLAND_DISPLAY="wayland-0")
    async with asyncio.timeout(10):
        copied = await clipboard(tmp_path, sent, there=there).copy(TEXT)
    assert copied is not None
    assert copied.checked
    server = int((tools / "server").read_text())
    assert Path(f"/proc/{server}").exists() or not Path("/proc").exists()
    import os
    import signal

    os.kill(server, signal.SIGKILL)


@pytest.mark.parametrize("body", ["exit 1", "cat > /dev/null; exit 3", "sleep 30"])
async def test_a_program_that_fails_or_hangs_gives_way_to_the_next(tmp_path: Path, body: str) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(tools, "xclip", body)
    script(tools, "xsel", f'case "$*" in *output*) {READS};; *) {GOOD};; esac')
    there = environ(tools, DISPLAY=":0")
    copied = await clipboard(tmp_path, sent, there=there, seconds=0.5).copy(TEXT)
    assert copied is not None
    assert (copied.way, copied.checked) == ("tool", True)
    assert (tools / "clip").read_text() == TEXT


async def test_a_program_that_lies_is_no_copy(tmp_path: Path) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(tools, "xclip", 'case "$*" in *-out*) echo something else;; *) cat > /dev/null;; esac')
    copied = await clipboard(tmp_path, sent, there=environ(tools, DISPLAY=":0")).copy(TEXT)
    assert copied is not None
    assert copied.way == "terminal"
    assert [write.text for write in sent.writes] == [TEXT]


async def test_what_cannot_be_read_back_is_not_called_checked(tmp_path: Path) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(tools, "wl-copy", GOOD)
    copied = await clipboard(tmp_path, sent, there=environ(tools, WAYLAND_DISPLAY="wayland-0")).copy(TEXT)
    assert copied is not None
    assert not copied.checked
    assert copied.sentence == "Copied the text with wl-copy; that could not be checked."


async def test_over_ssh_it_goes_to_the_terminal_and_is_not_called_copied(tmp_path: Path) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(tools, "xclip", GOOD)
    there = environ(tools, DISPLAY="localhost:10.0", SSH_CONNECTION="10.0.0.1 1 10.0.0.2 22")
    copied = await clipboard(tmp_path, sent, there=there).copy(TEXT, "the block")
    assert copied is not None
    assert (copied.way, copied.checked) == ("terminal", False)
    assert (
        copied.sentence == "Sent the block to the terminal's clipboard. Whether it took it cannot be checked."
    )
    assert not (tools / "clip").exists()


async def test_what_is_too_long_for_the_terminal_goes_into_a_private_file(tmp_path: Path) -> None:
    sent = Sent()
    text = "ž" * 40_000
    copied = await clipboard(tmp_path, sent, there=environ(tmp_path / "bin")).copy(text, "the whole chat")
    assert copied is not None
    assert copied.way == "file"
    assert not copied.done
    file = tmp_path / "state" / COPIED
    assert file.read_text() == text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in copied.sentence
    assert "80,000 bytes of at most 74,9" in copied.sentence
    assert sent.writes == []


async def test_a_long_text_still_goes_to_a_local_program(tmp_path: Path) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(tools, "xclip", f'case "$*" in *-out*) {READS};; *) {GOOD};; esac')
    text = "line ž\n" * 300_000
    copied = await clipboard(tmp_path, sent, there=environ(tools, DISPLAY=":0")).copy(text)
    assert copied is not None
    assert (copied.way, copied.checked) == ("tool", True)
    assert (tools / "clip").read_text() == text


async def test_without_any_clipboard_the_file_is_named(tmp_path: Path) -> None:
    sent = Sent(there=False)
    copied = await clipboard(tmp_path, sent, there=environ(tmp_path / "bin")).copy(TEXT)
    assert copied is not None
    assert copied.sentence.startswith("Not copied: no clipboard was found. The text is in this file")


async def test_when_even_the_file_fails_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")
    copied = await clipboard(tmp_path, Sent(there=False), there=environ(tmp_path / "bin")).copy(TEXT)
    assert copied is not None
    assert copied.way == "nowhere"
    assert "could not be written (Not a directory)" in copied.sentence


async def test_of_copies_that_wait_only_the_newest_counts(tmp_path: Path) -> None:
    tools, sent = tmp_path / "bin", Sent()
    script(
        tools,
        "xclip",
        f'case "$*" in *-out*) {READS};; *) cat >> "{tools}/all"; cp "{tools}/all" "$CLIP";; esac',
    )
    board = clipboard(tmp_path, sent, there=environ(tools, DISPLAY=":0"))
    first, second, third = await asyncio.gather(board.copy("one"), board.copy("two"), board.copy("three"))
    assert second is None
    assert first is not None
    assert third is not None
    assert (tools / "all").read_text() == "onethree"


def test_no_program_of_the_folder_one_stands_in_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, "xclip", GOOD)
    monkeypatch.chdir(tmp_path)
    assert tools_for({"PATH": ".", "DISPLAY": ":0"}) == []
    assert [tool.name for tool in tools_for({"PATH": str(tmp_path), "DISPLAY": ":0"})] == ["xclip"]


@pytest.mark.parametrize(
    ("there", "platform", "names"),
    [
        ({}, "linux", []),
        ({"DISPLAY": ":0"}, "linux", ["xclip", "xsel"]),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", ["wl-copy", "xclip", "xsel"]),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", ["PowerShell", "clip.exe"]),
        ({"TERMUX_VERSION": "0.118"}, "linux", ["termux-clipboard-set"]),
        ({}, "darwin", ["pbcopy"]),
        ({}, "win32", ["PowerShell", "clip.exe"]),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", []),
        ({"SSH_CONNECTION": "a 1 b 2", "DISPLAY": ":0"}, "linux", []),
    ],
)
def test_which_programs_are_asked(there: dict[str, str], platform: str, names: list[str]) -> None:
    found = tools_for(there, platform=platform, which=lambda name: f"/bin/{name}")
    assert [tool.name for tool in found] == names

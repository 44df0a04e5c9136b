"""Copying inside a real tmux: its buffer has the text, and the terminal around it is sent it."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kai_tui.ui.terminal.clipboard import Clipboard, Copied
from kai_tui.ui.terminal.osc52 import ClipboardWrite
from kai_tui.ui.terminal.tmux_clipboard import attached, facts_of, load
from tests.pty_harness import Terminal, posix_only
from tests.ui.terminal.clipboard_scripts import GOOD, READS, script

pytestmark = posix_only

TEXT = "SELECT 'ž 売'\n  FROM t -- 🙂\n\tend"


class Tmux:
    """A server of our own with one session."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "socket"
        self.command = ["tmux", "-S", str(self.socket), "-f", "/dev/null"]
        self.run("new-session", "-d", "-s", "a", "-x", "80", "-y", "24", "sleep 1000")
        pane = self.run("display-message", "-p", "#{pane_id}").strip()
        self.environ = {
            "PATH": os.environ["PATH"],
            "TERM": "tmux-256color",
            "LANG": "C.UTF-8",
            "TMUX": f"{self.socket},1,0",
            "TMUX_PANE": pane,
        }

    def run(self, *command: str) -> str:
        clean = {name: value for name, value in os.environ.items() if name not in ("TMUX", "SSH_CONNECTION")}
        return subprocess.run(
            [*self.command, *command], capture_output=True, text=True, check=True, env=clean
        ).stdout

    def buffer(self) -> bytes:
        return subprocess.run([*self.command, "save-buffer", "-"], capture_output=True, check=True).stdout

    def client(self, **more: str | None) -> Terminal:
        return Terminal([*self.command, "attach"], env={"TMUX": None, **more})


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    server = Tmux(tmp_path)
    yield server
    subprocess.run([*server.command, "kill-server"], check=False, capture_output=True)


async def copied(server: Tmux, tmp_path: Path, text: str, sent: list[ClipboardWrite]) -> Copied:
    def send(write: ClipboardWrite) -> bool:
        sent.append(write)
        return True

    found = await Clipboard(send, lambda: tmp_path / "state", server.environ).copy(text, "the message")
    assert found is not None
    return found


def on_the_clipboard(terminal: Terminal) -> str:
    found = re.findall(rb"\x1b\]52;[a-z]*;([A-Za-z0-9+/=]*)\x07", terminal.raw)
    return base64.b64decode(found[-1]).decode() if found else ""


async def test_the_buffer_is_checked_and_the_terminal_is_sent_it(tmux: Tmux, tmp_path: Path) -> None:
    sent: list[ClipboardWrite] = []
    with tmux.client() as client:
        client.wait_for("[a]")
        found = await copied(tmux, tmp_path, TEXT, sent)
        client.wait_raw(b"\x1b]52;")
        client.wait_for(lambda terminal: on_the_clipboard(terminal) == TEXT)
    assert tmux.buffer() == TEXT.encode()
    assert (found.way, found.checked) == ("tmux", True)
    assert found.sentence == (
        "Copied the message into tmux's buffer (checked) and sent to the terminal's clipboard, "
        "which cannot be checked."
    )
    assert sent == []


async def test_a_tmux_told_to_keep_off_the_clipboard_keeps_off(tmux: Tmux, tmp_path: Path) -> None:
    sent: list[ClipboardWrite] = []
    tmux.run("set", "-s", "set-clipboard", "off")
    with tmux.client() as client:
        client.wait_for("[a]")
        found = await copied(tmux, tmp_path, TEXT, sent)
        client.wait_quiet()
        assert on_the_clipboard(client) == ""
    assert tmux.buffer() == TEXT.encode()
    assert found.sentence.endswith("only: tmux gives the terminal around it nothing for its clipboard.")


async def test_what_is_too_long_for_the_terminal_is_in_the_buffer_alone(tmux: Tmux, tmp_path: Path) -> None:
    sent: list[ClipboardWrite] = []
    text = "ž" * 100_000
    with tmux.client() as client:
        client.wait_for("[a]")
        found = await copied(tmux, tmp_path, text, sent)
        client.wait_quiet()
        assert on_the_clipboard(client) == ""
    assert tmux.buffer() == text.encode()
    assert "too long for the terminal's clipboard (200,000 bytes of at most 74,994 bytes)" in found.sentence


async def test_in_a_tmux_inside_another_one_both_are_told_to_pass_it_on(tmux: Tmux, tmp_path: Path) -> None:
    sent: list[ClipboardWrite] = []
    tmux.run("set", "-g", "allow-passthrough", "on")
    with tmux.client(TERM="screen-256color") as client:
        client.wait_for("[a]")
        await copied(tmux, tmp_path, TEXT, sent)
    assert [write.wraps for write in sent] == [("tmux", "tmux")]


async def test_a_session_taken_up_over_ssh_is_a_remote_one(tmux: Tmux, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    script(tools, "xclip", f'case "$*" in *-out*) {READS};; *) {GOOD};; esac')
    tmux.environ |= {"PATH": f"{tools}:{os.environ['PATH']}", "DISPLAY": ":0"}
    assert (await copied(tmux, tmp_path, TEXT, [])).way == "tool"
    tmux.run("set-environment", "SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    assert (await copied(tmux, tmp_path, TEXT, [])).way == "tmux"


async def test_a_tmux_that_is_gone_leaves_the_terminal(tmux: Tmux, tmp_path: Path) -> None:
    sent: list[ClipboardWrite] = []
    tmux.run("kill-server")
    found = await copied(tmux, tmp_path, TEXT, sent)
    assert found.way == "terminal"
    assert [write.wraps for write in sent] == [(), ("tmux",)]


async def test_an_old_tmux_without_the_flag_takes_it_into_its_buffer(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    script(tools, "tmux", f'case "$*" in *-w*) exit 1;; load*) {GOOD};; save*) {READS};; esac')
    loaded = await load(TEXT.encode(), {"PATH": f"{tools}:/usr/bin:/bin"}, on=True)
    assert loaded is not None
    assert (loaded.checked, loaded.sent) == (True, False)


def test_what_tmux_says_of_the_terminal_around_it() -> None:
    known = facts_of("256,clipboard,title\txterm-kitty\texternal\t0\t1\n")
    assert known is not None
    assert (known.clipboard, known.passes, known.nested) == (True, False, False)
    nested = facts_of("256\ttmux-256color\ton\ton\t1\n")
    assert nested is not None
    assert (nested.clipboard, nested.passes, nested.nested) == (False, True, True)
    assert facts_of("no server") is None


def test_what_the_session_knows_better_than_its_programs() -> None:
    stale = {"SSH_CONNECTION": "a", "SSH_TTY": "/dev/pts/1", "PATH": "/bin"}
    assert attached(stale, "DISPLAY=:1\n-SSH_CONNECTION\nEDITOR=vi\n") == {"DISPLAY": ":1", "PATH": "/bin"}
    assert attached({"PATH": "/bin"}, "SSH_CONNECTION=b\n-DISPLAY\n")["SSH_CONNECTION"] == "b"


@pytest.mark.slow
def test_the_program_in_tmux_copies_into_its_buffer(tmux: Tmux, own_home: Path) -> None:
    demo = Path(__file__).with_name("demo_app.py")
    clean = "env -u DISPLAY -u WAYLAND_DISPLAY -u SSH_CONNECTION -u SSH_TTY -u SSH_CLIENT CANARY=x"
    tmux.run("respawn-pane", "-k", "-t", "a", f"cd {own_home} && {clean} {sys.executable} {demo} plain")
    with tmux.client() as client:
        client.wait_for("ready")
        client.write("\x1b[20~")
        client.wait_raw(b"\x1b]52;")
        assert on_the_clipboard(client) == "ls␛[201~\nrm -rf /"
    assert tmux.buffer() == "ls␛[201~\nrm -rf /".encode()

"""What is left when the program ends badly, and that it starts in bad surroundings."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.user import CHATS, ENTER, KAI, Server, User, files_holding, serving
from tests.pty_harness import ROOT, posix_only

pytestmark = posix_only

CANARY = "4321-987654-ZyXwVuTsRqPoNmLkJiHgFeDcBa987654321098"
SLOWLY = {"KAI_TUI_SANDBOX_PACE": "0.15"}


def kill(user: User) -> None:
    user.signal(signal.SIGKILL)
    assert user.wait_exit() == -signal.SIGKILL


def kept(home: Path, text: str) -> bool:
    """Whether some file of this home holds the text."""
    return bool(files_holding(home, text))


@pytest.mark.slow
def test_a_draft_survives_kill_9(start: Start, own_home: Path) -> None:
    user = start("--sandbox").ready()
    user.write("half a thought about bückets")
    user.wait_for("half a thought")
    user.wait_for(lambda _: kept(own_home, "half a thought about bückets"))
    kill(user)

    user = start("--sandbox").ready()
    user.wait_for("half a thought about bückets")
    assert "You ▌" not in user.text()
    user.leave()


@pytest.mark.slow
def test_a_reply_survives_kill_9_and_is_marked(start: Start, own_home: Path) -> None:
    with serving("assistant", pace="0.15") as server:
        env = environment(server)
        user = start("--base-url", server.base_url, env=env).ready()
        user.write("/demo slow" + ENTER)
        user.wait_for("Slowly, very")
        user.wait_for(lambda _: kept(own_home, "Slowly, very"))
        kill(user)
    # The server is gone too: what this computer kept is all there is.
    user = start("--base-url", server.base_url, env=env).ready()
    user.wait_for("offline")
    user.write(CHATS)
    user.wait_for("/demo slow")
    user.wait_quiet(0.2)
    user.write(ENTER)
    user.wait_for("Slowly, very")
    user.wait_for("cut off")
    user.leave()


@pytest.mark.slow
def test_a_reply_of_the_sandbox_survives_kill_9(start: Start, own_home: Path) -> None:
    user = start("--sandbox", env=SLOWLY).ready()
    user.write("/demo slow" + ENTER)
    user.wait_for("Slowly, very")
    user.wait_for(lambda _: kept(own_home, "Slowly, very"))
    kill(user)

    user = start(env=SLOWLY).ready()
    user.open_chats()
    user.write(ENTER)
    user.wait_for("Slowly, very")
    user.wait_for("cut off")
    user.leave()


@pytest.mark.parametrize(
    ("name", "code"), [("SIGTERM", 143), pytest.param("SIGHUP", 129, marks=pytest.mark.slow)]
)
def test_signals_give_the_terminal_back_and_keep_the_draft(
    start: Start, own_home: Path, name: str, code: int
) -> None:
    user = start("--sandbox", env=SLOWLY).ready()
    user.write("/demo slow" + ENTER)
    user.wait_for("You ▌ /demo slow")
    user.write("typed at the end")
    user.wait_for("typed at the end")
    user.signal(getattr(signal, name))
    assert user.wait_exit() == code
    user.assert_given_back()
    assert kept(own_home, "typed at the end")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["no folder can be made", "a file is in the way"])
def test_a_home_nobody_can_write_in(start: Start, tmp_path: Path, place: str) -> None:
    home = Path("/proc/kai-tui") if place == "no folder can be made" else tmp_path / "file"
    if home.parent == tmp_path:
        home.write_text("in the way")
    user = start(home=home)
    user.wait_for("Try the sandbox")
    user.write(ENTER)
    user.ready().wait_for("not saved on disk: Your data folder")
    user.ask("What is 2 + 2?", "2 + 2 = 4")
    user.leave()


@pytest.mark.slow
def test_broken_files_are_set_aside(start: Start, own_home: Path) -> None:
    user = start("--sandbox").ready()
    user.ask("What is 2 + 2?", "2 + 2 = 4")
    user.leave()
    broken = [
        *own_home.rglob("*.sqlite"),
        *own_home.rglob("accounts.json"),
        own_home / "config" / "config.toml",
    ]
    assert {"cache", "state", "project", "accounts"} <= {file.name.split(".")[-2] for file in broken}
    broken[-1].parent.mkdir(mode=0o700, exist_ok=True)
    for file in broken:
        file.write_bytes(b"not what it was\x00\xff" * 100)

    user = start("--sandbox").ready()
    user.ask("What is 3 + 4?", "3 + 4 = 7")
    user.leave()
    aside = [file for file in files_holding(own_home, "not what it was") if file not in broken]
    assert any("state" in file.name for file in aside)


def test_without_a_terminal_there_is_a_sentence() -> None:
    ended = subprocess.run(
        [*KAI, "--sandbox"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "needs a terminal" in ended.stderr


def environment(server: Server) -> dict[str, str]:
    return {
        "STORAGE_API_TOKEN": server.token,
        "STORAGE_API_URL": server.storage_url,
        "KAI_SERVICE": "assistant",
    }


@pytest.mark.slow
def test_the_token_is_nowhere_after_a_bad_day(start: Start, own_home: Path) -> None:
    """Refused by the server, in an address, killed in the middle: no file and no byte of output has it."""
    with serving("agent") as server:
        env = {"STORAGE_API_TOKEN": CANARY, "STORAGE_API_URL": server.storage_url}
        user = start("--base-url", server.base_url, env=env).ready()
        user.wait_for("Token refused")
        lines = [
            path.read_bytes()
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if path.parent.exists() and os.access(path, os.R_OK)
        ]
        assert not any(CANARY.encode() in line for line in lines)
        user.signal(signal.SIGTERM)
        assert user.wait_exit() == 143
        assert CANARY.encode() not in user.raw
        assert files_holding(own_home, CANARY) == []

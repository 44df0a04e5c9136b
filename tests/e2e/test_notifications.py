"""The desktop is told in a real terminal: only when nobody looks, in one way, with nothing foreign in it."""

from __future__ import annotations

import re
import threading

import pytest

from tests.e2e.conftest import Start
from tests.e2e.hostile_kai import HostileKai
from tests.e2e.odd_stacks import Asked, answering
from tests.e2e.user import ENTER, NEW, User
from tests.hostile_payloads import hostile_texts, leaks
from tests.pty_harness import posix_only

pytestmark = posix_only

LOOKS, LEAVES = "\x1b[I", "\x1b[O"
OSC = re.compile(rb"\x1b\](9|99|777);(?:notify;kai-tui;|i=kai-tui;)?([^\x07\x1b]*)(?:\x07|\x1b\\)")
POINTER = re.compile(rb"\x1b\]22;[a-z-]*\x07")
NO_TMUX = {"TMUX": None, "STY": None, "LC_TERMINAL": None, "KITTY_WINDOW_ID": None, "WT_SESSION": None}
ITERM = {**NO_TMUX, "TERM_PROGRAM": "iTerm.app"}


class HeldKai(HostileKai):
    """Answers a message only when the test says so."""

    def __init__(self, texts: list[tuple[str, str]]) -> None:
        super().__init__(texts)
        self.go = threading.Event()

    def __call__(self, asked: Asked) -> tuple[int, str, bytes]:
        if asked.path.startswith("/api/chat") and asked.method == "POST":
            self.go.wait(30)
        return super().__call__(asked)


def announced(user: User) -> list[bytes]:
    return [match[2] for match in OSC.finditer(user.raw)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "sequence"),
    [
        (ITERM, b"\x1b]9;A reply ended in \xe2\x80\x9cWhat tables do I have\xe2\x80\x9d\x07"),
        ({**NO_TMUX, "TERM_PROGRAM": None}, b"\x07"),
    ],
    ids=["osc9", "bell"],
)
def test_a_reply_that_ends_while_nobody_looks(start: Start, env: dict[str, str], sequence: bytes) -> None:
    user = start("--sandbox", env={**env, "KAI_TUI_SANDBOX_PACE": "0.2"}).ready()
    assert b"\x1b[?1004h" in user.raw
    user.write(LOOKS + "What tables do I have?" + ENTER)
    user.wait_for("streaming")
    user.write(LEAVES)
    user.wait_raw(sequence)
    user.wait_idle()
    user.leave()
    assert POINTER.sub(b"", user.raw).count(sequence) == 1
    assert b"\x1b[?1004l" in user.raw


@pytest.mark.slow
def test_who_looks_is_not_told(start: Start) -> None:
    user = start("--sandbox", env=ITERM).ready()
    user.write(LOOKS)
    user.ask("What tables do I have?", "orders")
    user.write(LEAVES)
    user.wait_quiet(0.3)
    user.write(LOOKS)
    user.leave()
    assert announced(user) == []
    assert b"\x07" not in POINTER.sub(b"", user.raw)


@pytest.mark.slow
def test_a_decision_is_told_without_what_it_is_about(start: Start) -> None:
    user = start("--sandbox", env={**ITERM, "KAI_TUI_SANDBOX_PACE": "0.2"}).ready()
    user.write("Create a bucket called reports" + ENTER)
    user.wait_for("streaming")
    user.write(LEAVES)
    user.wait_for("The assistant asks before it acts")
    user.wait_raw(
        b"\x1b]9;A decision is needed in \xe2\x80\x9cCreate a bucket called reports\xe2\x80\x9d\x07"
    )
    user.leave()
    assert len(announced(user)) == 1


@pytest.mark.slow
def test_off_is_off(start: Start) -> None:
    user = start("--sandbox", env={**ITERM, "KAI_TUI_SANDBOX_PACE": "0.2"}).ready()
    user.write("\x10")
    user.wait_for("What do you want to do?")
    user.write("notifications")
    user.wait_for("Notifications: on")
    user.write(ENTER)
    user.wait_for("Notifications are off.")
    user.write("What tables do I have?" + ENTER)
    user.wait_for("streaming")
    user.write(LEAVES)
    user.wait_idle()
    user.wait_quiet(0.3)
    user.leave()
    assert announced(user) == []


@pytest.mark.slow
def test_nothing_of_a_hostile_title_gets_out(start: Start) -> None:
    texts = [(name, text[:200]) for name, text in hostile_texts(odd=True) if "\x1b" in text or "\x07" in text]
    texts.insert(0, ("games", "x;y\x07\x1b]52;c;aGVsbG8=\x07\x1b\\;notify;evil;\x9b2J\u202e"))
    kai = HeldKai(texts)
    with answering(kai) as address:
        env = {"STORAGE_API_TOKEN": "x" * 20, "STORAGE_API_URL": address, "KAI_SERVICE": "assistant"}
        user = start("--base-url", address, env={**ITERM, **env}).ready()
        for number in (0, len(texts) // 2):
            kai.go.clear()
            before = len(announced(user))
            user.write(f"say {number}" + ENTER)
            user.wait_for("● sending")
            user.write(LEAVES)
            user.wait_quiet(0.25)  # the prompt has lost its focus
            kai.go.set()
            user.wait_for(lambda user, before=before: len(announced(user)) > before)
            user.wait_idle()
            user.write(NEW)
            user.wait_gone("broke")
        user.leave()
    for text in announced(user):
        shown = text.decode()
        assert shown.startswith("A reply broke off in “")
        assert shown.isprintable()
        assert ";" not in shown
        assert len(shown) <= 120
    assert leaks(OSC.sub(b"", user.raw)) == []

"""Nothing a hostile kai-agent says about itself, its tools, its quota or its suggestions acts on the terminal (P11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kai_tui.storage.ledger import LedgerFile
from kai_tui.storage.paths import account_files, app_paths
from tests.e2e.conftest import Start
from tests.e2e.hostile_kai import HostileKai
from tests.e2e.odd_stacks import Asked, answering
from tests.e2e.test_hostile_screens import EACH, TALL, TOGETHER, assert_harmless
from tests.e2e.user import CLEAR, DOWN, ENTER, ESCAPE, User
from tests.pty_harness import posix_only

pytestmark = posix_only

PALETTE, F2, SAVE = "\x10", "\x1bOQ", "\x13"
END = "\x1b[F"


class HostileAgent(HostileKai):
    """A kai-agent whose every word beside the chats is a payload too; it refuses to keep anything."""

    def __call__(self, asked: Asked) -> tuple[int, str, bytes]:
        path = urlsplit(asked.path).path
        words = [text for _, text in self.texts]
        all_words = "\n".join(words)
        answers: dict[str, Any] = {
            "/api": {
                "appName": words[0],
                "appVersion": words[1],
                "serverVersion": words[2],
                "timestamp": words[0],
                "uptime": 5,
                "connectedMcp": [
                    {"name": text, "url": text, "status": text, text: text} for text in words[:4]
                ],
                **{text: {text: text} for text in words},
            },
            "/api/usage": {"messagesUsed": 140, "messagesLimit": 150, "resetDate": words[0]},
            "/api/settings": {"customInstructions": all_words},
            "/api/settings/user": {
                "customInstructions": all_words,
                "toolPermissions": dict.fromkeys(words[: len(words) // 2], words[0]),
            },
            "/api/settings/tools": {"tools": [{"name": text, "description": text} for text in words]},
            "/api/suggestions": {
                "suggestions": [{"label": text, "prompt": text, "reasoning": text} for text in words]
            },
        }
        if path in answers and asked.method == "PATCH":
            return self._refusal(0)
        if path in answers:
            return self._json(answers[path])
        return super().__call__(asked)


@pytest.fixture
def user(request: pytest.FixtureRequest, start: Start):
    with answering(HostileAgent(request.param)) as address:
        env = {"STORAGE_API_TOKEN": "x" * 20, "STORAGE_API_URL": address, "KAI_SERVICE": "agent"}
        yield start("--base-url", address, size=TALL, env=env).ready()


def run(user: User, command: str, seen: str) -> None:
    """Do something through the palette."""
    user.write(PALETTE)
    user.wait_for("What do you want to do?")
    user.write(command)
    user.wait_quiet(0.3)
    user.write(ENTER)
    user.wait_for(seen)
    user.wait_quiet(0.2)


@pytest.mark.slow
@pytest.mark.parametrize("user", [pytest.param(TOGETHER, id="together")], indirect=True)
def test_panels(user: User) -> None:
    user.wait_for("140 of 150")
    user.wait_for("press its number")
    run(user, "about this server", "answers in")
    user.write(END)
    user.wait_quiet(0.3)
    user.write(ESCAPE)
    user.wait_gone("About this server")
    run(user, "tools and permissions", "Tools and permissions")
    user.wait_for("writes")
    user.write(DOWN * len(TOGETHER))
    user.wait_quiet(0.3)
    user.write("b")
    user.wait_for("not saved")
    user.write(ESCAPE)
    user.wait_gone("Tools and permissions")
    run(user, "instructions for kai", "Instructions for Kai")
    user.wait_for("written out")
    user.write("x" + SAVE)
    user.wait_for("Your text is still here.")
    user.write(F2)
    user.wait_for("Only admins and managers")
    user.wait_quiet(0.3)
    user.write(F2 + ESCAPE)
    user.wait_for("Leave without saving?")
    user.write("\x1b[C" + ENTER)
    user.wait_gone("Instructions for Kai")
    assert_harmless(user)


@pytest.mark.slow
@pytest.mark.parametrize(
    "user", [EACH[first : first + 40] for first in range(0, len(EACH), 40)], indirect=True
)
def test_panels_with_each_payload_by_itself(user: User) -> None:
    user.wait_for("140 of 150")
    run(user, "about this server", "answers in")
    user.write(END)
    user.wait_quiet(0.3)
    user.write(ESCAPE)
    user.wait_gone("About this server")
    run(user, "tools and permissions", "Tools and permissions")
    user.write(DOWN * 40)
    user.wait_quiet(0.3)
    user.write(ESCAPE)
    user.wait_gone("Tools and permissions")
    assert_harmless(user)


@pytest.mark.slow
def test_the_ledger(start: Start, own_home: Path) -> None:
    """Its list, its words, what its check finds, its export: every word of every decision is a payload."""
    texts = [text for _, text in TOGETHER]
    ledger = LedgerFile(account_files(app_paths({"KAI_TUI_HOME": str(own_home)}), "evil").ledger, "evil")
    for text in texts:
        words = dict.fromkeys(
            ("account", "host", "branch", "tool", "sentence", "asked", "decision", "by", "rule", "reason"),
            text,
        )
        lists = {
            "objects": [{"kind": text, "id": text}],
            "edits": [{"path": text, "before": text, "after": text}],
            "effects": [text],
            "answered": [text],
        }
        ledger.add({"kind": "decision", "at": text, "chat_id": text, "call_id": text, **words, **lists})
        end = {"kind": "outcome", "chat_id": text, "call_id": text, "outcome": text, "job": text}
        ledger.add_outcome(text, text, {**end, "detail": text})
    user = start("--sandbox", size=TALL).ready()
    run(user, "ledger of decisions", f"{len(texts)} decisions")
    for _ in texts:
        user.write(" " + DOWN)
        user.wait_quiet(0.05)
    user.write("v")
    user.wait_for("What this cannot find")
    user.write(ESCAPE)
    user.wait_gone("What this cannot find")
    user.write("e")
    user.wait_for("change ticket")
    user.write(f"{END}{CLEAR}{own_home / 'ticket.md'}{ENTER}")
    user.wait_gone("change ticket")
    assert "### 2." in (own_home / "ticket.md").read_text(encoding="utf-8")
    assert_harmless(user)

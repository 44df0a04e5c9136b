"""Messages that wait survive kill -9, in their order, and go only after a word."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.user import ENTER
from tests.pty_harness import posix_only

pytestmark = [posix_only, pytest.mark.slow]


def waiting(home: Path) -> list[str]:
    """What waits, as it is on disk."""
    (state,) = (home / "data" / "accounts").glob("*.state.sqlite")
    with closing(sqlite3.connect(state)) as connection:
        rows = connection.execute("SELECT text FROM outbox WHERE state = 'queued' ORDER BY position")
        return [text for (text,) in rows]


def test_what_waits_survives_kill_9_and_is_not_sent_by_itself(start: Start, own_home: Path) -> None:
    user = start("--sandbox", env={"KAI_TUI_SANDBOX_PACE": "0.5"}).ready()
    user.write("/demo slow" + ENTER)
    user.wait_for("streaming")
    for text in ("first in the queue", "second in the queue"):
        user.write(text + ENTER)
    user.wait_for(lambda _: waiting(own_home) == ["first in the queue", "second in the queue"])
    user.signal(signal.SIGKILL)
    assert user.wait_exit() == -signal.SIGKILL

    user = start("--sandbox").ready()
    user.wait_for("paused: Enter on the empty prompt sends the next")
    user.wait_for("first in the queue")
    assert user.prompt() == "" or user.prompt().startswith("ask, ")
    assert "You ▌ first in the queue" not in user.text()
    user.write(ENTER)
    user.wait_for("You ▌ first in the queue")
    user.wait_idle()
    user.wait_for("paused:")
    assert "You ▌ second in the queue" not in user.text()
    user.leave()
    assert list((own_home / "data" / "accounts").glob("*.open-*")) == []

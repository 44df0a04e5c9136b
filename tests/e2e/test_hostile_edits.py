"""Nothing that is edited, answered or given as a reason acts on the terminal while it is shown (P11)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Start
from tests.e2e.hostile_kai import HostileKai
from tests.e2e.odd_stacks import answering
from tests.e2e.test_hostile_screens import TALL, TOGETHER, assert_harmless
from tests.e2e.user import DOWN, ENTER, ESCAPE, PAGE_DOWN, RIGHT, SETTLED, User
from tests.pty_harness import posix_only

pytestmark = [posix_only, pytest.mark.slow]

F2, LOOK, TAB, LEFT = "\x1bOQ", "\x13", "\t", "\x1b[D"


@pytest.fixture
def user(start: Start) -> Iterator[User]:
    with answering(HostileKai(TOGETHER)) as address:
        env = {"STORAGE_API_TOKEN": "x" * 20, "STORAGE_API_URL": address, "KAI_SERVICE": "assistant"}
        yield start("--base-url", address, size=TALL, env=env).ready()


def choose(user: User, *moves: str) -> None:
    """Answer a question that is armed."""
    user.wait_for(SETTLED)
    user.wait_quiet(0.8)  # what stands there may be from before the dialog above it
    for move in moves:
        user.write(move)
        user.wait_quiet(0.1)
    user.write(ENTER)


def test_inputs_and_reasons(user: User) -> None:
    """Value by value, as JSON, as the reason of a No; a reason from a template."""
    for number in range(0, len(TOGETHER), 2):
        user.write(f"ask {number}{ENTER}")
        user.wait_for("The assistant asks before it acts")
        choose(user, RIGHT, RIGHT)
        user.wait_for("Edit the input")
        for _ in range(5):
            user.write(TAB)
            user.wait_quiet(0.1)
        user.write(F2)
        user.wait_for("All of the input as JSON")
        user.write(F2)
        user.wait_gone("All of the input as JSON")
        user.write("changed" + LOOK)
        user.wait_quiet(0.5)
        if "ask for this instead" in user.text():
            user.write(ESCAPE)
            user.wait_gone("ask for this instead")
        user.write(ESCAPE)
        user.wait_for("Leave your changes?")
        user.write(RIGHT + ENTER)
        user.wait_gone("Edit the input")
        choose(user, LEFT)
        user.wait_for("The assistant hears this")
        user.write(TAB)
        user.wait_for("Enter denies with this")
        user.wait_quiet(0.1)
        user.write(ENTER)
        user.wait_gone("waiting for your decision")
        user.wait_idle()
    assert_harmless(user)


def test_forms(user: User) -> None:
    """Questions, their answers, and what is answered."""
    for number in range(0, len(TOGETHER), 2):
        user.write(f"form {number}{ENTER}")
        user.wait_for("The assistant asks you")
        user.wait_for(re.compile("Answer a question first|Sending is off"))
        user.write(PAGE_DOWN)
        user.wait_quiet(0.2)
        for key in (DOWN, DOWN, TAB, "mine", F2, PAGE_DOWN, F2):
            user.write(key)
            user.wait_quiet(0.8 if key == F2 else 0.1)
        user.write(TAB)
        user.wait_quiet(0.2)
        user.write(ENTER)
        user.wait_gone("waiting for your decision")
        user.wait_idle()
    assert_harmless(user)

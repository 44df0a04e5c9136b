"""What a new user does, each sentence of it, in a real terminal."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import Start
from tests.e2e.story import go_on_in_an_older_chat_and_delete_the_newer, read_deny_approve
from tests.e2e.user import ENTER, NARROW, NEW, READ, UP, WIDE, User
from tests.pty_harness import Size, posix_only

pytestmark = posix_only

END = "\x1b[F"


@pytest.mark.parametrize(
    ("service", "size"),
    [
        ("agent", NARROW),
        pytest.param("assistant", WIDE, marks=pytest.mark.slow),
        pytest.param("agent", WIDE, marks=pytest.mark.slow),
        pytest.param("assistant", NARROW, marks=pytest.mark.slow),
    ],
    ids=["agent-80", "assistant-140", "agent-140", "assistant-80"],
)
def test_the_first_day(start: Start, service: str, size: Size) -> None:
    env = {"KAI_SERVICE": service}
    user = start(size=size, env=env)
    user.wait_for("A chat for AI assistants that can change things")
    for way in ("Try the sandbox", "Sign in to Kai", "Quit"):
        user.wait_for(way)
    user.write(ENTER)
    user.ready().wait_for("The sandbox")

    read_deny_approve(user)
    a_tool_card_is_in_the_answer(user)
    go_on_in_an_older_chat_and_delete_the_newer(user)
    user.leave()

    user = start(size=size, env=env).ready()
    user.open_chats()
    assert "What is 2 + 2" not in user.text()
    user.write(ENTER)
    user.wait_for("You just said:")
    user.write(NEW)
    user.wait_gone("You just said:")
    user.ask("What buckets do I have?", "in.c-test-bucket")
    user.leave()


def a_tool_card_is_in_the_answer(user: User) -> None:
    """The card of the read that brought the buckets, above the text: name, state, size; Enter opens it."""
    user.write(READ)
    user.wait_for(re.compile(r"1 +What tables do I have"))
    user.write(UP * 2)  # over the table and the sentence before it
    user.wait_for(re.compile(r"▌ +✓ get_buckets +5 buckets +0\.\d s ▸"))
    user.write(ENTER)
    user.wait_for(re.compile(r"▌ +✓ get_buckets .*▾"))
    user.wait_for("Result")
    user.write(ENTER)
    user.wait_for(re.compile(r"▌ +✓ get_buckets .*▸"))
    user.write(READ)
    user.wait_gone("▌      ")


def test_quit_from_the_start_screen(start: Start) -> None:
    user = start()
    user.wait_for("Quit")
    user.write(END)
    user.write(ENTER)
    assert user.wait_exit() == 0
    user.assert_given_back()

"""Nothing a hostile Kai says reaches the terminal as a control code, wherever it is shown (P11, T1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Start
from tests.e2e.hostile_kai import PER_CHAT, HostileKai
from tests.e2e.odd_stacks import answering
from tests.e2e.user import CHATS, DOWN, END, ENTER, PAGE_DOWN, READ, RIGHT, SETTLED, UP, User
from tests.hostile_payloads import hostile_texts, leaks
from tests.pty_harness import Size, posix_only

pytestmark = posix_only


TALL: Size = (120, 120)
"""So much is seen without scrolling, that every payload is really drawn."""

EACH = [(name, text[:200]) for name, text in hostile_texts(odd=True)]
"""Every payload by itself: takes minutes."""

_SIZE = 16
TOGETHER = [
    (EACH[first][0], " \u00b7 ".join(text[:70] for _, text in EACH[first : first + _SIZE]))
    for first in range(0, len(EACH), _SIZE)
]
"""Some payloads in a row; in the first 70 characters of each is what makes it one."""

Scene = tuple[User, list[tuple[str, str]]]


@pytest.fixture(params=["together", pytest.param("each", marks=pytest.mark.slow)])
def scene(request: pytest.FixtureRequest, start: Start) -> Iterator[Scene]:
    """The program at a hostile Kai, and what that says."""
    texts = TOGETHER if request.param == "together" else EACH
    with answering(HostileKai(texts)) as address:
        env = {"STORAGE_API_TOKEN": "x" * 20, "STORAGE_API_URL": address, "KAI_SERVICE": "assistant"}
        yield start("--base-url", address, size=TALL, env=env).ready(), texts


def numbers_shown(user: User) -> set[int]:
    """The payloads whose text was drawn, ever."""
    return {int(number) for number in re.findall(rb"<([0-9]+)>", user.raw)}


def assert_harmless(user: User) -> None:
    """Look at everything that was written, up to the end: a sequence may not be whole before."""
    user.leave()
    assert leaks(user.raw) == []


def go_to_chats(user: User) -> None:
    user.write(CHATS)
    user.wait_quiet(0.2)


@pytest.mark.slow
def test_history_and_stored_chats(scene: Scene) -> None:
    """Titles in the list and the header; every kind of part; cards and thoughts opened."""
    user, texts = scene
    user.wait_for("May")
    go_to_chats(user)
    for first in range(0, len(texts), PER_CHAT):
        user.write(ENTER)
        user.wait_for(f"<{first}> ")
        user.wait_quiet(0.1)
        user.write(READ)
        user.wait_quiet(0.1)
        # From the end up: whatever can be opened is opened, and every block of what was opened is passed.
        user.write((UP + ENTER) * PER_CHAT * 24)
        user.wait_quiet(0.3)
        user.write(READ)
        go_to_chats(user)
        user.write(DOWN * PER_CHAT)
        user.wait_quiet(0.1)
    assert numbers_shown(user) == set(range(len(texts)))
    assert_harmless(user)


def test_streams(scene: Scene) -> None:
    """The same, arriving bit by bit: cut everywhere, with a title, an error and unknown parts."""
    user, texts = scene
    for number in range(len(texts)):
        user.write(f"say {number}{ENTER}")
        user.wait_for(lambda user, number=number: number in numbers_shown(user))
        user.wait_idle()
    assert_harmless(user)


@pytest.mark.slow
def test_questions_before_acting(scene: Scene) -> None:
    """The approval dialog: tool, chat title, argument names and values, all of them scrolled through."""
    user, texts = scene
    for number in range(0, len(texts), 4):
        user.write(f"ask {number}{ENTER}")
        user.wait_for("The assistant asks before it acts")
        user.wait_for(SETTLED)
        user.write(PAGE_DOWN + END)
        user.wait_for(SETTLED)
        user.wait_quiet(0.2)
        user.deny()
        user.wait_gone("waiting for your decision")
        user.wait_idle()
    assert_harmless(user)


@pytest.mark.slow
def test_refusals_and_deletions(scene: Scene) -> None:
    """Errors of the server in notices and under messages; titles in the question before deleting."""
    user, texts = scene
    refused = range(0, len(texts), 3)
    for number in refused:
        user.write(f"refuse {number}{ENTER}")
        user.wait_for(re.compile(rf"▌ refuse {number}\b[\s\S]*not sent"))
        user.wait_idle()
    go_to_chats(user)
    for _ in refused:
        user.write(DOWN + "d")
        user.wait_for("Delete this chat?")
        user.write(RIGHT + ENTER)
        user.wait_gone("Delete this chat?")
        user.wait_for("was not deleted")
        user.write(DOWN * 2)
    assert_harmless(user)

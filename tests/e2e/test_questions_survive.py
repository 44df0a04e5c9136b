"""kill -9 while a question is on screen: it is read from the server again, asked anew, and answered at most once."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import httpx
import pytest

from kai_tui.storage.inbox import Asked, read_file
from tests.e2e.conftest import Start
from tests.e2e.door import door_before
from tests.e2e.user import CHATS, ENTER, Server, User, serving
from tests.pty_harness import posix_only

pytestmark = [posix_only, pytest.mark.slow]

BUCKET = "Create a bucket called patience"
AGAIN = "Asked before kai-tui ended"


def noted(home: Path) -> list[Asked]:
    """What waits, as it is on disk."""
    states = (home / "data" / "accounts").glob("*.state.sqlite")
    return [each for state in states for _, rows in read_file(state).values() for each in rows]


def asked_and_killed(user: User, home: Path) -> None:
    user.ready()
    user.write(BUCKET + ENTER)
    user.asked("patience")
    user.wait_for(lambda _: noted(home))
    user.signal(signal.SIGKILL)
    assert user.wait_exit() == -signal.SIGKILL


def environment(server: Server, service: str) -> dict[str, str]:
    return {
        "STORAGE_API_TOKEN": server.token,
        "STORAGE_API_URL": server.storage_url,
        "KAI_SERVICE": service,
    }


def come_of_it(user: User, words: str) -> None:
    """Look at the chat in which it was asked."""
    user.write(CHATS)
    user.wait_for(BUCKET)
    user.wait_quiet(0.2)
    user.write(ENTER)
    user.wait_for(words)


@pytest.mark.parametrize("service", ["agent", "assistant"])
@pytest.mark.parametrize("yes", [True, pytest.param(False)])
def test_after_kill_9_it_is_asked_again_and_answered_once(
    start: Start, own_home: Path, service: str, yes: bool
) -> None:
    with serving(service) as server, door_before(server.base_url) as door:
        env = environment(server, service)
        asked_and_killed(start("--base-url", door.url, env=env), own_home)
        (before,) = noted(own_home)
        assert door.answers() == []

        user = start("--base-url", door.url, env=env)
        user.asked("patience", AGAIN)
        assert [each.digest for each in noted(own_home)] == [before.digest]
        assert door.answers() == []
        if yes:
            user.approve()
        else:
            user.deny()
        user.wait_for(lambda _: len(door.answers()) == 1)
        come_of_it(user, "is there" if yes else "You said no")
        user.wait_for(lambda _: not noted(own_home))
        user.leave()

        user = start("--base-url", door.url, env=env).ready()
        user.wait_quiet(1.0)
        assert AGAIN not in user.text()
        user.leave()
        assert len(door.answers()) == 1
        assert (b'"approved":true' in door.answers()[0].replace(b" ", b"")) is yes


@pytest.mark.parametrize("service", ["agent", "assistant"])
def test_killed_again_and_again_it_still_waits(start: Start, own_home: Path, service: str) -> None:
    with serving(service) as server, door_before(server.base_url) as door:
        env = environment(server, service)
        asked_and_killed(start("--base-url", door.url, env=env), own_home)
        ages = {noted(own_home)[0].asked_at}
        for _ in range(2):
            user = start("--base-url", door.url, env=env)
            user.asked("patience", AGAIN)
            user.signal(signal.SIGKILL)
            assert user.wait_exit() == -signal.SIGKILL
            ages.add(noted(own_home)[0].asked_at)
        assert len(ages) == 1
        assert door.answers() == []


@pytest.mark.parametrize("service", ["agent", "assistant"])
def test_the_sandbox_itself_was_killed_too(start: Start, own_home: Path, service: str) -> None:
    env = {"KAI_SERVICE": service}
    asked_and_killed(start("--sandbox", env=env), own_home)
    user = start("--sandbox", env=env)
    user.asked("patience", AGAIN)
    user.approve()
    user.wait_for(lambda _: not noted(own_home))
    come_of_it(user, "is there")
    user.leave()


def test_what_the_server_lost_is_said_to_be_lost(start: Start, own_home: Path) -> None:
    with serving("agent") as server, door_before(server.base_url) as door:
        env = environment(server, "agent")
        asked_and_killed(start("--base-url", door.url, env=env), own_home)
        _delete_all_chats(server)
        user = start("--base-url", door.url, env=env).ready()
        user.wait_for(re.compile(r"no longer exists|can no longer be"))
        user.wait_for(lambda _: not noted(own_home))
        assert AGAIN not in user.text()
        user.leave()
        assert door.answers() == []


def _delete_all_chats(server: Server) -> None:
    headers = {"x-storageapi-token": server.token, "x-storageapi-url": server.storage_url}
    with httpx.Client(base_url=server.base_url, headers=headers, trust_env=False) as client:
        for chat in client.get("/api/history").raise_for_status().json()["chats"]:
            client.delete("/api/chat", params={"id": chat["id"]}).raise_for_status()

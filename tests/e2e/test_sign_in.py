"""Signing in to a Kai server through the dialog and through the environment, with everything that goes wrong."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.odd_stacks import a_stack_without_kai, a_web_page, answering, nobody
from tests.e2e.story import go_on_in_an_older_chat_and_delete_the_newer, read_deny_approve
from tests.e2e.user import (
    ACCOUNTS,
    BACK_TAB,
    CHATS,
    CLEAR,
    DOWN,
    ENTER,
    ESCAPE,
    NARROW,
    TAB,
    WIDE,
    Server,
    User,
    files_holding,
    serving,
)
from tests.pty_harness import ROOT, Size, posix_only

pytestmark = posix_only

WRONG = "123-456-ThisTokenIsNotTheRightOne"


@pytest.fixture
def agent() -> Iterator[Server]:
    with serving("agent") as server:
        yield server


def open_dialog(user: User) -> None:
    user.wait_for("Sign in to Kai")
    user.write(DOWN + ENTER)
    user.wait_for("Storage API token")


def type_in(user: User, address: str, token: str) -> None:
    user.write(address + ENTER)
    user.wait_for(address)
    user.wait_quiet(0.3)
    user.paste(token)
    user.wait_for("•" * 10)
    user.write(ENTER)


def take_main(user: User) -> None:
    """The second step: the branch; main is chosen already."""
    user.wait_for("fix-crm")
    user.write(ENTER)


def assert_secret(secret: str, user: User, *, kept_in: list[Path] | None = None) -> None:
    """The token is on no screen, in no file but the one that was agreed on, on no command line."""
    assert secret.encode() not in user.raw
    assert files_holding(user.home, secret) == (kept_in or [])


@pytest.mark.parametrize(
    ("service", "size", "whole"),
    [
        ("agent", NARROW, False),
        pytest.param("assistant", WIDE, False, marks=pytest.mark.slow),
        pytest.param("agent", NARROW, True, marks=pytest.mark.slow),
        pytest.param("assistant", WIDE, True, marks=pytest.mark.slow),
        pytest.param("agent", WIDE, True, marks=pytest.mark.slow),
        pytest.param("assistant", NARROW, True, marks=pytest.mark.slow),
    ],
)
def test_the_first_day_on_a_server(start: Start, service: str, size: Size, whole: bool) -> None:
    """`whole`: with the history too, which the sandbox of the program shows the same way."""
    with serving(service) as server:
        user = start(size=size)
        open_dialog(user)
        type_in(user, server.storage_url, server.token)
        take_main(user)
        user.wait_for("This system has no keyring")
        user.wait_for("Only this session")
        assert files_holding(user.home, server.token) == []
        user.write(TAB + ENTER)
        user.ready().wait_for("Ask about your data, jobs and flows")
        (kept,) = files_holding(user.home, server.token)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700

        read_deny_approve(user)
        if whole:
            go_on_in_an_older_chat_and_delete_the_newer(user)
        assert server.token.encode() not in user.command_line()
        user.leave()
        assert_secret(server.token, user, kept_in=[kept])

        user = start(size=size).ready()
        user.open_chats()
        user.write(ENTER)
        user.wait_for("You just said:" if whole else "Your project has 5 buckets")
        user.leave()
        assert_secret(server.token, user, kept_in=[kept])


@pytest.mark.slow
@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_a_branch_is_chosen_and_shown_wherever_a_write_is_decided(start: Start, size: Size) -> None:
    with serving("agent") as server:
        user = start(size=size)
        open_dialog(user)
        type_in(user, server.storage_url, server.token)
        user.wait_for("fix-crm")
        user.write(DOWN + ENTER)
        user.wait_for("Only this session")
        user.write(TAB + ENTER)
        user.ready().wait_for("Kai works on the branch fix-crm (20261)")
        user.write("Create a bucket called made" + ENTER)
        user.wait_for("branch  fix-crm (20261)")
        user.leave()

        # Kept with the account, and apart from the same project on main.
        user = start(size=size).ready()
        user.wait_for("fix-crm (20261)")
        user.write(ACCOUNTS)
        user.wait_for("branch fix-crm (20261)")
        user.leave()


@pytest.mark.slow
def test_the_branch_of_the_environment(start: Start, agent: Server) -> None:
    env = {
        "STORAGE_API_TOKEN": agent.token,
        "STORAGE_API_URL": agent.storage_url,
        "KAI_BRANCH_ID": "20262",
    }
    user = start("--base-url", agent.base_url, env=env).ready()
    user.wait_for("Kai works on the branch 20262")
    user.ask("What project is this?", "branch new-reports")
    user.leave()


@pytest.mark.slow
def test_a_host_that_does_not_exist(start: Start) -> None:
    """Slow where the name server is."""
    user = start()
    open_dialog(user)
    type_in(user, "no-such-stack.invalid", WRONG)
    user.wait_for("Cannot find no-such-stack.invalid")
    user.leave()
    assert_secret(WRONG, user)


@pytest.mark.slow
def test_a_token_for_this_session_is_nowhere(start: Start, agent: Server) -> None:
    user = start()
    open_dialog(user)
    type_in(user, agent.storage_url, agent.token)
    take_main(user)
    user.wait_for("Only this session")
    user.write(ENTER)
    user.ready().ask("What is 2 + 2?", "2 + 2 = 4")
    user.leave()
    assert_secret(agent.token, user)


@pytest.mark.slow
def test_a_keyring_that_works_is_not_asked_about(
    start: Start, agent: Server, tmp_path: Path, own_home: Path
) -> None:
    keyring = tmp_path / "keyring.json"
    env = {
        "PYTHONPATH": f"{Path(__file__).with_name('fake_keyring')}{os.pathsep}{ROOT}",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.libsecret.Keyring",
        "FAKE_KEYRING": str(keyring),
    }
    user = start(env=env)
    open_dialog(user)
    type_in(user, agent.storage_url, agent.token)
    take_main(user)
    user.wait_for("New chat")
    assert agent.token in keyring.read_text()
    user.ready().ask("What is 2 + 2?", "2 + 2 = 4")
    user.leave()
    assert_secret(agent.token, user)

    user = start(env=env).ready()
    user.ask("What is 3 + 4?", "3 + 4 = 7")
    user.write(ACCOUNTS)
    user.wait_for("o remove")
    user.leave()
    assert_secret(agent.token, user)


@pytest.mark.slow
def test_everything_that_can_go_wrong_keeps_what_was_typed(start: Start, agent: Server) -> None:
    """One dialog, one sentence for each failure, and at last the right address with the token typed before."""
    user = start(size=WIDE)
    open_dialog(user)
    type_in(user, agent.storage_url, WRONG)
    user.wait_for("does not accept this token")
    user.wait_for(agent.storage_url)
    user.write(CLEAR)
    user.paste(agent.token)
    user.wait_quiet(0.2)
    user.write(BACK_TAB)
    user.wait_quiet(0.2)
    with answering(a_web_page) as page, answering(a_stack_without_kai) as small:
        for address, sentence in (
            (nobody(), "refuses connections"),
            (page, "text/html"),
            (small, "has no Kai (it lists queue)"),
            ("ftp://stack.example", "starts with https://"),
            ("not an address", "contains characters"),
        ):
            user.write(CLEAR + address + ENTER)
            user.wait_for(sentence)
            user.wait_for(address)
    user.write(CLEAR + agent.storage_url + ENTER)
    take_main(user)
    user.wait_for("Only this session")
    user.write(ENTER)
    user.ready().ask("What is 2 + 2?", "2 + 2 = 4")
    user.leave()
    assert_secret(agent.token, user)
    assert_secret(WRONG, user)


@pytest.mark.slow
@pytest.mark.parametrize("key", [ENTER, TAB], ids=["enter", "tab"])
def test_a_token_right_behind_the_address_is_never_seen(start: Start, agent: Server, key: str) -> None:
    user = start()
    open_dialog(user)
    user.write(f"{agent.storage_url}{key}\x1b[200~{agent.token}\x1b[201~{ENTER}")
    take_main(user)
    user.wait_for("Only this session")
    user.leave()
    assert_secret(agent.token, user)


@pytest.mark.slow
def test_leaving_the_dialog_leads_back(start: Start) -> None:
    user = start()
    open_dialog(user)
    user.write(ESCAPE)
    user.wait_gone("Storage API token")
    user.wait_for("Try the sandbox")
    user.leave()


# Through the environment


@pytest.mark.slow
@pytest.mark.parametrize("service", [None, "agent"])
def test_address_and_token_from_outside(start: Start, agent: Server, service: str | None) -> None:
    env = {"STORAGE_API_TOKEN": agent.token, "STORAGE_API_URL": agent.storage_url, "KAI_SERVICE": service}
    user = start("--base-url", agent.base_url, env=env).ready()
    user.ask("What is 2 + 2?", "2 + 2 = 4")
    assert agent.token.encode() not in user.command_line()
    user.leave()
    assert_secret(agent.token, user)


@pytest.mark.slow
def test_discovery_from_outside(start: Start, agent: Server) -> None:
    env = {"STORAGE_API_TOKEN": agent.token, "STORAGE_API_URL": agent.storage_url}
    user = start(env=env).ready()
    user.ask("What is 2 + 2?", "2 + 2 = 4")
    user.leave()
    assert_secret(agent.token, user)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["no token", "a web page", "wrong token", "host down"])
def test_a_bad_start_is_one_sentence_and_loses_nothing(start: Start, agent: Server, what: str) -> None:
    with answering(a_web_page) as page:
        address = {"host down": nobody(), "a web page": page}.get(what, agent.base_url)
        token = {"no token": None, "wrong token": WRONG}.get(what, agent.token)
        sentence = {
            "no token": "STORAGE_API_TOKEN is not set",
            "wrong token": "Token refused",
            "host down": "refuses connections",
            "a web page": "text/html",
        }[what]
        env = {"STORAGE_API_TOKEN": token, "STORAGE_API_URL": agent.storage_url}
        user = start("--base-url", address, env=env).ready()
        user.wait_for(sentence)
        user.wait_for("Not connected")
        if "token" in what:
            # What can be done about it is offered at once, and may be put off.
            user.wait_for("Storage API token")
            user.write(ESCAPE)
            user.wait_gone("Storage API token")
        user.write("my long question" + ENTER)
        user.wait_for("my long question")
        user.wait_for(re.compile("not sent|unsure whether it arrived"))
        if "token" in what:
            user.wait_for("Storage API token")
            user.write(ESCAPE)
            user.wait_gone("Storage API token")
        user.write("more")
        user.wait_for("│ more ")
        user.leave()
        assert_secret(token or WRONG, user)


@pytest.mark.slow
def test_a_server_that_goes_away(start: Start, own_home: Path) -> None:
    """While it is away, messages are marked; after it, history is still there to read."""
    with serving("assistant") as server:
        env = {"STORAGE_API_TOKEN": server.token, "STORAGE_API_URL": server.storage_url}
        user = start("--base-url", server.base_url, env=env).ready()
        user.ask("What is 2 + 2?", "2 + 2 = 4")
    user.write("Are you there?" + ENTER)
    user.wait_for("not sent")
    user.write(CHATS)
    user.wait_for("What is 2 + 2")
    user.leave()

    user = start("--base-url", server.base_url, env=env).ready()
    user.wait_for("offline")
    user.open_chats()
    user.write(ENTER)
    user.wait_for("2 + 2 = 4")
    user.wait_for("Are you there?")
    user.leave()

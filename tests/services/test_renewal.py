"""Another token for an account that is open: only one of the same project and user, kept as the last one was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.base import TokenRefused
from kai_tui.services.account import Account
from kai_tui.services.account_service import AccountService
from kai_tui.services.signing_in import AnotherProject, FoundKai
from kai_tui.storage.credentials import Credentials, CredentialsUnavailable
from kai_tui.storage.paths import app_paths
from tests.backends.kai_server import KaiServer, answer
from tests.services.scripted_backend import until

OLD = "42-100-OldOldOldOldOldOldOldOld"
NEW = "42-101-NewNewNewNewNewNewNewNew"
VERIFY = "GET /v2/storage/tokens/verify"


def owner(project: int = 42, user: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"isMasterToken": True, "owner": {"id": project, "name": f"Project {project}"}}
    return found if user is None else {**found, "admin": {"id": user, "name": "Somebody"}}


@pytest.fixture
async def stack() -> AsyncIterator[KaiServer]:
    async with KaiServer() as server:
        server.on(VERIFY, answer(200, owner()))
        yield server


def service(home: Path, **environ: str) -> AccountService:
    return AccountService({"KAI_TUI_HOME": str(home), **environ})


async def signed_in(accounts: AccountService, stack: KaiServer, user: str = "") -> Account:
    found = FoundKai(stack.url, stack.url, "agent", "42", "Project 42", user)
    return await accounts.keep_account(found, OLD, keep="file")


async def test_a_token_of_the_same_project_takes_the_place_of_the_old_one(
    own_home: Path, stack: KaiServer
) -> None:
    accounts = service(own_home)
    account = await signed_in(accounts, stack)
    renewed, secret = await accounts.renew(account, f" {NEW}\n", keep="file")
    assert renewed == account
    assert secret.reveal() == NEW
    kept = await Credentials(app_paths({"KAI_TUI_HOME": str(own_home)})).read(account.id)
    assert kept is not None
    assert kept.token == NEW
    assert set(accounts.live_secrets()) == {OLD, NEW}  # neither may be written anywhere
    assert stack.calls(VERIFY)[0].headers["x-storageapi-token"] == NEW


@pytest.mark.parametrize(
    ("who", "known_user"),
    [(owner(43), ""), (owner(42, 8), "7"), ({"isMasterToken": True}, "")],
    ids=["project", "user", "nobody says whose"],
)
async def test_a_token_of_somebody_else_changes_nothing(
    own_home: Path, stack: KaiServer, who: dict[str, Any], known_user: str
) -> None:
    stack.on(VERIFY, answer(200, who))
    accounts = service(own_home)
    account = await signed_in(accounts, stack, known_user)
    with pytest.raises(AnotherProject):
        await accounts.renew(account, NEW, keep="file")
    kept = await Credentials(app_paths({"KAI_TUI_HOME": str(own_home)})).read(account.id)
    assert kept is not None
    assert kept.token == OLD
    assert list(accounts.live_secrets()) == [OLD]


async def test_a_token_nobody_knows_changes_nothing(own_home: Path, stack: KaiServer) -> None:
    stack.on(VERIFY, answer(401, {"error": "Invalid access token", "code": "storage.tokenInvalid"}))
    accounts = service(own_home)
    account = await signed_in(accounts, stack)
    with pytest.raises(TokenRefused):
        await accounts.renew(account, NEW, keep="file")
    assert list(accounts.live_secrets()) == [OLD]


async def test_without_a_keyring_nothing_is_written_before_somebody_says_so(
    own_home: Path, stack: KaiServer
) -> None:
    accounts = service(own_home)
    account = await signed_in(accounts, stack)
    with pytest.raises(CredentialsUnavailable):
        await accounts.renew(account, NEW, keep="keyring")
    assert list(accounts.live_secrets()) == [OLD]
    renewed, _ = await accounts.renew(account, NEW, keep="memory")
    assert renewed.token_from == "memory"
    kept = await Credentials(app_paths({"KAI_TUI_HOME": str(own_home)})).read(account.id)
    assert kept is not None
    assert kept.token == OLD


async def test_a_token_of_the_environment_is_replaced_for_this_session(
    own_home: Path, stack: KaiServer
) -> None:
    stack.on("GET /api/settings/tools", answer(200, {"tools": []}))
    stack.on("GET /api/history", answer(200, {"chats": [], "hasMore": False}))
    accounts = service(own_home, STORAGE_API_TOKEN=OLD)
    account = accounts.from_environment(stack.url, stack.url, "agent")
    workspace = accounts.open(account)
    await (await workspace.backend()).chats()
    renewed, secret = await accounts.renew(account, NEW, keep="keyring")
    assert renewed == account._replace(token_from="memory")
    workspace.renew(renewed, secret)
    await (await workspace.backend()).chats()
    await until(lambda: workspace.connection.state != "connecting")
    tokens = [seen.headers["x-storageapi-token"] for seen in stack.calls("GET /api/history")]
    assert tokens[0] == OLD
    assert set(tokens[1:]) == {NEW}
    await workspace.aclose()


@pytest.mark.parametrize(("token", "project"), [("43-1-Abcdefgh", 42), ("an-odd-token", 42)])
async def test_an_environment_of_another_or_an_unknown_project_is_not_renewed(
    own_home: Path, stack: KaiServer, token: str, project: int
) -> None:
    stack.on(VERIFY, answer(200, owner(project)))
    accounts = service(own_home, STORAGE_API_TOKEN=token)
    account = accounts.from_environment(stack.url, stack.url, "agent")
    with pytest.raises(AnotherProject):
        await accounts.renew(account, NEW, keep="memory")


async def test_a_token_never_goes_to_an_address_that_was_changed_on_disk(
    own_home: Path, stack: KaiServer
) -> None:
    accounts = service(own_home)
    account = await signed_in(accounts, stack)
    elsewhere = account._replace(base_url="http://127.0.0.1:1")
    with pytest.raises(TokenRefused, match="changed outside of kai-tui"):
        await accounts.renew(elsewhere, NEW, keep="file")
    assert stack.seen == []


async def test_two_users_of_a_project_keep_their_chats_apart(own_home: Path, stack: KaiServer) -> None:
    from kai_tui.services.account_records import record_of
    from kai_tui.storage.accounts import save_account

    accounts = service(own_home)
    first = await signed_in(accounts, stack, "7")
    save_account(accounts.paths, record_of(first))
    assert (await signed_in(accounts, stack, "7")).id == first.id
    second = await signed_in(accounts, stack, "8")
    assert second.id != first.id
    renewed, _ = await accounts.renew(second, NEW, keep="file")
    assert renewed.id == second.id

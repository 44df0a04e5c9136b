"""An account of a KISS AI Stack: found, registered, kept, opened again (kiss-ai-stack.md §9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kai_tui.backends.base import TokenRefused
from kai_tui.backends.kiss.client import KissBackend
from kai_tui.backends.kiss.system import SYSTEM
from kai_tui.services.account_service import AccountService
from kai_tui.services.other_systems import AnotherAccount
from kai_tui.services.workspace import Workspace
from kai_tui.storage.credential_errors import CredentialsUnavailable
from tests.backends.guide import ScriptedGuide
from tests.backends.kai_server import KaiServer, answer
from tests.fakes.kiss import FakeKiss
from tests.services.accounts_kit import Keyring, files_with, interviewed, keyring, service

__all__ = ["keyring"]


@pytest.fixture
async def server() -> AsyncIterator[FakeKiss]:
    async with FakeKiss() as running:
        yield running


async def opened(accounts: AccountService, workspace: Workspace) -> KissBackend:
    backend = await workspace.backend()
    assert isinstance(backend, KissBackend)
    await backend.connect()
    return backend


async def test_a_client_is_registered_once_and_comes_back(
    own_home: Path, server: FakeKiss, keyring: Keyring
) -> None:
    accounts = service(own_home)
    host = server.url.partition("://")[2]
    guide = ScriptedGuide({"address": host, "send_earlier": "yes"})
    new = await interviewed(accounts, "kiss", guide)
    assert guide.names == ["address", "scope", "send_earlier"]
    assert guide.checked == ["looking for the stack", "registering this program"]
    assert dict(new.settings) == {"address": server.url, "scope": "persistent", "send_earlier": "yes"}
    client = server.only_client()
    assert new.secret is not None
    assert client.secret not in repr(new)
    account = await accounts.add("kiss", new)
    assert (account.kind, account.label, account.token_from) == ("kiss", host, "keyring")
    assert client.secret in keyring.entries[account.id]
    assert client.secret in set(accounts.live_secrets())  # the part, for whoever keeps it out of logs

    later = service(own_home)
    (known,) = await later.accounts()
    assert known == account
    workspace = later.open(known)
    await opened(later, workspace)
    await workspace.aclose()
    assert list(server.clients) == [client.client_id]
    assert files_with(own_home, client.secret) == []


async def test_a_client_from_another_computer_is_taken_over(server: FakeKiss) -> None:
    client, _ = server.new_client()
    guide = ScriptedGuide(
        {
            "address": server.url,
            "scope": "known",
            "client_id": client.client_id,
            "client_secret": ["canary-wrong", client.secret],
        }
    )
    new = await SYSTEM.interview(guide, {})
    assert [name for name, _ in guide.refusals] == ["client_secret"]
    assert guide.refusals[0][1].startswith("The stack does not know this id with this secret.")
    assert new.settings["scope"] == "persistent"
    assert new.secret is not None
    assert client.secret in new.secret.reveal()
    assert client.secret not in repr(new)
    assert list(server.clients) == [client.client_id]  # a wrong secret made no client of ours


async def test_a_step_back_asks_and_registers_nothing_again(own_home: Path, server: FakeKiss) -> None:
    guide = ScriptedGuide({"address": server.url})
    first = await SYSTEM.interview(guide, {})
    seen = len(server.seen)
    guide.begin_again()
    assert await SYSTEM.interview(guide, {}) == first
    assert len(server.seen) == seen
    guide.go_back_to("send_earlier", send_earlier="yes")
    assert (await SYSTEM.interview(guide, {})).secret == first.secret
    assert len(server.clients) == 1


async def test_an_address_without_a_stack_is_asked_again(own_home: Path, server: FakeKiss) -> None:
    async with KaiServer() as other:
        other.on("POST /auth", answer(200, {"hello": "world"}))
        guide = ScriptedGuide({"address": ["http://elsewhere.example", other.url, "127.0.0.1:1", server.url]})
        await SYSTEM.interview(guide, {})
    sentences = [sentence for name, sentence in guide.refusals if name == "address"]
    assert len(sentences) == 3
    assert "only https://" in sentences[0]
    assert sentences[1].startswith("There is no KISS AI Stack at ")
    assert other.seen[0].body == {}  # no client was made to find out


async def test_a_temporary_client_is_closed_after_the_check_and_made_anew(
    own_home: Path, server: FakeKiss, keyring: Keyring
) -> None:
    accounts = service(own_home)
    guide = ScriptedGuide({"address": server.url, "scope": "temporary"})
    account = await accounts.add("kiss", await interviewed(accounts, "kiss", guide))
    assert account.token_from == ""
    assert not server.only_client().active
    workspace = accounts.open(account)
    await opened(accounts, workspace)
    *_, live = server.clients.values()
    assert live.secret in keyring.entries[account.id]  # so that a crash leaves nothing at the server for good

    # A second window and a test of the account leave that client alone.
    other = service(own_home)
    await workspace._keeper.ready()  # pyright: ignore[reportPrivateUsage]
    (known,) = await other.accounts()
    beside = other.open(known)
    await opened(other, beside)
    await beside.aclose()
    await other.test(known)
    assert live.active
    await workspace.aclose()
    assert not live.active
    assert keyring.entries == {}
    assert not any(each.active for each in server.clients.values())


async def test_a_temporary_client_a_crash_left_is_closed_at_the_next_start(
    own_home: Path, server: FakeKiss, keyring: Keyring
) -> None:
    accounts = service(own_home)
    guide = ScriptedGuide({"address": server.url, "scope": "temporary"})
    account = await accounts.add("kiss", await interviewed(accounts, "kiss", guide))
    crashed = await accounts._opener(account, accounts.open(account)._keeper)()  # pyright: ignore[reportPrivateUsage]
    await crashed.connect()
    *_, left = server.clients.values()
    assert left.active
    later = service(own_home)
    (known,) = await later.accounts()
    assert known.token_from == "keyring"
    workspace = later.open(known)
    await opened(later, workspace)
    assert not left.active
    await workspace.aclose()
    await crashed.aclose()


async def test_editing_keeps_the_client_and_another_address_is_another_account(
    own_home: Path, server: FakeKiss, keyring: Keyring
) -> None:
    accounts = service(own_home)
    account = await accounts.add(
        "kiss", await interviewed(accounts, "kiss", ScriptedGuide({"address": server.url}))
    )
    account = await accounts.rename(account, "  My   stack ")
    account = await accounts.set_colour(account, "green")
    guide = ScriptedGuide({"send_earlier": "yes"})
    edited = await accounts.edit(account, await interviewed(accounts, "kiss", guide, account))
    assert edited == account._replace(settings={**account.settings, "send_earlier": "yes"})
    assert len(server.clients) == 1
    assert await service(own_home).accounts() == [edited]
    async with FakeKiss() as second:
        new = await interviewed(accounts, "kiss", ScriptedGuide({"address": second.url}), account)
        assert await accounts.edit(account, new) == AnotherAccount(None)
        assert await accounts.known("kiss", new) is None
        added = await accounts.add("kiss", new)
        assert await accounts.edit(account, new) == AnotherAccount(added)
        assert added.id != account.id
        assert len(second.clients) == 1


async def test_a_changed_address_in_the_file_gets_nothing(
    own_home: Path, server: FakeKiss, keyring: Keyring
) -> None:
    accounts = service(own_home)
    account = await accounts.add(
        "kiss", await interviewed(accounts, "kiss", ScriptedGuide({"address": server.url}))
    )
    async with FakeKiss() as thief:
        file = own_home / "data" / "accounts.json"
        file.write_text(file.read_text().replace(server.url, thief.url))
        later = service(own_home)
        (edited,) = await later.accounts()
        assert edited.id == account.id
        with pytest.raises(TokenRefused) as caught:
            await later.test(edited)
        assert caught.value.code == "address"
        assert thief.seen == []


async def test_without_a_keyring_the_user_is_asked_and_nothing_is_written(
    own_home: Path, server: FakeKiss, keyring: Keyring
) -> None:
    keyring.fails = True
    accounts = service(own_home)
    new = await interviewed(accounts, "kiss", ScriptedGuide({"address": server.url}))
    secret = server.only_client().secret
    with pytest.raises(CredentialsUnavailable):
        await accounts.add("kiss", new)
    assert await accounts.accounts() == []
    account = await accounts.add("kiss", new, keep="memory")
    assert await accounts.accounts() == [account]
    await accounts.test(account)
    assert len(server.clients) == 1
    assert files_with(own_home, secret) == []
    assert await service(own_home).accounts() == []
    account = await accounts.add("kiss", new, keep="file")
    assert account.token_from == "file"
    assert len(files_with(own_home, secret)) == 1
    await service(own_home).test(account)
    assert len(server.clients) == 1


async def test_a_stack_that_forgot_us_gives_a_new_client_that_is_kept(
    own_home: Path, server: FakeKiss, keyring: Keyring
) -> None:
    accounts = service(own_home)
    account = await accounts.add(
        "kiss", await interviewed(accounts, "kiss", ScriptedGuide({"address": server.url}))
    )
    server.clients.clear()
    workspace = accounts.open(account)
    await opened(accounts, workspace)
    await workspace.aclose()
    assert server.only_client().secret in keyring.entries[account.id]
    # A keyring that fails just then: this session goes on, and the user is told.
    server.clients.clear()
    server.expire_tokens()
    keyring.fails = True
    workspace = accounts.open(account)
    await opened(accounts, workspace)
    assert workspace.storage_notice is not None
    assert "for this session only" in workspace.storage_notice
    assert "locked" in workspace.storage_notice
    await workspace.aclose()


async def test_removing_leaves_nothing_of_the_account(
    own_home: Path, server: FakeKiss, keyring: Keyring
) -> None:
    accounts = service(own_home)
    account = await accounts.add(
        "kiss", await interviewed(accounts, "kiss", ScriptedGuide({"address": server.url}))
    )
    workspace = accounts.open(account)
    await opened(accounts, workspace)
    async with asyncio.timeout(5):
        await workspace.save_draft("chat-1", "needle-in-a-draft")
    await workspace.aclose()
    assert files_with(own_home, "needle-in-a-draft")
    await accounts.remove(account, files=True)
    host = server.url.partition("://")[2]
    assert files_with(own_home, "needle-in-a-draft", host, account.id, server.only_client().secret) == []
    assert keyring.entries == {}
    assert list(accounts.live_secrets()) == []
    assert await accounts.accounts() == []

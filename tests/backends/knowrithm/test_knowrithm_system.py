"""An account of Knowrithm: by key, by sign-in, renewed, with its agent and the server's names kept (knowrithm.md §2, §6)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from kai_tui.backends.base import Outgoing
from kai_tui.backends.knowrithm import kept_names
from kai_tui.backends.knowrithm.client import KnowrithmBackend
from kai_tui.backends.knowrithm.kept_names import KeptNames
from kai_tui.backends.knowrithm.system import SYSTEM
from kai_tui.services.account_memory import AccountMemory
from kai_tui.services.account_service import AccountService
from kai_tui.services.workspace import Workspace
from tests.backends.guide import ScriptedGuide
from tests.fakes.knowrithm import EMAIL, KEY, PASSWORD, SECRET, FakeKnowrithm
from tests.services.accounts_kit import Keyring, files_with, interviewed, keyring, service

__all__ = ["keyring"]

CHAT = "6919e0d7-9740-4f10-a481-af116888937e"


@pytest.fixture
async def server() -> AsyncIterator[FakeKnowrithm]:
    async with FakeKnowrithm() as running:
        yield running


async def backend_of(workspace: Workspace) -> KnowrithmBackend:
    backend = await workspace.backend()
    assert isinstance(backend, KnowrithmBackend)
    return backend


def by_key(server: FakeKnowrithm, **more: str | Sequence[str]) -> ScriptedGuide:
    return ScriptedGuide({"address": server.base, "way": "key", "key": KEY, "secret": SECRET, **more})


def by_login(server: FakeKnowrithm, **more: str | Sequence[str]) -> ScriptedGuide:
    return ScriptedGuide(
        {"address": server.base, "way": "login", "email": EMAIL, "password": PASSWORD, **more}
    )


async def test_a_key_is_checked_and_opens_the_account_again(
    own_home: Path, server: FakeKnowrithm, keyring: Keyring
) -> None:
    accounts = service(own_home)
    guide = by_key(server, secret=("wrong-secret-1234", SECRET), agent="a-2")
    new = await interviewed(accounts, "knowrithm", guide)
    assert guide.names == ["address", "way", "key", "secret", "agent"]
    ((field, sentence),) = guide.refusals
    assert field == "secret"
    assert sentence.startswith("Key and secret were not accepted.")
    assert guide.told == [f"Signed in as {EMAIL}."]
    assert (new.label, new.address, new.settings["agent"]) == ("Acme", server.base, "a-2")
    assert [each.note for each in guide.field("agent").choices] == ["", "m-1 · Helps", "inactive"]
    assert SECRET not in repr(new) + json.dumps(dict(new.settings))
    account = await accounts.add("knowrithm", new)
    later = service(own_home)
    (known,) = await later.accounts()
    assert known == account
    assert (await later.test(known)).service == "knowrithm"
    workspace = later.open(known)
    backend = await backend_of(workspace)
    await backend.recall_agents()
    assert backend.agent_id == "a-2"
    await backend.agents.choose("a-1")
    await workspace.aclose()
    workspace = service(own_home).open(known)
    await (await backend_of(workspace)).recall_agents()
    assert (await backend_of(workspace)).agent_id == "a-1"  # chosen later
    await workspace.aclose()
    assert files_with(own_home, SECRET, KEY) == []
    assert {KEY, SECRET} <= set(later.live_secrets())


async def test_a_password_becomes_a_sign_in_and_is_kept_nowhere(
    own_home: Path, server: FakeKnowrithm, keyring: Keyring
) -> None:
    accounts = service(own_home)
    guide = by_login(server, password=("canary-wrong-pass", PASSWORD))
    new = await interviewed(accounts, "knowrithm", guide)
    seen = len(server.seen)
    guide.begin_again()
    assert await interviewed(accounts, "knowrithm", guide) == new  # a step back signs in no second time
    assert len(server.seen) == seen
    account = await accounts.add("knowrithm", new)
    assert [name for name, _ in guide.refusals] == ["password"]
    assert "does not know this e-mail address" in guide.refusals[0][1]
    assert not any(PASSWORD in entry or "canary" in entry for entry in keyring.entries.values())
    assert files_with(own_home, PASSWORD, "canary-wrong-pass") == []
    # A key of the same person is the same account.
    new = await interviewed(accounts, "knowrithm", by_key(server), account)
    assert (await accounts.edit(account, new)).id == account.id  # type: ignore[union-attr]
    assert SECRET in keyring.entries[account.id]


async def test_a_renewed_sign_in_is_kept_and_another_window_takes_it_over(
    own_home: Path, server: FakeKnowrithm, keyring: Keyring
) -> None:
    accounts = service(own_home)
    account = await accounts.add("knowrithm", await interviewed(accounts, "knowrithm", by_login(server)))
    first, second = accounts.open(account), service(own_home).open(account)
    await (await backend_of(second)).who()
    server.access_tokens.clear()
    refresh = json.loads(keyring.entries[account.id])["refresh"]
    await (await backend_of(first)).who()
    kept = json.loads(keyring.entries[account.id])
    assert kept["access"] in server.access_tokens
    assert kept["refresh"] != refresh
    server.refresh_tokens.discard(refresh)  # good once
    await (await backend_of(second)).who()
    assert json.loads(keyring.entries[account.id]) == kept
    await first.aclose()
    await second.aclose()


async def test_editing_a_sign_in_does_not_use_up_its_renewal(
    own_home: Path, server: FakeKnowrithm, keyring: Keyring
) -> None:
    accounts = service(own_home)
    account = await accounts.add("knowrithm", await interviewed(accounts, "knowrithm", by_login(server)))
    before = dict(keyring.entries)
    guide = ScriptedGuide({"agent": "a-2"})
    edited = await accounts.edit(account, await interviewed(accounts, "knowrithm", guide, account))
    assert not guide.field("password").required
    assert edited.settings["agent"] == "a-2"  # type: ignore[union-attr]
    assert keyring.entries == before
    server.access_tokens.clear()
    guide = ScriptedGuide({"password": ["", PASSWORD]})
    await interviewed(accounts, "knowrithm", guide, account)
    assert "has run out" in guide.refusals[0][1]
    assert json.loads(before[account.id])["refresh"] in server.refresh_tokens


async def test_the_servers_names_and_the_agent_survive_a_restart(
    own_home: Path, server: FakeKnowrithm, keyring: Keyring
) -> None:
    accounts = service(own_home)
    account = await accounts.add("knowrithm", await interviewed(accounts, "knowrithm", by_key(server)))
    workspace = accounts.open(account)
    backend = await backend_of(workspace)
    async with (
        asyncio.timeout(20),
        aclosing(backend.send(CHAT, Outgoing("m1", "Hi", new_chat=True))) as events,
    ):
        async for _ in events:
            pass
    await workspace.aclose()
    again = service(own_home).open(account)
    (row,) = (await (await backend_of(again)).chats()).items
    assert row.id == CHAT
    assert (await (await backend_of(again)).chat(CHAT)).messages[0].id == "m1"
    await again.aclose()


async def test_many_names_fill_pages(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_names, "PAIRS_A_PAGE", 3)
    accounts = AccountService({"KAI_TUI_HOME": str(own_home)})
    workspace = accounts.open(accounts.sandbox())
    memory = AccountMemory(workspace.account, workspace._keeper, accounts._secrets, lambda: accounts.paths)  # pyright: ignore[reportPrivateUsage]
    names = KeptNames(memory)
    assert await names.load() == {}
    for number in range(8):
        names.learn(f"o{number}", f"t{number}")
        await names.flush()
    other = KeptNames(memory)
    assert await other.load() == {f"o{number}": f"t{number}" for number in range(8)}
    names.learn("mine", "a")
    await names.flush()
    other.learn("yours", "b")
    await other.flush()
    assert {"mine", "yours", "o0"} <= (await KeptNames(memory).load()).keys()
    await memory.keep("names 1", "{broken")
    assert (await KeptNames(memory).load()).keys() == {"o0", "o1", "o2"}
    await workspace.aclose()


async def test_an_address_without_knowrithm_is_asked_again(server: FakeKnowrithm) -> None:
    guide = by_key(server, address=(f"{server.url}/nothing", server.base))
    await SYSTEM.interview(guide, {})
    assert guide.refusals[0][1].startswith("There is no Knowrithm at ")


@pytest.mark.parametrize(
    ("agents", "told"),
    [([], "There is no agent yet."), ([{"id": "x", "name": "Only"}], "Chats are with Only, the only agent.")],
)
async def test_nobody_is_asked_to_choose_where_there_is_no_choice(
    server: FakeKnowrithm, agents: list[dict[str, str]], told: str
) -> None:
    server.agents = agents
    guide = by_key(server)
    await SYSTEM.interview(guide, {})
    assert "agent" not in guide.names
    assert told in guide.told[-1]

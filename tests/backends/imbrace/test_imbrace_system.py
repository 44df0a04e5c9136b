"""An account of iMBRACE: every way to sign in, organisation and agent, kept and edited (imbrace.md §1, §2, §10)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from kai_tui.backends.base import CannotConnect
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.backends.imbrace.places import ENVIRONMENTS
from kai_tui.backends.imbrace.system import SYSTEM, places_of
from kai_tui.services.other_systems import AnotherAccount
from tests.backends.guide import ScriptedGuide
from tests.backends.kai_server import KaiServer, answer
from tests.fakes.imbrace import CODE, JWT, PASSWORD, USER, ImbraceFake
from tests.services.accounts_kit import Keyring, files_with, interviewed, keyring, service
from tests.services.scripted_backend import until

__all__ = ["keyring"]

EMAIL = "tester@example.com"
ORGANIZATIONS = "GET /platform/v1/organizations"


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


def at(fake: ImbraceFake, **answers: str | Sequence[str]) -> ScriptedGuide:
    return ScriptedGuide({"environment": "custom", "gateway": fake.url, **answers})


async def test_a_key_its_organisation_and_an_agent(
    own_home: Path, fake: ImbraceFake, keyring: Keyring
) -> None:
    accounts = service(own_home)
    guide = at(fake, credential=["api_wrong-canary", "api_test"], organization="org_2", agent="asst_plain")
    new = await interviewed(accounts, "imbrace", guide)
    assert guide.names == [
        "environment", "gateway", "ai_agent", "way", "credential", "organization", "agent", "more",
    ]  # fmt: skip
    assert guide.refusals == [("credential", "iMBRACE does not take this key or token.")]
    assert guide.told == [f"Signed in as {EMAIL}."]
    assert (new.label, new.settings["user"]) == ("Umbrella", USER)
    labels = [each.label for each in guide.field("agent").choices]
    assert labels[:3] == ["the one used last", "Streaming agent", "Quiet agent"]
    assert "gpt-stub" in labels
    assert "api_" not in repr(new) + json.dumps(dict(new.settings))
    account = await accounts.add("imbrace", new)
    later = service(own_home)
    (known,) = await later.accounts()
    assert (await later.test(known)).service == "imbrace"
    assert fake.seen[-1].headers["x-organization-id"] == "org_2"
    workspace = later.open(known)
    backend = await workspace.backend()
    assert isinstance(backend, ImbraceBackend)
    await backend.recall_agents()
    assert backend.chosen == "asst_plain"
    await workspace.aclose()
    assert files_with(own_home, "api_test", "api_wrong-canary") == []
    # Edited: the sign-in there is goes on; a credential of another organisation is another account.
    guide = ScriptedGuide({"more": "yes", "model": "m", "provider": "p", "board": "b"})
    edited = await accounts.edit(account, await interviewed(accounts, "imbrace", guide, account))
    assert guide.field("way").default == "keep"
    assert "credential" not in guide.names
    assert edited.settings["model"] == "m"  # type: ignore[union-attr]
    assert edited.label == "Umbrella"  # type: ignore[union-attr]
    guide = ScriptedGuide({"way": "key", "credential": "api_test", "organization": "org_1"})
    other = await interviewed(accounts, "imbrace", guide, account)
    assert await accounts.edit(account, other) == AnotherAccount(None)
    del fake.credentials["api_test"]
    guide = ScriptedGuide({"way": ["keep", "token"], "credential": "acc_test", "organization": "org_2"})
    renewed = await accounts.edit(account, await interviewed(accounts, "imbrace", guide, account))
    assert "any more. Choose another way." in guide.refusals[0][1]
    assert keyring.entries == {account.id: "acc_test"}
    assert renewed.id == account.id  # type: ignore[union-attr]


async def test_a_password_opens_an_organisation_and_is_kept_nowhere(
    own_home: Path, fake: ImbraceFake, keyring: Keyring
) -> None:
    accounts = service(own_home)
    guide = at(fake, way="password", email=EMAIL, password=["canary-wrong-1", PASSWORD])
    account = await accounts.add("imbrace", await interviewed(accounts, "imbrace", guide))
    assert guide.refusals == [("password", "E-mail and password were not accepted.")]
    assert guide.field("organization").default == "org_1"
    assert keyring.entries[account.id].startswith("acc_")
    assert files_with(own_home, PASSWORD, "canary-wrong-1", keyring.entries[account.id]) == []
    assert (await service(own_home).test(account)).details["signed in as"] == EMAIL


async def test_a_code_is_sent_once_and_a_lasting_key_made_once(fake: ImbraceFake) -> None:
    guide = at(fake, way="code", email=["nobody", EMAIL], code=CODE, lasting="30", organization="org_2")
    new = await SYSTEM.interview(guide, {})
    assert guide.refusals[0] == ("email", "Type your e-mail address, such as you@example.com.")
    assert "The key is good until 2026-12-01T00:00:00.000Z." in guide.told
    assert new.secret is not None
    assert new.secret.reveal().startswith("api_")
    guide.begin_again()
    assert await SYSTEM.interview(guide, {}) == new
    calls = [seen.path for seen in fake.seen]
    assert calls.count("/platform/v1/login/_signin_email_request") == 1
    assert calls.count("/v1/platform/third_party_token") == 1
    guide.go_back_to("email", email=EMAIL)
    await SYSTEM.interview(guide, {})
    assert [seen.path for seen in fake.seen].count("/platform/v1/login/_signin_email_request") == 2


@pytest.mark.parametrize("credential", ["acc_test", JWT])
async def test_tokens_of_both_looks(fake: ImbraceFake, credential: str) -> None:
    new = await SYSTEM.interview(at(fake, way="token", credential=credential), {})
    assert new.secret is not None
    assert new.secret.reveal() == credential


async def test_a_token_for_choosing_is_exchanged(fake: ImbraceFake) -> None:
    fake.login_tokens.add("login_acc_1")
    new = await SYSTEM.interview(at(fake, way="token", credential="login_acc_1"), {})
    assert new.secret is not None
    assert new.secret.reveal().startswith("acc_")


async def test_an_organisation_nobody_lists_is_typed(fake: ImbraceFake) -> None:
    fake.on(ORGANIZATIONS, answer(403, {"message": "no"}))
    guide = at(fake, credential="api_test")
    new = await SYSTEM.interview(guide, {})
    assert not guide.field("organization").required
    assert (new.settings["organization"], new.settings["user"]) == ("", USER)
    fake.on(ORGANIZATIONS, answer(200, {"data": [{"id": "org_9", "name": "Nine"}]}))
    guide = at(fake, credential="api_test")
    assert (await SYSTEM.interview(guide, {})).label == "Nine"
    assert "organization" not in guide.names  # there is no choice
    assert "Organisation Nine." in guide.told


async def test_agents_nobody_lists_keep_nobody_out(fake: ImbraceFake) -> None:
    fake.on("GET /v3/ai/accounts/assistants", answer(403, {"detail": "no"}))
    guide = at(fake, credential="api_test")
    new = await SYSTEM.interview(guide, {})
    assert guide.told[-1] == "The agents cannot be listed with this sign-in."
    assert new.settings["agent"] == "-"


async def test_a_service_that_runs_by_itself_and_addresses_that_are_no_imbrace(fake: ImbraceFake) -> None:
    async with KaiServer() as other:
        guide = ScriptedGuide(
            {
                "environment": "custom",
                "gateway": ["nowhere", fake.url],
                "ai_agent": [other.url, f"{fake.url}/api"],
                "credential": "api_test",
            }
        )
        new = await SYSTEM.interview(guide, {})
    assert [name for name, _ in guide.refusals] == ["gateway", "ai_agent"]
    assert guide.refusals[1][1].startswith("There is no iMBRACE at ")
    assert places_of(new.settings).ai_agent == f"{fake.url}/api"
    assert SYSTEM.identity(new.settings) != SYSTEM.identity(
        {**new.settings, "ai_agent": "http://127.0.0.1:1"}
    )


def test_environments_are_names() -> None:
    assert places_of({"environment": "sandbox"}).gateway == ENVIRONMENTS["sandbox"]
    assert places_of({"environment": "stable", "gateway": "https://evil.example"}) == places_of({})
    with pytest.raises(CannotConnect):
        places_of({"environment": "https://evil.example"})


async def test_what_is_said_to_a_bare_model_at_once_is_kept_on_this_computer(
    own_home: Path, fake: ImbraceFake, keyring: Keyring
) -> None:
    accounts = service(own_home)
    guide = at(fake, credential="api_test", organization="org_2", agent="model:gpt-stub")
    await accounts.add("imbrace", await interviewed(accounts, "imbrace", guide))
    said: list[list[str]] = []
    for _ in range(2):
        again = service(own_home)
        (known,) = await again.accounts()
        workspace = again.open(known)
        await workspace.history.refresh()
        for row in workspace.history.rows:
            said.append([each.text for each in (await workspace.chats.open_chat(row.id)).messages])
        session = workspace.chats.new_chat()
        session.send("Hello")
        await until(lambda session=session: session.turn.phase == "finished")
        assert session.kept_here
        await workspace.aclose()
    assert said == [["Hello", "1 messages, the last: Hello"]]

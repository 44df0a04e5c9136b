"""The token goes where it went first (N8, T14): a stack that names another address has to wait for a yes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from kai_tui.backends.base import BackendError, TokenRefused
from kai_tui.services.account import Account
from kai_tui.services.account_service import AccountService
from kai_tui.services.address_pins import AddressChanged
from kai_tui.services.signing_in import FoundKai
from kai_tui.services.workspace import Workspace
from kai_tui.storage.accounts import accounts_file
from kai_tui.storage.service_addresses import addresses_file
from tests.backends.kai_server import KaiServer, answer
from tests.backends.middlemen import Authority, Middleman

TOKEN = "123-456-canaryAbCdEf"
STACK = "https://connection.stack.example"
FIRST = "https://kai-agent.stack.example"
MOVED = "https://kai-new.stack.example"


@dataclass
class Company:
    """A stack and two Kai servers behind the company's proxy."""

    stack: KaiServer
    first: KaiServer
    moved: KaiServer
    accounts: AccountService

    def names(self, address: str) -> None:
        self.stack.on("GET /v2/storage", answer(200, {"services": [{"id": "kai-agent", "url": address}]}))

    async def find(self, accepted: str = "") -> FoundKai:
        return await self.accounts.find_project(STACK, TOKEN, accepted=accepted)


@pytest.fixture
async def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    authority = Authority(tmp_path)
    async with AsyncExitStack() as open_:
        stack, first, moved = [
            await open_.enter_async_context(KaiServer(authority.server(f"{name}.stack.example")))
            for name in ("connection", "kai-agent", "kai-new")
        ]
        routes = {
            "connection.stack.example:443": stack.port,
            "kai-agent.stack.example:443": first.port,
            "kai-new.stack.example:443": moved.port,
        }
        proxy = await open_.enter_async_context(Middleman(routes))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
        stack.on(
            "GET /v2/storage/tokens/verify",
            answer(200, {"owner": {"id": 1, "name": "P"}, "isMasterToken": True}),
        )
        stack.on("GET /v2/storage/dev-branches", answer(200, []))
        for kai in (first, moved):
            kai.on("GET /ping", answer(200, {"timestamp": "2026-11-03T10:00:00.000Z"}))
        environ = {"KAI_TUI_HOME": str(tmp_path / "home"), "STORAGE_API_TOKEN": TOKEN}
        made = Company(stack, first, moved, AccountService(environ))
        made.names(FIRST)
        yield made


async def test_the_first_address_is_kept_and_the_same_one_needs_no_question(company: Company):
    assert (await company.find()).base_url == FIRST
    assert (await company.find()).base_url == FIRST
    company.names(f"{FIRST}:443/")
    assert (await company.find()).base_url == FIRST
    assert addresses_file(company.accounts.paths).stat().st_mode & 0o777 == 0o600


async def test_another_address_is_asked_about_and_gets_nothing_before(company: Company):
    await company.find()
    company.names(MOVED)
    with pytest.raises(AddressChanged) as caught:
        await company.find()
    assert caught.value.sentence == (
        "connection.stack.example now names kai-new.stack.example as the address of kai-agent. Until now it was "
        "kai-agent.stack.example. Your token was not sent to the new address."
    )
    assert company.moved.connections == 0
    # A yes is for that address only.
    with pytest.raises(AddressChanged):
        await company.find(accepted="https://kai-other.stack.example")
    assert company.moved.connections == 0
    assert (await company.find(accepted=caught.value.address)).base_url == MOVED
    assert (await company.find()).base_url == MOVED


async def test_the_account_of_the_environment_is_bound_too(company: Company):
    account = company.accounts.from_environment(None, STACK, None)
    for server in (company.first, company.moved):
        server.on("GET /api/settings/tools", answer(200, {"tools": []}))
    workspace = company.accounts.open(account)
    backend = await workspace.backend()
    assert backend.host == "kai-agent.stack.example"
    await workspace.aclose()
    company.names(MOVED)
    workspace = company.accounts.open(account)
    with pytest.raises(AddressChanged):
        await workspace.backend()
    assert company.moved.connections == 0
    await workspace.aclose()


async def test_a_kept_token_does_not_follow_an_account_whose_address_was_edited(company: Company):
    found = await company.find()
    account = await company.accounts.keep_account(found, TOKEN, keep="file")
    assert (await AccountService(company.accounts._environ)._token(account)).reveal() == TOKEN  # pyright: ignore
    for edited in (
        account._replace(base_url=MOVED),
        account._replace(project_id="2"),
        account._replace(branch_id=7),
    ):
        with pytest.raises(TokenRefused, match="was changed outside of kai-tui"):
            await AccountService(company.accounts._environ)._token(edited)  # pyright: ignore


async def test_an_edited_list_of_accounts_sends_nothing(company: Company):
    found = await company.find()
    account = await company.accounts.keep_account(found, TOKEN, keep="file")
    workspace = company.accounts.open(account)
    await workspace.backend()
    await workspace.aclose()
    listed = accounts_file(company.accounts.paths)
    whole = json.loads(listed.read_text())
    whole["accounts"][0]["base_url"] = MOVED
    listed.write_text(json.dumps(whole))
    later = AccountService(company.accounts._environ)  # pyright: ignore
    edited = later.last()
    assert isinstance(edited, Account)
    assert edited.base_url == MOVED
    workspace = later.open(edited)
    with pytest.raises(
        TokenRefused, match=r"Its token was not sent to kai-new\.stack\.example\. Sign in to it as"
    ):
        await workspace.backend()
    assert company.moved.connections == 0
    await workspace.aclose()


async def test_a_broken_or_unwritable_file_keeps_nobody_out(company: Company):
    file = addresses_file(company.accounts.paths)
    for broken in ("", "[]", '{"addresses": 5}', '{"addresses": {"a": 5}}', "[" * 100_000):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(broken)
        assert (await company.find()).base_url == FIRST
    file.unlink()
    file.mkdir()
    assert (await company.find()).base_url == FIRST


async def test_a_stack_on_this_machine_may_move(tmp_path: Path):
    accounts = AccountService({"KAI_TUI_HOME": str(tmp_path)})
    async with KaiServer() as stack, KaiServer() as first, KaiServer() as second:
        stack.on("GET /v2/storage/tokens/verify", answer(200, {"owner": {"id": 1}}))
        stack.on("GET /v2/storage/dev-branches", answer(200, []))
        for kai in (first, second):
            kai.on("GET /ping", answer(200, {"timestamp": "x"}))
            stack.on("GET /v2/storage", answer(200, {"services": [{"id": "kai-agent", "url": kai.url}]}))
            assert (await accounts.find_project(stack.url, TOKEN)).base_url == kai.url


async def test_the_job_queue_is_where_it_was_first_until_the_user_signs_in_again(company: Company):
    def names(queue: str) -> None:
        rows = [{"id": "kai-agent", "url": FIRST}, {"id": "queue", "url": queue}]
        company.stack.on("GET /v2/storage", answer(200, {"services": rows}))

    async def job(workspace: Workspace) -> str:
        backend = await workspace.backend()
        try:
            assert backend.project is not None
            return (await backend.project.job("7")).status
        finally:
            await backend.aclose()

    def opened() -> Workspace:
        return company.accounts.open(account)

    for server, status in ((company.first, "success"), (company.moved, "moved")):
        server.on("GET /jobs/7", answer(200, {"id": "7", "status": status}))
    names(FIRST)
    account = await company.accounts.keep_account(await company.find(), TOKEN, keep="memory")
    assert await job(opened()) == "success"
    names(MOVED)
    with pytest.raises(AddressChanged, match=r"kai-new\.stack\.example as the address of queue") as caught:
        await job(opened())
    assert "add the account once more" in caught.value.sentence
    assert company.moved.seen == []
    names("https://queue.evil.example")
    with pytest.raises(BackendError, match="not a secure address of the same stack"):
        await job(opened())
    names(MOVED)
    await company.find()
    assert await job(opened()) == "moved"
    kept = json.loads(addresses_file(company.accounts.paths).read_text())["addresses"]
    assert kept[f"kai-agent of {STACK}"] == FIRST

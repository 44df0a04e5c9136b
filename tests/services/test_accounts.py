"""The list of accounts: kinds, names, colours, what a backend remembers, and removal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.base import TokenRefused
from kai_tui.backends.secret import Secret
from kai_tui.services.account import Account
from kai_tui.services.account_memory import AccountMemory
from kai_tui.services.account_records import account_of, record_of
from kai_tui.services.account_secrets import words_of
from kai_tui.services.account_service import AccountService
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.signing_in import FoundKai
from kai_tui.storage.accounts import AccountRecord, accounts_file, load_accounts, save_account
from kai_tui.storage.credential_errors import CredentialsUnavailable
from kai_tui.storage.paths import account_files
from tests.services.accounts_kit import Keyring, files_with, keyring, service

__all__ = ["keyring"]

TOKEN = "42-100-CanaryCanaryCanary"


def on_disk(accounts: AccountService) -> list[dict[str, Any]]:
    return json.loads(accounts_file(accounts.paths).read_bytes())["accounts"]


def write(accounts: AccountService, *entries: dict[str, Any]) -> None:
    file = accounts_file(accounts.paths)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"version": 1, "accounts": entries}))


async def kai_account(accounts: AccountService, name: str = "Project 42") -> Account:
    found = FoundKai("https://kai.example", "https://stack.example", "agent", "42", name, "")
    return await accounts.keep_account(found, TOKEN, keep="keyring")


async def test_a_kind_of_a_newer_version_is_kept_and_not_shown(own_home: Path) -> None:
    accounts = service(own_home)
    later: dict[str, Any] = {"id": "x", "kind": "telepathy", "last_used": 9, "settings": {"a": {"b": 1}}}
    write(accounts, later, {"id": "y", "kind": "kiss", "last_used": 1, "settings": {"address": "a"}})
    assert [each.id for each in await accounts.accounts()] == ["y"]
    last = accounts.last()
    assert last is not None
    assert last.id == "y"
    await accounts.rename(last, "Mine")
    assert later in on_disk(accounts)


def test_settings_are_read_tolerantly_and_a_newer_versions_stay(own_home: Path) -> None:
    accounts = service(own_home)
    odd: dict[str, Any] = {
        "id": "y", "kind": "kiss", "settings": {"address": "a", "n": 5, "o": {"p": 1}}, "colour": "mauve",
        "named": "yes",
    }  # fmt: skip
    write(accounts, odd, {"id": "z", "kind": "kiss", "settings": "none"})
    first, second = load_accounts(accounts.paths)[0]
    assert account_of(first).settings == {"address": "a"}
    assert (account_of(first).colour, account_of(first).named) == ("", False)
    assert second.settings == {}
    save_account(accounts.paths, record_of(account_of(first)))
    assert on_disk(accounts)[0]["settings"] == {"address": "a", "n": 5, "o": {"p": 1}}


def test_every_field_of_an_account_comes_back(own_home: Path) -> None:
    account = Account(
        "i", "imbrace", "L", "https://b", settings={"a": "b", "\ud800": "c"}, colour="red", named=True,
        service="", token_from="file",
    )  # fmt: skip
    accounts = service(own_home)
    save_account(accounts.paths, record_of(account))
    (found,) = load_accounts(accounts.paths)[0]
    assert account_of(found).settings == {"a": "b", "\ufffd": "c"}
    assert record_of(account_of(found))._replace(last_used=1) == found


async def test_a_name_of_ones_own_outlives_signing_in_and_other_windows(
    own_home: Path, keyring: Keyring
) -> None:
    accounts = service(own_home)
    first = await kai_account(accounts)
    save_account(accounts.paths, record_of(first))
    assert (await kai_account(accounts, "Renamed on the stack")).label == "Renamed on the stack"
    mine = await accounts.set_colour(await accounts.rename(first, " My\n work "), "cyan")
    assert (mine.label, mine.named, mine.colour) == ("My work", True, "cyan")
    assert await accounts.rename(mine, "  ") is mine
    again = await kai_account(accounts, "Renamed on the stack")
    assert (again.label, again.colour) == ("My work", "cyan")
    accounts._note_use(first)  # pyright: ignore[reportPrivateUsage] - a window that knew it before
    (known,) = await accounts.accounts()
    assert (known.label, known.colour, known.named) == ("My work", "cyan", True)
    assert await accounts.rename(Account("gone", "kai", "Gone"), "Ghost") is not None
    assert [each.id for each in await accounts.accounts()] == [first.id]


async def test_what_a_backend_remembers_survives_a_restart(own_home: Path) -> None:
    accounts = service(own_home)
    account = Account("m", "kiss", "M")

    def memory() -> tuple[DiskKeeper, AccountMemory]:
        keeper = DiskKeeper(account_files(accounts.paths, "m"))
        return keeper, AccountMemory(account, keeper, accounts._secrets, lambda: accounts.paths)  # pyright: ignore[reportPrivateUsage]

    keeper, first = memory()
    await first.keep("agent", "a\ud800 1")
    await first.keep("gone", "x")
    await first.keep("gone", None)
    await keeper.aclose()
    keeper, second = memory()
    assert await second.recall("agent") == "a\ufffd 1"
    assert await second.recall("gone") is None
    assert await keeper.notes("") == {}
    await keeper.ready()
    assert await second.alone()
    other, third = memory()
    await other.ready()
    assert not await second.alone()
    assert not await third.alone()
    await other.aclose()
    assert await second.alone()
    await keeper.aclose()


async def test_a_secret_is_kept_where_the_last_one_was(own_home: Path, keyring: Keyring) -> None:
    accounts = service(own_home)

    async def kept(place: Any, *secrets: str) -> tuple[str, str, str | None]:
        account = Account("s", "kiss", "S", token_from=place)
        save_account(accounts.paths, record_of(account))
        keyring.entries.clear()
        keeper = DiskKeeper(account_files(accounts.paths, "s"))
        memory = AccountMemory(account, keeper, accounts._secrets, lambda: accounts.paths)  # pyright: ignore[reportPrivateUsage]
        for text in secrets:
            await memory.keep_secret(Secret(text))
        found = await memory.secret()
        await keeper.aclose()
        return on_disk(accounts)[0]["token_from"], found.reveal() if found else "", keeper.notice

    assert await kept("keyring", "canary-1", "canary-2") == ("keyring", "canary-2", None)
    assert await kept("", "canary-3") == ("keyring", "canary-3", None)
    assert await kept("keyring", "canary-4", "") == ("", "", None)
    assert keyring.entries == {}
    assert await kept("memory", "canary-5") == ("memory", "canary-5", None)
    assert keyring.entries == {}
    keyring.fails = True
    assert await kept("", "canary-6") == ("", "canary-6", None)  # nobody was promised that it is kept
    place, found, notice = await kept("keyring", "canary-7")
    assert (place, found) == ("keyring", "canary-7")
    assert notice is not None
    assert "this session only" in notice
    assert files_with(own_home, "canary-") == []
    assert await kept("file", "canary-8") == ("file", "canary-8", None)
    assert files_with(own_home, "canary-8") != []
    assert {"canary-1", "canary-7", "canary-8"} <= set(accounts.live_secrets())


def test_each_part_of_a_secret_is_kept_out_of_what_is_written() -> None:
    assert list(words_of(Secret("plain"))) == ["plain"]
    whole = json.dumps({"authorization": "Bearer abcdef-1", "short": "x", "n": 5})
    assert list(words_of(Secret(whole))) == [whole, "Bearer abcdef-1", "abcdef-1"]
    inner = json.dumps({"config": {"keys": ["abcdef-2"]}})
    assert "abcdef-2" in list(words_of(Secret(json.dumps({"{fields}": inner}))))
    assert list(words_of(Secret("{broken"))) == ["{broken"]


async def test_removing_tries_everything_and_says_what_stayed(own_home: Path, keyring: Keyring) -> None:
    accounts = service(own_home)
    account = await kai_account(accounts)
    workspace = accounts.open(account)
    await workspace.save_draft("c", "needle-draft")
    await workspace.aclose()
    save_account(accounts.paths, record_of(account))
    keyring.fails = True
    with pytest.raises(CredentialsUnavailable) as caught:
        await accounts.remove(account, files=True)
    assert "may still be in your keyring" in caught.value.sentence
    assert await accounts.accounts() == []
    assert files_with(own_home, "needle-draft", account.id) == []
    assert list(accounts.live_secrets()) == []


async def test_removing_without_the_files_leaves_the_chats(own_home: Path, keyring: Keyring) -> None:
    accounts = service(own_home)
    account = await kai_account(accounts)
    workspace = accounts.open(account)
    await workspace.save_draft("c", "needle-draft")
    await workspace.aclose()
    await accounts.remove(account, files=False)
    assert keyring.entries == {}
    assert files_with(own_home, "needle-draft")


async def test_an_account_without_its_credential_asks_for_it(own_home: Path, keyring: Keyring) -> None:
    accounts = service(own_home)
    system = await accounts.system("imbrace")
    settings = {"environment": "stable", "organization": "o", "user": "u"}
    from kai_tui.services.other_systems import other_account_id

    account_id = other_account_id(system, settings)
    save_account(accounts.paths, AccountRecord(account_id, "imbrace", settings=settings, token_from="memory"))
    (account,) = await accounts.accounts()
    assert await accounts.interview_defaults(account) == (settings, None)
    with pytest.raises(TokenRefused) as caught:
        await accounts.test(account)
    assert caught.value.code == "no-token"


@pytest.mark.parametrize("kind", ["imbrace", "kiss", "knowrithm", "assistant-ui"])
async def test_a_secret_is_not_offered_for_an_address_it_was_not_kept_for(
    own_home: Path, keyring: Keyring, kind: str
) -> None:
    """T14: an interview sends what it is given to the address in the settings, some of them unasked."""
    from kai_tui.backends.system import NewAccount

    accounts = service(own_home)
    settings = {"address": "https://a.example", "environment": "custom", "gateway": "https://a.example"}
    new = NewAccount("A", "https://a.example", settings, Secret("canary-secret"))
    account = await accounts.add(kind, new)
    assert (await accounts.interview_defaults(account))[1] == Secret("canary-secret")
    assert await accounts.as_made(account)
    record = on_disk(accounts)[0]
    elsewhere = {**settings, "address": "https://evil.example", "gateway": "https://evil.example"}
    write(accounts, {**record, "settings": elsewhere})
    (changed,) = await accounts.accounts()
    assert (await accounts.interview_defaults(changed)) == (elsewhere, None)
    assert not await accounts.as_made(changed)
    (changed,) = await service(own_home).accounts()
    assert (await service(own_home).interview_defaults(changed))[1] is None


async def test_what_runs_on_with_a_secret_of_before_does_not_bring_it_back(
    own_home: Path, keyring: Keyring
) -> None:
    """A stream of before an edit renews its sign-in; a removed account's does, too."""
    from kai_tui.backends.system import NewAccount

    accounts = service(own_home)
    settings = {"address": "https://a.example", "owner": "u"}

    def new(secret: str) -> NewAccount:
        return NewAccount("A", "https://a.example", settings, Secret(secret))

    account = await accounts.add("knowrithm", new("canary-1"))
    keeper = DiskKeeper(account_files(accounts.paths, account.id))

    def memory() -> AccountMemory:
        return AccountMemory(account, keeper, accounts._secrets, lambda: accounts.paths)  # pyright: ignore[reportPrivateUsage]

    before = memory()
    await before.keep_secret(Secret("canary-2"))
    assert keyring.entries == {account.id: "canary-2"}
    assert isinstance(await accounts.edit(account, new("canary-3")), Account)
    now = memory()
    await before.keep_secret(Secret("canary-4"))
    await before.keep_secret(Secret(""))
    assert keyring.entries == {account.id: "canary-3"}
    await now.keep_secret(Secret("canary-5"))
    assert keyring.entries == {account.id: "canary-5"}
    await accounts.remove(account, files=False)
    await now.keep_secret(Secret("canary-6"))
    assert keyring.entries == {}
    assert await accounts.accounts() == []
    assert "canary-4" in list(accounts.live_secrets())
    await keeper.aclose()


async def test_a_renewed_secret_that_could_not_be_kept_is_newer_than_the_kept_one(
    own_home: Path, keyring: Keyring
) -> None:
    """A renewal token is good once: the old one from the keyring would end the sign-in."""
    from kai_tui.backends.system import NewAccount

    accounts = service(own_home)
    new = NewAccount("A", "https://a.example", {"address": "https://a.example"}, Secret("canary-1"))
    account = await accounts.add("knowrithm", new)
    keeper = DiskKeeper(account_files(accounts.paths, account.id))
    memory = AccountMemory(account, keeper, accounts._secrets, lambda: accounts.paths)  # pyright: ignore[reportPrivateUsage]
    keyring.fails = True
    await memory.keep_secret(Secret("canary-2"))
    keyring.fails = False
    assert await memory.secret() == Secret("canary-2")
    renewed = NewAccount("A", new.address, new.settings, Secret("canary-2"))
    assert isinstance(await accounts.edit(account, renewed), Account)
    assert keyring.entries == {account.id: "canary-2"}, "it can be kept now"
    keyring.entries[account.id] = "canary-3"
    assert await memory.secret() == Secret("canary-3"), "another window's"
    await keeper.aclose()


async def test_a_secret_of_an_account_that_could_not_be_saved_is_not_left_behind(
    own_home: Path, keyring: Keyring
) -> None:
    from kai_tui.backends.system import NewAccount
    from kai_tui.storage.errors import StorageError

    accounts = service(own_home)
    accounts_file(accounts.paths).mkdir(parents=True)
    new = NewAccount("A", "https://a.example", {"address": "https://a.example"}, Secret("canary-1"))
    with pytest.raises(StorageError):
        await accounts.add("kiss", new)
    assert keyring.entries == {}


async def test_a_secret_that_follows_one_that_ended_is_kept_where_that_was(
    own_home: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack that forgot this program gives it another client: without a keyring that one was kept nowhere."""
    from kai_tui.storage import keyring_entries

    def none(*_: Any) -> None:
        raise CredentialsUnavailable("This computer has no keyring.", "none")

    for name in ("read", "write", "remove"):
        monkeypatch.setattr(keyring_entries, name, none)
    accounts = service(own_home)
    account = Account("s", "kiss", "S", token_from="file")
    save_account(accounts.paths, record_of(account))
    keeper = DiskKeeper(account_files(accounts.paths, "s"))
    memory = AccountMemory(account, keeper, accounts._secrets, lambda: accounts.paths)  # pyright: ignore[reportPrivateUsage]
    for text in ("canary-1", "", "canary-2"):
        await memory.keep_secret(Secret(text))
    await keeper.aclose()
    assert on_disk(accounts)[0]["token_from"] == "file"
    assert files_with(own_home, "canary-2") != []


async def test_an_account_that_is_being_tried_is_removed_for_good(
    own_home: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kai_tui.backends.base import Backend

    accounts = service(own_home)
    account = await kai_account(accounts)
    save_account(accounts.paths, record_of(account))
    begun = asyncio.Event()

    def opener(account: Account, keeper: DiskKeeper, *, trying: bool = False) -> Any:
        async def opens() -> Backend:
            await keeper.remember("names", "needle-1")
            begun.set()
            try:
                return await asyncio.Future[Backend]()
            finally:
                await keeper.remember("names", "needle-2")

        return opens

    monkeypatch.setattr(accounts, "_opener", opener)
    trying = asyncio.create_task(accounts.test(account))
    await begun.wait()
    await accounts.remove(account, files=True)
    assert trying.cancelled()
    assert files_with(own_home, "needle-", account.id) == []

"""`--account NAME` opens an account by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.cli.main import _named
from kai_tui.services.account import Account
from kai_tui.services.account_records import record_of
from kai_tui.services.account_service import AccountService
from kai_tui.storage.accounts import save_account


@pytest.fixture
def accounts(own_home: Path) -> AccountService:
    service = AccountService({"KAI_TUI_HOME": str(own_home)})
    for number, label in enumerate(("Shop", "Lab", "Lab")):
        account = Account(f"id-{number}", "kiss", label, f"https://{number}.test", token_from="keyring")
        save_account(service.paths, record_of(account))
    return service


def test_the_account_of_that_name(accounts: AccountService) -> None:
    assert _named(accounts, " shop ").id == "id-0"
    assert _named(accounts, "sandbox").kind == "sandbox"


def test_an_unknown_name_says_which_there_are(accounts: AccountService) -> None:
    with pytest.raises(
        ValueError, match=r"no account called 'Office'. There are: Lab, Lab, Shop, Sandbox"
    ) as found:
        _named(accounts, "Office")
    assert "\x1b" not in str(found.value)


def test_a_name_of_two_opens_none(accounts: AccountService) -> None:
    with pytest.raises(
        ValueError, match=r"Several accounts are called 'Lab'.*https://2.test, https://1.test"
    ):
        _named(accounts, "Lab")

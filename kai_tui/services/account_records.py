"""Accounts as they stand in the list on disk, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kai_tui.backends.systems import SYSTEMS
from kai_tui.services.account import ACCOUNT_COLOURS, SANDBOX, Account, TokenSource

if TYPE_CHECKING:
    from kai_tui.storage.accounts import AccountRecord
    from kai_tui.storage.paths import Paths


def _source(text: str) -> TokenSource:
    return "file" if text == "file" else "keyring" if text == "keyring" else ""


def known_accounts(paths: Paths) -> list[Account]:
    """Those in the list on disk, the last used first. A small file is read; never raises."""
    from kai_tui.storage.accounts import load_accounts

    records, _ = load_accounts(paths)
    return accounts_of(records)


def note_account(paths: Paths, account: Account, *, used: bool = True) -> None:
    """Put it into the list on disk. Raises StorageError."""
    from kai_tui.storage.accounts import save_account

    save_account(paths, record_of(account), used=used)


def accounts_of(records: Iterable[AccountRecord]) -> list[Account]:
    """Those whose kind this version knows; the others are for the version that made them."""
    known = ("sandbox", "kai", *SYSTEMS)
    return [account_of(record) for record in records if record.kind in known]


def account_of(record: AccountRecord) -> Account:
    if record.kind == "sandbox":
        return SANDBOX
    return Account(
        id=record.id,
        kind=record.kind,
        label=record.label,
        base_url=record.base_url,
        storage_url=record.storage_url,
        service="agent"
        if record.service == "agent"
        else "assistant"
        if record.service == "assistant"
        else "",
        project_id=record.project_id,
        user_id=record.user_id,
        token_from=_source(record.token_from),
        branch_id=int(record.branch_id) if record.branch_id else None,
        branch_name=record.branch_name,
        workspace_id=record.workspace_id,
        settings=dict(record.settings),
        colour=record.colour if record.colour in ACCOUNT_COLOURS else "",
        named=record.named,
    )


def record_of(account: Account) -> AccountRecord:
    from kai_tui.storage.accounts import AccountRecord

    return AccountRecord(
        id=account.id,
        kind=account.kind,
        label=account.label,
        base_url=account.base_url,
        storage_url=account.storage_url,
        service=account.service,
        project_id=account.project_id,
        user_id=account.user_id,
        token_from=account.token_from,
        branch_id="" if account.branch_id is None else str(account.branch_id),
        branch_name=account.branch_name,
        workspace_id=account.workspace_id,
        settings=dict(account.settings),
        colour=account.colour,
        named=account.named,
    )

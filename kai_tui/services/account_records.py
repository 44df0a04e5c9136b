"""Accounts as they stand in the list on disk, and back."""

from __future__ import annotations

from kai_tui.services.account import SANDBOX, Account, TokenSource
from kai_tui.storage.accounts import AccountRecord


def _source(text: str) -> TokenSource:
    return "file" if text == "file" else "keyring" if text == "keyring" else ""


def account_of(record: AccountRecord) -> Account:
    if record.kind == "sandbox":
        return SANDBOX
    return Account(
        id=record.id,
        kind="kai",
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
    )


def record_of(account: Account) -> AccountRecord:
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
    )

"""Questions that waited in the accounts that are not open here, as they were last known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kai_tui.storage.inbox import Asked, read_file
from kai_tui.storage.paths import account_files
from kai_tui.storage.presence import Presence

if TYPE_CHECKING:
    from kai_tui.services.account import Account
    from kai_tui.services.account_service import AccountService


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """One question of another account. Whether it still waits is known when that account is open."""

    account: Account
    chat_id: str
    asked: Asked
    in_window: bool = False
    """Another window has that account open and asks there."""


async def waiting_elsewhere(accounts: AccountService, besides: str | None) -> list[Elsewhere]:
    """Over all known accounts but the one with the id `besides`, the longest waiting first. Never raises."""
    known = [*await accounts.accounts(), accounts.sandbox()]
    others = {each.id: each for each in known if each.id != besides}
    found = await asyncio.to_thread(_read, accounts, list(others.values()))
    return sorted(found, key=lambda each: each.asked.asked_at)


def _read(accounts: AccountService, others: Sequence[Account]) -> list[Elsewhere]:
    found: list[Elsewhere] = []
    for account in others:
        file = account_files(accounts.paths, account.id).state
        presence = Presence(file)
        for chat_id, (owner, asked) in read_file(file).items():
            in_window = bool(owner) and presence.alive(owner)
            found += [Elsewhere(account, chat_id, each, in_window) for each in asked if not each.answered]
    return found

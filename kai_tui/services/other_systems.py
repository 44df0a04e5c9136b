"""Accounts of the systems in `backends/systems.py`: making, changing, opening and trying them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.backends.errors import TokenRefused
from kai_tui.services.account import Account, TokenSource
from kai_tui.services.account_records import known_accounts, note_account
from kai_tui.storage.credential_errors import CredentialsUnavailable
from kai_tui.storage.errors import StorageError
from kai_tui.storage.text import storable

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.backends.secret import Secret
    from kai_tui.backends.system import Memory, NewAccount, System
    from kai_tui.services.account_secrets import AccountSecrets, Keep
    from kai_tui.storage.paths import Paths


class AnotherAccount(NamedTuple):
    """What was entered belongs to another account than the one that was edited: nothing was changed."""

    known: Account | None
    """That account, when it is here already."""


class OtherSystems:
    """What `AccountService` does for accounts that are neither Kai's nor the sandbox."""

    def __init__(self, paths: Callable[[], Paths], secrets: AccountSecrets) -> None:
        self._paths = paths
        self._secrets = secrets
        self.of_session: dict[str, Account] = {}
        """Accounts whose credential is kept nowhere: they end with the program."""

    async def known(self, kind: str, settings: Mapping[str, str]) -> Account | None:
        """The account these settings would make, when it is here already."""
        from kai_tui.services.backend_factory import ready_system

        account_id = other_account_id(await ready_system(kind), settings)
        return await self._find(account_id)

    async def add(self, kind: str, new: NewAccount, keep: Keep) -> Account:
        """See `AccountService.add`."""
        from kai_tui.services.backend_factory import ready_system

        account_id = other_account_id(await ready_system(kind), new.settings)
        known = await self._find(account_id)
        account = Account(
            id=account_id,
            kind=kind,
            label=known.label if known is not None and known.named else new.label,
            named=known is not None and known.named,
            colour=known.colour if known is not None else "",
            base_url=new.address,
            service="",
            settings=dict(new.settings),
        )
        return await self._keep(account, known, new.secret, keep, used=True)

    async def edit(self, account: Account, new: NewAccount, keep: Keep | None) -> Account | AnotherAccount:
        """See `AccountService.edit`."""
        from kai_tui.services.backend_factory import ready_system

        account_id = other_account_id(await ready_system(account.kind), new.settings)
        if account_id != account.id:
            return AnotherAccount(await self._find(account_id))
        changed = account._replace(
            label=account.label if account.named else new.label,
            base_url=new.address,
            settings=dict(new.settings),
        )
        if keep is None:
            keep = account.token_from if account.token_from in ("file", "memory") else "keyring"
        return await self._keep(changed, await self._find(account_id), new.secret, keep, used=False)

    async def _keep(
        self, account: Account, known: Account | None, secret: Secret | None, keep: Keep, *, used: bool
    ) -> Account:
        before = known.token_from if known is not None else ""
        source: TokenSource = ""
        if self._secrets.of_session(account.id) != secret:
            self._secrets.replaced(account.id)
        if secret:
            unchanged = before not in ("", "memory") and self._secrets.of_session(account.id) == secret
            unchanged = unchanged and self._secrets.is_kept(account.id)
            source = before if unchanged else await self._secrets.keep(account.id, secret, keep)
        if before in ("keyring", "file") and source in ("", "memory"):
            await self._forget_kept(account.id, secret)
        account = account._replace(token_from=source)
        on_disk = known is not None and known.id not in self.of_session
        self.of_session.pop(account.id, None)
        if source == "memory" and not on_disk:
            self.of_session[account.id] = account
            return account
        try:
            await asyncio.to_thread(note_account, self._paths(), account, used=used)
        except StorageError:
            if known is None:
                await self._forget_kept(account.id, None)  # nothing would ever lead to it again
            raise
        return account

    async def _forget_kept(self, account_id: str, instead: Secret | None) -> None:
        """The one that was kept is not wanted any more. What cannot be removed now is not read any more, either."""
        with suppress(CredentialsUnavailable, StorageError):
            await self._secrets.forget(account_id)
        if instead:
            self._secrets.use(account_id, instead)

    async def _find(self, account_id: str) -> Account | None:
        if account_id in self.of_session:
            return self.of_session[account_id]
        known = await asyncio.to_thread(known_accounts, self._paths())
        return next((each for each in known if each.id == account_id), None)

    async def secret_to_edit(self, account: Account) -> Secret | None:
        """What an interview may go on with; None when there is none, it cannot be read, or it was kept for
        another address: an interview sends it to the one in the settings (T14)."""
        if not await self.as_made(account):
            return None
        try:
            return await self._secret(account)
        except (TokenRefused, CredentialsUnavailable):
            return None

    async def as_made(self, account: Account) -> bool:
        """Whether its settings are those the account was made of, so that its credential is for their address (T14)."""
        from kai_tui.services.backend_factory import ready_system

        return account.id == other_account_id(await ready_system(account.kind), account.settings)

    async def open(self, account: Account, memory: Memory) -> Backend:
        """The backend of an account. Raises BackendError."""
        from kai_tui.services.backend_factory import open_system

        if not await self.as_made(account):
            raise TokenRefused(
                "The address of this account was changed outside of kai-tui. Its credential was not sent "
                "there. Add it as a new account.",
                code="address",
            )
        return await open_system(account.kind, account.settings, await self._secret(account), memory)

    async def _secret(self, account: Account) -> Secret | None:
        found = self._secrets.of_session(account.id)
        if found is not None or account.token_from not in ("keyring", "file"):
            return found
        try:
            found = await self._secrets.read(account.id)
        except CredentialsUnavailable as error:
            raise TokenRefused(error.sentence, code="no-token") from None
        if found is None:
            raise TokenRefused(
                "The credential of this account is not in the keyring any more. Sign in again.",
                code="no-token",
            )
        return found


def other_account_id(system: System, settings: Mapping[str, str]) -> str:
    """The id of an account: of its kind and of all that makes it another one, its address above all (T14)."""
    import hashlib
    import json

    kept = {name: storable(value) for name, value in settings.items()}
    what = json.dumps([system.kind, *system.identity(kept)])
    return hashlib.sha256(what.encode()).hexdigest()[:16]

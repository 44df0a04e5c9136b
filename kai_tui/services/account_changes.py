"""What can be done with accounts beside opening them: add, try, edit, mark and remove."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.storage.paths import Paths, account_files

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, ServerInfo
    from kai_tui.backends.secret import Secret
    from kai_tui.backends.system import NewAccount, System
    from kai_tui.services.account import Account
    from kai_tui.services.account_secrets import AccountSecrets, Keep
    from kai_tui.services.other_systems import AnotherAccount, OtherSystems


class ChangesAccounts(ABC):
    """A part of `AccountService`. What is about a `kind` is for the systems of `backends/systems.py`."""

    _secrets: AccountSecrets
    _trying: dict[str, set[asyncio.Task[Any]]]
    """Tries that run, by account."""

    @cached_property
    def _others(self) -> OtherSystems:
        """The accounts that are neither Kai's nor the sandbox."""
        from kai_tui.services.other_systems import OtherSystems

        return OtherSystems(lambda: self.paths, self._secrets)

    @property
    @abstractmethod
    def paths(self) -> Paths:
        """Where this user's files are."""

    @abstractmethod
    async def sign_out(self, account: Account) -> None:
        """Remove credential and account."""

    @abstractmethod
    def _opener(
        self, account: Account, keeper: DiskKeeper, *, trying: bool = False
    ) -> Callable[[], Awaitable[Backend]]:
        """Makes the backend of an account."""

    async def system(self, kind: str) -> System:
        """A kind of assistant, with what its interview needs loaded. Raises KeyError for an unknown one."""
        from kai_tui.services.backend_factory import ready_system

        return await ready_system(kind)

    async def known(self, kind: str, new: NewAccount) -> Account | None:
        """The account that is here already and would be changed by adding this one."""
        return await self._others.known(kind, new.settings)

    async def add(self, kind: str, new: NewAccount, *, keep: Keep = "keyring") -> Account:
        """Keep what an interview found out. An account that is here already gets the new settings and credential
        and keeps its name, colour and chats.

        Raises `storage.credentials.CredentialsUnavailable` when the keyring does not take the credential: the
        dialog then asks again with `keep="memory"` or `keep="file"`. Raises StorageError.
        """
        return await self._others.add(kind, new, keep)

    async def edit(
        self, account: Account, new: NewAccount, *, keep: Keep | None = None
    ) -> Account | AnotherAccount:
        """Give an account what a second interview found out; its id, chats, name and colour stay.

        What is of another address or user is another account: then nothing is changed, and `add` makes it.
        `keep`: None for where the credential was. Raises as `add`.
        """
        return await self._others.edit(account, new, keep)

    async def interview_defaults(self, account: Account) -> tuple[Mapping[str, str], Secret | None]:
        """Settings and secret for the interview that edits an account, or signs in to it again."""
        return account.settings, await self._others.secret_to_edit(account)

    async def as_made(self, account: Account) -> bool:
        """Whether the settings of an account are still those it was made of: an interview may answer from them."""
        return await self._others.as_made(account)

    async def rename(self, account: Account, label: str) -> Account:
        """Call an account by the user's own word. An empty one changes nothing. Raises StorageError."""
        label = " ".join(label.split())
        if not label or label == account.label:
            return account
        return await self._mark(account._replace(label=label, named=True), label=label)

    async def set_colour(self, account: Account, colour: str) -> Account:
        """Mark an account with one of `ACCOUNT_COLOURS`, or none. Raises StorageError."""
        return await self._mark(account._replace(colour=colour), colour=colour)

    async def _mark(
        self, account: Account, *, label: str | None = None, colour: str | None = None
    ) -> Account:
        if account.id in self._others.of_session:
            self._others.of_session[account.id] = account
        from kai_tui.storage.accounts import mark_account

        await asyncio.to_thread(mark_account, self.paths, account.id, label=label, colour=colour)
        return account

    async def test(self, account: Account) -> ServerInfo:
        """Connect as this account, beside whatever is open, and leave again. Raises BackendError."""
        keeper = DiskKeeper(account_files(self.paths, account.id))
        task = asyncio.current_task()
        trying = self._trying.setdefault(account.id, set())
        if task is not None:
            trying.add(task)
        try:
            backend = await self._opener(account, keeper, trying=True)()
            try:
                return await backend.connect()
            finally:
                await backend.aclose()
        finally:
            await keeper.aclose()
            if task is not None:
                trying.discard(task)

    async def remove(self, account: Account, *, files: bool) -> None:
        """Forget an account and its credential, and with `files` all that is kept of it on this computer: chats,
        drafts, decisions. Close its workspace first.

        Everything is tried; raises `CredentialsUnavailable` or StorageError for what stayed.
        """
        from kai_tui.services.removing import remove_files

        # One that is being tried would make its files anew.
        trying = tuple(self._trying.get(account.id, ()))
        for task in trying:
            task.cancel()
        if trying:
            await asyncio.wait(trying)
        self._others.of_session.pop(account.id, None)
        try:
            if files:
                await asyncio.to_thread(remove_files, self.paths, account.id)
        finally:
            await self.sign_out(account)

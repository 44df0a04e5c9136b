"""What a backend keeps for itself between runs: texts in the account's state file, its secret where the user wanted it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kai_tui.storage.accounts import set_token_place
from kai_tui.storage.credential_errors import CredentialsUnavailable
from kai_tui.storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kai_tui.backends.base import LocalChats
    from kai_tui.backends.secret import Secret
    from kai_tui.services.account import Account, TokenSource
    from kai_tui.services.account_secrets import AccountSecrets
    from kai_tui.services.disk_keeper import DiskKeeper
    from kai_tui.storage.paths import Paths

_LOG = logging.getLogger(__name__)


class AccountMemory:
    """The `Memory` of one account. Never raises: what cannot be kept is told by the keeper's notice."""

    def __init__(
        self,
        account: Account,
        keeper: DiskKeeper,
        secrets: AccountSecrets,
        paths: Callable[[], Paths],
        *,
        trying: bool = False,
    ) -> None:
        """`trying`: a backend that is only opened to see whether it works; the account may be open beside it."""
        self._account = account
        self._keeper = keeper
        self._secrets = secrets
        self._paths = paths
        self._trying = trying
        self._place: TokenSource = account.token_from
        self._in_file = account.token_from == "file"  # noqa: S105 - a place, not a secret
        """The user's yes to a plain file (C1); it outlives a secret that ends and is followed by another."""
        self._keeping = asyncio.Lock()
        self._times = secrets.times_replaced(account.id)

    @property
    def chats(self) -> LocalChats:
        """The chats kept on this computer."""
        return self._keeper.local_chats

    async def recall(self, name: str) -> str | None:
        return await self._keeper.recall(name)

    async def keep(self, name: str, value: str | None) -> None:
        await self._keeper.remember(name, value)

    async def alone(self) -> bool:
        return not self._trying and await self._keeper.alone()

    async def secret(self) -> Secret | None:
        try:
            return await self._secrets.read(self._account.id, anew=self._place in ("keyring", "file"))
        except CredentialsUnavailable:
            return self._secrets.of_session(self._account.id)

    async def keep_secret(self, secret: Secret) -> None:
        async with self._keeping:
            if self._times != self._secrets.times_replaced(self._account.id):
                # What still runs with the secret of before renewed that: it is not the account's any more.
                self._secrets.also(secret)
                return
            try:
                await self._keep_secret(secret)
            except (CredentialsUnavailable, StorageError) as error:
                _LOG.warning("a renewed credential could not be kept")
                if self._place:
                    self._keeper.credential_notice = f"The sign-in of this account changed and is kept for this session only: {error.sentence}"
                return
            self._keeper.credential_notice = None

    async def _keep_secret(self, secret: Secret) -> None:
        account_id = self._account.id
        if not secret:
            await self._secrets.forget(account_id)
            await self._note("")
            return
        self._secrets.use(account_id, secret)
        if self._place in ("memory", "environment"):
            return
        # A plain file needs the user's yes: only who said it once has one.
        place = await self._secrets.keep(account_id, secret, "file" if self._in_file else "keyring")
        await self._note(place)

    async def _note(self, place: TokenSource) -> None:
        if place == self._place or self._place in ("memory", "environment"):
            return
        await asyncio.to_thread(set_token_place, self._paths(), self._account.id, place)
        self._place = place

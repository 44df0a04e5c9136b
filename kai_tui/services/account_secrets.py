"""The credentials of accounts: read once, kept where the user said, known to whoever keeps them out of what is written (C1, C7, C8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from kai_tui.backends.secret import Secret
from kai_tui.services.account import TokenSource

if TYPE_CHECKING:
    from kai_tui.storage.paths import Paths

Keep: TypeAlias = Literal["keyring", "file", "memory"]
"""Where a credential shall be: `memory` is this session only."""

_SHORTEST = 6
"""Characters; a shorter text would be cut out of every other line."""


class AccountSecrets:
    """The credentials of this session, by account."""

    def __init__(self, paths: Callable[[], Paths]) -> None:
        self._paths = paths
        self._now: dict[str, Secret] = {}
        """Not kept, or not read from the keyring twice."""
        self._past: list[Secret] = []
        """Those that were renewed: they must still not be written anywhere (C7)."""
        self._unkept: set[str] = set()
        """Accounts of which what is kept is older than what is used."""
        self._given: dict[str, int] = {}
        """How often the user gave an account another secret, or took it away."""

    def live(self) -> Iterator[str]:
        """Every secret in use, each part of one that has several."""
        for secret in (*self._now.values(), *self._past):
            yield from words_of(secret)

    def of_session(self, account_id: str) -> Secret | None:
        """What is known already; nothing is read."""
        return self._now.get(account_id)

    def use(self, account_id: str, secret: Secret) -> None:
        """From now on in this session."""
        before = self._now.get(account_id)
        if before is not None and before != secret:
            self._past.append(before)
        if before != secret:
            self._unkept.add(account_id)
        self._now[account_id] = secret

    def replaced(self, account_id: str) -> None:
        """The user gave this account another secret, or took it away."""
        self._given[account_id] = self.times_replaced(account_id) + 1

    def times_replaced(self, account_id: str) -> int:
        """How often that was."""
        return self._given.get(account_id, 0)

    def also(self, secret: Secret) -> None:
        """In use beside the account's own, by what still runs on it: not written anywhere, either (C7)."""
        if secret:
            self._past.append(secret)

    def is_kept(self, account_id: str) -> bool:
        """Whether what is used now was kept, or read from where it is kept."""
        return account_id not in self._unkept

    async def keep(self, account_id: str, secret: Secret, where: Keep) -> TokenSource:
        """Keep it and use it; where it is now. With `file` the keyring is tried first.

        Raises `CredentialsUnavailable` and `StorageError`; then nothing has changed.
        """
        source: TokenSource = "memory"
        if where != "memory":
            from kai_tui.storage.credentials import Credentials

            kept = await Credentials(self._paths()).keep(
                account_id, secret.reveal(), allow_file=where == "file"
            )
            source = kept.source
        self.use(account_id, secret)
        if where != "memory":
            self._unkept.discard(account_id)
        return source

    async def read(self, account_id: str, *, anew: bool = False) -> Secret | None:
        """The one of this session, else the one that is kept; `anew`: another window may have kept another. One
        that could not be kept is newer than any that is.

        Raises `CredentialsUnavailable`.
        """
        if account_id in self._now and not (anew and self.is_kept(account_id)):
            return self._now[account_id]
        from kai_tui.storage.credentials import Credentials

        kept = await Credentials(self._paths()).read(account_id)
        if kept is None:
            return self._now.get(account_id)
        self.use(account_id, Secret(kept.token))
        self._unkept.discard(account_id)
        return self._now[account_id]

    async def forget(self, account_id: str) -> None:
        """Remove it from memory, file and keyring. Raises `CredentialsUnavailable` and `StorageError`."""
        from kai_tui.storage.credentials import Credentials

        self._now.pop(account_id, None)
        self._unkept.discard(account_id)
        await Credentials(self._paths()).forget(account_id)


def words_of(secret: Secret) -> Iterator[str]:
    """A secret as it is written, and its parts when it is JSON with several."""
    text = secret.reveal()
    yield text
    yield from _parts(text)


def _parts(text: str) -> Iterator[str]:
    if not text.startswith("{"):
        return
    import json

    try:
        left: list[Any] = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while left:
        value: Any = left.pop(0)
        if isinstance(value, dict):
            left += cast("dict[str, Any]", value).values()
        elif isinstance(value, list):
            left += cast("list[Any]", value)
        elif isinstance(value, str) and len(value) >= _SHORTEST:
            yield value
            # A header's value has a word before the token; the token alone is as secret.
            _, gap, token = value.partition(" ")
            if gap and len(token) >= _SHORTEST:
                yield token
            yield from _parts(value)

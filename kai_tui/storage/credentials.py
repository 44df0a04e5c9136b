"""Where tokens are kept: the system keyring, or a 0600 file after an explicit yes (C1-C3, C8, T16)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NoReturn, TypeAlias, TypeVar

from kai_tui.storage import keyring_entries
from kai_tui.storage.credential_errors import CredentialsUnavailable, Unavailable
from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.in_thread import TookTooLong, in_thread
from kai_tui.storage.paths import Paths, credential_file
from kai_tui.storage.private import write_private

__all__ = ["Credential", "Credentials", "CredentialsUnavailable", "TokenSource", "Unavailable"]

T = TypeVar("T")

TokenSource: TypeAlias = Literal["environment", "keyring", "file"]

ENVIRONMENT = "STORAGE_API_TOKEN"
KEYRING_SECONDS = 3.0
"""P16: a dead or locked keyring is given up after this."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A token and where it comes from. The token is in no repr and cannot be pickled (C5)."""

    token: str = field(repr=False)
    source: TokenSource

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential is not pickled")


class Credentials:
    """The tokens of all accounts. Reading and writing happen in a thread, never longer than `seconds`."""

    _wanted: ClassVar[dict[str, int]] = {}
    """Hash of the token that shall be in the keyring, per account; for a keyring that answers too late.
    Shared, because the keyring is: a retry may come from another instance."""

    def __init__(
        self, paths: Paths, environ: Mapping[str, str] | None = None, *, seconds: float = KEYRING_SECONDS
    ) -> None:
        """`environ` is looked at only when given: a token from there is for one run and one account."""
        self._paths = paths
        self._environ = environ
        self._seconds = seconds

    async def read(self, account_id: str) -> Credential | None:
        """The token of an account; None when there is none, also when this machine has no usable keyring.

        Raises CredentialsUnavailable when a keyring is there but does not give it (locked, silent, failing).
        A token file is looked at before the keyring: it exists only where the keyring failed, and a silent
        keyring would then cost three seconds at every start.
        """
        if self._environ is not None:
            token = self._environ.get(ENVIRONMENT, "").strip()
            if token:
                return Credential(token, "environment")
        token = await asyncio.to_thread(self._read_file, account_id)
        if token:
            return Credential(token, "file")
        try:
            token = await self._limited(keyring_entries.read, account_id)
        except CredentialsUnavailable as error:
            if error.why in ("none", "refused"):
                return None
            raise
        return Credential(token, "keyring") if token else None

    async def keep(self, account_id: str, token: str, *, allow_file: bool = False) -> Credential:
        """Keep a token in the keyring and read it back.

        `allow_file`: the user was told that a plain file will hold the token, and said yes; used only
        when the keyring does not take it. Raises CredentialsUnavailable otherwise, StorageError when
        the file cannot be written either.
        """
        fingerprint = hash(token)
        self._wanted[account_id] = fingerprint
        try:
            await self._limited(
                keyring_entries.write, account_id, token, lambda: self._wanted.get(account_id) == fingerprint
            )
        except CredentialsUnavailable:
            self._wanted.pop(account_id, None)
            if not allow_file:
                raise
            await asyncio.to_thread(self._write_file, account_id, token)
            return Credential(token, "file")
        with suppress(OSError):
            await asyncio.to_thread(self._remove_file, account_id)
        return Credential(token, "keyring")

    async def forget(self, account_id: str) -> None:
        """Remove a token from file and keyring (C8).

        Raises CredentialsUnavailable when it may still be in the keyring, StorageError when the file stays.
        """
        self._wanted.pop(account_id, None)
        try:
            await asyncio.to_thread(self._remove_file, account_id)
        except OSError as error:
            raise StorageError(
                f"The token's file could not be removed ({credential_file(self._paths, account_id)}: {reason(error)})."
            ) from error
        try:
            await self._limited(keyring_entries.remove, account_id)
        except CredentialsUnavailable as error:
            if error.why not in ("none", "refused"):
                raise CredentialsUnavailable(
                    f"The token may still be in your keyring: {error.sentence}", error.why
                ) from error

    async def _limited(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await in_thread(work, *arguments, seconds=self._seconds)
        except TookTooLong:
            raise CredentialsUnavailable(
                f"Your keyring did not answer within {self._seconds:g} s; it may be waiting for you to unlock it.",
                "slow",
            ) from None

    def _read_file(self, account_id: str) -> str | None:
        try:
            return credential_file(self._paths, account_id).read_text("utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def _write_file(self, account_id: str, token: str) -> None:
        file = credential_file(self._paths, account_id)
        try:
            write_private(file, token.encode("utf-8"))
        except OSError as error:
            raise StorageError(
                f"The token could not be kept ({file}: {reason(error)}).", fault="unwritable"
            ) from error

    def _remove_file(self, account_id: str) -> None:
        with suppress(FileNotFoundError, NotADirectoryError):
            credential_file(self._paths, account_id).unlink()

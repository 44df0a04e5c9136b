"""Accounts: which assistant, at which address, with which credential; signing in and switching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kai_tui.services.workspace import Workspace

AccountKind: TypeAlias = Literal["sandbox", "kai"]
ServiceFlavour: TypeAlias = Literal["agent", "assistant"]


@dataclass(frozen=True, slots=True)
class Account:
    """One place to talk to. Holds no secret."""

    id: str
    kind: AccountKind
    label: str
    """Project name, or "Sandbox"."""
    base_url: str = ""
    storage_url: str = ""
    service: ServiceFlavour = "agent"
    project_id: str = ""
    token_from: Literal["", "keyring", "environment", "file"] = ""


@dataclass(frozen=True, slots=True)
class SignInStep:
    """Progress of signing in, for the dialog."""

    name: Literal["verify", "discover", "ping", "keep"]
    state: Literal["running", "done"]
    detail: str = ""


class AccountService:
    """Knows the accounts and opens one at a time."""

    async def accounts(self) -> Sequence[Account]:
        """Known accounts without the sandbox, the last used first."""
        raise NotImplementedError

    async def sign_in(
        self,
        storage_url: str,
        token: str,
        *,
        service: ServiceFlavour | None = None,
        keep_in_file: bool = False,
        on_step: Callable[[SignInStep], None] | None = None,
    ) -> Account:
        """Verify the token, discover Kai, ping it, keep the credential.

        Raises BackendError (sentence for the dialog) or `storage.credentials.CredentialsUnavailable`
        when the token is fine but the keyring is not: the dialog then offers "this session only" or a file.
        """
        raise NotImplementedError

    def open(self, account: Account) -> Workspace:
        """Everything the chat screen needs; returns at once, connects in the background."""
        raise NotImplementedError

    def sandbox(self) -> Account:
        raise NotImplementedError

    async def sign_out(self, account: Account) -> None:
        """Remove the credential from keyring, file and memory (C8)."""
        raise NotImplementedError

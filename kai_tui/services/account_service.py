"""Accounts: which assistant, at which address, with which credential; signing in and switching."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from kai_tui.backends.errors import TokenRefused
from kai_tui.backends.secret import Secret
from kai_tui.services.account import SANDBOX as SANDBOX
from kai_tui.services.account import Account as Account
from kai_tui.services.account import AccountKind as AccountKind
from kai_tui.services.account import ServiceFlavour as ServiceFlavour
from kai_tui.services.account_changes import ChangesAccounts
from kai_tui.services.account_ledger import AccountLedger
from kai_tui.services.account_records import known_accounts, note_account
from kai_tui.services.account_secrets import AccountSecrets
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.preferences import Preferences
from kai_tui.services.workspace import Workspace
from kai_tui.storage.errors import StorageError
from kai_tui.storage.paths import Paths, account_files, app_paths

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.services.signing_in import FoundKai

WORKSPACE_VARIABLE = "WORKSPACE_ID"
"""A Keboola data app has its workspace in it (kai.md §2)."""
PACE_VARIABLE = "KAI_TUI_SANDBOX_PACE"
TOKEN_VARIABLE = "STORAGE_API_TOKEN"  # noqa: S105 - a name, not a secret


class SignInStep(NamedTuple):
    """Progress of signing in, for the dialog."""

    name: Literal["verify", "discover", "ping", "branches", "keep"]
    state: Literal["running", "done"]
    detail: str = ""


class AccountService(ChangesAccounts):
    """Knows the accounts and opens one at a time."""

    def __init__(self, environ: Mapping[str, str] = os.environ, paths: Paths | None = None) -> None:
        self._environ = environ
        self._paths = paths
        self._secrets = AccountSecrets(lambda: self.paths)
        self._trying = {}

    @property
    def paths(self) -> Paths:
        """Where this user's files are."""
        if self._paths is None:
            self._paths = app_paths(self._environ)
        return self._paths

    def preferences(self) -> Preferences:
        """The user's settings."""
        return Preferences(self.paths)

    def live_secrets(self) -> Iterable[str]:
        """Every token in use now, for whoever must keep them out of what is written (C7)."""
        return [*self._secrets.live(), *filter(None, [self._environ.get(TOKEN_VARIABLE, "").strip()])]

    def sandbox(self) -> Account:
        return SANDBOX

    def last(self) -> Account | None:
        """The account used last, the sandbox included; None for a new user. A small file is read."""
        return next(iter(known_accounts(self.paths)), None)

    def named_accounts(self) -> Sequence[Account]:
        """Every account that can be opened by its name, the sandbox last. A small file is read."""
        return [*(each for each in known_accounts(self.paths) if each.kind != "sandbox"), SANDBOX]

    async def accounts(self) -> Sequence[Account]:
        """Known accounts without the sandbox, those of this session first, then the last used first."""
        known = await asyncio.to_thread(known_accounts, self.paths)
        kept = [each for each in known if each.kind != "sandbox"]
        return [*self._others.of_session.values(), *kept]

    def from_environment(
        self,
        base_url: str | None,
        storage_url: str,
        service: ServiceFlavour | None,
        *,
        branch_id: int | None = None,
    ) -> Account:
        """The account of `--base-url` or the environment variables; its token stays in the environment."""
        whose = _whose(self._environ.get(TOKEN_VARIABLE, "").strip())
        return Account(
            id=_account_id("environment", base_url or storage_url, whose, branch_id=branch_id),
            kind="kai",
            label=_host_of(base_url or storage_url),
            base_url=base_url or "",
            storage_url=storage_url,
            service=service or "",
            token_from="environment",  # noqa: S106 - a place, not a secret
            branch_id=branch_id,
        )

    async def find_project(
        self,
        storage_url: str,
        token: str,
        *,
        service: ServiceFlavour | None = None,
        accepted: str = "",
        on_step: Callable[[SignInStep], None] | None = None,
    ) -> FoundKai:
        """Verify the token, discover Kai, ping it, list the project's branches. Raises BackendError.

        `accepted`: the `AddressChanged.address` the user said yes to.
        """
        from kai_tui.services.address_pins import AddressPins
        from kai_tui.services.signing_in import find_kai, list_branches

        on_step = on_step or _ignore
        secret = Secret(token.strip())
        pins = AddressPins(self.paths)
        found = await find_kai(storage_url, secret, service, on_step, pins=pins, accepted=accepted)
        await pins.forget_others(found.storage_url)
        return replace(found, branches=await list_branches(found.storage_url, secret, on_step))

    async def keep_account(
        self,
        found: FoundKai,
        token: str,
        *,
        branch_id: int | None = None,
        branch_name: str = "",
        workspace_id: str = "",
        keep: Literal["keyring", "file", "memory"] = "keyring",
        on_step: Callable[[SignInStep], None] | None = None,
    ) -> Account:
        """Make the account of what was found, on a branch, and keep its credential.

        Raises `storage.credentials.CredentialsUnavailable` when the token is fine but the keyring is
        not: the dialog then asks again with `keep="memory"` ("this session only") or `keep="file"`.
        """
        account = Account(
            id=await asyncio.to_thread(self._id_for, found, branch_id),
            kind="kai",
            label=found.project_name or _host_of(found.base_url),
            base_url=found.base_url,
            storage_url=found.storage_url,
            service=found.service,
            project_id=found.project_id,
            user_id=found.user_id,
            token_from=keep,
            branch_id=branch_id,
            branch_name=branch_name if branch_id is not None else "",
            workspace_id=workspace_id,
        )
        if on_step is not None:
            on_step(SignInStep("keep", "running"))
        source = await self._secrets.keep(account.id, Secret(token.strip()), keep)
        account = (await asyncio.to_thread(self._with_marks, account))._replace(token_from=source)
        if on_step is not None:
            on_step(SignInStep("keep", "done"))
        return account

    def _id_for(self, found: FoundKai, branch_id: int | None) -> str:
        """What one user of a project keeps here is not for another (T21); the first one needs no word."""
        plain, own = _ids(found.base_url, found.project_id, found.user_id, branch_id=branch_id)
        known = next((each for each in known_accounts(self.paths) if each.id == plain), None)
        if known is None or not found.user_id or known.user_id in ("", found.user_id):
            return plain
        return own

    async def renew(
        self,
        account: Account,
        token: str,
        *,
        keep: Literal["keyring", "file", "memory"],
        on_step: Callable[[SignInStep], None] | None = None,
    ) -> tuple[Account, Secret]:
        """Give an account another token, once its stack says that it opens the same project.

        A token that came from the environment is replaced for this session only. Raises BackendError,
        `signing_in.AnotherProject` for a token of another project or user, and
        `storage.credentials.CredentialsUnavailable` when the token is fine but cannot be kept so.
        """
        from kai_tui.services.signing_in import check_renewal

        if account.token_from != "environment":  # noqa: S105 - a place, not a secret
            _check_address(account)
        on_step = on_step or _ignore
        secret = Secret(token.strip())
        await check_renewal(account, secret, self._project_of(account), on_step)
        if account.token_from == "environment":  # noqa: S105 - a place, not a secret
            keep = "memory"
        on_step(SignInStep("keep", "running"))
        source = await self._secrets.keep(account.id, secret, keep)
        renewed = account._replace(token_from=source)
        if keep != "memory" and source != account.token_from:
            await asyncio.to_thread(self._note_use, renewed)
        on_step(SignInStep("keep", "done"))
        return renewed, secret

    def _project_of(self, account: Account) -> str:
        """The project an account is of; empty when nothing tells."""
        if account.project_id or account.token_from != "environment":  # noqa: S105 - a place, not a secret
            return account.project_id
        project, _, number = _whose(self._environ.get(TOKEN_VARIABLE, "").strip()).partition("-")
        return project if number and project.isdigit() else ""

    def open(self, account: Account) -> Workspace:
        """Everything the chat screen needs; returns at once, connects in the background."""
        files = account_files(self.paths, account.id)
        keeper = DiskKeeper(files)
        ledger = AccountLedger(lambda: files.ledger, account.id, self.live_secrets)
        return Workspace(self._pinned(account), self._opener(account, keeper), keeper, ledger=ledger)

    def go_on(self, workspace: Workspace, account: Account) -> None:
        """Let an open account go on with what it was changed to. Chats, drafts and questions stay as they are."""
        pinned = self._pinned(account)
        workspace.reopen(pinned, self._opener(account, workspace.keeper))

    def _with_marks(self, account: Account) -> Account:
        """With the name and colour the user gave it, when it is here already."""
        known = next((each for each in known_accounts(self.paths) if each.id == account.id), None)
        if known is None:
            return account
        label = known.label if known.named else account.label
        return account._replace(label=label, named=known.named, colour=known.colour)

    def _pinned(self, account: Account) -> Account:
        """The environment's workspace wins over the account's own, for this run."""
        workspace_id = self._environ.get(WORKSPACE_VARIABLE, "").strip()
        if account.kind != "kai" or not workspace_id:
            return account
        return account._replace(workspace_id=workspace_id)

    async def sign_out(self, account: Account) -> None:
        """Remove the credential from keyring, file and memory, and the account from the list (C8).

        Raises `CredentialsUnavailable` or `StorageError` when something stays behind; both say what.
        """
        from kai_tui.storage.accounts import remove_account

        self._secrets.replaced(account.id)
        try:
            await asyncio.to_thread(remove_account, self.paths, account.id)
        finally:
            await self._secrets.forget(account.id)

    def _opener(
        self, account: Account, keeper: DiskKeeper, *, trying: bool = False
    ) -> Callable[[], Awaitable[Backend]]:
        async def open_backend() -> Backend:
            if not trying and account.token_from not in ("environment", "memory"):
                # Not in `open`: a disk that is busy would hold up the first frame.
                await asyncio.to_thread(self._note_use, account)
            from kai_tui.services.backend_factory import open_kai, open_sandbox

            if account.kind == "sandbox":
                flavour = self._environ.get("KAI_SERVICE", "").strip().lower()
                return await open_sandbox(
                    account_files(self.paths, account.id).state.with_suffix(".project.sqlite"),
                    "assistant" if flavour == "assistant" else "agent",
                    pace=_pace(self._environ),
                )
            if account.kind != "kai":
                from kai_tui.services.account_memory import AccountMemory

                memory = AccountMemory(account, keeper, self._secrets, lambda: self.paths, trying=trying)
                return await self._others.open(account, memory)
            token = await self._token(account)
            from kai_tui.services.address_pins import AddressPins

            pins = AddressPins(self.paths)
            if not account.base_url:
                from kai_tui.services.signing_in import find_kai

                found = await find_kai(
                    account.storage_url, token, account.service or None, _ignore, pins=pins
                )
                base_url, storage_url, service = found.base_url, found.storage_url, found.service
            else:
                base_url, storage_url = account.base_url, account.storage_url
                service = account.service or None
            return await open_kai(
                base_url,
                storage_url,
                token,
                service,
                branch_id=account.branch_id,
                workspace_id=self._pinned(account).workspace_id,
                pins=pins,
            )

        return open_backend

    async def _token(self, account: Account) -> Secret:
        known = self._secrets.of_session(account.id)
        if known is not None:
            return known
        if account.token_from == "environment":  # noqa: S105 - a place, not a secret
            value = self._environ.get(TOKEN_VARIABLE, "").strip()
            if not value:
                raise TokenRefused(f"{TOKEN_VARIABLE} is not set. Set it, or sign in here.", code="no-token")
            if not account.storage_url:
                raise TokenRefused(
                    "STORAGE_API_URL is not set. Set it to your stack's address, or sign in here."
                )
            return Secret(value)
        _check_address(account)
        from kai_tui.storage.credential_errors import CredentialsUnavailable

        try:
            kept = await self._secrets.read(account.id)
        except CredentialsUnavailable as error:
            raise TokenRefused(error.sentence, code="no-token") from None
        if kept is None:
            raise TokenRefused("The token of this account is not in the keyring any more. Sign in again.")
        return kept

    def _note_use(self, account: Account) -> None:
        """Remember what was opened last. A read-only home must not stop anybody: failures are quiet."""
        try:
            note_account(self.paths, account)
        except StorageError:
            return


def _pace(environ: Mapping[str, str]) -> float:
    """How slowly the sandbox writes: 1 as a model would, 0 at once (tests, screenshots)."""
    try:
        return max(0.0, float(environ.get(PACE_VARIABLE, "1")))
    except ValueError:
        return 1.0


def _ignore(step: SignInStep) -> None:
    """Nobody watches."""


def _account_id(*what: str, branch_id: int | None) -> str:
    """Branches are apart: what is decided on one is not for another. The main branch needs no word."""
    if branch_id is not None:
        what = (*what, f"branch {branch_id}")
    import hashlib

    return hashlib.sha256("\n".join(what).encode()).hexdigest()[:16]


def _ids(base_url: str, project_id: str, user_id: str, *, branch_id: int | None) -> tuple[str, str]:
    """The id of a project's first user here, and of this one."""
    return (
        _account_id(base_url, project_id, branch_id=branch_id),
        _account_id(base_url, project_id, f"user {user_id}", branch_id=branch_id),
    )


def _check_address(account: Account) -> None:
    """The credential was kept for the address the id was made of (T14). Raises TokenRefused for another one."""
    ids = _ids(account.base_url, account.project_id, account.user_id, branch_id=account.branch_id)
    if account.id not in ids:
        raise TokenRefused(
            f"The address of this account was changed outside of kai-tui. Its token was not sent to "
            f"{_host_of(account.base_url)}. Sign in to it as a new account.",
            code="address",
        )


def _whose(token: str) -> str:
    """Project and number of a Storage token (`PROJECT-NUMBER-SECRET`), which outlive its renewal.

    A stack serves many projects at one address, and what one of them keeps is not for another (T21).
    Other tokens count as a whole; only a hash of this is used.
    """
    project, _, rest = token.partition("-")
    number, _, secret = rest.partition("-")
    return f"{project}-{number}" if secret and project.isdigit() and number.isdigit() else token


def _host_of(address: str) -> str:
    return address.split("://")[-1].split("/")[0]

"""The ways to and from accounts: add one, change it, remove it. The dialogs are imported when they open."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from kai_tui.services.account import Account
from kai_tui.ui.app_part import AppPart

if TYPE_CHECKING:
    from kai_tui.backends.secret import Secret
    from kai_tui.services.account_service import AccountService
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.modals.account_marks import Removal


class LeadsToAccounts(AppPart):
    """The part of the app that opens the dialogs about accounts."""

    accounts: AccountService
    workspace: Workspace | None

    @abstractmethod
    def open_account(self, account: Account) -> None:
        """Leave this account, after asking, and open another one."""

    @abstractmethod
    def _sign_in(
        self,
        why: str = "",
        token: Secret | None = None,
        *,
        account: Account | None = None,
        then: Callable[[Account], None] | None = None,
    ) -> None:
        """Open the dialog for a Kai account: a new one, or an `account` again."""

    @abstractmethod
    def before_leaving(self, heading: str, yes: str, then: Callable[[], None], *, hint: str = "") -> None:
        """Do it at once when nothing runs; else ask."""

    @abstractmethod
    def account_left(self) -> None:
        """The open account is removed: leave it."""

    @abstractmethod
    def account_marked(self, account: Account) -> None:
        """An account has another name or colour."""

    # Which one

    async def show_accounts(self) -> None:
        """The list of accounts."""
        from kai_tui.ui.modals.accounts import AccountsDialog

        known = await self.accounts.accounts()
        titles = await self._titles()
        current = self.workspace.account if self.workspace is not None else None
        accounts = [*known, self.accounts.sandbox()]
        if current is not None and all(each.id != current.id for each in accounts):
            accounts.insert(0, current)

        def chosen(account: Account | None) -> None:
            here = self.workspace.account.id if self.workspace is not None else ""
            if account is not None and account.id != here:
                self.open_account(account)

        self.push_screen(AccountsDialog(self.accounts, self, accounts, current, titles), chosen)

    async def _titles(self) -> dict[str, str]:
        from kai_tui.ui.modals.systems import KAI, KAI_TITLE, load_systems

        systems = await asyncio.to_thread(load_systems)
        return {KAI: KAI_TITLE, **{each.kind: each.title for each in systems}}

    # Adding and changing

    def add_account(self, then: Callable[[Account], None] | None = None) -> None:
        """Which assistant, then its dialog; `then` gets the account, which else is opened."""
        self.run_worker(self._choose_system(then or self.open_account), exit_on_error=False)

    async def _choose_system(self, then: Callable[[Account], None]) -> None:
        from kai_tui.ui.modals.systems import KAI, SystemsDialog, load_systems

        systems = await asyncio.to_thread(load_systems)

        def chosen(kind: str | None) -> None:
            if kind == KAI:
                self._sign_in(then=then)
            elif kind is not None:
                self.run_worker(self._guide(kind, then), exit_on_error=False)

        self.push_screen(SystemsDialog(systems), chosen)

    def edit_account(self, account: Account, then: Callable[[], None]) -> None:
        """Ask again for all an account is made of; the open one goes on with it."""

        def changed(result: Account) -> None:
            if result.id == account.id:
                self._goes_on(result)
            then()

        if account.kind == "kai":
            self._sign_in(account=account, then=changed)
        else:
            self.run_worker(self._guide(account.kind, changed, account=account), exit_on_error=False)

    async def _guide(
        self, kind: str, then: Callable[[Account], None], *, account: Account | None = None
    ) -> None:
        from kai_tui.ui.modals.guided import GuidedDialog

        system = await self.accounts.system(kind)
        secret = None
        if account is not None:
            _, secret = await self.accounts.interview_defaults(account)
        dialog = GuidedDialog(system, self.accounts, account=account, secret=secret)
        self.push_screen(dialog, lambda kept: then(kept) if kept is not None else None)

    def _goes_on(self, account: Account) -> None:
        """The open account was changed: its chats stay, what follows goes with the new settings."""
        workspace = self.workspace
        if workspace is not None and workspace.account.id == account.id:
            self.accounts.go_on(workspace, account)
            self.account_marked(account)

    # Removing

    def remove_account(self, account: Account, then: Callable[[], None]) -> None:
        """Ask what of an account goes, then do it."""
        self.run_worker(self._ask_removal(account, then), exit_on_error=False)

    async def _ask_removal(self, account: Account, then: Callable[[], None]) -> None:
        from kai_tui.ui.modals.account_marks import RemoveDialog
        from kai_tui.ui.modals.systems import KAI, KAI_TITLE

        title, only_here = KAI_TITLE, False
        if account.kind != KAI:
            try:
                system = await self.accounts.system(account.kind)
            except KeyError:  # of a newer version
                title = account.kind
            else:
                title, only_here = system.title, system.chats_here
        dialog = RemoveDialog(account, title, only_here=only_here)
        self.push_screen(dialog, lambda what: self._removal_asked(account, what, then) if what else None)

    def _removal_asked(self, account: Account, what: Removal, then: Callable[[], None]) -> None:
        def go() -> None:
            self.run_worker(self._remove(account, what, then), exit_on_error=False)

        if self.workspace is not None and self.workspace.account.id == account.id:
            self.before_leaving("Remove this account?", "Remove", go)
        else:
            go()

    async def _remove(self, account: Account, what: Removal, then: Callable[[], None]) -> None:
        from kai_tui.conversation.safe_text import safe_line
        from kai_tui.storage.credential_errors import CredentialsUnavailable
        from kai_tui.storage.errors import StorageError

        here = self.workspace is not None and self.workspace.account.id == account.id
        if here:
            await self.close_account()
        # One that was left a moment ago still saves: its files would be there again.
        await self.left_accounts_closed()
        try:
            await self.accounts.remove(account, files=what.files)
        except (CredentialsUnavailable, StorageError) as error:
            self.notify(safe_line(error.sentence), severity="error", timeout=15, markup=False)
        else:
            kept = (
                "Nothing of it is left on this computer."
                if what.files
                else "Its credential is gone from this computer."
            )
            self.notify(f"The account was removed. {kept}", markup=False)
        if here:
            self.account_left()
        else:
            then()

    @abstractmethod
    async def close_account(self) -> None:
        """Save and close what is open of the account on screen; its screen stays until `account_left`."""

    @abstractmethod
    async def left_accounts_closed(self) -> None:
        """Wait until accounts that were left have saved what there was."""

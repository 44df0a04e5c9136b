"""A token that is refused in the middle: another one is asked for over the open chat, and the chat goes on."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from kai_tui.ui.app_part import AppPart

if TYPE_CHECKING:
    from collections.abc import Callable

    from kai_tui.backends.secret import Secret
    from kai_tui.backends.system import System
    from kai_tui.services.account import Account
    from kai_tui.services.account_service import AccountService
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.approval_desk import ApprovalDesk
    from kai_tui.ui.modals.renew import Outcome


class RenewsTokens(AppPart):
    """The part of the app that asks for a new token."""

    accounts: AccountService
    workspace: Workspace | None
    desk: ApprovalDesk
    _renewing = False
    """Whether a new token is asked for, or about to be."""
    _renewal_put_away = False
    """Whether the user closed that dialog without one."""

    @abstractmethod
    def _sign_in(
        self,
        why: str = "",
        token: Secret | None = None,
        *,
        account: Account | None = None,
        then: Callable[[Account], None] | None = None,
    ) -> None:
        """Open the dialog that adds an account."""

    @abstractmethod
    def open_account(self, account: Account) -> None:
        """Leave this account, after asking, and open another one."""

    @abstractmethod
    def account_marked(self, account: Account) -> None:
        """An account has another name or colour."""

    @abstractmethod
    def renewal_put_away(self) -> None:
        """The user wants no new token now."""

    def renewals_begin(self) -> None:
        """Another account is opened: what the user said to the last one does not count."""
        self._renewal_put_away = False
        self._renewing = False  # its dialog, if one was open, went with the screens of the last account

    def sign_in_again(self, why: str, *, asked: bool = False) -> None:
        """The server refused the token: offer to go on with another one, over the open chat, once.

        `asked`: the user just did something that needs it. A refusal nobody asked for does not open
        the dialog again that was put away.
        """
        workspace = self.workspace
        if workspace is None or workspace.account.kind == "sandbox":
            return
        if self._renewing or (self._renewal_put_away and not asked):
            return
        if workspace.account.kind == "kai" and not workspace.account.storage_url:
            # Nothing tells the address a new token could be checked at: a sign-in from the start, once.
            self._renewal_put_away = True
            self._sign_in(why)
            return
        self._renewing = True
        self.call_later(self._ask_renewal, workspace, why)

    def _ask_renewal(self, workspace: Workspace, why: str) -> None:
        from kai_tui.ui.modals.guided import GuidedDialog
        from kai_tui.ui.modals.sign_in import SignInDialog

        # Keys that are meant for the prompt must not land in a field for a token.
        pause = self.desk.typing_for()
        if pause > 0:
            self.set_timer(pause + 0.01, lambda: self._ask_renewal(workspace, why))
            return
        if self.workspace is not workspace or any(
            isinstance(each, SignInDialog | GuidedDialog) for each in self.screen_stack
        ):
            self._renewing = False
            return
        if workspace.account.kind != "kai":
            self.run_worker(self._ask_other(workspace, why), exit_on_error=False)
            return
        from kai_tui.ui.modals.renew import RenewDialog

        dialog = RenewDialog(self.accounts, workspace.account, why)
        self.push_screen(dialog, lambda outcome: self._renewal_over(workspace, outcome))

    async def _ask_other(self, workspace: Workspace, why: str) -> None:
        """Another system: its interview, from where something new is needed on."""
        account = workspace.account
        try:
            system = await self.accounts.system(account.kind)
            _, secret = await self.accounts.interview_defaults(account)
            known = await self.accounts.as_made(account)
        except BaseException:
            self._renewing = False
            raise
        self._open_other(workspace, why, system, secret, known=known)

    def _open_other(
        self, workspace: Workspace, why: str, system: System, secret: Secret | None, *, known: bool
    ) -> None:
        """`known`: what the account says may be answered with at once. An address somebody wrote into the file
        may not: checks go to it, and with them whatever signs in (T14)."""
        from kai_tui.ui.modals.guided import GuidedDialog

        pause = self.desk.typing_for()
        if pause > 0:  # reading all that may have taken a while
            self.set_timer(
                pause + 0.01, lambda: self._open_other(workspace, why, system, secret, known=known)
            )
            return
        if self.workspace is not workspace:
            self._renewing = False
            return
        account = workspace.account
        dialog = GuidedDialog(system, self.accounts, account=account, secret=secret, why=why, renews=known)
        self.push_screen(dialog, lambda changed: self._other_over(workspace, changed))

    def _other_over(self, workspace: Workspace, changed: Account | None) -> None:
        self._renewing = False
        self._renewal_put_away = changed is None
        if self.workspace is not workspace:
            return
        if changed is None:
            self.renewal_put_away()
        elif changed.id == workspace.account.id:
            self.accounts.go_on(workspace, changed)
            self.account_marked(changed)
            self.notify("Signed in again. Nothing was sent meanwhile.", markup=False)
        else:
            self.open_account(changed)

    def _renewal_over(self, workspace: Workspace, outcome: Outcome | None) -> None:
        from kai_tui.ui.modals.renew import OpenInstead, Renewed

        self._renewing = False
        self._renewal_put_away = outcome is None
        if self.workspace is not workspace:
            return
        if isinstance(outcome, Renewed):
            workspace.renew(outcome.account, outcome.token)
            self.notify("Signed in again. Nothing was sent meanwhile.", markup=False)
        elif isinstance(outcome, OpenInstead):
            self._sign_in("This project is added as an account of its own.", outcome.token)
        else:
            self.renewal_put_away()

"""A token that is refused in the middle: another one is asked for over the open chat, and the chat goes on."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from kai_tui.ui.terminal.safe_app import SafeApp

if TYPE_CHECKING:
    from kai_tui.backends.secret import Secret
    from kai_tui.services.account_service import AccountService
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.approval_desk import ApprovalDesk
    from kai_tui.ui.modals.renew import Outcome


class RenewsTokens(SafeApp[object]):
    """The part of the app that asks for a new token."""

    accounts: AccountService
    workspace: Workspace | None
    desk: ApprovalDesk
    _renewing = False
    """Whether a new token is asked for, or about to be."""
    _renewal_put_away = False
    """Whether the user closed that dialog without one."""

    @abstractmethod
    def _sign_in(self, why: str = "", token: Secret | None = None) -> None:
        """Open the dialog that adds an account."""

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
        if not workspace.account.storage_url:
            # Nothing tells the address a new token could be checked at: a sign-in from the start, once.
            self._renewal_put_away = True
            self._sign_in(why)
            return
        self._renewing = True
        self.call_later(self._ask_renewal, workspace, why)

    def _ask_renewal(self, workspace: Workspace, why: str) -> None:
        from kai_tui.ui.modals.renew import RenewDialog
        from kai_tui.ui.modals.sign_in import SignInDialog

        # Keys that are meant for the prompt must not land in a field for a token.
        pause = self.desk.typing_for()
        if pause > 0:
            self.set_timer(pause + 0.01, lambda: self._ask_renewal(workspace, why))
            return
        if self.workspace is not workspace or any(
            isinstance(each, SignInDialog) for each in self.screen_stack
        ):
            self._renewing = False
            return
        dialog = RenewDialog(self.accounts, workspace.account, why)
        self.push_screen(dialog, lambda outcome: self._renewal_over(workspace, outcome))

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

"""The ways to the questions that wait: the next one, the list of all, and how many there are in other accounts."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from kai_tui.ui.app_part import AppPart

if TYPE_CHECKING:
    from kai_tui.services.account import Account
    from kai_tui.services.account_service import AccountService
    from kai_tui.services.inbox_elsewhere import Elsewhere
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.approval_desk import ApprovalDesk

COUNT_SECONDS = 60.0
"""How often other accounts are looked at: another window may ask or answer there."""


class LeadsToQuestions(AppPart):
    """The part of the app that knows all that waits."""

    accounts: AccountService
    workspace: Workspace | None
    desk: ApprovalDesk
    waiting_elsewhere: int = 0
    """Questions that waited in other accounts when they were last looked at."""
    _counting = False

    @abstractmethod
    def open_account(self, account: Account) -> None:
        """Leave this account, after asking, and open another one."""

    @abstractmethod
    def _chat_on_screen(self) -> str | None:
        """The id of the chat that is shown."""

    @abstractmethod
    def waiting_changed(self) -> None:
        """More or fewer wait: what says how many is to be drawn anew."""

    def follow_waiting(self, workspace: Workspace) -> None:
        """The account was opened: hear of all that waits in it, and look at the others now and then."""

        def heard(_: None) -> None:
            self.call_later(self.waiting_changed)

        workspace.inbox.observe(heard)
        self.count_elsewhere()

    def count_elsewhere(self) -> None:
        """Look at the other accounts now, and now and then from here on."""
        if not self._counting:
            self._counting = True
            self.set_interval(COUNT_SECONDS, self.count_elsewhere)
        self.run_worker(self._count(), group="elsewhere", exclusive=True, exit_on_error=False)

    async def _count(self) -> list[Elsewhere]:
        from kai_tui.services.inbox_elsewhere import waiting_elsewhere

        account = self.workspace.account.id if self.workspace is not None else None
        found = await waiting_elsewhere(self.accounts, account)
        before, self.waiting_elsewhere = self.waiting_elsewhere, len(found)
        if before != self.waiting_elsewhere:
            self.waiting_changed()
        return found

    def action_review_waiting(self) -> None:
        """The question that waits; the list of all when there are several, or one that waits elsewhere."""
        workspace = self.workspace
        unread = len(workspace.inbox.unread) if workspace is not None else 0
        if self.desk.waiting == 1 and not unread:
            self.desk.review(self._chat_on_screen())
        elif self.desk.waiting or unread or self.waiting_elsewhere:
            self.action_show_inbox()
        else:
            self.notify("No question waits for you.", markup=False)

    def action_show_inbox(self) -> None:
        """The list of all questions that wait."""
        from kai_tui.ui.modals.inbox import InboxDialog

        if isinstance(self.screen, InboxDialog) or self.desk.showing:
            return
        dialog = InboxDialog(
            self.workspace,
            self.desk,
            lambda: self.run_worker(read(), exit_on_error=False),
            prefer=self._chat_on_screen(),
        )
        dialog.keep_time(self.desk.clock, self.desk.stamp)

        async def read() -> None:
            dialog.show_elsewhere(await self._count())

        def closed(account: Account | None) -> None:
            self.desk.put_off_all()
            self.desk.hold(False)
            if account is not None:
                self.open_account(account)

        self.push_screen(dialog, closed)

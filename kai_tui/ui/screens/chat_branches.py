"""Other branches of the project: each is an account of its own, so that what is decided on one counts there only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.screens.chat_mentions import ChatMentions

if TYPE_CHECKING:
    from kai_tui.services.account import Account
    from kai_tui.ui.completion.commands import Command
    from kai_tui.ui.completion.desk import CompletionDesk
    from kai_tui.ui.completion.slash import Choice


class ChatBranches(ChatMentions):
    """Opens the account of another branch, or the list of accounts where it can be added."""

    _branches: Sequence[Account] = ()
    """Accounts of this project on other branches."""

    def denies(self, action: str) -> bool:
        return super().denies(action) or (
            action == "choose_branch" and self.workspace.account.kind not in ("kai",)
        )

    def completion(self) -> CompletionDesk:
        if self._completion is None and self.workspace.account.kind == "kai":
            self.run_worker(self._find_branches(), group="branches", exit_on_error=False)
        return super().completion()

    async def _find_branches(self) -> None:
        here = self.workspace.account
        self._branches = [
            each
            for each in await self.kai.accounts.accounts()
            if each.kind == here.kind
            and (each.storage_url, each.project_id) == (here.storage_url, here.project_id)
            and each.id != here.id
        ]

    def command_choices(self, command: Command) -> Sequence[Choice]:
        if command.action is None or command.action.name != "choose_branch":
            return super().command_choices(command)
        from kai_tui.ui.completion.slash import Choice

        return [Choice(_word(each), each.label) for each in self._branches]

    async def action_choose_branch(self) -> None:
        """The list of accounts: each branch is one."""
        await self.kai.show_accounts()

    def command_choose_branch(self, name: str) -> None:
        """By name or number."""
        wanted = name.strip().lower()
        found = [
            each for each in self._branches if wanted in (_word(each).lower(), str(each.branch_id or "main"))
        ]
        if len(found) == 1:
            self.kai.open_account(found[0])
            return
        if self.workspace.account.branch.lower() == wanted:
            self._tell(Notice(f"You are on {name.strip()} already."))
            return
        self._tell(
            Notice(f"There is no account of this project on “{name.strip()}” here. /sign-in adds a branch."),
        )


def _word(account: Account) -> str:
    """A branch as it can be typed: its name, `main`, or its number."""
    if account.branch_id is None:
        return "main"
    name = account.branch_name
    return name if name and name.lower() != "main" else str(account.branch_id)

"""Taking back what was allowed for a while: from anywhere, also while a question is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.ui.app_part import AppPart

if TYPE_CHECKING:
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.approval_desk import ApprovalDesk


class TakesBack(AppPart):
    """The part of the app behind the key that ends all grants."""

    workspace: Workspace | None
    desk: ApprovalDesk

    def action_revoke_grants(self) -> None:
        """Everything is asked again."""
        count = self.workspace.grants.revoke_all() if self.workspace is not None else 0
        self.desk.disarm()  # a key was pressed while a question may be open
        if not count:
            self.notify("Nothing is allowed for a while: there is nothing to take back.", markup=False)
            return
        what = "What you allowed" if count == 1 else f"All you allowed ({count} rules)"
        self.notify(f"{what} is taken back: you are asked again.", markup=False)

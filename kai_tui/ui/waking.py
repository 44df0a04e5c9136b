"""After a sleep of the computer: dialogs start their quiet time again, connections and turns are looked after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.wake import EVERY_SECONDS, SleepWatch
from kai_tui.ui.app_part import AppPart

if TYPE_CHECKING:
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.approval_desk import ApprovalDesk


class NoticesSleep(AppPart):
    """The part of the app that compares the clocks."""

    workspace: Workspace | None
    desk: ApprovalDesk
    sleep_watch: SleepWatch

    def watch_clocks(self) -> None:
        """Begin."""
        self.set_interval(EVERY_SECONDS, self.look_at_clocks)

    def look_at_clocks(self) -> None:
        """Every two seconds: whether the computer slept meanwhile (A8)."""
        workspace = self.workspace
        if not self.sleep_watch.beat() or workspace is None:
            return
        self.desk.disarm()
        workspace.grants.end("the computer slept")
        if workspace.needs_looking_after:
            self.notify("Was asleep. Checking…", markup=False)
            self.run_worker(workspace.woke(), group="wake", exit_on_error=False)

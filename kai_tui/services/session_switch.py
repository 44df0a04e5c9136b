"""The read-only switch of one chat: the user's own, at any time, whatever the server can do."""

from __future__ import annotations

from typing import Any

from kai_tui.services.changes import TermsChanged
from kai_tui.services.session_usage import SessionUsage
from kai_tui.services.standing_rules import denial, may_write


class SessionSwitch(SessionUsage):
    """On disk at once; restored with the chat. `StandingRules` keeps to it."""

    read_only_switch: bool = False
    """Whether nothing that writes is approved in this chat."""

    def switch_read_only(self, on: bool) -> int:
        """Turn it on or off. On: what waits and would write is denied now; how many questions that were."""
        if on == self.read_only_switch:
            return 0
        self.read_only_switch = on
        self._in_background(self._tools.keeper.keep_note(self.chat_id, "read-only", on or None))
        approvals = self._tools.approvals
        waiting = [
            each for each in approvals.pending if on and each.chat_id == self.chat_id and may_write(each)
        ]
        approvals.reconsider()  # what a grant allowed and is not sent yet is denied as well
        # Also those that are asked again: this is the user's answer to them.
        for each in waiting:
            approvals.rule(each, denial())
        self._tell(TermsChanged())
        return len(waiting)

    def _restore_switch(self, note: Any) -> None:
        self.read_only_switch = self.read_only_switch or note is True

"""After a change: the way to what was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.changes import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_reading import ChatReading

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession

_LETTERS = frozenset(("open_link",))
"""Plain letters mean nothing here while the list of chats has the focus."""


class ChatAfter(ChatReading):
    """Actions about what a call left behind."""

    _jobs_of: ChatSession | None = None
    """The chat whose jobs were looked for when it came on screen."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done here and now."""
        if action in _LETTERS and app_of(self).screen is self:
            focused = self.focused
            if focused is not None and self._sidebar in focused.ancestors_with_self:
                return False
        return super().check_action(action, parameters)

    def _refresh_words(self) -> None:
        session = self._session
        if session is not self._jobs_of:
            self._jobs_of = session
            if session is not None and session.messages:
                self.workspace.jobs.look(session)
        super()._refresh_words()

    def action_open_link(self) -> None:
        """Open a link of what is under the reading cursor, else the newest one in sight."""
        links = self._transcript.links_here()
        if not links:
            where = "under the cursor" if self._transcript.has_focus else "here"
            self._tell(Notice(f"There is no link {where}."))
        elif len(links) == 1:
            self.open_link(links[0][1])
        else:
            from kai_tui.ui.modals.pick_link import PickLink

            def picked(href: str | None) -> None:
                if href is not None:
                    self.open_link(href)

            app_of(self).push_screen(PickLink(links), picked)

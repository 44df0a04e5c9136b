"""After a change: the way to what was changed, to how its job goes, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_loan import ChatLoan
from kai_tui.ui.screens.chat_reading import ChatReading

if TYPE_CHECKING:
    from kai_tui.conversation.messages import ToolPart
    from kai_tui.services.chat_session import ChatSession

_LETTERS = frozenset(("open_link", "undo_change"))
"""Plain letters mean nothing here while the list of chats has the focus."""


class ChatAfter(ChatReading, ChatLoan):
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

    def action_undo_change(self) -> None:
        """Put a message into the prompt that asks for the opposite of a change. Runs and sends nothing."""
        session = self._session
        if not self._is_there("undo_change") or session is None or self._is_lent():
            return
        from kai_tui.services.undoing import newest_change

        call = self._transcript.call_under_cursor
        if call is None and self._transcript.has_focus:
            self._tell(Notice("This is no change. Move to the tool call that made it, then press u."))
            return
        call = call or newest_change(session)
        if call is None:
            self._tell(Notice("Nothing was changed in this chat."))
            return
        self.run_worker(self._undo(session, call), group="undo", exclusive=True, exit_on_error=False)

    async def _undo(self, session: ChatSession, call: ToolPart) -> None:
        from kai_tui.conversation.inverses import NoInverse
        from kai_tui.conversation.safe_text import safe_code
        from kai_tui.services.undoing import what_undoes

        found = await what_undoes(session, call, self.workspace.project)
        if self._session is not session:
            return  # the user went elsewhere meanwhile
        if isinstance(found, NoInverse):
            self._tell(Notice(found.why))
            return
        if self._is_lent():
            return
        text = str(safe_code(found.message))
        cautions = list(found.cautions)
        if text != found.message:
            cautions.append("What was there holds characters that cannot be shown: they are symbols now.")
        typed = self._composer.text_to_send
        self._composer.load(f"{typed}\n\n{text}" if typed else text)
        self.set_focus(self._composer)
        how = "Nothing was sent. Read the message in the prompt; Enter sends it, and you are asked again."
        self._tell(Notice(" ".join([how, *cautions]), "warning" if cautions else "information"))

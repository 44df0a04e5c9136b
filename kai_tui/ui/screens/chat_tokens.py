"""How many tokens the chat on screen used."""

from __future__ import annotations

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_part import ChatPart


class ChatTokens(ChatPart):
    """The details behind the figure in the status line."""

    def action_show_tokens(self) -> None:
        """The small table."""
        from kai_tui.ui.modals.tokens import TokensDialog

        if not self._is_there("show_tokens"):
            return
        session = self._session
        if session is None:
            self._tell(Notice("No chat is open."))
        elif not isinstance(app_of(self).screen, TokensDialog):
            app_of(self).push_screen(TokensDialog(session.title, session.tokens))

"""What one can do with the conversation on screen: scroll, read, vote, copy, open links."""

from __future__ import annotations

from textual.actions import SkipAction

from kai_tui.backends.base import BackendError
from kai_tui.services.changes import Notice
from kai_tui.ui.screens.chat_layout import ChatLayout


class ChatReading(ChatLayout):
    """Actions of the group Reading."""

    def action_page_up(self) -> None:
        """Scroll the conversation."""
        self._transcript.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        """Scroll the conversation."""
        self._transcript.scroll_page_down(animate=False)

    def action_jump_to_start(self) -> None:
        """To the first message."""
        self._transcript.scroll_home(animate=False)

    def action_jump_to_end(self) -> None:
        """To the newest line, and follow again."""
        self._transcript.jump_to_end()

    def action_browse(self) -> None:
        """Put the focus on the conversation, or back."""
        self.set_focus(self._composer if self._transcript.has_focus else self._transcript)

    def action_vote_up(self) -> None:
        """A good answer."""
        self._vote(True)

    def action_vote_down(self) -> None:
        """A bad answer."""
        self._vote(False)

    def _vote(self, up: bool) -> None:
        session = self._session
        message = session.last_assistant_message if session is not None else None
        if session is None or message is None:
            raise SkipAction

        async def vote() -> None:
            try:
                await session.vote(message.id, up)
            except BackendError as error:
                self._tell(Notice(f"The vote was not taken. {error.sentence}", "warning"))
            else:
                self._tell(Notice("Thank you: the vote was sent."))

        self.run_worker(vote(), group="vote", exit_on_error=False)

    def on_new_lines_pill_pressed(self) -> None:
        self._transcript.jump_to_end()

"""Voting on answers: the one under the reading cursor, else the newest."""

from __future__ import annotations

from kai_tui.backends.errors import BackendError
from kai_tui.services.notice import Notice
from kai_tui.ui.screens.chat_tokens import ChatTokens

WORDS = {True: "▲ helpful", False: "▼ not helpful"}
_KEYS = {True: "+", False: "-"}


class ChatVotes(ChatTokens):
    """Votes of the chat on screen."""

    def action_vote_up(self) -> None:
        """A good answer."""
        self._vote(True)

    def action_vote_down(self) -> None:
        """A bad answer."""
        self._vote(False)

    def _vote(self, up: bool) -> None:
        if not self._is_there("vote_up"):
            return
        session = self._session
        if session is None and self._glimpsed is not None:
            self._tell(Notice("This chat is still being opened. Vote in a moment."))
            return
        read = self._transcript.message_under_cursor
        message = read if read is not None and read.role == "assistant" else None
        if session is not None and message is None:
            message = session.last_assistant_message
        if session is None or message is None:
            self._tell(Notice("There is no answer yet to vote on."))
            return
        why_not = session.why_no_vote(message)
        if why_not is not None:
            self._tell(Notice(why_not))
            return
        which = "This answer" if message is read else "The newest answer"

        async def vote() -> None:
            before = session.vote_of(message.id)
            try:
                sent = await session.vote(message.id, up)
            except BackendError as error:
                back = "The mark is gone again." if before is None else f"It is {WORDS[before]} as before."
                self._tell(Notice(f"The vote was not taken. {error.sentence} {back}", "warning"))
                return
            other = f"{_KEYS[not up]} changes it to {WORDS[not up]}."
            if not sent:
                self._tell(Notice(f"{which} is {WORDS[up]} already. A vote cannot be taken back; {other}"))
            elif session.vote_of(message.id) == up:
                self._tell(Notice(f"{which}: {WORDS[up]}. {other}"))

        self.run_worker(vote(), group="vote", exit_on_error=False)

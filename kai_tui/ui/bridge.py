"""The one place where callbacks of services become something Textual knows.

Changes of the shown chat that only redraw it go straight to the transcript (a plain call per delta);
everything else becomes a message in the screen's own queue. Services may call from any task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from kai_tui.services.attention import Happening
    from kai_tui.services.changes import SessionChange
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.grants import GrantsEnded
    from kai_tui.services.workspace import Workspace


class SessionNews(Message):
    """Something about a chat that is more than a redrawn part."""

    def __init__(self, session: ChatSession, change: SessionChange) -> None:
        super().__init__()
        self.session = session
        self.change = change


class HistoryNews(Message):
    """Rows of the list of chats changed."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, HistoryNews)


class AttentionNews(Message):
    """What chats want of the user changed."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, AttentionNews)


class HappeningNews(Message):
    """Something happened in a chat, on screen or not."""

    def __init__(self, happening: Happening) -> None:
        super().__init__()
        self.happening = happening


class ConnectionNews(Message):
    """The connection changed its state."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ConnectionNews)


class TokenNews(Message):
    """The server refused the token."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why
        """One sentence. Raw."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TokenNews)


class OffersNews(Message):
    """The quota or the suggestions changed."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, OffersNews)


class GrantsNews(Message):
    """Something was allowed for a while, or a call used it; or it ended."""

    def __init__(self, ended: GrantsEnded | None) -> None:
        super().__init__()
        self.ended = ended


class AgentsNews(Message):
    """The agents, or whom a chat is with, changed."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, AgentsNews)


class ServerNotice(Message):
    """The backend has a sentence for the user."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence
        """Raw."""


class Bridge:
    """Subscriptions of one screen; `close` ends them all."""

    def __init__(self, host: Widget, workspace: Workspace) -> None:
        self._host = host
        self._session: ChatSession | None = None
        self._leave_session: Callable[[], None] | None = None
        self._leave = [
            workspace.history.observe(lambda _: self._post(HistoryNews())),
            workspace.observe(lambda _: self._post(ConnectionNews())),
            workspace.attention.observe(lambda _: self._post(AttentionNews())),
            workspace.attention.on_happening(lambda news: self._post(HappeningNews(news))),
            workspace.observe_refusals(lambda error: self._post(TokenNews(error.sentence))),
            workspace.offers.observe(lambda _: self._post(OffersNews())),
            workspace.grants.observe(lambda ended: self._post(GrantsNews(ended))),
            workspace.agents.observe(lambda _: self._post(AgentsNews())),
            workspace.observe_notices(lambda sentence: self._post(ServerNotice(sentence))),
        ]

    def follow(
        self,
        session: ChatSession,
        draw: Callable[[SessionChange], None],
        draw_part: Callable[[str, int], None],
    ) -> None:
        """Hear of this chat from now on, and no more of the one before.

        `draw` and `draw_part` are the transcript's `apply` and `part_changed`; the second is the hot path.
        """
        from kai_tui.services.changes import (
            MessageAdded,
            MessageChanged,
            MessagesReset,
            PartChanged,
            QueueChanged,
            TurnChanged,
            TurnEnded,
        )

        # What the transcript hears of at once: all that decides how a message is drawn.
        redraws = (MessageAdded, MessageChanged, MessagesReset, TurnChanged, TurnEnded, QueueChanged)

        def hear(change: SessionChange) -> None:
            if session is not self._session:
                return
            if isinstance(change, PartChanged):
                draw_part(change.message_id, change.part_index)
                return
            if isinstance(change, redraws):
                draw(change)
            self._post(SessionNews(session, change))

        if self._leave_session is not None:
            self._leave_session()
        self._session = session
        self._leave_session = session.observe(hear)

    def close(self) -> None:
        """Hear nothing more."""
        if self._leave_session is not None:
            self._leave_session()
            self._leave_session = None
        for leave in self._leave:
            leave()
        self._leave.clear()

    def _post(self, news: Message) -> None:
        self._host.post_message(news)

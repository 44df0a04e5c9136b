"""Messages of an earlier run that were on their way when it ended, in the chat that is opened now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.read_back import answered

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.disk_keeper import LeftBehind

_ENDED = "kai-tui ended before the server confirmed it."
_UNSURE = "kai-tui ended before the server confirmed it, and the server cannot be asked now."
_NEVER_LEFT = "kai-tui ended before it was sent."


def take_left_behind(session: ChatSession, left_behind: LeftBehind, *, sure: bool) -> list[str]:
    """Put them into the chat; ids of those that arrived. `sure`: the server said what it has."""
    arrived: list[str] = []
    for message_id, text in left_behind.sent:
        if session.find(message_id) is not None:
            arrived.append(message_id)
        elif sure:
            session.add_unsent(message_id, text, "not-sent", _ENDED)
        else:
            session.add_unsent(message_id, text, "unsure", _UNSURE)
    return arrived


def take_left_here(session: ChatSession, left_behind: LeftBehind) -> list[str]:
    """The same for a chat that no server keeps: only an answer proves that a message arrived."""
    arrived: list[str] = []
    for message_id, text in left_behind.sent:
        if answered(session.messages, message_id):
            arrived.append(message_id)
        elif message_id in left_behind.not_sent:
            session.add_unsent(message_id, text, "not-sent", _NEVER_LEFT)
        else:
            session.add_unsent(message_id, text, "unsure", session.why_unsure)
    return arrived

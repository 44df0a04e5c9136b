"""Names of chats: the server's, else the beginning of the first message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.history_service import is_name
from kai_tui.services.session_tools import NEW_CHAT_TITLE

if TYPE_CHECKING:
    from kai_tui.backends.base import ChatSummary

TITLE_LENGTH = 60
"""Characters of the first message that name a chat until the server does."""


def name_of(theirs: ChatSummary, ours: ChatSummary | None) -> str:
    """The server's name for a chat, else the one it has here."""
    if is_name(theirs.title) or ours is None:
        return theirs.title if theirs.title.strip() else NEW_CHAT_TITLE
    return ours.title if ours.title.strip() else NEW_CHAT_TITLE


def short_title(text: str) -> str:
    """The beginning of a message as a name for its chat, until the server gives one."""
    line = " ".join(text.split())
    if len(line) <= TITLE_LENGTH:
        return line or NEW_CHAT_TITLE
    return line[:TITLE_LENGTH].rsplit(" ", 1)[0] + "…"

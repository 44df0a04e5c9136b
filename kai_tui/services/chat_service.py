"""All open chats of one account; several may stream at once."""

from __future__ import annotations

from collections.abc import Mapping

from kai_tui.services.chat_session import ChatSession


class ChatService:
    """Opens, finds and closes sessions."""

    sessions: Mapping[str, ChatSession]

    def new_chat(self) -> ChatSession:
        """A fresh chat with a new UUID; nothing is stored until something is sent."""
        raise NotImplementedError

    async def open_chat(self, chat_id: str) -> ChatSession:
        """The open session, else the chat read from the server (from the cache when it cannot be reached).

        Raises BackendError when neither has it.
        """
        raise NotImplementedError

    def forget(self, chat_id: str) -> None:
        """Drop a session after its chat was deleted; stops its turn."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Stop every turn and save what came."""
        raise NotImplementedError

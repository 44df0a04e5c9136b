"""Threads on this computer: what goes along with one is the baggage of its chat (assistant-ui.md §11, §16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kai_tui.backends.assistant_ui.threads import Thread
from kai_tui.backends.base import BackendError

if TYPE_CHECKING:
    from kai_tui.backends.base import LocalChats
    from kai_tui.conversation.messages import Message


class KeptThreads:
    """Implements `ThreadStore`."""

    def __init__(self, chats: LocalChats) -> None:
        self._chats = chats

    async def load(self, thread_id: str) -> Thread:
        kept = await self._chats.baggage(thread_id)
        stream_id = kept.get("stream_id")
        return Thread(
            kept.get("state"), stream_id if isinstance(stream_id, str) else None, kept.get("sent_state")
        )

    async def keep(self, thread_id: str, thread: Thread) -> None:
        values = {"state": thread.state, "stream_id": thread.stream_id, "sent_state": thread.sent_state}
        await self._chats.keep_baggage(
            thread_id, {name: value for name, value in values.items() if value is not None}
        )

    async def messages(self, thread_id: str) -> Sequence[Message]:
        try:
            return (await self._chats.chat(thread_id)).messages
        except BackendError:
            return ()  # a new one

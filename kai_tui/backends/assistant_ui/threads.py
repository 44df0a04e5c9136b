"""What is kept of a thread between its requests. The contract has no history: the client keeps everything (§16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kai_tui.backends.base import BackendError, LocalChats
from kai_tui.conversation.messages import Message


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread's baggage: JSON values only."""

    state: Any = None
    """The state as the server last left it; None before the first (§11)."""
    stream_id: str | None = None
    """Of the last reply, where the server can send it again (§15)."""
    sent_state: Any = None
    """The state that reply began from: its operations apply to this one."""


class ThreadStore(Protocol):
    """Keeps threads by id; given by whoever keeps the history. Never raises."""

    async def load(self, thread_id: str) -> Thread:
        """What was kept; an empty `Thread` for a new one."""
        ...

    async def keep(self, thread_id: str, thread: Thread) -> None:
        """Keep it in place of what was kept before. The values are not changed afterwards."""
        ...

    async def messages(self, thread_id: str) -> Sequence[Message]:
        """The conversation, oldest first. For forms of request that carry it (§5), and so that an id
        the server gives twice is not taken twice. The message that is being sent may be in it or not.
        """
        ...


class KeptThreads:
    """Keeps threads along with the chats on this computer; they go with them."""

    def __init__(self, chats: LocalChats) -> None:
        self._chats = chats

    async def load(self, thread_id: str) -> Thread:
        kept = await self._chats.baggage(thread_id)
        stream_id = kept.get("stream")
        return Thread(
            kept.get("state"), stream_id if isinstance(stream_id, str) else None, kept.get("sent_state")
        )

    async def keep(self, thread_id: str, thread: Thread) -> None:
        values = {"state": thread.state, "stream": thread.stream_id, "sent_state": thread.sent_state}
        await self._chats.keep_baggage(
            thread_id, {name: value for name, value in values.items() if value is not None}
        )

    async def messages(self, thread_id: str) -> Sequence[Message]:
        try:
            return (await self._chats.chat(thread_id)).messages
        except BackendError:
            return ()

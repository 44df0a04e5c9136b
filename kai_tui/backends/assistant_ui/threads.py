"""What is kept of a thread between its requests. The contract has no history: the client keeps everything (§16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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


class MemoryThreads:
    """Keeps threads as long as the program runs; knows no messages."""

    def __init__(self) -> None:
        self._threads: dict[str, Thread] = {}

    async def load(self, thread_id: str) -> Thread:
        return self._threads.get(thread_id, Thread())

    async def keep(self, thread_id: str, thread: Thread) -> None:
        self._threads[thread_id] = thread

    async def messages(self, thread_id: str) -> Sequence[Message]:
        return ()

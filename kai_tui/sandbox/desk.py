"""What all requests of one running sandbox share."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kai_tui.conversation.messages import Message
from kai_tui.sandbox.chats import ChatStore
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.refusals import Flavour, Refusal
from kai_tui.sandbox.stream import ChunkWriter, EventStream
from kai_tui.sandbox.turns import Rules, Turn, Waiting

JsonObject: TypeAlias = dict[str, Any]
CursorRule: TypeAlias = Literal["template", "client"]

BUSY_SECONDS = 3.0
"""How long a new message waits for a turn that is just being hung up."""


@dataclass(slots=True)
class Desk:
    """One running sandbox."""

    project: Project
    store: ChatStore
    pace: float
    cursor_rule: CursorRule = "template"
    keep_alive_seconds: float = 15.0
    waiting: Waiting = field(default_factory=Waiting)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])
    _streams: set[EventStream] = field(default_factory=set[EventStream])

    async def take(self, chat_id: str) -> asyncio.Lock:
        """The chat for one turn; whoever takes it releases it. Raises Refusal while another turn runs."""
        lock = self._locks.setdefault(chat_id, asyncio.Lock())
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                await lock.acquire()
        except TimeoutError:
            raise Refusal("conflict", "chat", "This chat is still answering the last message.") from None
        return lock

    def released(self, chat_id: str, lock: asyncio.Lock) -> None:
        """A turn is over."""
        lock.release()
        if not lock.locked():
            self._locks.pop(chat_id, None)

    def busy(self, chat_id: str) -> bool:
        """Whether a turn of the chat runs."""
        lock = self._locks.get(chat_id)
        return lock is not None and lock.locked()

    def turn(self, chat_id: str, writer: ChunkWriter, flavour: Flavour, rules: Rules) -> Turn:
        """A new turn of a chat."""
        return Turn(
            project=self.project,
            chat_id=chat_id,
            writer=writer,
            rules=rules,
            waiting=self.waiting if flavour == "agent" else None,
            pace=self.pace,
        )

    def hang_up(self) -> None:
        """End every running stream: the server is going to stop."""
        for stream in list(self._streams):
            stream.hang_up()

    def opened(self, stream: EventStream) -> EventStream:
        """Remember a stream until it ends."""
        self._streams.add(stream)
        stream.when_over(lambda: self._streams.discard(stream))
        return stream


def new_message(wire: Mapping[str, Any] | None = None) -> Message:
    """An assistant message to write: a new one, or a stored one to go on with."""
    if wire is None:
        return Message(id=str(uuid.uuid4()), role="assistant")
    return Message.from_wire(
        {name: wire[name] for name in ("id", "role", "parts", "metadata") if name in wire}
    )

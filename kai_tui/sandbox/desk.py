"""What all requests of one running sandbox share."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from weakref import WeakSet, WeakValueDictionary

from kai_tui.conversation.messages import Message
from kai_tui.sandbox.chats import ChatStore
from kai_tui.sandbox.modes import Modes
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.refusals import Flavour, Refusal
from kai_tui.sandbox.stream import ChunkWriter, EventStream
from kai_tui.sandbox.turns import Rules, Turn, Waiting

JsonObject: TypeAlias = dict[str, Any]
CursorRule: TypeAlias = Literal["template", "client"]

_LOG = logging.getLogger(__name__)

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
    modes: Modes = field(default_factory=Modes)
    waiting: Waiting = field(default_factory=Waiting)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary[str, asyncio.Lock]
    )
    """A lock lives as long as a turn holds it or waits for it."""
    _beside: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _streams: WeakSet[EventStream] = field(default_factory=WeakSet[EventStream])
    """Weak: a stream whose client went away before it began must not hold its chat."""

    async def take(self, chat_id: str) -> asyncio.Lock:
        """The chat for one turn; whoever takes it releases it. Raises Refusal while another turn runs."""
        lock = self._locks.get(chat_id)
        if lock is None:
            lock = self._locks[chat_id] = asyncio.Lock()
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                await lock.acquire()
        except TimeoutError:
            raise Refusal("conflict", "chat", "This chat is still answering the last message.") from None
        return lock

    def turn(
        self, chat_id: str, writer: ChunkWriter, flavour: Flavour, rules: Rules, project: Project
    ) -> Turn:
        """A new turn of a chat, on a branch of the project."""

        async def keep() -> None:
            await asyncio.to_thread(self.store.put_message, chat_id, writer.message.to_wire())

        return Turn(
            project=project,
            chat_id=chat_id,
            writer=writer,
            rules=rules,
            waiting=self.waiting if flavour == "agent" else None,
            pace=self.pace,
            keep=keep,
        )

    def hang_up(self) -> None:
        """End every running stream: the server is going to stop."""
        for stream in list(self._streams):
            stream.hang_up()
        for task in list(self._beside):
            task.cancel()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that no request waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside_over)

    def _beside_over(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("work beside the requests failed", exc_info=error)

    def opened(self, stream: EventStream) -> EventStream:
        """Remember a stream while it is there."""
        self._streams.add(stream)
        return stream


def new_message(wire: Mapping[str, Any] | None = None) -> Message:
    """An assistant message to write: a new one, or a stored one to go on with."""
    if wire is None:
        return Message(id=str(uuid.uuid4()), role="assistant")
    return Message.from_wire(
        {name: wire[name] for name in ("id", "role", "parts", "metadata") if name in wire}
    )

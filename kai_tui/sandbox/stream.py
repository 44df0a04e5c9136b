"""Writes an answer as the AI SDK's UI message stream (protocols/kai.md §5, §6), one event per write.

What was written is folded at the same time, with the reducer every reader uses: what the server
stores is what the client saw.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from starlette.types import Receive, Scope, Send

from kai_tui.conversation.chunks import events_from_chunk
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message

JsonObject: TypeAlias = dict[str, Any]

HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"connection", b"keep-alive"),
    (b"x-vercel-ai-ui-message-stream", b"v1"),
    (b"x-accel-buffering", b"no"),
)

EVENTS_AHEAD = 32
"""How far the assistant may be ahead of its reader."""


class ChunkWriter:
    """Where an answer goes, chunk by chunk."""

    def __init__(self, into: Message) -> None:
        self.message = into
        """The message so far."""
        self._state = FoldState()
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(EVENTS_AHEAD)

    async def write(self, chunk: Mapping[str, Any]) -> None:
        """Send one chunk; waits while the reader is far behind."""
        self.note(chunk)
        text = json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))
        # A delta may end in half a surrogate pair; only its escape can be sent.
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            text = json.dumps(chunk, separators=(",", ":"))
        await self._queue.put(f"data: {text}\n\n".encode())

    def note(self, chunk: Mapping[str, Any]) -> None:
        """Take a chunk into the message only: for what happens after the reader hung up."""
        for event in events_from_chunk(chunk):
            fold(self.message, event, self._state)

    async def end(self) -> None:
        """No more chunks."""
        await self._queue.put(b"data: [DONE]\n\n")
        await self._queue.put(None)

    async def next_event(self) -> bytes | None:
        """The next event's bytes, None at the end."""
        return await self._queue.get()


class EventStream:
    """The response to a chat message: runs `answer` while its reader listens.

    When the reader hangs up, `answer` is cancelled and may still tidy up.
    """

    def __init__(
        self,
        writer: ChunkWriter,
        answer: Callable[[], Coroutine[Any, Any, None]],
        *,
        keep_alive_seconds: float,
    ) -> None:
        self._writer = writer
        self._answer = answer
        self._keep_alive = keep_alive_seconds
        self._stop = asyncio.Event()
        self._at_end: list[Callable[[], None]] = []

    def when_over(self, callback: Callable[[], None]) -> None:
        """Call `callback` when nothing of this answer runs any more."""
        self._at_end.append(callback)

    def hang_up(self) -> None:
        """End the answer where it is."""
        self._stop.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            await self._run(receive, send)
        finally:
            for callback in self._at_end:
                callback()

    async def _run(self, receive: Receive, send: Send) -> None:
        answer = asyncio.create_task(self._answer())
        sending = asyncio.create_task(self._send_all(send))
        gone = [asyncio.create_task(_hung_up(receive)), asyncio.create_task(self._stop.wait())]
        try:
            await asyncio.wait([sending, *gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            everything = [answer, sending, *gone]
            for task in everything:
                task.cancel()
            # What was answered is kept even when we are being cancelled ourselves.
            await asyncio.shield(asyncio.wait(everything))
        if self._stop.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        for task in (answer, sending):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b": stream-open\n\n", "more_body": True})
        while True:
            try:
                async with asyncio.timeout(self._keep_alive):
                    event = await self._writer.next_event()
            except TimeoutError:
                event = b": keep-alive\n\n"
            if event is None:
                break
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

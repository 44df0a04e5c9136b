"""Answers that break off at a word: wrappers around whatever answers a request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.backends.kai_server import Exchange, Handler, Hangup

How = Literal["reset", "cut", "hold"]
"""A TCP reset, the connection closed in the middle, or silence until the client leaves."""


@dataclass
class Break:
    """Where and how an answer breaks off, and what came of it."""

    word: str
    """Before which it does (ASCII)."""
    how: How
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """The answer came as far as that."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """The client hung up."""

    def of(self, handler: Handler) -> Handler:
        """What this handler answers, broken off."""

        async def broken(exchange: Exchange) -> None:
            if self.reached.is_set():
                await handler(exchange)
                return
            breaking = _Breaking(exchange, self)
            try:
                await handler(breaking)
            finally:
                await breaking.over()

        return broken


class _Breaking(Exchange):
    """Writes what comes until it has written as far as the word, and then nothing more."""

    def __init__(self, inner: Exchange, what: Break) -> None:
        self.seen = inner.seen
        self._inner, self._what = inner, what
        self._leaving: asyncio.Task[None] | None = None

    async def send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        """A whole answer breaks off, too: less comes than its head promised."""
        if self._what.word.encode() not in content:
            await self._inner.send(status, headers, content)
            return
        await self._inner.start({**headers, "content-length": str(len(content))}, chunked=False)
        await self.write(content)

    async def start(self, headers: Mapping[str, str], *, chunked: bool = True) -> None:
        await self._inner.start(headers, chunked=chunked)

    async def write(self, data: bytes) -> None:
        at = data.find(self._what.word.encode())
        if at < 0:
            await self._inner.write(data)
            return
        await self._inner.write(data[:at])
        self._what.reached.set()
        if self._what.how == "hold":
            await self.until_hung_up()
        elif self._what.how == "reset":
            await asyncio.sleep(0.02)  # let the bytes arrive first
            self._inner.reset()
        raise Hangup

    async def finish(self) -> None:
        await self._inner.finish()

    async def until_hung_up(self) -> None:
        if self._leaving is None:  # only one may listen to a connection
            self._leaving = asyncio.create_task(self._inner.until_hung_up())
            self._leaving.add_done_callback(self._gone)
        await asyncio.shield(self._leaving)

    def reset(self) -> None:
        self._inner.reset()

    async def over(self) -> None:
        """The handler is done."""
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.gather(self._leaving, return_exceptions=True)

    def _gone(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._what.left.set()

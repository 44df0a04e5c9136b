"""A parrot on 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.backends.kai_server import Exchange, Handler, KaiServer, Seen, answer


class FakeParrot(KaiServer):
    """Says after you, or what it was taught."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.words = {word}
        self.speech: Sequence[str] | None = None

    def otherwise(self, seen: Seen) -> Handler:
        if seen.headers.get("x-parrot") not in self.words:
            return answer(401, {"message": "Say the magic word"})
        if seen.call == "GET /who":
            return answer(200, {"name": "parrot"})
        return self._say if seen.call == "POST /say" else super().otherwise(seen)

    async def _say(self, exchange: Exchange) -> None:
        await exchange.start({"content-type": "text/plain; charset=utf-8"})
        for piece in self.speech if self.speech is not None else [exchange.seen.body["text"]]:
            await exchange.write(piece.encode())
            await asyncio.sleep(0)

"""Kai: both services over the sandbox on loopback, and the sandbox in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, ClassVar

from kai_tui.backends.base import Backend
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.sandbox.project import Project
from tests.backends.kai_server import SSE, Exchange, Handler, Seen
from tests.contract.breaking import Break, How
from tests.contract.front import SandboxInside, SandboxServer
from tests.contract.stand import CANARY, Stand

CHAT = "POST /api/chat"


class KaiStand(Stand):
    """What the three have in common."""

    flavour: ClassVar[Any]
    is_kai = True
    kind = "kai"
    speaks_ui_messages = True
    asks = "Create a bucket called contract"

    def __init__(self) -> None:
        super().__init__()
        self.pieces: Sequence[str] | None = None

    async def start(self) -> None:
        self.project = Project.open(":memory:")
        self.stack.callback(self.project.close)
        self.server = await self.stack.enter_async_context(SandboxServer(self.flavour, CANARY, self.project))

    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        return KaiBackend(
            url or self.server.url,
            storage_url="https://connection.test",
            token=Secret(credential or CANARY),
            service=self.flavour,
            timeouts=timeouts,
            silence=silence,
        )

    def is_message(self, seen: Seen) -> bool:
        return seen.call == CHAT and seen.body["message"]["role"] == "user"

    def text_of(self, seen: Seen) -> str:
        return "".join(part["text"] for part in seen.body["message"]["parts"] if part["type"] == "text")

    def speak(self, pieces: Sequence[str]) -> None:
        self.pieces = pieces

    def accept(self, credential: str) -> None:
        """Its own token stays; what `speak` says is said to everybody."""

    def half_an_answer(self, how: How) -> Break:
        what = Break('"text-end"', how)
        self.fault(self._breaking(what))
        return what

    def secrets(self) -> Sequence[str]:
        return [CANARY]

    def usual(self, seen: Seen) -> Handler:
        return self.instead(seen) or super().usual(seen)

    def instead(self, seen: Seen) -> Handler | None:
        return self._speech if self.pieces is not None and self.is_message(seen) else None

    async def _speech(self, exchange: Exchange) -> None:
        async def write(**fields: Any) -> None:
            await exchange.write(f"data: {json.dumps(fields)}\n\n".encode())
            await asyncio.sleep(0)

        await exchange.start(SSE)
        await write(type="start", messageId="1b2f3c4d-0000-4000-8000-000000000001")
        await write(type="start-step")
        await write(type="text-start", id="0")
        for piece in self.pieces or ():
            await write(type="text-delta", id="0", delta=piece)
        await write(type="text-end", id="0")
        await write(type="finish-step")
        await write(type="finish", finishReason="stop")
        await exchange.write(b"data: [DONE]\n\n")


class KaiAgent(KaiStand):
    name = "kai-agent"
    service = "kai-agent"
    flavour = "agent"


class KaiAssistant(KaiStand):
    name = "kai-assistant"
    service = "kai-assistant"
    flavour = "assistant"


class Sandbox(KaiStand):
    name = "sandbox"
    inside = True
    service = "kai-agent"
    flavour = "agent"

    async def start(self) -> None:
        self.project = Project.open(":memory:")
        self.stack.callback(self.project.close)
        self.server = SandboxInside(self.flavour, CANARY, self.project)

    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        assert isinstance(self.server, SandboxInside)
        return KaiBackend(
            url or self.server.url,
            storage_url="https://connection.test",
            token=Secret(credential or CANARY),
            service=self.flavour,
            transport=self.server.transport() if url is None else None,
            timeouts=timeouts,
            silence=silence,
        )

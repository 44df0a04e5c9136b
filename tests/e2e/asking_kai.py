"""A Kai of either flavour that asks when it is told to, in a thread with a loop of its own.

It remembers every answer that arrived, and its chat can be read back as it stands now.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.backends.kai_server import SSE, Exchange, Hangup, KaiServer, Seen, answer

Flavour = Literal["agent", "assistant"]
CLOSE: dict[str, Any] = {"type": "(the connection breaks)"}
WHEN = "2026-05-04T09:00:00.000Z"


@dataclass
class Answered:
    """One decision that reached the server."""

    call: str
    approved: bool
    input: Any
    """What would run: as the server has it, or as the answer changed it."""
    at: float = field(default_factory=time.monotonic)


@dataclass
class AskingKai:
    """Start it, tell the program its `url`, send any message: its reply stays open for what is ordered."""

    flavour: Flavour = "agent"
    url: str = ""
    asked: int = 0
    answers: list[Answered] = field(default_factory=list)
    reads: int = 0
    """How often the chat was read."""
    chat_id: str = ""
    questions: list[Any] = field(default_factory=list)
    """Every user message that arrived."""
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The calls, as a chat that is read back has them."""

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._orders: asyncio.Queue[Any] = asyncio.Queue()
        self._stop = asyncio.Event()
        self.streaming = threading.Event()

    def start(self) -> AskingKai:
        ready = threading.Event()

        async def serve() -> None:
            async with self._server() as server:
                self.url = server.url
                ready.set()
                await self._stop.wait()

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    # Orders

    def ask(self, call: str = "", tool: str = "create_bucket", input: Any = None) -> str:
        """A call is complete and waits for the user; its id."""
        self.asked += 1
        call = call or f"call-{self.asked}"
        given = {"name": f"bucket-{self.asked}", "stage": "in"} if input is None else input
        self.parts[call] = {
            "type": f"tool-{tool}",
            "toolCallId": call,
            "state": "input-available" if self.flavour == "agent" else "approval-requested",
            "input": given,
            **({} if self.flavour == "agent" else {"approval": {"id": call}}),
        }
        self.order({"type": "tool-input-available", "toolCallId": call, "toolName": tool, "input": given})
        if self.flavour == "assistant":
            self.order({"type": "tool-approval-request", "approvalId": call, "toolCallId": call})
        return call

    def settle(self, call: str) -> None:
        """The call's output arrives by itself: its question goes away."""
        self.parts[call] |= {"state": "output-available", "output": {"success": True}}
        self.order({"type": "tool-output-available", "toolCallId": call, "output": {"success": True}})

    def order(self, event: dict[str, Any] | bytes) -> None:
        """Let the open reply go on with this."""
        assert self.streaming.wait(20)
        self._loop.call_soon_threadsafe(self._orders.put_nowait, event)

    def refuse_for(self, seconds: float) -> None:
        """Nobody listens at this address for so long; connections that are open stay."""

        async def away() -> None:
            self._listening._server.close()
            await asyncio.sleep(seconds)
            self._listening._server = await asyncio.start_server(
                self._listening._accept, "127.0.0.1", self._listening.port
            )

        asyncio.run_coroutine_threadsafe(away(), self._loop)

    def finish(self) -> None:
        """The reply ends and waits for answers, as kai-assistant's does (kai.md §9.1)."""
        self.order({"type": "finish", "finishReason": "tool-calls"})

    # The server

    @asynccontextmanager
    async def _server(self) -> AsyncIterator[KaiServer]:
        async with KaiServer() as server:
            self._listening = server
            server.on("GET /ping", answer(200, {"timestamp": WHEN}))
            server.on("GET /api", answer(200, {"appName": "Kai", "appVersion": "1"}))
            if self.flavour == "agent":
                server.on("GET /api/settings/tools", answer(200, {"tools": []}))
            server.on("POST /api/chat", self._stream)
            server.meddle = self._meddle
            yield server

    def _meddle(self, seen: Seen) -> Callable[[Exchange], Any] | None:
        if seen.path.endswith("/approval"):
            self._take(seen.body["toolUseId"], seen.body["approved"], seen.body.get("updatedInput"))
            return answer(200, {"success": True})
        if seen.path == "/api/history":
            rows = [self._row()] if self.chat_id else []
            return answer(200, {"chats": rows, "hasMore": False})
        if seen.method == "GET" and self.chat_id and seen.path == f"/api/chat/{self.chat_id}":
            self.reads += 1
            return answer(200, {**self._row(), "messages": self._messages()})
        return None

    def _row(self) -> dict[str, Any]:
        return {
            "id": self.chat_id,
            "title": "T",
            "createdAt": WHEN,
            "updatedAt": WHEN,
            "visibility": "private",
        }

    def _messages(self) -> list[dict[str, Any]]:
        reply = {"id": "m1", "role": "assistant", "parts": list(self.parts.values())}
        return [*self.questions, *([reply] if self.parts else [])]

    def _take(self, call: str, approved: bool, changed: Any) -> None:
        part = self.parts.get(call, {})
        self.answers.append(Answered(call, approved, part.get("input") if changed is None else changed))
        part |= {"state": "approval-responded"}

    async def _stream(self, exchange: Exchange) -> None:
        message = exchange.seen.body["message"]
        await exchange.start(SSE)
        if message["role"] == "assistant":
            for part in message["parts"]:
                if part.get("state") == "approval-responded":
                    self._take(part["toolCallId"], part["approval"]["approved"], part["input"])
            await exchange.write(_event({"type": "start", "messageId": message["id"]}))
            await exchange.write(_event({"type": "finish", "finishReason": "stop"}))
            return
        self.chat_id = exchange.seen.body["id"]
        self.questions.append(message)
        await exchange.write(_event({"type": "start", "messageId": "m1"}))
        self.streaming.set()
        while True:
            order = await self._orders.get()
            if order is CLOSE:
                exchange.reset()
                raise Hangup
            await exchange.write(order if isinstance(order, bytes) else _event(order))
            if isinstance(order, dict) and order["type"] == "finish":
                return


def _event(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"

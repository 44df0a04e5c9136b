"""A Kai on loopback that breaks as the message says, for trying the program by hand.

    python -m tests.backends.serve_faults [--service agent|assistant]

prints how to start kai-tui against it. Then send the name of a fault (`faults` lists them), or `ok`.
`refuse` makes every further request a 401, until another token is used.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from typing import Any

from tests.backends.fault_server import BY_NAME, CHAT_POST, END, TEXT, FaultServer, event
from tests.backends.kai_server import Exchange, Handler, answer, stream, stream_then

TOKEN = "42-100-TokenOfTheFaultServer"
HELD = ("hold", "wait", "call")
"""Beside the faults: silence after some words, a 429 with 20 s, half of a tool call."""


class Broken:
    """What the server does now."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.refused: set[str] = set()
        self.chats: dict[str, list[dict[str, Any]]] = {}
        self.waited: set[str] = set()

    async def chat(self, exchange: Exchange) -> None:
        body = exchange.seen.body
        text = body["message"]["parts"][0]["text"].strip()
        token = exchange.seen.headers.get("x-storageapi-token", "")
        print(f"POST {text!r} from {token[:7]}…", flush=True)
        if text == "refuse":
            self.refused.add(token)
        if token in self.refused:
            await answer(401, {"code": "unauthorized:chat", "message": "expired"})(exchange)
            return
        kept = self.chats.setdefault(body["id"], [])
        handler = self._handler(text, body["message"]["id"])
        if text not in ("429", "wait") or body["message"]["id"] not in self.waited:
            kept.append(body["message"])
        await handler(exchange)

    def _handler(self, text: str, message_id: str) -> Handler:
        if text == "wait" and message_id not in self.waited:
            self.waited.add(message_id)
            return answer(429, {"code": "rate_limit:chat", "message": "Too many"}, {"retry-after": "20"})
        if text == "hold":
            return stream_then(TEXT, "hold")
        if text == "call":
            call = event(type="tool-input-start", toolCallId="c1", toolName="query_data")
            return stream_then(
                TEXT + call + event(type="tool-input-delta", toolCallId="c1", inputTextDelta="{"), "cut"
            )
        if text == "faults":
            lines = "".join(f"- {name}\n" for name in (*HELD, *BY_NAME))
            return stream(TEXT + event(type="text-delta", id="0", delta=f"\n\n{lines}") + END)
        return BY_NAME[text].handler if text in BY_NAME else stream(TEXT + END)

    def guarded(self, handler: Handler) -> Handler:
        async def checked(exchange: Exchange) -> None:
            if exchange.seen.headers.get("x-storageapi-token", "") in self.refused:
                await answer(401, {"code": "unauthorized:api", "message": "expired"})(exchange)
            else:
                await handler(exchange)

        return checked

    async def read(self, exchange: Exchange) -> None:
        chat_id = exchange.seen.path.rpartition("/")[2]
        found = self.chats.get(chat_id)
        if found is None:
            await answer(404, {"code": "not_found:chat", "message": "Not found"})(exchange)
        else:
            await answer(200, {"id": chat_id, "title": "Faults", "messages": found})(exchange)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--service", choices=("agent", "assistant"), default="agent")
    service = parser.parse_args().service
    async with FaultServer() as server:
        broken = Broken(server)
        routes: dict[str, Any] = {
            "GET /ping": {"timestamp": "2026-11-21T10:00:00.000Z"},
            "GET /api": {"timestamp": "2026-11-21T10:00:00.000Z", "uptime": 1, "appName": "faults",
                         "appVersion": "1", "serverVersion": "1", "connectedMcp": []},
            "GET /api/history": {"chats": [], "hasMore": False},
            "GET /api/settings/tools": {"tools": []},
            "GET /api/usage": {"messagesUsed": 42, "messagesLimit": 150, "resetDate": "2026-12-01T00:00:00.000Z"},
            "GET /v2/storage": {"services": [{"id": f"kai-{service}", "url": server.url}]},
        }  # fmt: skip
        for call, body in routes.items():
            server.on(call, broken.guarded(answer(200, body)) if "/api" in call else answer(200, body))
        who = {"isMasterToken": True, "owner": {"id": 42, "name": "Fault project"}}
        server.on("GET /v2/storage/tokens/verify", answer(200, who))
        server.on(CHAT_POST, broken.chat)
        read = broken.guarded(broken.read)
        server.otherwise = lambda seen: read  # type: ignore[method-assign]
        env = {"STORAGE_API_TOKEN": TOKEN, "STORAGE_API_URL": server.url, "KAI_SERVICE": service}
        print(json.dumps({"base_url": server.url, "env": env}), flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())

"""The vendor's own response classes behind uvicorn, as a FastAPI server has them: heartbeats, crashes, hanging up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kai_tui.conversation.events import TextDelta
from tests.backends.assistant_ui.kit import THREAD, backend, says, sent
from tests.backends.kai_server import TIMEOUT

stream = pytest.importorskip(
    "assistant_stream", reason="requirements.lock is newer than this .venv: run make test"
)
from assistant_stream.serialization.assistant_transport import AssistantTransportResponse  # noqa: E402
from assistant_stream.serialization.data_stream import DataStreamResponse  # noqa: E402
from assistant_stream.serialization.openai_stream import OpenAIStreamResponse  # noqa: E402

RESPONSES = {
    "data": DataStreamResponse,
    "transport": AssistantTransportResponse,
    "openai": OpenAIStreamResponse,
}


class Host:
    """One chat route; what it says is `run`."""

    def __init__(self, fmt: str) -> None:
        self.fmt = fmt
        self.heard = asyncio.Event()
        self.given_up = asyncio.Event()

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        word = body["commands"][0]["message"]["parts"][0]["text"]
        return RESPONSES[self.fmt](
            stream.create_run(lambda rc: self.run(rc, word), state=body["state"]), heartbeat=0.02
        )

    async def run(self, rc: Any, word: str) -> None:
        rc.append_text("One ")
        self.heard.set()
        if word == "crash":
            raise RuntimeError("model exploded")
        if word == "slow":
            try:
                await asyncio.sleep(1000)
            finally:
                self.given_up.set()
        await asyncio.sleep(0.1)  # heartbeats come meanwhile
        rc.append_text("two.")


@asynccontextmanager
async def hosted(fmt: str) -> AsyncIterator[tuple[Host, str]]:
    host = Host(fmt)
    app = Starlette(routes=[Route("/api/chat", host.chat, methods=["POST"])])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[method-assign,attr-defined]
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with asyncio.timeout(TIMEOUT):
                while not server.started:
                    await asyncio.sleep(0.005)
            yield host, f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@pytest.mark.parametrize("fmt", RESPONSES)
async def test_a_reply_with_heartbeats_a_crash_and_hanging_up(fmt: str):
    async with hosted(fmt) as (host, url):
        client = backend(url)
        turn = await sent(client, "hello")
        assert turn.text == "One two."
        assert turn.message.faults == []
        crashed = await sent(client, "crash")
        assert crashed.text == "One "
        # The OpenAI encoding has no word for errors: the connection breaks, which is all one can say.
        assert crashed.reason == ("lost" if fmt == "openai" else "error")
        async with asyncio.timeout(TIMEOUT):
            events = client.send(THREAD, says("slow"))
            async for event in events:
                if isinstance(event, TextDelta):
                    break
            await events.aclose()
            await host.given_up.wait()
            await client.aclose()

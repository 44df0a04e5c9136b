"""A workspace over a real door at a server that fails as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from kai_tui.backends.http import Timeouts
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.services.account import Account
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from kai_tui.ui.transcript.document import Document
from kai_tui.ui.transcript.items import Surroundings
from kai_tui.ui.transcript.renderers.activity import activity_text
from kai_tui.ui.transcript.styles import plain_palette
from tests.backends.fault_server import (
    CHAT_POST,
    FaultServer,
)
from tests.backends.kai_server import Exchange, Hangup, answer
from tests.services.scripted_backend import until
from tests.ui.transcript.chat_source import lines_of

Flavour: TypeAlias = Literal["agent", "assistant"]
FLAVOURS: tuple[Flavour, ...] = ("agent", "assistant")
Back: TypeAlias = Literal["nothing", "question", "answer", "away"]
"""What the chat holds when it is read back: not there, the message alone, with an answer, unreadable."""
CANARY = "1234-567890-canaryCanaryCanaryCanary"
PROJECT = Account("p", "kai", "Project", "https://kai.test", "https://connection.test", token_from="memory")
AT_ONCE = Timeouts(pauses=(0.0, 0.0))
SHORT = Timeouts(connect=0.2, read=0.2, stream=0.2, pauses=(0.0, 0.0))
TOOLS = {
    "tools": [{"name": "create_bucket", "isReadOnly": False}, {"name": "query_data", "isReadOnly": True}]
}


class Stopped:
    """Monotonic seconds that pass only when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    """One user at a server that breaks."""

    server: FaultServer
    flavour: Flavour
    folder: Path
    clock: Stopped = field(default_factory=Stopped)
    opened: list[Workspace] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    back: Back = "nothing"

    def enter(
        self, url: str | None = None, *, timeouts: Timeouts = AT_ONCE, silence: float = 600.0
    ) -> ChatSession:
        """Start the program and a new chat; its chat can be read back as `back` says."""

        async def open_backend() -> KaiBackend:
            return KaiBackend(
                url or self.server.url,
                storage_url="https://connection.test",
                token=Secret(CANARY),
                service=self.flavour,
                timeouts=timeouts,
                silence=silence,
            )

        files = AccountFiles(lambda: (self.folder / "state.sqlite", self.folder / "cache.sqlite"))
        self.keeper = DiskKeeper(files)
        workspace = Workspace(PROJECT, open_backend, self.keeper, clock=self.clock)
        self.opened.append(workspace)
        self.server.on("GET /api/settings/tools", answer(200, TOOLS))
        session = workspace.chats.new_chat()
        session.set_watched(True)
        self.hear(session)
        self.server.on(f"GET /api/chat/{session.chat_id}", self._read_back)
        return session

    def hear(self, session: ChatSession) -> None:
        session.observe(
            lambda change: self.said.append(change.sentence) if isinstance(change, Notice) else None
        )

    async def reopen(self, session: ChatSession) -> ChatSession:
        """Quit, start again, open the same chat."""
        await self.opened[-1].aclose()
        self.enter()
        found = await self.opened[-1].chats.open_chat(session.chat_id)
        self.hear(found)
        return found

    async def _read_back(self, exchange: Exchange) -> None:
        posts = self.server.calls(CHAT_POST)
        if self.back == "away":
            raise Hangup
        if self.back == "nothing" or not posts:
            await answer(404, {"code": "not_found:chat", "message": "Not found"})(exchange)
            return
        messages = [posts[0].body["message"]]
        if self.back == "answer":
            parts = [{"type": "text", "text": "Two words, and more. And the rest."}]
            messages.append({"id": "m1", "role": "assistant", "parts": parts})
        await answer(200, {"id": exchange.seen.path.rpartition("/")[2], "title": "T", "messages": messages})(
            exchange
        )

    async def outbox(self, session: ChatSession) -> list[str]:
        """States of the messages that wait on disk, after all that is on its way there."""
        await until(lambda: not session._background)
        rows = await self.keeper._outbox(session.chat_id)
        return [row.state for row in rows]

    def pass_time(self, session: ChatSession, seconds: float) -> None:
        self.clock.now += seconds
        session.beat()


@pytest.fixture(params=FLAVOURS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with FaultServer() as server:
        made = House(server, request.param, tmp_path)
        yield made
        for workspace in made.opened:
            await workspace.aclose()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    assert left == []


def screen(session: ChatSession, clock: Callable[[], float]) -> str:
    """The conversation as the transcript shows it, as running text."""
    around = Surroundings(session, clock)
    document = Document(around, plain_palette())
    document.set_width(400)
    document.load(session.messages)
    lines = [*lines_of(document), activity_text(around, "Kai") or ""]
    return "\n".join(line.replace("▌", " ").strip() for line in lines if line.strip())


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished")

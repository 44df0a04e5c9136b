"""A reply that broke off is taken up again when the user looks: in its place, never with less than there was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.assistant_ui.client import AssistantUiBackend
from kai_tui.backends.assistant_ui.config import AssistantUiConfig
from kai_tui.backends.base import Backend
from kai_tui.services.account import Account
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import Paths, account_files
from tests.backends.assistant_ui.kit import AT_ONCE, AUTH
from tests.backends.kai_server import Exchange, Hangup, answer
from tests.fakes.assistant_ui import FakeAssistantUi
from tests.services.scripted_backend import until

POST, GET = "POST /api/chat", "GET /api/resumable/r1"
HALF, WHOLE = b'0:"One "\n0:"two "\n', b'0:"One "\n0:"two "\n0:"three"\n'
HEADERS = {"content-type": "text/plain", "x-resumable-stream-id": "r1"}


def half(body: bytes = HALF) -> Any:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(HEADERS)
        await exchange.write(body)
        raise Hangup

    return handler


async def whole(exchange: Exchange) -> None:
    await exchange.start(HEADERS)
    await exchange.write(WHOLE + b'd:{"finishReason":"stop"}\n')


@pytest.fixture
async def server() -> AsyncIterator[FakeAssistantUi]:
    async with FakeAssistantUi() as running:
        running.on(POST, half())
        running.on(GET, half())
        yield running


@asynccontextmanager
async def entered(
    server: FakeAssistantUi, folder: Path, notices: list[str], *, path: str | None = "/api/resumable"
) -> AsyncIterator[Workspace]:
    keeper = DiskKeeper(account_files(Paths(folder, folder, folder, folder), "a"))

    async def open_backend() -> Backend:
        config = AssistantUiConfig(server.url, headers=AUTH, resume_path=path)
        return AssistantUiBackend(config, chats=keeper.local_chats, timeouts=AT_ONCE)

    workspace = Workspace(Account("a", "assistant-ui", "Mine"), open_backend, keeper)
    workspace.chats.hear(
        lambda session, change: notices.append(change.sentence) if isinstance(change, Notice) else None
    )
    workspace.connect()
    await until(lambda: workspace.connection.state == "connected", 20)
    try:
        yield workspace
    finally:
        await workspace.aclose()


async def broken(workspace: Workspace) -> ChatSession:
    session = workspace.chats.new_chat()
    session.send("Hello")
    await over(session)
    assert said(session) == ["Hello", "One two "]
    return session


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished", 20)


async def looked(session: ChatSession) -> None:
    session.look_again()
    await over(session)


def said(session: ChatSession) -> list[str]:
    return [message.text for message in session.messages]


def ended(session: ChatSession) -> str | None:
    finish = session.messages[-1].finish
    return finish.reason if finish is not None else None


async def test_a_look_brings_the_rest_in_the_same_place(server: FakeAssistantUi, tmp_path: Path):
    notices: list[str] = []
    async with entered(server, tmp_path, notices) as workspace:
        session = await broken(workspace)
        before = session.messages[-1].id
        server.on(GET, whole)
        await looked(session)
        assert (said(session), ended(session)) == (["Hello", "One two three"], "stop")
        assert session.messages[-1].id == before
        chat_id = session.chat_id
        await looked(session)
        assert "did not break off" in notices[-1]
    async with entered(server, tmp_path, notices) as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert said(again) == ["Hello", "One two three"]
    assert len(server.calls(POST)) == 1


async def test_a_reply_of_an_earlier_run_is_taken_up(server: FakeAssistantUi, tmp_path: Path):
    async with entered(server, tmp_path, []) as workspace:
        chat_id = (await broken(workspace)).chat_id
    server.on(GET, whole)
    async with entered(server, tmp_path, []) as workspace:
        session = await workspace.chats.open_chat(chat_id)
        assert (said(session), ended(session)) == (["Hello", "One two "], "lost")
        await looked(session)
        assert (said(session), ended(session)) == (["Hello", "One two three"], "stop")
    assert len(server.calls(POST)) == 1


async def test_what_came_stays_while_less_comes(server: FakeAssistantUi, tmp_path: Path):
    notices: list[str] = []
    async with entered(server, tmp_path, notices) as workspace:
        session = await broken(workspace)
        server.on(GET, half(b'0:"One "\n'))
        await looked(session)
        await until(lambda: "No more of the reply came" in "".join(notices))
        assert (said(session), ended(session)) == (["Hello", "One two "], "lost")
        server.on(GET, answer(404, {"error": "stream not found"}))
        await looked(session)
        assert "was not taken up again" in notices[-1]
        assert "no longer keeps this reply" in notices[-1]
        assert (said(session), ended(session)) == (["Hello", "One two "], "lost")


async def test_a_shorter_reply_in_its_place_is_not_taken_for_it(server: FakeAssistantUi, tmp_path: Path):
    notices: list[str] = []
    async with entered(server, tmp_path, notices) as workspace:
        session = await broken(workspace)
        server.on(GET, answer(200, b'0:"One "\n', HEADERS))
        await looked(session)
        assert (said(session), ended(session)) == (["Hello", "One two "], "lost")
        await until(lambda: "No more of the reply came" in "".join(notices))


async def test_it_can_be_stopped_and_keeps_what_there_is(server: FakeAssistantUi, tmp_path: Path):
    reached = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await exchange.start(HEADERS)
        await exchange.write(b'0:"One "\n')
        reached.set()
        await exchange.until_hung_up()

    async with entered(server, tmp_path, []) as workspace:
        session = await broken(workspace)
        server.on(GET, slow)
        session.look_again()
        session.look_again()
        await until(reached.is_set)
        asked = len(server.calls(GET))
        session.stop()
        await over(session)
        assert (said(session), ended(session)) == (["Hello", "One two "], "lost")
        assert len(server.calls(GET)) == asked


async def test_without_a_path_it_says_why_not(server: FakeAssistantUi, tmp_path: Path):
    notices: list[str] = []
    async with entered(server, tmp_path, notices, path=None) as workspace:
        session = await broken(workspace)
        await looked(session)
        assert "nothing to look for" in notices[-1]
    assert server.calls(GET) == []

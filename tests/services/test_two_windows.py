"""Two windows of one account: what one of them reads, the other does not call cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kai_tui.backends.base import Chat, ChatSummary
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_attention import PROJECT

Open = Callable[[ScriptedBackend], Workspace]
QUESTION = Message.user("q", "How many?")


@pytest.fixture
async def window(tmp_path: Path) -> AsyncIterator[Open]:
    opened: list[Workspace] = []

    def make(backend: ScriptedBackend) -> Workspace:
        async def provide() -> ScriptedBackend:
            return backend

        files = AccountFiles(lambda: (tmp_path / "state.sqlite", tmp_path / "cache.sqlite"))
        opened.append(Workspace(PROJECT, provide, DiskKeeper(files)))
        return opened[-1]

    yield make
    for workspace in opened:
        await workspace.aclose()


def server(*steps: Step) -> ScriptedBackend:
    summary = ChatSummary("c", "Counting", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    return ScriptedBackend(stored={"c": Chat(summary, [QUESTION])}, replies=[list(steps)])


def on_server(backend: ScriptedBackend, *messages: Message) -> None:
    backend.stored["c"] = Chat(backend.stored["c"].summary, messages)


def answer(text: str) -> Message:
    return Message.from_wire({"id": "a", "role": "assistant", "parts": [{"type": "text", "text": text}]})


async def kept(workspace: Workspace, text: str, chat_id: str = "c") -> None:
    """Wait until the copy on disk has this text."""
    async with asyncio.timeout(20):
        while True:
            copy = await workspace._keeper.chat_copy(chat_id)
            if copy is not None and any(message.text == text for message in copy.messages):
                return
            await asyncio.sleep(0.02)


async def both(window: Open, backend: ScriptedBackend) -> tuple[Workspace, ChatSession, Workspace]:
    """The first window streams a reply; the second knows nothing yet."""
    first, second = window(backend), window(backend)
    await first._keeper.ready()
    await second._keeper.ready()
    session = await first.chats.open_chat("c")
    session.send("again")
    backend_sent = backend.posts
    await until(lambda: backend_sent and session.last_assistant_message is not None)
    asked = Message.user(backend_sent[0].message_id, "again")
    on_server(backend, QUESTION, asked)
    await kept(first, "One, two")
    return first, session, second


def last(session: ChatSession) -> tuple[str, str | None]:
    message = session.messages[-1]
    return message.text, message.finish.reason if message.finish is not None else None


async def test_a_reply_of_another_window_is_not_cut_off_and_is_read_again(window: Open) -> None:
    gate = asyncio.Event()
    more = (e.Start("a"), e.TextStart("t"), e.TextDelta("t", "One, two"), gate, e.TextDelta("t", ", three"))
    backend = server(*more, e.Finish("stop"))
    first, writer, second = await both(window, backend)
    reader = await second.chats.open_chat("c")
    assert last(reader) == ("One, two", "elsewhere")
    assert second.chats.is_behind("c")

    # Opening it there took nothing from the first window: it goes on keeping what comes.
    gate.set()
    await until(lambda: not writer.turn.busy)
    await kept(first, "One, two, three")
    on_server(backend, *backend.stored["c"].messages, answer("One, two, three"))
    assert await second.chats.open_chat("c") is reader
    assert last(reader) == ("One, two, three", None)
    assert not second.chats.is_behind("c")


async def test_the_server_having_some_of_it_does_not_make_it_whole(window: Open) -> None:
    gate = asyncio.Event()
    backend = server(e.Start("a"), e.TextStart("t"), e.TextDelta("t", "One, two"), gate, e.Finish("stop"))
    _, _, second = await both(window, backend)
    on_server(backend, *backend.stored["c"].messages, answer("One, two, three, fo"))
    reader = await second.chats.open_chat("c")
    assert last(reader) == ("One, two, three, fo", "elsewhere")


async def test_a_reply_whose_window_died_is_cut_off(window: Open) -> None:
    gate = asyncio.Event()
    backend = server(e.Start("a"), e.TextStart("t"), e.TextDelta("t", "One, two"), gate, e.Finish("stop"))
    first, _, second = await both(window, backend)
    reader = await second.chats.open_chat("c")
    assert last(reader) == ("One, two", "elsewhere")
    first._keeper._presence.leave()  # as the system does when a process is killed
    await second.chats.open_chat("c")
    assert last(reader) == ("One, two", "lost")
    assert not second.chats.is_behind("c")


async def test_a_chat_just_begun_in_another_window_is_not_called_gone(window: Open) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(
        replies=[[e.Start("a"), e.TextStart("t"), e.TextDelta("t", "One, two"), gate, e.Finish("stop")]]
    )
    first, second = window(backend), window(backend)
    await first._keeper.ready()
    await second._keeper.ready()
    session = first.chats.new_chat()
    session.send("count")
    await until(lambda: session.last_assistant_message is not None)
    await kept(first, "One, two", session.chat_id)
    await second.history.refresh()  # the server's list does not have it
    reader = await second.chats.open_chat(session.chat_id)
    assert last(reader) == ("One, two", "elsewhere")
    assert not reader.gone
    gate.set()
    await until(lambda: not session.turn.busy)

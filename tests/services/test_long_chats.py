"""A chat of 10,000 messages over a real SQLite file: opened, read back and kept without being read (issue 6, Long)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from kai_tui.backends.base import CannotConnect, Chat, ChatSummary
from kai_tui.backends.http_answer import Answer
from kai_tui.backends.kai.long_chats import read_chat
from kai_tui.conversation.kept_message import KeptMessage, RecentlyRead, kept_of
from kai_tui.conversation.messages import Message
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.storage.paths import AccountFiles
from tests.services.scripted_backend import ScriptedBackend, until
from tests.services.test_history_and_chats import open_workspace as open_workspace

COUNT = 10_000


def wire(number: int, text: str | None = None) -> dict[str, Any]:
    asks = number % 2 == 0
    parts: list[dict[str, Any]] = [{"type": "text", "text": text or f"Number {number}. " + "Words. " * 20}]
    if number % 10 == 1:
        call = {"type": "tool-query_data", "toolCallId": f"c{number}", "state": "output-available"}
        parts.insert(0, {**call, "input": {"sql": "SELECT 1"}, "output": {"rows": [number]}})
    return {
        "id": f"m{number}",
        "role": "user" if asks else "assistant",
        "parts": parts,
        "metadata": {"n": number},
    }


def read(count: int, **changed: str) -> tuple[list[Message], RecentlyRead]:
    """As a server's answer is read."""
    recent = RecentlyRead()
    return [kept_of(wire(number, changed.get(f"m{number}")), recent) for number in range(count)], recent


@dataclass
class Long(ScriptedBackend):
    """Has one chat."""

    messages: Sequence[Message] = field(default_factory=list[Message])

    async def chat(self, chat_id: str) -> Chat:
        if self.chat_error is not None:
            raise self.chat_error
        return Chat(ChatSummary(chat_id, "Long"), self.messages)


async def test_opening_reads_no_message(open_workspace) -> None:
    messages, recent = read(COUNT)
    workspace = open_workspace(Long(messages=messages))
    session = await workspace.chats.open_chat("c")
    assert len(session.messages) == COUNT
    assert all(isinstance(each, KeptMessage) for each in session.messages)
    assert recent.reads < 10
    session.know_rules({"c9991": "A rule."})
    assert recent.reads < 20
    assert session.find("m77") is session.messages[77]


async def test_the_copy_stays_the_same_objects_when_the_server_says_the_same(open_workspace) -> None:
    first = open_workspace(Long(messages=read(COUNT)[0]))
    await first.chats.open_chat("c")
    await first.aclose()
    theirs, recent = read(COUNT, m5000="changed")
    again = open_workspace(Long(messages=theirs))
    tail = await again.chats.glimpse("c", newest=60)
    assert tail is not None
    assert [each.id for each in tail.messages] == [f"m{number}" for number in range(COUNT - 60, COUNT)]
    seen = await again.chats.glimpse("c")
    assert seen is not None
    assert list(seen.messages[-60:]) == list(tail.messages)
    session = await again.chats.open_chat("c")
    assert [number for number, each in enumerate(session.messages) if each is not seen.messages[number]] == [
        5000
    ]
    assert session.messages[5000].text == "changed"
    assert recent.reads < 10
    assert seen.messages[0].recent.reads < 10 if isinstance(seen.messages[0], KeptMessage) else False


async def test_without_the_server_the_copy_opens_whatever_a_row_says(open_workspace, tmp_path: Path) -> None:
    first = open_workspace(Long(messages=read(50)[0]))
    await first.chats.open_chat("c")
    await first.aclose()
    with sqlite3.connect(tmp_path / "cache.sqlite") as other:
        for number, odd in enumerate(
            ["nothing", "[]", '{"id":"m2","role":"wizard"}', b"\x00\xff", '{"id":"m4"}']
        ):
            other.execute("UPDATE messages SET wire = ? WHERE id = ?", (odd, f"m{number}"))
    other.close()
    again = open_workspace(Long(chat_error=CannotConnect("No network.")))
    session = await again.chats.open_chat("c")
    assert [each.id for each in session.messages] == ["m2", "m4", *(f"m{number}" for number in range(5, 50))]
    assert session.messages[0].role == "assistant"


async def test_a_turn_in_a_long_chat_keeps_all_of_it(open_workspace, tmp_path: Path) -> None:
    messages, _ = read(2_000)
    workspace = open_workspace(Long(messages=messages))
    session = await workspace.chats.open_chat("c")
    session.send("more")
    await until(lambda: not session.turn.busy)
    await workspace.aclose()
    files = AccountFiles(lambda: (tmp_path / "state.sqlite", tmp_path / "cache.sqlite"))
    keeper = DiskKeeper(files)
    copy = await keeper.chat_copy("c")
    await keeper.aclose()
    assert copy is not None
    assert [each.id for each in copy.messages[:2_000]] == [each.id for each in messages]
    assert copy.messages[1_234].to_wire() == Message.from_wire(wire(1_234)).to_wire()


async def test_a_long_answer_of_a_server_is_read_as_a_short_one_is() -> None:
    rows = [wire(number) for number in range(600)]
    body = httpx.Response(
        200, json={"id": "c", "title": "Long", "messages": [*rows, 5, None, {"parts": "odd"}]}
    )
    long = Answer(200, "application/json", body.content, "kai.test")
    head, messages = await read_chat(long)
    assert len(long.content) > 64 * 1024
    assert head == {"id": "c", "title": "Long"}
    assert [each.to_wire() for each in messages] == [
        Message.from_wire(row).to_wire() for row in [*rows, {"parts": "odd"}]
    ]

"""Reading a chat of any length: a long one in a thread, row by row, into messages that stay text (kai.md §4.5)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from kai_tui.conversation.json_text import BadJson

if TYPE_CHECKING:
    from kai_tui.backends.http_answer import Answer
    from kai_tui.conversation.events import JsonObject
    from kai_tui.conversation.messages import Message

LONG = 64 * 1024
"""Bytes from which an answer is read in a thread: shorter ones take about 2 ms."""
_PAUSE = 0.0003
"""Seconds in which the screen gets its turn, once a millisecond."""


async def read_chat(answer: Answer) -> tuple[JsonObject, list[Message]]:
    """The answer without its messages, and these. Raises UnexpectedAnswer for what is no JSON."""
    if len(answer.content) < LONG:
        return _whole(answer)
    return await asyncio.to_thread(_long, answer)


def _whole(answer: Answer) -> tuple[JsonObject, list[Message]]:
    from kai_tui.conversation.kept_message import RecentlyRead, kept_of

    body = answer.json()
    if not isinstance(body, dict):
        return body, []  # whoever reads the head says what is wrong with it
    head = dict(cast("JsonObject", body))
    rows = head.get("messages")
    if not isinstance(rows, list):
        return head, []
    del head["messages"]
    recent = RecentlyRead()
    found = [cast("JsonObject", row) for row in cast("list[Any]", rows) if isinstance(row, dict)]
    return head, [kept_of(row, recent) for row in found]


def _long(answer: Answer) -> tuple[JsonObject, list[Message]]:
    from kai_tui.conversation.kept_message import RecentlyRead, kept_of
    from kai_tui.conversation.long_json import read_rows

    recent = RecentlyRead()
    messages: list[Message] = []

    def take(row: Any) -> None:
        if isinstance(row, dict):
            messages.append(kept_of(cast("JsonObject", row), recent))

    try:
        head = read_rows(answer.content, "messages", take, lambda: time.sleep(_PAUSE))
    except BadJson:
        return _whole(answer)  # odd, or wrong: said, or read, as in short ones
    return head, messages

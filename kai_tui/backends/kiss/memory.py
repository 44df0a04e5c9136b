"""Earlier turns put in front of a question, for a server that remembers nothing (kiss-ai-stack.md §4). Off by default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kai_tui.conversation.messages import Message

MAX_EARLIER: Final = 12_000
"""Characters of earlier turns; the oldest are left out first."""
_MAX_TURN: Final = 4_000
_NAMES: Final = {"user": "User", "assistant": "Assistant"}


def with_earlier(text: str, earlier: Sequence[Message]) -> str:
    """The question with as many of the latest earlier turns before it as fit; just the question when there are none.

    Turns without text, and answers that broke off, are left out.
    """
    kept: list[str] = []
    room = MAX_EARLIER
    for message in reversed(earlier):
        name = _NAMES.get(message.role)
        said = message.text.strip()
        if name is None or not said or _broke_off(message):
            continue
        if len(said) > _MAX_TURN:
            said = f"{said[:_MAX_TURN]}…"
        line = f"{name}: {said}"
        if len(line) > room:
            break
        room -= len(line)
        kept.append(line)
    if not kept:
        return text
    return "\n\n".join(("Earlier in this conversation:", *reversed(kept), "Now answer this:", text))


def _broke_off(message: Message) -> bool:
    return message.finish is not None and message.finish.reason in ("lost", "error", "cancelled")

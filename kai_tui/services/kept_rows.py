"""Rows of the store as the services know them; pure. Light on purpose: needed before the first paint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kai_tui.backends.base import ChatSummary
    from kai_tui.conversation.events import Finish, FinishReason, JsonObject
    from kai_tui.conversation.messages import Message
    from kai_tui.storage.chats import CachedChat, MessageText

_ENDED: Mapping[str, FinishReason] = {
    "elsewhere": "elsewhere",
    "streaming": "lost",
    "cut-off": "lost",
    "stopped": "cancelled",
    "failed": "error",
}
_REASONS: frozenset[str] = frozenset(
    ("stop", "length", "content-filter", "tool-calls", "error", "other", "unknown", "cancelled", "lost")
)


_AT_ONCE = 1_000
"""Messages after which others get their turn."""


def cached_of(row: ChatSummary) -> CachedChat:
    """As it is kept."""
    from kai_tui.storage.chats import CachedChat

    return CachedChat(row.id, row.title, row.created_at, row.updated_at, row.visibility)


def summary_of(row: CachedChat) -> ChatSummary:
    """As it is shown."""
    from kai_tui.backends.base import ChatSummary

    return ChatSummary(row.id, row.title, row.created_at, row.updated_at, row.visibility)


def message_of(wire: JsonObject, state: str, ending: Mapping[str, Any] | None = None) -> Message:
    """A message as it was kept, with the mark of one that broke off (P8). `ending`: see `ending_of`."""
    from kai_tui.conversation.messages import Message

    message = Message.from_wire(wire)
    _mark(message, state)
    if ending:
        message.errors = _texts(ending.get("errors"))
        message.faults = _texts(ending.get("faults"))
        if state not in ("elsewhere", "streaming"):
            message.finish = _finish(ending) or message.finish
    return message


def copy_reader(known: Mapping[str, Message]) -> Callable[[bytes, str], Message | None]:
    """Makes messages of a chat's kept texts without reading them where that can wait. One that is `known`, by its
    id, and says the same comes out as it is; None for what is no message."""
    from kai_tui.conversation.kept_message import KeptMessage, RecentlyRead, kept

    recent = next((each.recent for each in known.values() if isinstance(each, KeptMessage)), None)
    recent = recent or RecentlyRead()

    def read(text: bytes, state: str) -> Message | None:
        message = kept(text, recent)
        if message is None:
            return None
        before = known.get(message.id)
        if (
            state == "complete"
            and before is not None
            and before.finish is None
            and isinstance(message, KeptMessage)
            and message.same_as(before)
        ):
            return before
        _mark(message, state)
        return message

    return read


def text_of(message: Message) -> MessageText:
    """As it is kept. Raises StorageError for what has no JSON."""
    from kai_tui.storage.chats import MessageText
    from kai_tui.storage.text import to_json

    return MessageText(message.id, to_json(message.to_wire()).encode())


async def texts_of(messages: Sequence[Message]) -> list[MessageText]:
    """Messages as they are kept; others get their turn meanwhile. Raises StorageError for what has no JSON."""
    import asyncio

    from kai_tui.conversation.kept_message import KeptMessage
    from kai_tui.storage.chats import MessageText

    found: list[MessageText] = []
    for number, message in enumerate(messages):
        if number % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
        text = message.text_now() if isinstance(message, KeptMessage) else None
        found.append(text_of(message) if text is None else MessageText(message.id, text))
    return found


def _mark(message: Message, state: str) -> None:
    """How it ended, as the file says."""
    from kai_tui.conversation.events import Finish

    reason = _ENDED.get(state)
    if reason is not None:
        message.finish = Finish(
            # The program ended, or the connection did: the file does not say.
            reason,
            detail="Its end was not seen here." if reason == "lost" else None,
        )


def ending_of(message: Message) -> JsonObject:
    """What is known of a message's end, as JSON."""
    ending: JsonObject = {}
    if message.errors:
        ending["errors"] = list(message.errors)
    if message.faults:
        ending["faults"] = list(message.faults)
    finish = message.finish
    if finish is not None:
        ending |= {
            "reason": finish.reason,
            "raw": finish.raw_reason,
            "detail": finish.detail,
            "stored": finish.stored,
        }
    return ending


def _finish(ending: Mapping[str, Any]) -> Finish | None:
    from kai_tui.conversation.events import Finish

    reason, raw, detail, stored = (ending.get(name) for name in ("reason", "raw", "detail", "stored"))
    if not isinstance(reason, str) or reason not in _REASONS:
        return None
    return Finish(
        cast("FinishReason", reason),
        raw if isinstance(raw, str) else None,
        detail=detail if isinstance(detail, str) else None,
        stored=stored if isinstance(stored, bool) else None,
    )


def _texts(value: object) -> list[str]:
    return (
        [each for each in cast("list[object]", value) if isinstance(each, str)]
        if isinstance(value, list)
        else []
    )

"""Rows of the store as the services know them; pure. Light on purpose: needed before the first paint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kai_tui.backends.base import ChatSummary
    from kai_tui.conversation.events import Finish, FinishReason, JsonObject
    from kai_tui.conversation.messages import Message
    from kai_tui.storage.chats import CachedChat

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
    from kai_tui.conversation.events import Finish
    from kai_tui.conversation.messages import Message

    message = Message.from_wire(wire)
    reason = _ENDED.get(state)
    if reason is not None:
        message.finish = Finish(
            # The program ended, or the connection did: the file does not say.
            reason,
            detail="Its end was not seen here." if reason == "lost" else None,
        )
    if ending:
        message.errors = _texts(ending.get("errors"))
        message.faults = _texts(ending.get("faults"))
        if state not in ("elsewhere", "streaming"):
            message.finish = _finish(ending) or message.finish
    return message


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

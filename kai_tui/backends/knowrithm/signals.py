"""What the event stream of a conversation says, whichever names a server has for it (knowrithm.md §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from kai_tui.backends.base import BackendError
from kai_tui.backends.knowrithm.tasks import DONE, FAILED, failure_of
from kai_tui.backends.knowrithm.wire import MessageRow, opened, text_of
from kai_tui.backends.tolerant import read_rows
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import BadJson, decode_json

NO_REASON: Final = "The agent could not answer; the server gives no reason."
_QUEUED: Final = frozenset({"queued", "pending", "accepted"})
_ANSWERS: Final = frozenset({"chat_response", "completed"})
_BEATS: Final = frozenset({"heartbeat", "ping", "connected", "keepalive", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Progress:
    """The question is being worked on."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer; without `row` it is there but has to be fetched."""

    row: MessageRow | None
    question: str = ""
    """The message it answers, when it was said."""


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no answer."""

    text: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class StreamOver:
    """The event stream ended or never was: others have to look."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Looking failed for good."""

    error: BackendError


Signal: TypeAlias = Progress | Answered | Failed | StreamOver | GaveUp


def progress_of(status: str) -> Progress:
    """A sentence for a state of the server's."""
    return Progress("Waiting in the queue…" if status.lower() in _QUEUED else "The agent is working…")


def signal_of(name: str, data: str, conversation_id: str) -> Signal | None:
    """What one event means for a conversation; None for heartbeats, other conversations and noise."""
    try:
        payload = opened(decode_json(data))
    except BadJson:
        return None
    if not isinstance(payload, dict):
        return None
    fields = cast("JsonObject", payload)
    if text_of(fields, "conversation_id") not in ("", conversation_id):
        return None
    kind, status = name.strip().lower(), text_of(fields, "status").lower()
    if kind in _BEATS:
        return None
    question = text_of(fields, "message_id")
    if kind == "failed" or status in FAILED:
        message = opened(fields.get("message"))
        said = failure_of({key: value for key, value in fields.items() if key != "message"}, "")
        return Failed(said or (message if isinstance(message, str) and message else NO_REASON), question)
    row = _message(fields)
    if kind in _ANSWERS or status in DONE or (row is not None and kind in ("message", "assistant_message")):
        if row is not None and not row.answers:
            return None  # the user's own, echoed
        if row is not None and row.id is not None and row.id == question:
            question = ""
        return Answered(row, question)
    return progress_of(status or kind) if status or kind != "message" else None


def _message(fields: JsonObject) -> MessageRow | None:
    """The answer in a payload: an object, JSON in a string, or just its text."""
    inner = opened(fields.get("message"))
    if isinstance(inner, str) and inner:
        return MessageRow(content=inner)
    candidates: list[Any] = [inner] if isinstance(inner, dict) else [fields] if "content" in fields else []
    return next(iter(read_rows(MessageRow, candidates)), None)

"""Work the server does later: what an acknowledgement and a task say, and how often to ask (knowrithm.md §4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal, TypeAlias, cast

from kai_tui.backends.http_answer import Answer
from kai_tui.backends.knowrithm.address import own_path
from kai_tui.backends.knowrithm.wire import objects, opened
from kai_tui.backends.refusals import one_line
from kai_tui.conversation.events import JsonObject

TaskState: TypeAlias = Literal["running", "done", "failed"]

DONE: Final = frozenset({"completed", "success", "succeeded", "finished", "done"})
FAILED: Final = frozenset(
    {"failed", "failure", "error", "rejected", "cancelled", "canceled", "timeout", "revoked"}
)
_ACCEPTED: Final = frozenset({"accepted", "queued", "pending"})
_LONGEST_HINT: Final = 60.0
"""Seconds; a server cannot make us look less often than this."""
_SHORTEST_HINT: Final = 0.1
_DURATIONS: Final = (
    "retry_after", "retry_after_seconds", "retry_after_ms", "poll_after", "poll_after_seconds", "poll_after_ms",
    "poll_in", "poll_interval", "refresh_in", "wait_for", "wait_for_seconds", "wait_for_ms", "next_poll_in",
)  # fmt: skip
_MOMENTS: Final = ("retry_at", "next_poll_at", "eta", "available_at", "scheduled_for")
_INSIDE: Final = ("meta", "metadata", "details", "info")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks, and the patience in all."""

    first: float = 1.5
    factor: float = 1.5
    give_up: float = 180.0
    """Without any news."""
    messages: float = 1.0
    """Between looks at the messages, where there is no task to ask."""
    beside_stream: float = 10.0
    """Before the first look while an event stream is open: it tells by itself as a rule."""
    opening: float = 2.0
    """How long a message waits for its event stream to be opened."""

    @property
    def slowest(self) -> float:
        return max(self.first * 6, self.first + 10)

    def after(self, pause: float) -> float:
        """The pause that follows this one."""
        return min(self.slowest, pause * self.factor)


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement: the work was taken, its outcome comes later."""

    task_path: str | None
    """Where to ask for the task; None when only the messages tell."""
    task_id: str
    stream_path: str | None
    """Where the server wants its event stream to be read."""
    message_id: str
    """The stored message of the user; empty when it was not named."""
    conversation_id: str


def ack_of(body: Any, base_url: str) -> Ack | None:
    """The acknowledgement in a reply; None when the reply is the outcome itself."""
    if not isinstance(body, dict):
        return None
    fields = cast("JsonObject", body)
    named = fields.get("status_url") or fields.get("poll_url")
    task_id = _text(fields.get("task_id"))
    if not (named or task_id) or _text(fields.get("status")).lower() not in _ACCEPTED:
        return None
    path = own_path(named, base_url)
    if path is not None and path.partition("?")[0].endswith("/messages"):
        path = None  # the trap of §5: a message list, no task
    if path is None and task_id:
        path = own_path(f"/v1/tasks/{task_id}/status", base_url)
    stream = next(
        (fields[name] for name in ("stream_url", "sse_url", "socket_url") if fields.get(name)), None
    )
    return Ack(
        path,
        task_id,
        own_path(stream, base_url),
        _text(fields.get("message_id")),
        _text(fields.get("conversation_id")),
    )


def state_of(body: Any) -> TaskState:
    """What became of a task; anything unknown, or nothing at all, means that it goes on."""
    if not isinstance(body, dict):
        return "running"
    fields = cast("JsonObject", body)
    word = (_text(fields.get("status")) or _text(fields.get("state"))).lower()
    return "done" if word in DONE else "failed" if word in FAILED else "running"


def news_of(body: Any) -> tuple[str, str]:
    """What changes while a task goes on: its state and its progress."""
    fields = cast("JsonObject", body) if isinstance(body, dict) else {}
    return _text(fields.get("status")) or _text(fields.get("state")), str(fields.get("progress"))[:40]


def result_of(body: JsonObject) -> Any:
    """The outcome of a task that is done."""
    for name in ("result", "data", "response"):
        if body.get(name) is not None:
            return opened(body[name])
    return body


def failure_of(body: Any, default: str) -> str:
    """Why something failed, in the server's words (foreign, one line)."""
    for fields in objects(body):
        error = fields.get("error")
        if isinstance(error, dict):
            inner = cast("JsonObject", error)
            said, code = _text(inner.get("message")), _text(inner.get("code"))
            if said:
                return one_line(f"{said} ({code})" if code else said)
        for name in ("error", "detail", "message"):
            said = _text(fields.get(name))
            if said:
                return one_line(said)
    return default


def hint_of(body: Any, answer: Answer | None = None, *, now: datetime | None = None) -> float | None:
    """Seconds the server asks to wait before the next look: the largest of all its hints; None without any."""
    found = [answer.retry_after] if answer is not None and answer.retry_after is not None else []
    for fields in _places(body):
        for name in _DURATIONS:
            seconds = _number(fields.get(name))
            if seconds is not None:
                found.append(seconds / 1000 if name.endswith("_ms") else seconds)
        for name in _MOMENTS:
            moment = _moment(fields.get(name))
            if moment is not None:
                found.append((moment - (now or datetime.now(UTC))).total_seconds())
    return min(max(*found, _SHORTEST_HINT), _LONGEST_HINT) if found else None


def _places(body: Any) -> Iterator[JsonObject]:
    if not isinstance(body, dict):
        return
    fields = cast("JsonObject", body)
    yield fields
    for name in _INSIDE:
        inner = fields.get(name)
        if isinstance(inner, dict):
            yield cast("JsonObject", inner)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found < 1e9 else None


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str) or not value.strip() or len(value) > 60:
            return None
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            found = parsedate_to_datetime(value)
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""

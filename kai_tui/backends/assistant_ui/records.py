"""What the data stream and the assistant transport have in common: steps, ends, errors, data, state (§7, §8, §11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, cast

from kai_tui.backends.assistant_ui.parts import BlockKind, PartWriter, file_part, source_part
from kai_tui.backends.assistant_ui.state_view import StateView
from kai_tui.conversation.chunks import UNKNOWN_ERROR, finish_reason, usage_of
from kai_tui.conversation.events import (
    Data,
    Error,
    Event,
    Finish,
    FinishStep,
    JsonObject,
    Skipped,
    Start,
    StartStep,
    Status,
    UsageSource,
)

_STATUS_FIELDS: Final = ("status", "message", "text", "label", "title")
_ONLY_DATA: Final = (
    "The server answered only with data of its own application, which this program cannot show."
    " It is kept for the next message."
)


class Records:
    """One reply's records as events. The words they use are those of the data stream."""

    def __init__(self, writer: PartWriter, view: StateView) -> None:
        self.writer = writer
        self._view = view
        self._reason: str | None = None
        self._started = False
        self._said: list[str] = []
        self._parts = False
        self.failed: str | None = None
        """The first error the server named."""
        self.ended = False
        """Whether the record of the end came, as far as the encoding has one."""

    # Parts

    def prose(self, kind: BlockKind, delta: Any, parent: str | None = None) -> list[Event]:
        """A piece of text or reasoning without an address."""
        if not isinstance(delta, str):
            return [Skipped(f"{kind} without text", delta)]
        self.speaks(delta if kind == "text" else "")
        return self.writer.append(kind, delta, parent)

    def speaks(self, text: str = "") -> None:
        """Text or a call comes as a part: a state besides says the same."""
        self._parts = True
        self._view.others_speak(prose=True)
        if text:
            self._said.append(text)

    def source(self, fields: JsonObject) -> list[Event]:
        """A source (`h`)."""
        part = source_part(fields)
        return [Skipped("a source without an address", fields)] if part is None else self._whole(part, fields)

    def file(self, fields: JsonObject) -> list[Event]:
        """A file (`k`)."""
        data, media_type = fields.get("data"), fields.get("mimeType")
        if not isinstance(data, str):
            return [Skipped("a file without content", fields)]
        kind = media_type if isinstance(media_type, str) else "application/octet-stream"
        return self._whole(file_part(data, kind), fields)

    def named_data(self, fields: JsonObject) -> list[Event]:
        """A data part with a name of its own (`aui-data`)."""
        name = fields.get("name")
        if not isinstance(name, str):
            return [Skipped("a data part without a name", fields)]
        return self._data(f"data-{name}", fields.get("data"), fields)

    def data(self, items: Any) -> list[Event]:
        """The application's own data (`2`); what it calls a status is said while it waits."""
        events: list[Event] = []
        for item in cast("list[Any]", items) if isinstance(items, list) else [items]:
            status = _status(item)
            if status:
                events.append(Status(status))
            events += self._data("data-aui", item)
        return events

    def annotations(self, items: Any) -> list[Event]:
        """Remarks about the message (`8`)."""
        found = cast("list[Any]", items) if isinstance(items, list) else [items]
        return [event for item in found for event in self._data("data-annotation", item)]

    def result(self, call_id: str, fields: JsonObject) -> list[Event]:
        """A call's outcome (`a`)."""
        self.speaks()
        return self.writer.result(
            call_id,
            fields.get("result"),
            failed=fields.get("isError") is True,
            artifact=fields.get("artifact"),
        )

    def _whole(self, part: JsonObject, fields: JsonObject) -> list[Event]:
        self._parts = True
        self._view.others_speak(prose=False)
        return self.writer.whole(part, parent_in(fields))

    def _data(self, kind: str, data: Any, fields: JsonObject | None = None) -> list[Event]:
        part: JsonObject = {"type": kind, "data": data}
        parent = parent_in(fields or {})
        if parent is not None:
            part["parentId"] = parent
        return [Data(kind, data, None, False, part)]

    # The message

    def step_starts(self, fields: JsonObject) -> list[Event]:
        """`f`: a model step; the first one names the message."""
        message_id = fields.get("messageId")
        events: list[Event] = []
        if not self._started and isinstance(message_id, str) and message_id:
            self._started = True
            events.append(Start(message_id))
        # A state that is shown has a step of its own, which must stay the last.
        return events if self._view.begun else [*events, StartStep()]

    def step_finishes(self, fields: JsonObject) -> list[Event]:
        """`e`: the step's end and its tokens."""
        self._reason = _text(fields.get("finishReason")) or self._reason
        self.ended = fields.get("isContinued") is not True
        return [FinishStep(), *_usage(fields, "step")]

    def message_finishes(self, fields: JsonObject) -> list[Event]:
        """`d`: the message's end. It may come before the text does."""
        self._reason = _text(fields.get("finishReason")) or self._reason
        self.ended = True
        return _usage(fields, "finish")

    def error(self, value: Any, code: Any = None) -> list[Event]:
        """`3`: something went wrong; more may follow (§14)."""
        text = value if isinstance(value, str) else ""
        if isinstance(value, dict):
            inner = cast("JsonObject", value)
            text = _text(inner.get("message")) or _text(inner.get("error")) or ""
        self.failed = self.failed or text or UNKNOWN_ERROR
        return [Error(text or UNKNOWN_ERROR, _text(code))]

    def state(self, operations: Any) -> list[Event]:
        """`aui-state`: the state changes."""
        return self._view.update(operations)

    def end(self) -> list[Event]:
        """The reply ended as it should: what is open is closed, what waits is asked, `Finish` is last."""
        events = self._view.rest("".join(self._said))
        more, waiting = self.writer.ends()
        events += more
        if self._view.used and not self._view.speaks and not self._parts and self.failed is None:
            events.append(Error(_ONLY_DATA))
        raw = self._reason or self._view.reason
        finish = Finish(finish_reason(raw), raw)
        if self.failed is not None:
            finish = replace(finish, reason="error", detail=self.failed)
        elif waiting:
            finish = replace(finish, reason="tool-calls")
        return [*events, finish]


def parent_in(fields: JsonObject) -> str | None:
    """The part a part belongs to, a sub-agent's task for instance."""
    return _text(fields.get("parentId"))


def _usage(fields: JsonObject, source: UsageSource) -> list[Event]:
    counts = fields.get("usage")
    usage = usage_of(cast("JsonObject", counts)) if isinstance(counts, dict) else None
    return [replace(usage, source=source)] if usage is not None else []


def _status(item: Any) -> str | None:
    """What an application's data says about how far it is, if it does."""
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        fields = cast("JsonObject", item)
        return next((text for name in _STATUS_FIELDS if (text := _text(fields.get(name)))), None)
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

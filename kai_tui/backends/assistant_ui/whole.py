"""Answers without a stream of parts: OpenAI chunks, plain text, one JSON object (assistant-ui.md §6, §10)."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from kai_tui.backends.assistant_ui.records import Records
from kai_tui.backends.assistant_ui.state_items import Prose, Result, Whole, items_of, speaker
from kai_tui.conversation.events import Event, JsonObject, Skipped

_FIELDS: Final = ("text", "content", "message", "response")
_COUNTS: Final[Mapping[str, str]] = {
    "prompt_tokens": "inputTokens",
    "completion_tokens": "outputTokens",
    "total_tokens": "totalTokens",
}
_REASONS: Final[Mapping[str, str]] = {"tool_calls": "tool-calls", "content_filter": "content-filter"}


class OpenAiDecoder:
    """Chunks of a chat completion as events."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._calls: dict[int, str] = {}

    def chunk(self, chunk: Any) -> list[Event]:
        """The events of one chunk; never raises."""
        fields = cast("JsonObject", chunk) if isinstance(chunk, dict) else {}
        if fields.get("error") is not None:
            return self._records.error(fields["error"])
        events: list[Event] = []
        choice = _first(fields.get("choices"))
        delta = choice.get("delta") if choice else None
        if isinstance(delta, dict):
            events += self._delta(cast("JsonObject", delta))
        usage = fields.get("usage")
        counts = (
            {_COUNTS.get(name, name): count for name, count in cast("JsonObject", usage).items()}
            if isinstance(usage, dict)
            else None
        )
        reason = choice.get("finish_reason") if choice else None
        if isinstance(reason, str):
            events += self._records.message_finishes(
                {"finishReason": _REASONS.get(reason, reason), "usage": counts}
            )
        elif counts:
            events += self._records.message_finishes({"usage": counts}) if self._records.ended else []
        return events

    def _delta(self, delta: JsonObject) -> list[Event]:
        events: list[Event] = []
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(reasoning, str) and reasoning:
            events += self._records.prose("reasoning", reasoning)
        content = delta.get("content")
        if isinstance(content, str) and content:
            events += self._records.prose("text", content)
        calls = delta.get("tool_calls")
        for each in cast("list[Any]", calls) if isinstance(calls, list) else ():
            if isinstance(each, dict):
                events += self._call(cast("JsonObject", each))
        return events

    def _call(self, call: JsonObject) -> list[Event]:
        """A piece of a call: the first one names it, all have its number."""
        writer = self._records.writer
        raw_number, raw_function = call.get("index"), call.get("function")
        number = raw_number if isinstance(raw_number, int) else 0
        function = cast("JsonObject", raw_function) if isinstance(raw_function, dict) else {}
        events: list[Event] = []
        call_id, name = call.get("id"), function.get("name")
        if isinstance(call_id, str) and isinstance(name, str) and call_id and number not in self._calls:
            self._calls[number] = call_id
            self._records.speaks()
            events += writer.begin_call(call_id, name)
        known, delta = self._calls.get(number), function.get("arguments")
        if known is None:
            return [Skipped("a piece of an unknown call", call)]
        return [*events, *writer.add_arguments(known, delta)] if isinstance(delta, str) else events


class PlainDecoder:
    """Text that is nothing but the answer, in pieces that may end within a character."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode

    def piece(self, data: bytes, *, final: bool = False) -> list[Event]:
        """The events of a piece; the `final` one may be empty."""
        text = self._decode(data, final)
        return self._records.prose("text", text) if text else []


def events_of_json(answer: Any, records: Records) -> list[Event] | None:
    """A finished answer as events; None when it holds none (§6)."""
    if isinstance(answer, str):
        return records.prose("text", answer)
    if not isinstance(answer, dict):
        return None
    fields = cast("JsonObject", answer)
    choice = _first(fields.get("choices"))
    if choice is not None and isinstance(choice.get("message"), dict):
        return _message(cast("JsonObject", choice["message"]), records)
    for name in _FIELDS:
        value = fields.get(name)
        if isinstance(value, str):
            return records.prose("text", value)
        if isinstance(value, list) or (isinstance(value, dict) and value):
            found = _message(value, records)
            if found is not None:
                return found
    messages = fields.get("messages")
    if isinstance(messages, list):
        theirs = [each for each in cast("list[Any]", messages) if speaker(each) == "assistant"]
        if theirs:
            return _message(theirs[-1], records)
    error = fields.get("error")
    return records.error(error) if error is not None else None


def _message(message: Any, records: Records) -> list[Event] | None:
    """A message or its content, in any of the known shapes; None when there is nothing to show in it."""
    fields: JsonObject = {"content": message} if isinstance(message, list) else dict(message)
    if isinstance(fields.get("text"), str) and "content" not in fields:
        fields["content"] = fields["text"]
    events: list[Event] = []
    writer = records.writer
    for item in items_of({**fields, "role": "assistant"}):
        records.speaks()
        if isinstance(item, Prose):
            events += writer.append(item.kind, item.text if isinstance(item.text, str) else item.text.raw)
        elif isinstance(item, Whole):
            events += writer.whole(item.part)
        elif isinstance(item, Result):
            events += writer.result(item.call_id, item.value, failed=item.failed, artifact=item.artifact)
        else:
            events += writer.begin_call(item.id, item.name)
            if item.text is None:
                events += writer.set_arguments(item.id, item.value)
            else:
                events += writer.add_arguments(item.id, str(item.text))
    return events or None


def _first(choices: Any) -> JsonObject | None:
    first: Any = cast("Sequence[Any]", choices)[0] if isinstance(choices, list) and choices else None
    return cast("JsonObject", first) if isinstance(first, dict) else None

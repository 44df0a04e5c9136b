"""The data stream: one record per line, `<key>:<JSON>` (assistant-ui.md §7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from kai_tui.backends.assistant_ui.records import Records, parent_in
from kai_tui.conversation.events import Event, JsonObject, Skipped
from kai_tui.conversation.json_text import BadJson, decode_json

KEY: Final = re.compile(r"([0-9a-k]|aui-[a-z-]{1,40}):")

_SHAPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    **dict.fromkeys("0g", str),
    "3": (str, dict),
    **dict.fromkeys("28", list),
    **dict.fromkeys("bc9ahkfedij", dict),
    "aui-state": list,
}
_UNUSED: Final = frozenset("1456789ij") - frozenset("89")
"""Redacted reasoning, signatures, and records of older versions."""


def looks_like_record(line: str) -> bool:
    """Whether a first line is a record and not prose that happens to begin with "a:"."""
    found = KEY.match(line)
    if found is None:
        return False
    try:
        value = decode_json(line[found.end() :])
    except BadJson:
        return False
    shape = _SHAPES.get(found[1], dict if found[1].startswith("aui-") else (dict, list, str))
    return isinstance(value, shape)


class DataStreamDecoder:
    """Lines of a data stream as events."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._takers: Mapping[str, Callable[[JsonObject], list[Event]]] = {
            "b": self._call_begins,
            "c": self._arguments,
            "9": self._call,
            "a": self._result,
            "h": records.source,
            "k": records.file,
            "f": records.step_starts,
            "e": records.step_finishes,
            "d": records.message_finishes,
            "aui-data": records.named_data,
            "aui-text-delta": lambda f: records.prose("text", f.get("textDelta"), parent_in(f)),
            "aui-reasoning-delta": lambda f: records.prose(
                "reasoning", f.get("reasoningDelta"), parent_in(f)
            ),
            "aui-reasoning-part-start": lambda _: [],
        }

    def line(self, line: str) -> list[Event]:
        """The events of one line that is not blank. Raises BadJson for one that is no record."""
        key, colon, rest = line.partition(":")
        if not colon:
            raise BadJson("a line without a key")
        value = decode_json(rest)
        records = self._records
        if key == "0":
            return records.prose("text", value)
        if key == "g":
            return records.prose("reasoning", value)
        if key == "aui-state":
            return records.state(value)
        if key == "2":
            return records.data(value)
        if key == "8":
            return records.annotations(value)
        if key == "3":
            return records.error(value)
        take = self._takers.get(key)
        if take is not None and isinstance(value, dict):
            return take(cast("JsonObject", value))
        return [] if key in _UNUSED else [Skipped(f"unknown record {key[:40]}", line)]

    def _call_begins(self, fields: JsonObject) -> list[Event]:
        call_id, name = fields.get("toolCallId"), fields.get("toolName")
        if not isinstance(call_id, str) or not isinstance(name, str):
            return [Skipped("a call without its fields", fields)]
        self._records.speaks()
        return self._records.writer.begin_call(call_id, name, parent_in(fields))

    def _arguments(self, fields: JsonObject) -> list[Event]:
        call_id, delta = fields.get("toolCallId"), fields.get("argsTextDelta")
        writer = self._records.writer
        if not isinstance(call_id, str) or not writer.knows(call_id):
            return [Skipped("arguments of an unknown call", fields)]
        events = writer.add_arguments(call_id, delta) if isinstance(delta, str) else []
        return [*events, *writer.end_arguments(call_id)] if fields.get("isFinal") is True else events

    def _call(self, fields: JsonObject) -> list[Event]:
        events = self._call_begins(fields)
        call_id: Any = fields.get("toolCallId")
        args = fields.get("args")
        return [*events, *self._records.writer.set_arguments(call_id, {} if args is None else args)]

    def _result(self, fields: JsonObject) -> list[Event]:
        call_id = fields.get("toolCallId")
        if not isinstance(call_id, str):
            return [Skipped("a result without its call", fields)]
        return self._records.result(call_id, fields)

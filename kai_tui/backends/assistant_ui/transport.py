"""The assistant transport: parts that are addressed by their number (assistant-ui.md §8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from kai_tui.backends.assistant_ui.parts import BlockKind
from kai_tui.backends.assistant_ui.records import Records, parent_in
from kai_tui.conversation.events import Event, JsonObject, Skipped

_BLOCK: Final = "block"
_CALL: Final = "call"
_OTHER: Final = "other"


class TransportDecoder:
    """Chunks of an assistant transport as events."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._parts: list[tuple[str, str]] = []
        """What part n is, and its block or call id."""
        self._held: dict[int, JsonObject] = {}
        """Results that came before their arguments were whole: Python and JavaScript differ in the order."""
        self._takers: Mapping[str, Callable[[JsonObject], list[Event]]] = {
            "part-start": self._part_starts,
            "text-delta": self._delta,
            "tool-call-args-text-finish": self._arguments_end,
            "part-finish": self._part_ends,
            "result": self._result,
            "step-start": records.step_starts,
            "step-finish": records.step_finishes,
            "message-finish": records.message_finishes,
            "data": lambda chunk: records.data(chunk.get("data")),
            "annotations": lambda chunk: records.annotations(chunk.get("annotations")),
            "update-state": lambda chunk: records.state(chunk.get("operations")),
            "error": lambda chunk: records.error(chunk.get("error"), chunk.get("code")),
        }

    def chunk(self, chunk: Any) -> list[Event]:
        """The events of one chunk; never raises."""
        fields = cast("JsonObject", chunk) if isinstance(chunk, dict) else {}
        kind = fields.get("type")
        take = self._takers.get(kind) if isinstance(kind, str) else None
        if take is None:
            return [Skipped("unknown chunk", chunk)]
        number = _number(fields)
        released: list[Event] = []
        for held in [each for each in self._held if each != number or kind == "part-start"]:
            released += self._release(held)
        return [*released, *take(fields)]

    def end(self) -> list[Event]:
        """The stream ended: nothing is held back any more."""
        return [event for number in list(self._held) for event in self._release(number)]

    def _part_starts(self, chunk: JsonObject) -> list[Event]:
        raw = chunk.get("part")
        part = cast("JsonObject", raw) if isinstance(raw, dict) else {}
        records, parent = self._records, parent_in(part)
        place: tuple[str, str] = (_OTHER, "")
        events: list[Event] = [Skipped("a part of an unknown kind", chunk)]
        match part.get("type"):
            case "text" | "reasoning" as kind:
                records.speaks()
                block, started = records.writer.open(_kind(kind), parent)
                place, events = (_BLOCK, block), [started]
            case "tool-call":
                call_id, name = part.get("toolCallId"), part.get("toolName")
                if isinstance(call_id, str) and isinstance(name, str):
                    records.speaks()
                    place, events = (_CALL, call_id), records.writer.begin_call(call_id, name, parent)
            case "source":
                events = records.source(part)
            case "file":
                events = records.file(part)
            case "data":
                events = records.named_data(part)
            case _:
                pass
        self._parts.append(place)
        return events

    def _delta(self, chunk: JsonObject) -> list[Event]:
        what, name = self._part(chunk)
        delta = chunk.get("textDelta")
        if not isinstance(delta, str) or what == _OTHER:
            return [Skipped("text for no part", chunk)]
        if what == _CALL:
            return self._records.writer.add_arguments(name, delta)
        if not self._records.writer.is_open(name):
            return [Skipped("text for a part that ended", chunk)]
        if name.startswith("text"):
            self._records.speaks(delta)
        return [self._records.writer.add(name, delta)]

    def _arguments_end(self, chunk: JsonObject) -> list[Event]:
        what, call_id = self._part(chunk)
        if what != _CALL:
            return [Skipped("the end of no arguments", chunk)]
        events = self._records.writer.end_arguments(call_id)
        return [*events, *self._release(_number(chunk))]

    def _part_ends(self, chunk: JsonObject) -> list[Event]:
        what, name = self._part(chunk)
        if what == _CALL:
            return self._arguments_end(chunk)
        return self._records.writer.close(name) if what == _BLOCK else []

    def _result(self, chunk: JsonObject) -> list[Event]:
        what, call_id = self._part(chunk)
        if what != _CALL:
            other = chunk.get("toolCallId")
            if isinstance(other, str):
                return self._records.result(other, chunk)
            return [Skipped("a result for no call", chunk)]
        if self._records.writer.has_arguments(call_id):
            return self._records.result(call_id, chunk)
        number = _number(chunk)
        assert number is not None
        self._held[number] = chunk
        return []

    def _release(self, number: int | None) -> list[Event]:
        chunk = self._held.pop(number, None) if number is not None else None
        return [] if chunk is None else self._records.result(self._part(chunk)[1], chunk)

    def _part(self, chunk: JsonObject) -> tuple[str, str]:
        number = _number(chunk)
        there = number is not None and number < len(self._parts)
        return self._parts[number] if there and number is not None else (_OTHER, "")


def _number(chunk: JsonObject) -> int | None:
    """The part a chunk is for: the first step of its path."""
    path = chunk.get("path")
    step: Any = cast("list[Any]", path)[0] if isinstance(path, list) and path else None
    return step if isinstance(step, int) and not isinstance(step, bool) and step >= 0 else None


def _kind(kind: str) -> BlockKind:
    return "reasoning" if kind == "reasoning" else "text"

"""Writes the parts of one reply as events, whichever encoding or state they come from.

Part ids are made here and unique within the turn, because servers repeat theirs or have none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, cast

from kai_tui.backends.assistant_ui.config import ClientTool
from kai_tui.conversation.approvals import WANTS_VALUE
from kai_tui.conversation.events import (
    Event,
    JsonObject,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolApprovalRequest,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputError,
    WholePart,
)
from kai_tui.conversation.json_text import BadJson, decode_json

BlockKind: TypeAlias = Literal["text", "reasoning"]
Waits: TypeAlias = Callable[[str], ClientTool | None]
"""For a tool's name: what the user is asked for when a call of it was left without a result; None: nothing."""

EARLY_LOOKS: Final = 32
"""How often the arguments of one call are tried before the server says that they are whole."""
EARLY_SIZE: Final = 64 * 1024
"""Characters up to which they are."""


@dataclass(slots=True)
class _Call:
    name: str
    pieces: list[str] = field(default_factory=list[str])
    size: int = 0
    looks: int = 0
    whole: str | None = None
    """The arguments' text that was handed on as whole."""
    given: Any = None
    settled: bool = False

    @property
    def text(self) -> str:
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""


def nothing_waits(_name: str) -> ClientTool | None:
    """No tool is this program's."""
    return None


class PartWriter:
    """The parts of one turn. `answered`: calls whose outcome the user gave; a server's echo of it is left out."""

    def __init__(self, waits: Waits = nothing_waits, answered: Collection[str] = ()) -> None:
        self._waits = waits
        self._answered = answered
        self._number = 0
        self._blocks: dict[str, BlockKind] = {}
        self._appending: tuple[str, BlockKind, str | None] | None = None
        self._calls: dict[str, _Call] = {}

    # Text

    def open(self, kind: BlockKind, parent: str | None = None) -> tuple[str, Event]:
        """A new block: its id, and the event that begins it."""
        self._number += 1
        block = f"{kind}-{self._number}"
        self._blocks[block] = kind
        about = _parent(parent)
        return block, TextStart(block, about) if kind == "text" else ReasoningStart(block, about)

    def add(self, block: str, delta: str) -> Event:
        """A piece of an open block."""
        return TextDelta(block, delta) if self._blocks[block] == "text" else ReasoningDelta(block, delta)

    def is_open(self, block: str) -> bool:
        """Whether a block was begun and not ended."""
        return block in self._blocks

    def close(self, block: str) -> list[Event]:
        """The end of a block; nothing when it ended before."""
        kind = self._blocks.pop(block, None)
        if kind is None:
            return []
        return [TextEnd(block) if kind == "text" else ReasoningEnd(block)]

    def append(self, kind: BlockKind, delta: str, parent: str | None = None) -> list[Event]:
        """A piece of text nobody names a block for: it continues the block before it, if it is of its kind."""
        there = self._appending
        if there is not None and there[1:] == (kind, parent):
            return [self.add(there[0], delta)]
        events = self._close_appending()
        block, started = self.open(kind, parent)
        self._appending = (block, kind, parent)
        return [*events, started, self.add(block, delta)]

    def _close_appending(self) -> list[Event]:
        there, self._appending = self._appending, None
        return self.close(there[0]) if there is not None else []

    # Parts that come whole

    def whole(self, part: JsonObject, parent: str | None = None) -> list[Event]:
        """A source or a file, in the AI SDK's words."""
        about = _parent(parent)
        if about is not None:
            part = {**part, "providerMetadata": about}
        return [*self._close_appending(), WholePart(part)]

    # Tool calls

    def knows(self, call_id: str) -> bool:
        """Whether this turn introduced the call."""
        return call_id in self._calls

    def has_arguments(self, call_id: str) -> bool:
        """Whether a call's arguments were handed on as whole."""
        call = self._calls.get(call_id)
        return call is not None and call.whole is not None

    def begin_call(self, call_id: str, name: str, parent: str | None = None) -> list[Event]:
        """A call begins; its arguments follow. A second beginning under the same id is left out."""
        if call_id in self._calls:
            return []
        events = self._close_appending()
        self._calls[call_id] = _Call(name)
        about = _parent(parent)
        fields: JsonObject = {} if about is None else {"providerMetadata": about}
        return [*events, ToolInputStart(call_id, name, fields)]

    def add_arguments(self, call_id: str, delta: str) -> list[Event]:
        """A piece of the arguments' JSON."""
        call = self._calls.get(call_id)
        if call is None or not delta:
            return []
        call.pieces.append(delta)
        call.size += len(delta)
        if call.settled:
            return []
        events: list[Event] = [] if call.whole is not None else [ToolInputDelta(call_id, delta)]
        # Python servers never say that the arguments are whole, and their tools may take a while.
        if call.size <= EARLY_SIZE and call.looks < EARLY_LOOKS and delta.rstrip().endswith("}"):
            call.looks += 1
            try:
                value = decode_json(call.text)
            except BadJson:
                return events
            events += self._arguments_are(call_id, call, value)
        return events

    def end_arguments(self, call_id: str) -> list[Event]:
        """The arguments are whole. None at all count as an empty object; what is no JSON stays text."""
        call = self._calls.get(call_id)
        if call is None or call.settled or call.whole == call.text:
            return []
        text = call.text
        if not text.strip():
            return self._arguments_are(call_id, call, {})
        try:
            value = decode_json(text)
        except BadJson:
            value = text
        return self._arguments_are(call_id, call, value)

    def set_arguments(self, call_id: str, value: Any) -> list[Event]:
        """The arguments as a value, in place of what was known of them."""
        call = self._calls.get(call_id)
        if call is None or call.settled:
            return []
        return self._arguments_are(call_id, call, value)

    def _arguments_are(self, call_id: str, call: _Call, value: Any) -> list[Event]:
        known = call.whole is not None and call.given == value
        call.whole = call.text
        call.given = value
        return [] if known else [ToolInputAvailable(call_id, call.name, value, {"input": value})]

    def result(
        self,
        call_id: str,
        value: Any,
        *,
        failed: bool = False,
        artifact: Any = None,
        preliminary: bool = False,
    ) -> list[Event]:
        """A call's outcome, also of one that this turn did not introduce."""
        if call_id in self._answered:
            return []
        events = self.end_arguments(call_id)
        call = self._calls.get(call_id)
        if call is not None:
            call.settled = True
        fields: JsonObject = {"output": value}
        if artifact is not None:
            fields["toolMetadata"] = {"artifact": artifact}
        if preliminary:
            fields["preliminary"] = True
        if failed:
            return [*events, ToolOutputError(call_id, error_text(value), fields)]
        return [*events, ToolOutputAvailable(call_id, value, fields)]

    # The end

    def ends(self) -> tuple[list[Event], bool]:
        """The reply ended properly: closes what is open, asks the user for what waits; whether anything does."""
        events = self._close_appending()
        for block in list(self._blocks):
            events += self.close(block)
        waiting = False
        for call_id, call in self._calls.items():
            if call.settled or call_id in self._answered:
                continue
            events += self.end_arguments(call_id)
            tool = self._waits(call.name)
            if tool is not None:
                waiting = True
                events.append(asks(call_id, tool))
        return events, waiting

    def forget(self) -> None:
        """The parts were thrown away (`ResetStep`): what follows begins anew."""
        self._blocks.clear()
        self._calls.clear()
        self._appending = None


def asks(call_id: str, tool: ClientTool) -> Event:
    """The question to the user. Nobody on the wire asks it: a call without a result is one (§12)."""
    descriptor = {"wants": WANTS_VALUE, "description": tool.description, "parameters": tool.parameters}
    return ToolApprovalRequest(call_id, f"result-of:{call_id}", {"approvalDescriptor": descriptor})


def _parent(parent: str | None) -> JsonObject | None:
    return None if parent is None else {"assistantUi": {"parentId": parent}}


def error_text(value: Any) -> str:
    """What a failed call says, for people: its message, or all of it as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        fields = cast("JsonObject", value)
        if len(fields) == 1:
            only = next(iter(fields.values()))
            if isinstance(only, str):
                return only
    return "The tool failed and did not say why." if value is None else json.dumps(value, ensure_ascii=False)


def file_part(data: str, media_type: str) -> JsonObject:
    """A file in the AI SDK's words; `data` is base64 or an address (§7)."""
    known = data[:8].lower().startswith(("http://", "https://", "data:"))
    return {
        "type": "file",
        "mediaType": media_type,
        "url": data if known else f"data:{media_type};base64,{data}",
    }


def source_part(fields: JsonObject) -> JsonObject | None:
    """A source in the AI SDK's words; None without an address."""
    url = fields.get("url")
    if not isinstance(url, str):
        return None
    part: JsonObject = {"type": "source-url", "url": url}
    for name, ours in (("id", "sourceId"), ("title", "title")):
        if isinstance(fields.get(name), str):
            part[ours] = fields[name]
    return part

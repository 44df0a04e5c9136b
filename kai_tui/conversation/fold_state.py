"""What `fold` remembers between two events of one stream."""

from __future__ import annotations

from typing import TypeAlias

from kai_tui.conversation.messages import (
    DataPart,
    GrowingPart,
    Message,
    Part,
    StepStart,
    ToolPart,
)

Block: TypeAlias = tuple[int, GrowingPart]
"""An open text or reasoning block: where it stands in the message, and its part."""


class FoldState:
    """Open blocks, and where things stand in the message. One per stream; starts empty.

    Lookups cost the same in a message of a hundred thousand parts: a server must not be able to
    hang the screen (reliability.md P10).
    """

    __slots__ = (
        "_approvals",
        "_calls",
        "_data",
        "_indexed",
        "_step",
        "growing_inputs",
        "loose",
        "reasoning",
        "refused_inputs",
        "text",
    )

    def __init__(self) -> None:
        self.text: dict[str, Block] = {}
        self.reasoning: dict[str, Block] = {}
        self.loose: list[tuple[dict[str, Block], str]] = []
        """Open blocks nobody started (kai.md §11): they last until something else comes."""
        self.refused_inputs: dict[str, int] = {}
        """Calls of this step whose input was refused, until SDK 6 and 7 can be told apart."""
        self.growing_inputs: dict[str, int] = {}
        """Calls whose input comes in pieces, by the part that was started last."""
        self._indexed = 0
        self._step = 0
        self._calls: dict[str, list[int]] = {}
        self._data: dict[tuple[str, str], int] = {}
        self._approvals: dict[str, int] = {}

    def reset(self, left: int) -> None:
        """Parts were removed, `left` are left: nothing is open, and places are looked up anew."""
        self._indexed = self._step = 0
        self.refused_inputs = {call: index for call, index in self.refused_inputs.items() if index < left}
        for known in (
            self.text,
            self.reasoning,
            self.growing_inputs,
            self._calls,
            self._data,
            self._approvals,
        ):
            known.clear()
        self.loose.clear()

    def append(self, message: Message, part: Part) -> int:
        """Add a part at the end; its index."""
        if self.loose and not isinstance(part, DataPart):
            self.close_loose_blocks()
        message.parts.append(part)
        return len(message.parts) - 1

    def close_loose_blocks(self) -> None:
        """Whatever comes next, nobody will end these."""
        for blocks, block_id in self.loose:
            block = blocks.pop(block_id, None)
            if block is not None:
                block[1].fields["state"] = "done"
        self.loose.clear()

    def step_start(self, message: Message) -> int:
        """Index of the first part of the current step."""
        self._catch_up(message)
        return self._step

    def call_in_step(self, message: Message, call_id: str, *, dynamic: bool | None = None) -> int | None:
        """The first part of a tool call in the current step, of one kind or of any."""
        self._catch_up(message)
        for index in self._calls.get(call_id, ()):
            if index >= self._step and (
                dynamic is None or (message.parts[index].type == "dynamic-tool") is dynamic
            ):
                return index
        return None

    def call(self, message: Message, call_id: str) -> int | None:
        """The part of a tool call: of the current step first, else the last one there is."""
        found = self.call_in_step(message, call_id)
        if found is None and call_id in self._calls:
            found = self._calls[call_id][-1]
        return found

    def approval(self, message: Message, approval_id: str) -> int | None:
        """The part of the call an approval was requested for."""
        self._catch_up(message)
        return self._approvals.get(approval_id)

    def expect_approval(self, approval_id: str, index: int) -> None:
        """An approval was requested for the call at `index`."""
        self._approvals.setdefault(approval_id, index)

    def data(self, message: Message, kind: str, data_id: str) -> int | None:
        """The first data part of that type and id."""
        self._catch_up(message)
        return self._data.get((kind, data_id))

    def _catch_up(self, message: Message) -> None:
        parts = message.parts
        for index in range(self._indexed, len(parts)):
            part = parts[index]
            if isinstance(part, StepStart):
                self._step = index + 1
            elif isinstance(part, ToolPart):
                self._calls.setdefault(part.tool_call_id, []).append(index)
                if part.approval_id is not None:
                    self.expect_approval(part.approval_id, index)
            elif isinstance(part, DataPart):
                data_id = part.fields.get("id")
                if isinstance(data_id, str):
                    self._data.setdefault((part.type, data_id), index)
        self._indexed = len(parts)

"""The one reducer: events → message, by the rules of protocols/kai.md §7.

On every recording its result equals that of the AI SDK's own reader. Where that reader stops at a
broken rule, this one notes the fault and goes on: what follows is worth more to a person who reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, cast

from kai_tui.conversation import fold_tools
from kai_tui.conversation.chunks import events_from_chunk
from kai_tui.conversation.events import (
    Data,
    Error,
    Event,
    Finish,
    FinishStep,
    MessageMetadata,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    ResetStep,
    Skipped,
    Start,
    StartStep,
    TextDelta,
    TextEnd,
    TextStart,
    ToolApprovalRequest,
    ToolApprovalResponse,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputError,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputDenied,
    ToolOutputError,
    WholePart,
)
from kai_tui.conversation.faults import MAX_FAULTS, note_fault, note_skipped
from kai_tui.conversation.fold_state import Block, FoldState
from kai_tui.conversation.messages import (
    DataPart,
    GrowingPart,
    Message,
    ReasoningPart,
    StepStart,
    TextPart,
    part_from_wire,
)

__all__ = ["FoldState", "fold", "fold_stream"]

_POLLUTING: Final = frozenset({"__proto__", "constructor", "prototype"})


def fold(message: Message, event: Event, state: FoldState) -> int | None:
    """Take one event into the message. The hot path: once per token.

    Returns the index of the part that was added or changed, None when none was. After `ResetStep`
    it is the number of parts that are left.
    """
    take = _TAKERS.get(type(event))
    return take(message, event, state) if take is not None else None


def fold_stream(chunks: Iterable[object], into: Message | Mapping[str, Any] | None = None) -> Message:
    """The message of a whole stream of chunks (wire objects, or events).

    `into`: the assistant message a continuation goes on with, as ours or as JSON; never changed.
    Its `finish` does not count for the result. Anything but an assistant message begins a new one.
    """
    if into is not None and not isinstance(into, Message):
        into = Message.from_wire(into)
    message = into.reopened() if into is not None and into.role == "assistant" else Message()
    state = FoldState()
    for chunk in chunks:
        if type(chunk) in _TAKERS:
            fold(message, cast("Event", chunk), state)
            continue
        for event in events_from_chunk(chunk):
            fold(message, event, state)
    return message


def _text_delta(message: Message, event: TextDelta, state: FoldState) -> int:
    block = state.text.get(event.id)
    if block is None:
        block = _open_loose(message, event.id, state, state.text, TextPart({"type": "text"}))
    block[1].append(event.delta)
    if event.provider_metadata is not None:
        block[1].fields["providerMetadata"] = event.provider_metadata
    return block[0]


def _reasoning_delta(message: Message, event: ReasoningDelta, state: FoldState) -> int:
    block = state.reasoning.get(event.id)
    if block is None:
        part = ReasoningPart({"type": "reasoning", "id": event.id})
        block = _open_loose(message, event.id, state, state.reasoning, part)
    block[1].append(event.delta)
    if event.provider_metadata is not None:
        block[1].fields["providerMetadata"] = event.provider_metadata
    return block[0]


def _text_start(message: Message, event: TextStart, state: FoldState) -> int:
    part = TextPart({"type": "text"})
    return _open(message, event.id, state, state.text, part, event.provider_metadata)[0]


def _reasoning_start(message: Message, event: ReasoningStart, state: FoldState) -> int:
    part = ReasoningPart({"type": "reasoning", "id": event.id})
    return _open(message, event.id, state, state.reasoning, part, event.provider_metadata)[0]


def _text_end(message: Message, event: TextEnd, state: FoldState) -> int | None:
    index = _close(message, event.id, state.text, event.provider_metadata)
    if index is not None and event.citations is not None:
        message.parts[index].fields["citations"] = event.citations
    return index


def _reasoning_end(message: Message, event: ReasoningEnd, state: FoldState) -> int | None:
    return _close(message, event.id, state.reasoning, event.provider_metadata)


def _open(
    message: Message,
    block_id: str,
    state: FoldState,
    blocks: dict[str, Block],
    part: GrowingPart,
    provider_metadata: Any = None,
) -> Block:
    part.fields["state"] = "streaming"
    if provider_metadata is not None:
        part.fields["providerMetadata"] = provider_metadata
    block = blocks[block_id] = state.append(message, part), part
    return block


def _open_loose(
    message: Message, block_id: str, state: FoldState, blocks: dict[str, Block], part: GrowingPart
) -> Block:
    """A delta nobody announced: older servers do that, and else no text is lost (kai.md §11)."""
    if block_id:
        note_fault(message, f"text for a block that is not open: {block_id}")
    block = _open(message, block_id, state, blocks, part)
    state.loose.append((blocks, block_id))
    return block


def _close(message: Message, block_id: str, blocks: dict[str, Block], provider_metadata: Any) -> int | None:
    block = blocks.pop(block_id, None)
    if block is None:
        note_fault(message, f"the end of a block that is not open: {block_id}")
        return None
    index, part = block
    part.fields["state"] = "done"
    if provider_metadata is not None:
        part.fields["providerMetadata"] = provider_metadata
    return index


def _start(message: Message, event: Start, _state: FoldState) -> None:
    if event.message_id is not None:
        message.id = event.message_id
    _merge_metadata(message, event.metadata)


def _start_step(message: Message, _event: StartStep, state: FoldState) -> int:
    return state.append(message, StepStart({"type": "step-start"}))


def _finish_step(message: Message, _event: FinishStep, state: FoldState) -> int | None:
    return fold_tools.settle_refused_inputs(message, state)


def _reset_step(message: Message, _event: ResetStep, state: FoldState) -> int:
    del message.parts[state.step_start(message) :]
    state.reset(len(message.parts))
    return len(message.parts)


def _whole_part(message: Message, event: WholePart, state: FoldState) -> int:
    return state.append(message, part_from_wire(event.part))


def _data(message: Message, event: Data, state: FoldState) -> int | None:
    if event.transient:
        return None
    index = state.data(message, event.type, event.id) if event.id is not None else None
    if index is None:
        return state.append(message, DataPart(dict(event.part)))
    message.parts[index].fields["data"] = event.data
    return index


def _metadata(message: Message, event: MessageMetadata, _state: FoldState) -> None:
    _merge_metadata(message, event.metadata)


def _error(message: Message, event: Error, _state: FoldState) -> None:
    if len(message.errors) < MAX_FAULTS:
        message.errors.append(event.text)


def _skipped(message: Message, event: Skipped, _state: FoldState) -> None:
    note_skipped(message, event.why, event.raw)


def _finish(message: Message, event: Finish, state: FoldState) -> None:
    _merge_metadata(message, event.metadata)
    state.close_loose_blocks()
    if message.finish is None:
        message.finish = event


def _merge_metadata(message: Message, metadata: Any) -> None:
    if metadata is not None:
        message.metadata = _merged(message.metadata, metadata)


def _merged(base: Any, over: Any) -> Any:
    """Objects key by key and deeply, anything else replaces; neither is changed."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    result = dict(cast("dict[str, Any]", base))
    for key, value in cast("dict[str, Any]", over).items():
        if key not in _POLLUTING:
            result[key] = _merged(result.get(key), value)
    return result


_Taker: TypeAlias = Callable[[Message, Any, FoldState], int | None]

_TAKERS: Final[dict[type, _Taker]] = {
    TextDelta: _text_delta,
    ReasoningDelta: _reasoning_delta,
    ToolInputDelta: fold_tools.input_delta,
    Start: _start,
    StartStep: _start_step,
    FinishStep: _finish_step,
    ResetStep: _reset_step,
    TextStart: _text_start,
    TextEnd: _text_end,
    ReasoningStart: _reasoning_start,
    ReasoningEnd: _reasoning_end,
    ToolInputStart: fold_tools.input_start,
    ToolInputAvailable: fold_tools.input_available,
    ToolInputError: fold_tools.input_error,
    ToolApprovalRequest: fold_tools.approval_request,
    ToolApprovalResponse: fold_tools.approval_response,
    ToolOutputAvailable: fold_tools.output_available,
    ToolOutputError: fold_tools.output_error,
    ToolOutputDenied: fold_tools.output_denied,
    WholePart: _whole_part,
    Data: _data,
    MessageMetadata: _metadata,
    Error: _error,
    Skipped: _skipped,
    Finish: _finish,
}

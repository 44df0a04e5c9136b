"""Chunks of the AI SDK's UI message stream → events (protocols/kai.md §6), older shapes too (§11).

Tolerant: fields nobody knows are ignored, chunks nobody knows or that lack what they need become
`Skipped`. Nothing here raises, whatever a server writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias, cast

from kai_tui.conversation.events import (
    Abort,
    Data,
    Error,
    Event,
    Finish,
    FinishReason,
    FinishStep,
    JsonObject,
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
    Title,
    ToolApprovalRequest,
    ToolApprovalResponse,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputError,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputDenied,
    ToolOutputError,
    Usage,
    UsageSource,
    WholePart,
)

UNKNOWN_ERROR: Final = "Unknown error"

_REASONS: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "complete": "stop",
    "length": "length",
    "max-tokens": "length",
    "tool-calls": "tool-calls",
    "content-filter": "content-filter",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "error": "error",
    "other": "other",
    "interrupted": "other",
    "unknown": "unknown",
}


def events_from_chunk(chunk: object) -> list[Event]:
    """The events of one decoded chunk, in order; empty for a chunk without meaning for us."""
    if not isinstance(chunk, dict):
        return [Skipped("a chunk that is no object", chunk)]
    fields = cast("JsonObject", chunk)
    kind = fields.get("type")
    if not isinstance(kind, str):
        return [Skipped("a chunk without a type", fields)]
    make = _MAKERS.get(kind)
    if make is not None:
        return make(fields)
    if kind.startswith("data-"):
        return _data(fields)
    return [Skipped(f"unknown type {kind[:80]}", fields)]


def finish_reason(raw: object) -> FinishReason:
    """Our name for a server's reason (kai.md §6): any string is taken, and none at all."""
    if not isinstance(raw, str):
        return "unknown"
    return _REASONS.get(raw.lower().replace("_", "-"), "other")


def _text_delta(chunk: JsonObject) -> list[Event]:
    delta = chunk.get("delta")
    if not isinstance(delta, str):
        return [Skipped("text-delta without text", chunk)]
    return [TextDelta(_id(chunk), delta, chunk.get("providerMetadata"))]


def _reasoning_delta(chunk: JsonObject) -> list[Event]:
    delta = chunk.get("delta")
    if not isinstance(delta, str):
        return [Skipped("reasoning-delta without text", chunk)]
    return [ReasoningDelta(_id(chunk), delta, chunk.get("providerMetadata"))]


def _tool_input_delta(chunk: JsonObject) -> list[Event]:
    call_id, delta = chunk.get("toolCallId"), chunk.get("inputTextDelta")
    if not isinstance(call_id, str) or not isinstance(delta, str):
        return [Skipped("tool-input-delta without its fields", chunk)]
    return [ToolInputDelta(call_id, delta)]


def _start(chunk: JsonObject) -> list[Event]:
    return [Start(_text(chunk.get("messageId")), chunk.get("messageMetadata"))]


def _text_end(chunk: JsonObject) -> list[Event]:
    return [TextEnd(_id(chunk), chunk.get("providerMetadata"), chunk.get("citations"))]


def _older_text(chunk: JsonObject) -> list[Event]:
    """A piece of text without a block id."""
    text = chunk.get("text")
    if not isinstance(text, str):
        return [Skipped("text without text", chunk)]
    delta = TextDelta("", text)
    return [delta, TextEnd("")] if chunk.get("state") == "done" else [delta]


def _tool_input_start(call_id: str, chunk: JsonObject) -> list[Event]:
    return [ToolInputStart(call_id, _name(chunk), chunk)]


def _tool_input_available(call_id: str, chunk: JsonObject) -> list[Event]:
    event = ToolInputAvailable(call_id, _name(chunk), chunk.get("input"), chunk)
    raw = chunk.get("approval")
    approval = cast("JsonObject", raw) if isinstance(raw, dict) else {}
    approval_id = approval.get("id")
    if not isinstance(approval_id, str) or isinstance(approval.get("approved"), bool):
        return [event]
    return [event, ToolApprovalRequest(call_id, approval_id, approval)]  # kai.md §9.3


def _tool_input_error(call_id: str, chunk: JsonObject) -> list[Event]:
    return [ToolInputError(call_id, _name(chunk), chunk.get("input"), _error_text(chunk), chunk)]


def _tool_approval_request(call_id: str, chunk: JsonObject) -> list[Event]:
    approval_id = chunk.get("approvalId")
    if not isinstance(approval_id, str):
        return [Skipped("tool-approval-request without an approvalId", chunk)]
    return [ToolApprovalRequest(call_id, approval_id, chunk)]


def _tool_approval_response(chunk: JsonObject) -> list[Event]:
    approval_id, approved = chunk.get("approvalId"), chunk.get("approved")
    if not isinstance(approval_id, str) or not isinstance(approved, bool):
        return [Skipped("tool-approval-response without its fields", chunk)]
    return [ToolApprovalResponse(approval_id, approved, chunk)]


def _tool_output_available(call_id: str, chunk: JsonObject) -> list[Event]:
    return [ToolOutputAvailable(call_id, chunk.get("output"), chunk)]


def _tool_output_error(call_id: str, chunk: JsonObject) -> list[Event]:
    return [ToolOutputError(call_id, _error_text(chunk), chunk)]


def _tool_output_denied(call_id: str, _chunk: JsonObject) -> list[Event]:
    return [ToolOutputDenied(call_id)]


def _older_tool_call(call_id: str, chunk: JsonObject) -> list[Event]:
    """One chunk type for a call's whole life; `state` says where it is."""
    match chunk.get("state"):
        case "input-available" | "approval-requested" | "call":
            return _tool_input_available(call_id, chunk)
        case "output-available" | "result" | "done":
            return _tool_output_available(call_id, chunk)
        case "output-error":
            return _tool_output_error(call_id, chunk)
        case "output-denied":
            return _tool_output_denied(call_id, chunk)
        case _:
            return _tool_input_start(call_id, chunk)


def _data(chunk: JsonObject) -> list[Event]:
    kind: str = chunk["type"]
    data = chunk.get("data")
    events: list[Event] = [
        Data(kind, data, _text(chunk.get("id")), bool(chunk.get("transient")), chunk),
    ]
    if kind == "data-usage":
        events += _usage(data, "data", _text(chunk.get("id")))
    elif kind == "data-chat-title" and isinstance(data, str):
        events.append(Title(data))
    return events


def _finish_step(chunk: JsonObject) -> list[Event]:
    return [FinishStep(), *_usage(chunk.get("usage"), "step")]


def _finish(chunk: JsonObject) -> list[Event]:
    raw = _text(chunk.get("finishReason"))
    finish = Finish(finish_reason(raw), raw, chunk.get("messageMetadata"))
    return [*_usage(chunk.get("usage"), "finish"), finish]


def _abort(chunk: JsonObject) -> list[Event]:
    return [Abort(_text(chunk.get("reason")))]


def _error(chunk: JsonObject) -> list[Event]:
    return [Error(_error_text(chunk) or UNKNOWN_ERROR, _text(chunk.get("code")))]


def _metadata(chunk: JsonObject) -> list[Event]:
    return [MessageMetadata(chunk.get("messageMetadata"))]


def usage_of(counts: Mapping[str, Any]) -> Usage | None:
    """The tokens in `usage` or in the data of `data-usage` (kai.md §10); None when there are none."""
    usage = Usage(
        _count(counts, "promptTokens", "inputTokens"),
        _count(counts, "completionTokens", "outputTokens"),
        _count(counts, "totalTokens"),
        _count(counts, "cacheReadTokens", "cachedInputTokens"),
        _count(counts, "cacheWriteTokens"),
        _count(counts, "reasoningTokens"),
    )
    return None if usage == Usage() else usage


def _usage(raw: object, source: UsageSource, id: str | None = None) -> list[Event]:
    usage = usage_of(cast("JsonObject", raw)) if isinstance(raw, dict) else None
    return [replace(usage, source=source, id=id)] if usage is not None else []


def _count(counts: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        count = counts.get(name)
        if isinstance(count, int | float) and not isinstance(count, bool) and 0 <= count < 2**53:
            return int(count)
    return None


def _id(chunk: JsonObject) -> str:
    """A block's id; the empty one for the blocks of servers that have none."""
    block_id = chunk.get("id")
    return block_id if isinstance(block_id, str) else "" if block_id is None else str(block_id)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _name(chunk: JsonObject) -> str:
    return _text(chunk.get("toolName")) or ""


def _error_text(chunk: JsonObject) -> str:
    """What went wrong; empty when the server said just that (a message must equal the server's own)."""
    texts = [
        text for name in ("errorText", "message", "error") if (text := _text(chunk.get(name))) is not None
    ]
    return next(filter(None, texts), "" if texts else UNKNOWN_ERROR)


_Maker: TypeAlias = Callable[[JsonObject], list[Event]]


def _of_call(make: Callable[[str, JsonObject], list[Event]]) -> _Maker:
    """For chunks about a tool call: nothing goes without its id."""

    def checked(chunk: JsonObject) -> list[Event]:
        call_id = chunk.get("toolCallId")
        if isinstance(call_id, str):
            return make(call_id, chunk)
        return [Skipped(f"{chunk['type']} without a toolCallId", chunk)]

    return checked


def _always(event: Event) -> _Maker:
    return lambda _chunk: [event]


def _whole(needed: str, *optional: str) -> _Maker:
    """For parts that come complete: only these fields enter the message."""
    names = ("type", needed, *optional, "providerMetadata")

    def make(chunk: JsonObject) -> list[Event]:
        if not isinstance(chunk.get(needed), str):
            return [Skipped(f"{chunk['type']} without {needed}", chunk)]
        part: dict[str, Any] = {name: chunk[name] for name in names if chunk.get(name) is not None}
        return [WholePart(part)]

    return make


_MAKERS: Final[dict[str, _Maker]] = {
    "text-delta": _text_delta,
    "reasoning-delta": _reasoning_delta,
    "tool-input-delta": _tool_input_delta,
    "start": _start,
    "start-step": _always(StartStep()),
    "finish-step": _finish_step,
    "reset-step": _always(ResetStep()),
    "text-start": lambda chunk: [TextStart(_id(chunk), chunk.get("providerMetadata"))],
    "text-end": _text_end,
    "reasoning-start": lambda chunk: [ReasoningStart(_id(chunk), chunk.get("providerMetadata"))],
    "reasoning-end": lambda chunk: [ReasoningEnd(_id(chunk), chunk.get("providerMetadata"))],
    "tool-input-start": _of_call(_tool_input_start),
    "tool-input-available": _of_call(_tool_input_available),
    "tool-input-error": _of_call(_tool_input_error),
    "tool-approval-request": _of_call(_tool_approval_request),
    "tool-approval-response": _tool_approval_response,
    "tool-output-available": _of_call(_tool_output_available),
    "tool-output-error": _of_call(_tool_output_error),
    "tool-output-denied": _of_call(_tool_output_denied),
    "source-url": _whole("url", "sourceId", "title"),
    "source-document": _whole("sourceId", "mediaType", "title", "filename"),
    "file": _whole("url", "mediaType"),
    "reasoning-file": _whole("url", "mediaType"),
    "custom": _whole("kind"),
    "steering-message": _whole("id", "parts"),
    "message-metadata": _metadata,
    "finish": _finish,
    "abort": _abort,
    "error": _error,
    # Older shapes.
    "text": _older_text,
    "step-start": _always(StartStep()),
    "step-end": _finish_step,
    "tool-call": _of_call(_older_tool_call),
}

"""The tool calls of a message (protocols/kai.md §7, "Tool parts")."""

from __future__ import annotations

from typing import Any, Final, Literal, cast

from kai_tui.conversation.events import (
    JsonObject,
    ToolApprovalRequest,
    ToolApprovalResponse,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputError,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputDenied,
    ToolOutputError,
)
from kai_tui.conversation.faults import note_fault
from kai_tui.conversation.fold_state import FoldState
from kai_tui.conversation.messages import Message, ToolPart, ToolState

_ABSENT: Final = object()
_OF_THE_STATE: Final = ("input", "output", "errorText", "rawInput", "inputEncoding", "preliminary")
"""Fields that go when a new state does not bring them."""
_APPROVAL_FIELDS: Final = {
    "signature": "signature",
    "approvalDescriptor": "descriptor",
    "reason": "requestReason",
}
"""What an approval request says beside its ids, and what the part calls it."""


def input_start(message: Message, event: ToolInputStart, state: FoldState) -> int:
    """A call begins, or begins anew."""
    index = _call(
        message,
        state,
        event.tool_call_id,
        event.tool_name,
        event.fields,
        "input-streaming",
        inputEncoding=_or_absent(event.fields.get("inputEncoding")),
    )
    state.growing_inputs[event.tool_call_id] = index
    return index


def input_delta(message: Message, event: ToolInputDelta, state: FoldState) -> int | None:
    """A piece of a call's input."""
    index = state.growing_inputs.get(event.tool_call_id)
    if index is None:
        index = state.call(message, event.tool_call_id)  # of a message that is continued
    part = _tool(message, index)
    if part is None or part.state != "input-streaming":
        note_fault(message, f"a piece of input for a call that expects none: {event.tool_call_id}")
        return None
    part.grow_input(event.delta)
    return index


def input_available(message: Message, event: ToolInputAvailable, state: FoldState) -> int:
    """A call's input is whole."""
    return _call(
        message,
        state,
        event.tool_call_id,
        event.tool_name,
        event.fields,
        "input-available",
        input=_given(event.input, "input", event.fields),
    )


def input_error(message: Message, event: ToolInputError, state: FoldState) -> int:
    """A call's input was refused."""
    there = state.call_in_step(message, event.tool_call_id)
    dynamic = bool(event.fields.get("dynamic"))
    if there is not None:
        dynamic = message.parts[there].type == "dynamic-tool"
    # No title: the reference takes none here.
    fields = {name: value for name, value in event.fields.items() if name != "title"}
    fields["dynamic"] = dynamic
    value = _given(event.input, "input", event.fields)
    index = _call(
        message,
        state,
        event.tool_call_id,
        event.tool_name,
        fields,
        "output-error",
        input=value if dynamic else _ABSENT,
        rawInput=_ABSENT if dynamic else value,
        errorText=event.error_text,
    )
    if not dynamic:
        state.refused_inputs[event.tool_call_id] = index
    return index


def settle_refused_inputs(message: Message, state: FoldState) -> int | None:
    """At the end of a step: SDK 6 would have sent a tool-output-error, so this is SDK 7.

    SDK 6 keeps a refused input as `rawInput`, SDK 7 as `input`; nothing else tells them apart.
    """
    changed: int | None = None
    for index in state.refused_inputs.values():
        part = _tool(message, index)
        if part is not None and "rawInput" in part.fields and part.state == "output-error":
            part.fields["input"] = part.fields.pop("rawInput")
            changed = index
    state.refused_inputs.clear()
    return changed


def approval_request(message: Message, event: ToolApprovalRequest, state: FoldState) -> int | None:
    """A call waits for the user; what the request carries is kept for the answer."""
    index = state.call(message, event.tool_call_id)
    part = _tool(message, index)
    if part is None:
        note_fault(message, f"an approval request for an unknown call: {event.tool_call_id}")
        return None
    extra, approval = event.fields, JsonObject(id=event.approval_id)
    if "inputSchemaInput" in extra:
        approval["inputSchemaInput"] = extra["inputSchemaInput"]
    for name, ours in _APPROVAL_FIELDS.items():
        if extra.get(name) is not None:
            approval[ours] = extra[name]
    if extra.get("isAutomatic") is True:
        approval["isAutomatic"] = True
    part.fields["state"] = "approval-requested"
    part.fields["approval"] = approval
    state.expect_approval(event.approval_id, cast("int", index))
    return index


def approval_response(message: Message, event: ToolApprovalResponse, state: FoldState) -> int | None:
    """The server echoes an answer (SDK 7)."""
    index = state.approval(message, event.approval_id)
    part = _tool(message, index)
    if part is None:
        note_fault(message, f"an answer to an unknown approval request: {event.approval_id}")
        return None
    answer: JsonObject = {**(part.approval or {}), "id": event.approval_id, "approved": event.approved}
    if event.fields.get("reason") is not None:
        answer["reason"] = event.fields["reason"]
    part.fields["state"] = "approval-responded"
    part.fields["approval"] = answer
    if event.fields.get("providerExecuted") is not None:
        part.fields["providerExecuted"] = event.fields["providerExecuted"]
    if event.fields.get("providerMetadata") is not None:
        part.fields["callProviderMetadata"] = event.fields["providerMetadata"]
    return index


def output_available(message: Message, event: ToolOutputAvailable, state: FoldState) -> int | None:
    """A result; a preliminary one is replaced by the next."""
    index = _call_with_result(message, event, state)
    part = _tool(message, index)
    if part is None:
        return None
    _change(
        part,
        event.fields,
        "output-available",
        input=part.fields.get("input", _ABSENT),
        output=_given(event.output, "output", event.fields),
        preliminary=_or_absent(event.fields.get("preliminary")),
    )
    return index


def output_error(message: Message, event: ToolOutputError, state: FoldState) -> int | None:
    """A call failed."""
    index = _call_with_result(message, event, state)
    part = _tool(message, index)
    if part is None:
        return None
    state.refused_inputs.pop(event.tool_call_id, None)
    static = part.type != "dynamic-tool"
    _change(
        part,
        event.fields,
        "output-error",
        input=part.fields.get("input", _ABSENT),
        rawInput=part.fields.get("rawInput", _ABSENT) if static else _ABSENT,
        errorText=event.error_text,
    )
    return index


def output_denied(message: Message, event: ToolOutputDenied, state: FoldState) -> int | None:
    """A call was refused by the user."""
    index = state.call(message, event.tool_call_id)
    part = _tool(message, index)
    if part is None:
        note_fault(message, f"a denial of an unknown call: {event.tool_call_id}")
        return None
    part.fields["state"] = "output-denied"
    return index


def _call_with_result(
    message: Message, event: ToolOutputAvailable | ToolOutputError, state: FoldState
) -> int | None:
    """The call a result belongs to. Older servers name the tool: then nothing needs to come before it."""
    index = state.call(message, event.tool_call_id)
    if index is not None:
        return index
    name = event.fields.get("toolName")
    if not isinstance(name, str) or not name:
        note_fault(message, f"a result for an unknown call: {event.tool_call_id}")
        return None
    return _call(message, state, event.tool_call_id, name, event.fields, "input-available")


def _call(
    message: Message,
    state: FoldState,
    call_id: str,
    name: str,
    fields: JsonObject,
    new_state: ToolState,
    **values: Any,
) -> int:
    """Change the call of that id and kind in the current step, or add it."""
    dynamic = bool(fields.get("dynamic"))
    index = state.call_in_step(message, call_id, dynamic=dynamic)
    if index is None:
        part = ToolPart({"type": "dynamic-tool" if dynamic else "tool-", "toolCallId": call_id})
        index = state.append(message, part)
    else:
        part = cast("ToolPart", message.parts[index])
    if name and dynamic:
        part.fields["toolName"] = name
    elif name:
        part.fields["type"] = f"tool-{name}"
    _change(part, fields, new_state, **values)
    if fields.get("title") is not None:
        part.fields["title"] = fields["title"]
    return index


def _change(part: ToolPart, extra: JsonObject, new_state: ToolState, **values: Any) -> None:
    fields = part.stop_growing()
    fields["state"] = new_state
    for name in _OF_THE_STATE:
        value = values.get(name, _ABSENT)
        if value is _ABSENT:
            fields.pop(name, None)
        else:
            fields[name] = value
    for name in ("toolMetadata", "providerExecuted"):
        if extra.get(name) is not None:
            fields[name] = extra[name]
    if extra.get("providerMetadata") is not None:
        over: Literal["result", "call"] = "result" if new_state.startswith("output") else "call"
        fields[f"{over}ProviderMetadata"] = extra["providerMetadata"]


def _tool(message: Message, index: int | None) -> ToolPart | None:
    part = message.parts[index] if index is not None and index < len(message.parts) else None
    return part if isinstance(part, ToolPart) else None


def _given(value: Any, name: str, fields: JsonObject) -> Any:
    """A null that came stays, a value that never came does not exist."""
    return _or_absent(value) if name not in fields else value


def _or_absent(value: Any) -> Any:
    return _ABSENT if value is None else value

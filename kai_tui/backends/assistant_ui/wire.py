"""Bodies of the requests (assistant-ui.md §3 to §5, §9, §12). Answers are read in `reply.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from kai_tui.backends.assistant_ui.config import AssistantUiConfig
from kai_tui.backends.assistant_ui.offers import image_at
from kai_tui.backends.base import Outgoing, ToolAnswer, ToolValue
from kai_tui.backends.tolerant import whole
from kai_tui.conversation.approvals import respond, wants_value
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import copy_json
from kai_tui.conversation.messages import FilePart, Message, Part, TextPart, ToolPart

DENIED: Final = "The user declined."
"""The result of a call that was denied without a reason."""


def chat_body(
    config: AssistantUiConfig,
    thread_id: str,
    *,
    state: Any,
    commands: Sequence[JsonObject] = (),
    messages: Sequence[JsonObject] | None = None,
) -> JsonObject:
    """Body of a chat request. What is None is left out; the configured extras come last and may override (§3)."""
    body: JsonObject = {"threadId": thread_id}
    if config.form == "ui-messages":
        body["id"] = thread_id
    else:
        body["commands"] = list(commands)
    if messages is not None:
        body["messages"] = list(messages)
    if config.system is not None:
        body["system"] = whole(config.system)
    if config.tools:
        body["tools"] = {
            name: {"description": tool.description, "parameters": tool.parameters}
            for name, tool in config.tools.items()
        }
    if config.run_config is not None:
        body["runConfig"] = config.run_config
    if state is not None:
        body["state"] = state
    body.update(config.extra)
    return body


def cancel_body(thread_id: str) -> JsonObject:
    """Body of a cancel request (§13)."""
    return {"threadId": thread_id}


# Commands


def add_message(outgoing: Outgoing) -> JsonObject:
    """The command for a user's message (§4). Raises Refused for an image that has no usable address."""
    parts: list[JsonObject] = (
        [{"type": "text", "text": whole(outgoing.text)}] if outgoing.text.strip() else []
    )
    parts += [{"type": "image", "image": image_at(image.url).url} for image in outgoing.attachments]
    return {"type": "add-message", "message": {"role": "user", "parts": parts}}


def add_tool_result(answer: ToolAnswer, tool_name: str) -> JsonObject:
    """The command for a call's result: what the user entered, a yes, or why not (§12)."""
    return {
        "type": "add-tool-result",
        "toolCallId": answer.tool_call_id,
        "toolName": tool_name,
        "result": result_of(answer),
        "isError": not answer.approved,
        "artifact": answer.artifact if isinstance(answer, ToolValue) and answer.approved else None,
    }


def result_of(answer: ToolAnswer) -> Any:
    """What a call gets for the user's answer. What a plain yes means is the application's business (§12)."""
    if not answer.approved:
        return whole(answer.reason) if answer.reason else DENIED
    if isinstance(answer, ToolValue):
        return answer.value
    return {"approved": True} if answer.answers is None else answer.answers


# The older form: the conversation


def user_message(outgoing: Outgoing) -> Message:
    """A message on its way, as part of the conversation."""
    message = Message.user(outgoing.message_id, whole(outgoing.text))
    if not outgoing.text.strip():
        message.parts.clear()
    for image in outgoing.attachments:
        fields: JsonObject = {"type": "file", "mediaType": _media_type(image.url), "url": image.url}
        if image.name:
            fields["filename"] = whole(image.name)
        message.parts.append(FilePart(fields))
    return message


def older_messages(messages: Iterable[Message], system: str | None) -> list[JsonObject]:
    """The conversation in the older form: calls with their message, their results in one that follows (§5)."""
    found: list[JsonObject] = []
    if system is not None:
        found.append({"role": "system", "content": whole(system)})
    for message in messages:
        if message.role == "user":
            content = [part for each in message.parts if (part := _older_part(each)) is not None]
            if content:
                found.append({"role": "user", "content": content})
        elif message.role == "assistant":
            found += _older_reply(message)
    return found


def _older_part(part: Part) -> JsonObject | None:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text} if len(part) else None
    if isinstance(part, FilePart):
        url, media_type = part.fields.get("url"), part.fields.get("mediaType")
        if not isinstance(url, str):
            return None
        if isinstance(media_type, str) and media_type.startswith("image/"):
            return {"type": "image", "image": url}
        return {"type": "file", "data": url, "mimeType": media_type or "application/octet-stream"}
    return None


def _older_reply(message: Message) -> list[JsonObject]:
    """What the assistant said, cut after each call that has a result."""
    found: list[JsonObject] = []
    content: list[JsonObject] = []
    results: list[JsonObject] = []

    def cut() -> None:
        if content:
            found.append({"role": "assistant", "content": list(content)})
        if results:
            found.append({"role": "tool", "content": list(results)})
        content.clear()
        results.clear()

    for part in message.parts:
        if isinstance(part, TextPart):
            if results and len(part):
                cut()
            if len(part):
                content.append({"type": "text", "text": part.text})
        elif isinstance(part, ToolPart):
            content.append(
                {
                    "type": "tool-call",
                    "toolCallId": part.tool_call_id,
                    "toolName": part.tool_name,
                    "args": copy_json(part.input) if part.has_input else {},
                }
            )
            if part.settled:
                results.append(_older_result(part))
    cut()
    return found


def _older_result(part: ToolPart) -> JsonObject:
    denied = part.state == "output-denied"
    failed = denied or part.state == "output-error"
    reason = (part.approval or {}).get("reason")
    why = (reason if isinstance(reason, str) else DENIED) if denied else part.error_text
    return {
        "type": "tool-result",
        "toolCallId": part.tool_call_id,
        "toolName": part.tool_name,
        "result": why if failed else copy_json(part.output),
        "isError": failed,
    }


# UI messages


def ui_messages(messages: Iterable[Message]) -> list[JsonObject]:
    """The conversation as UI messages, for servers on the AI SDK (§9)."""
    return [message.to_wire() for message in messages if message.parts]


def answered_ui_message(message: Message, answers: Sequence[ToolAnswer]) -> Message:
    """The message with its calls answered: approvals as such, values as their outputs."""
    answered = respond(message, answers)
    by_call = {answer.tool_call_id: answer for answer in answers}
    for part in answered.tool_calls():
        answer = by_call.get(part.tool_call_id)
        if answer is None or not (wants_value(part.approval) or part.approval is None):
            continue
        fields = part.fields
        fields.pop("approval", None)
        if answer.approved:
            fields["state"], fields["output"] = "output-available", result_of(answer)
        else:
            fields["state"], fields["errorText"] = "output-error", cast("str", result_of(answer))
    return answered


def _media_type(url: str) -> str:
    """Of a data URL; of an address only that it is an image."""
    kind = url[5:].partition(";")[0] if url.startswith("data:") else ""
    return kind if kind.startswith("image/") else "image/*"

"""Reads the two known shapes of a conversation inside a state (assistant-ui.md §11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from kai_tui.backends.assistant_ui.parts import file_part, source_part
from kai_tui.backends.assistant_ui.state import plain, string_in, text_in
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.growing_text import GrowingText

Speaker: TypeAlias = Literal["user", "assistant", "tool", "other"]


@dataclass(frozen=True, slots=True)
class Prose:
    """A block of text or reasoning."""

    kind: Literal["text", "reasoning"]
    text: str | GrowingText


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call. Its arguments are a text that may still grow, or a value."""

    id: str
    name: str
    text: str | GrowingText | None
    value: Any
    whole: bool
    """Whether the server says that the arguments are whole; always so for the end of the reply."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A source, file or image."""

    part: JsonObject


@dataclass(frozen=True, slots=True)
class Result:
    """What a call came to."""

    call_id: str
    value: Any
    failed: bool = False
    artifact: Any = None
    preliminary: bool = False


Item: TypeAlias = Prose | Call | Whole | Result

_ROLES: Mapping[str, Speaker] = {
    "user": "user",
    "human": "user",
    "humanmessagechunk": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "aimessagechunk": "assistant",
    "tool": "tool",
}


def speaker(message: Any) -> Speaker:
    """Who a message is by: `role`, or LangChain's `type`."""
    if not isinstance(message, dict):
        return "other"
    fields = cast("JsonObject", message)
    said = string_in(fields.get("role")) or string_in(fields.get("type")) or ""
    return _ROLES.get(said.lower(), "other")


def items_of(message: Any) -> list[Item]:
    """What a message shows, in order. Only the assistant's words and what tools answered."""
    who = speaker(message)
    if who == "tool":
        return _tool_message(message)
    if who != "assistant":
        return []
    fields = cast("JsonObject", message)
    parts = fields.get("parts")
    found = list(_parts(parts if isinstance(parts, list) else fields.get("content")))
    found += _lang_chain_calls(fields, {item.id for item in found if isinstance(item, Call)})
    return found


def facts_of(message: Any) -> tuple[str | None, Any, str | None]:
    """Id, usage and finish reason of an assistant's message, as far as it has them."""
    fields = cast("JsonObject", message) if isinstance(message, dict) else {}
    about = fields.get("response_metadata")
    reason = string_in(cast("JsonObject", about).get("finish_reason")) if isinstance(about, dict) else None
    return string_in(fields.get("id")), fields.get("usage_metadata"), reason


def _parts(content: Any) -> Iterator[Item]:
    """A text, or a list of parts."""
    text = text_in(content)
    if text is not None:
        if len(text):
            yield Prose("text", text)
        return
    if not isinstance(content, list):
        return
    for raw in cast("list[Any]", content):
        if isinstance(raw, str | GrowingText):
            yield Prose("text", raw)
        elif isinstance(raw, dict):
            yield from _part(cast("JsonObject", raw))


def _part(part: JsonObject) -> Iterator[Item]:
    match string_in(part.get("type")):
        case "text":
            text = text_in(part.get("text"))
            if text is not None:
                yield Prose("text", text)
        case "reasoning" | "thinking" as kind:
            text = text_in(part.get("text")) or text_in(part.get("reasoning")) or text_in(part.get(kind))
            if text is not None:
                yield Prose("reasoning", text)
        case "tool-call":
            yield from _call_part(part)
        case "source":
            source = source_part(plain(part))
            if source is not None:
                yield Whole(source)
        case "file" | "image" as kind:
            data = string_in(part.get("data")) or string_in(part.get("image"))
            media_type = string_in(part.get("mimeType")) or (
                "image/*" if kind == "image" else "application/octet-stream"
            )
            if data:
                yield Whole(file_part(data, media_type))
        case _:
            pass


def _call_part(part: JsonObject) -> Iterator[Item]:
    call_id, name = string_in(part.get("toolCallId")), string_in(part.get("toolName"))
    if call_id is None or name is None:
        return
    text = text_in(part.get("argsText"))
    result = part.get("result")
    done = part.get("done") is True or result is not None
    if text is None and "args" in part:
        yield Call(call_id, name, None, part["args"], True)
    else:
        yield Call(call_id, name, text or "", None, done)
    if result is not None:
        yield Result(call_id, result, part.get("isError") is True, part.get("artifact"))


def _lang_chain_calls(fields: JsonObject, known: set[str]) -> Iterator[Call]:
    raw = fields.get("tool_calls")
    growing = bool(fields.get("tool_call_chunks")) and fields.get("chunk_position") != "last"
    for each in cast("Sequence[Any]", raw) if isinstance(raw, list) else ():
        if not isinstance(each, dict):
            continue
        call = cast("JsonObject", each)
        call_id, name = string_in(call.get("id")), string_in(call.get("name"))
        if call_id and name and call_id not in known:
            yield Call(call_id, name, None, call.get("args"), not growing)


def _tool_message(message: Any) -> list[Item]:
    """LangChain's tool message. One that a sub-agent still writes says so."""
    fields = cast("JsonObject", message)
    call_id = string_in(fields.get("tool_call_id"))
    if call_id is None:
        return []
    extra = fields.get("additional_kwargs")
    running = isinstance(extra, dict) and cast("JsonObject", extra).get("streaming") is True
    failed = string_in(fields.get("status")) == "error"
    return [Result(call_id, fields.get("content"), failed, fields.get("artifact"), preliminary=running)]

"""A message or a chat as text to take away: the answers' own markdown, never what a screen made of it.

Raw: `safe_copy` stands at the clipboard's door. Secrets in the arguments of tools are hidden as on the screen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from kai_tui.conversation.messages import FilePart, Message, Part, TextPart, ToolPart
from kai_tui.conversation.tool_results import result_size

_FENCE: Final = "```"


def message_source(message: Message, *, calls: bool = False) -> str:
    """What a message says, exactly as it was written; with `calls`, its tool calls between."""
    said = (part.text if isinstance(part, TextPart) else _aside(part, calls=calls) for part in message.parts)
    return "\n\n".join(text for each in said if (text := each.strip("\n")))


def has_calls(message: Message) -> bool:
    """Whether a message has something that only `calls` copies."""
    return any(isinstance(part, ToolPart) for part in message.parts)


def last_answer(messages: Sequence[Message]) -> Message | None:
    """The newest message of the assistant that says something."""
    for message in reversed(messages):
        if message.role == "assistant" and any(
            isinstance(part, TextPart) and part.text.strip() for part in message.parts
        ):
            return message
    return None


def chat_pieces(
    title: str,
    messages: Sequence[Message],
    *,
    assistant: str,
    note: Callable[[Message], str] = lambda _: "",
    denied: Callable[[ToolPart], bool] = lambda _: False,
    calls: bool = False,
) -> Iterator[str]:
    """A chat as markdown, piece by piece (one for each message): joined by empty lines they are the document.

    `note` says a few words about a message beside who said it; `denied`: whether the user denied a call. With
    `calls` a tool call stands there with its arguments and its result, else in a word.
    """
    yield f"# {' '.join(title.split()) or 'Chat'}"
    names = {"user": "You", "assistant": assistant}
    for message in messages:
        said = [
            part.text.strip("\n")
            if isinstance(part, TextPart)
            else call_source(part)
            if calls and isinstance(part, ToolPart)
            else _short(part, denied)
            for part in message.parts
        ]
        body = "\n\n".join(each for each in said if each)
        if not body:
            continue
        about = note(message)
        head = f"## {names.get(message.role, 'Note')}{f' ({about})' if about else ''}"
        yield f"{head}\n\n{body}"


def call_source(part: ToolPart) -> str:
    """A tool call with its arguments and its result, to be read."""
    lines = [f"Tool {' '.join(part.tool_name.split()) or 'without a name'}: {outcome(part)}"]
    if part.has_input:
        lines.append(f"Arguments:\n{_block(_json(_masked(part.input)), 'json')}")
    if part.state == "output-available":
        output = part.output
        text = output if isinstance(output, str) else _json(output)
        lines.append(f"Result:\n{_block(text, '' if isinstance(output, str) else 'json')}")
    elif part.error_text:
        lines.append(f"Error:\n{_block(part.error_text, '')}")
    return "\n\n".join(lines)


def outcome(part: ToolPart, *, denied: bool = False) -> str:
    """What became of a call, in a few words."""
    if part.state == "output-available":
        size = result_size(part.output)
        return f"done, {size}" if size else "done"
    ended = {
        "output-error": "denied" if denied else "failed",
        "output-denied": "denied",
        "approval-requested": "not answered",
    }
    return ended.get(part.state, "no result")


def _aside(part: Part, *, calls: bool) -> str:
    if isinstance(part, ToolPart):
        return call_source(part) if calls else ""
    return _file(part) if isinstance(part, FilePart) else ""


def _short(part: Part, denied: Callable[[ToolPart], bool]) -> str:
    if isinstance(part, ToolPart):
        name = " ".join(part.tool_name.split()) or "without a name"
        return f"*(tool {name}: {outcome(part, denied=denied(part))})*"
    return _file(part) if isinstance(part, FilePart) else ""


def _file(part: FilePart) -> str:
    name = part.fields.get("filename")
    return f"*(file: {' '.join(name.split()) if isinstance(name, str) else 'without a name'})*"


def _block(text: str, language: str) -> str:
    """A fence that nothing in the text can close."""
    fence = _FENCE
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


def _masked(value: Any) -> Any:
    from kai_tui.conversation.reviews.secret_values import masked

    return masked(value)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    except (ValueError, TypeError, RecursionError):
        return "(nested too deep to show)"

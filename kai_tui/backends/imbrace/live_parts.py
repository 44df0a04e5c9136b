"""The two kinds of parts that grow during a turn, and the data they show (imbrace.md §4)."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias, cast

from kai_tui.backends.imbrace.growing import Growing
from kai_tui.conversation.events import Data, JsonObject
from kai_tui.conversation.messages import DataPart, Message, Part, ToolPart

MAX_DOCUMENT: Final = 4 * 1024 * 1024
"""Characters of a document shown while it is written; the server has the rest."""
MAX_SAID: Final = 256 * 1024
"""Characters of what a sub-agent says."""
MAX_CALLS: Final = 500
"""Calls of a sub-agent that are listed."""

LiveState: TypeAlias = Literal["streaming", "done", "failed", "cut"]
"""`cut`: the stream ended before the part did."""

_DOCUMENT_TOOLS: Final = ("createDocument", "updateDocument")


class LiveDocument:
    """A document being written."""

    def __init__(self, document_id: str) -> None:
        self.id = document_id
        self.title = ""
        self.kind = ""
        self.state: LiveState = "streaming"
        self.content = Growing(MAX_DOCUMENT)

    def event(self) -> Data:
        """The part as it is now."""
        data: JsonObject = {
            "id": self.id,
            "title": self.title,
            "kind": self.kind or "text",
            "state": self.state,
            "content": self.content.text(),
        }
        if self.content.full:
            data["truncated"] = True
        return _part("data-document", self.id, data)


class LiveSubAgent:
    """A sub-agent at work for the agent one talks to."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.name = self.parent = self.agent_id = self.error = self.flow = ""
        self.state: LiveState = "streaming"
        self.text = Growing(MAX_SAID)
        self._calls: dict[str, JsonObject] = {}
        self._listed: list[JsonObject] = []
        """The calls as they were shown last; never changed, so that events can share it."""

    def call(self, call_id: str, tool: str) -> None:
        """It uses a tool."""
        if len(self._calls) < MAX_CALLS:
            self._calls[call_id or f"call-{len(self._calls) + 1}"] = {"tool": tool, "done": False}
            self._listed = list(self._calls.values())

    def called(self, call_id: str) -> None:
        """The tool answered."""
        call = self._calls.get(call_id)
        if call is not None and not call["done"]:
            self._calls[call_id] = {**call, "done": True}
            self._listed = list(self._calls.values())

    def event(self) -> Data:
        """The part as it is now."""
        data: JsonObject = {
            "session": self.session,
            "agent": self.name,
            "state": self.state,
            "text": self.text.text(),
            "calls": self._listed,
        }
        for key, value in (
            ("parent", self.parent),
            ("agentId", self.agent_id),
            ("error", self.error),
            ("flow", self.flow),
        ):
            if value:
                data[key] = value
        if self.text.full:
            data["truncated"] = True
        return _part("data-sub-agent", self.session, data)


def with_documents(message: Message) -> Message:
    """The message of a history with a part for each document its calls wrote, as the live turn had it.

    The content is not among it: the server has it (`GET /chat-client/documents/{id}/latest`).
    """
    parts: list[Part] = []
    seen: set[str] = set()
    for part in message.parts:
        parts.append(part)
        output: Any = part.output if isinstance(part, ToolPart) else None
        if (
            isinstance(part, ToolPart)
            and part.tool_name in _DOCUMENT_TOOLS
            and part.state == "output-available"
            and isinstance(output, dict)
        ):
            fields = cast("JsonObject", output)
            document_id = text_of(fields, "id")
            if document_id and document_id not in seen:
                seen.add(document_id)
                data: JsonObject = {
                    "id": document_id,
                    "title": text_of(fields, "title"),
                    "kind": text_of(fields, "kind") or "text",
                    "state": "done",
                }
                parts.append(DataPart(_part("data-document", document_id, data).part))
    message.parts = parts
    return message


def text_of(fields: JsonObject, name: str) -> str:
    """A field that is text, else an empty one."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _part(kind: str, part_id: str, data: JsonObject) -> Data:
    return Data(kind, data, part_id, False, {"type": kind, "id": part_id, "data": data})

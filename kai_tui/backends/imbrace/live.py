"""Transient events that are worth keeping: documents being written, sub-agents at work (imbrace.md §4).

The server sends both as `transient` data, which no message keeps. Here they become data parts of our own
that grow while the turn runs: `data-document` and `data-sub-agent`, each with an id of its own, each new
event replacing the part's data. They are never sent back (`wire.OUR_PARTS`).
"""

from __future__ import annotations

from typing import Any, Final, cast

from kai_tui.backends.imbrace.live_parts import LiveDocument, LiveSubAgent, text_of
from kai_tui.conversation.events import (
    Data,
    Error,
    Event,
    Finish,
    JsonObject,
    Skipped,
    Status,
    ToolInputAvailable,
)

MAX_PARTS: Final = 200
"""Documents and sub-agents of one turn; further ones are passed on as they came."""

_APPENDS: Final = "data-textDelta"
_REPLACES: Final = ("data-codeDelta", "data-sheetDelta", "data-imageDelta")
"""Their value is the whole document so far, not a piece of it (A artifacts/code, artifacts/sheet)."""
_OF_DOCUMENTS: Final = frozenset(
    {"data-kind", "data-id", "data-title", "data-clear", "data-finish", _APPENDS, *_REPLACES}
)
_SUB_AGENT: Final = "data-sub-agent-"
_SAYS_NOTHING: Final = "No output generated"


class LiveParts:
    """Rewrites the events of one stream. `take` each in turn; what it returns is handed on instead."""

    def __init__(self) -> None:
        self._documents: dict[str, LiveDocument] = {}
        self._document: LiveDocument | None = None
        self._kind = ""
        self._tool_document = ""
        self._sub_agents: dict[str, LiveSubAgent] = {}
        self._failed = False

    def take(self, event: Event) -> list[Event]:
        """The events to hand on for this one, in order."""
        if isinstance(event, Data):
            return self._data(event)
        if isinstance(event, Finish):
            return [*self._ended(), event]
        if isinstance(event, Error):
            return self._error(event)
        if isinstance(event, ToolInputAvailable):
            self._note_tool(event)
        return [event]

    def _data(self, event: Data) -> list[Event]:
        if not isinstance(event.data, dict):
            return [event]
        data = cast("JsonObject", event.data)
        if event.type in _OF_DOCUMENTS:
            return self._of_document(event, data)
        if event.type.startswith(_SUB_AGENT):
            return self._of_sub_agent(event, data)
        return [event]

    def _error(self, event: Error) -> list[Event]:
        # After a model's own error the SDK adds one that only says there was one (F:30).
        if self._failed and event.text.startswith(_SAYS_NOTHING):
            return [Skipped("a second error that says nothing new", event.text)]
        self._failed = True
        return [event]

    def _note_tool(self, event: ToolInputAvailable) -> None:
        """A document that is changed has its id in the call, not in an event."""
        if event.tool_name == "updateDocument" and isinstance(event.input, dict):
            self._tool_document = text_of(cast("JsonObject", event.input), "id")

    # Documents

    def _of_document(self, event: Data, data: JsonObject) -> list[Event]:
        value = text_of(data, "value")
        match event.type:
            case "data-kind":
                self._kind, self._document = value, None
                return []
            case "data-id":
                return self._opened(value)
            case "data-finish":
                document, self._document = self._document, None
                self._tool_document = ""
                if document is None:
                    return []
                document.state = "done"
                return [document.event()]
            case _:
                return self._written(event, value)

    def _written(self, event: Data, value: str) -> list[Event]:
        events: list[Event] = []
        if self._document is None:
            if event.type == "data-clear":
                return self._opened(self._tool_document)
            events = self._opened(self._tool_document)
        document = self._document
        if document is None:
            return [event]
        if event.type == "data-title":
            document.title = value
            return [document.event(), Status(f"Writing “{value}”")]
        if event.type == "data-clear":
            written = document.content.size > 0
            document.content.replace("")
            return [document.event()] if written else events
        if event.type == _APPENDS:
            document.content.append(value)
        else:
            if document.content.size == len(value) and document.content.text() == value:
                return events  # a sheet's last event repeats the one before
            document.content.replace(value)
            return [document.event()]
        return [document.event()] if document.content.worth_showing else events

    def _opened(self, document_id: str) -> list[Event]:
        """A document begins; without an id of its own it gets one of this turn."""
        document_id = document_id or f"document-{len(self._documents) + 1}"
        document = self._documents.get(document_id)
        if document is None:
            if len(self._documents) >= MAX_PARTS:
                self._document = None
                return []
            document = self._documents[document_id] = LiveDocument(document_id)
        document.kind = self._kind or document.kind
        document.state = "streaming"
        document.content.replace("")
        self._document, self._kind = document, ""
        return [document.event()]

    # Sub-agents

    def _of_sub_agent(self, event: Data, data: JsonObject) -> list[Event]:
        what = event.type.removeprefix(_SUB_AGENT)
        session = text_of(data, "session_id")
        agent = self._sub_agents.get(session)
        if agent is None:
            if not session or len(self._sub_agents) >= MAX_PARTS:
                return [event]
            agent = self._sub_agents[session] = LiveSubAgent(session)
        agent.name = text_of(data, "agent_name") or agent.name
        status = ""
        match what:
            case "start":
                agent.parent = text_of(data, "parent_session_id")
                agent.agent_id = text_of(data, "assistant_id")
                status = " is at work"
            case "text-delta":
                agent.text.append(text_of(data, "text"))
                return [agent.event()] if agent.text.worth_showing else []
            case "tool-call":
                agent.call(text_of(data, "tool_call_id"), text_of(data, "tool_name"))
                status = f" uses {text_of(data, 'tool_name') or 'a tool'}"
            case "tool-result":
                agent.called(text_of(data, "tool_call_id"))
            case "end":
                failed = data.get("success") is False
                agent.state = "failed" if failed else "done"
                agent.error = text_of(data, "error")
                status = " failed" if failed else " is done"
            case "flow-editor-open":
                agent.flow = text_of(data, "flow_id")
                status = f": {text_of(data, 'message') or 'opened a flow'}"
            case _:
                return [event]
        events: list[Event] = [agent.event()]
        return [*events, Status(f"{agent.name or 'A sub-agent'}{status}")] if status else events

    # The end

    def _ended(self) -> list[Event]:
        """What still grows when the stream ends will never be finished: shown whole, and as cut off."""
        events: list[Event] = []
        parts: list[Any] = [*self._documents.values(), *self._sub_agents.values()]
        for part in parts:
            if part.state == "streaming":
                part.state = "cut"
                events.append(part.event())
        return events

"""The rows of a chat as messages: whose they are, and what is not for the reader (imbrace.md §8).

The server gives every message of the user an id of its own, but keeps its parts whole (F:46; A
models/client/message). So our id travels in the first part, and what was sent can be found again: after a
loss that decides whether a message arrived (reliability.md P5, N10).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from kai_tui.backends.imbrace.growing import Growing
from kai_tui.backends.imbrace.live_parts import MAX_SAID, LiveSubAgent, text_of, with_documents
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import DataPart, Message, ToolPart

OUR_ID: Final = "clientMessageId"
"""The field of a user message's first part that holds our id for it."""

_MAX_ID: Final = 100


class Reading:
    """The messages of one chat, and the server's own ids of those that have ours."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.messages: list[Message] = []
        self.server_ids: dict[str, str] = {}
        """Our id → the server's."""
        for row in rows:
            if isinstance(row, dict):
                self._take(cast("JsonObject", row))

    def _take(self, row: JsonObject) -> None:
        raw: Any = row.get("metadata")
        about = cast("JsonObject", raw) if isinstance(raw, dict) else {}
        if about.get("subAgentDirectChat") is True or about.get("compaction") is True:
            return  # said elsewhere, or by the server in the user's name
        if about.get("subAgent") is True:
            self._add_sub_agent(row, about)
            return
        message = with_documents(Message.from_wire(row))
        if message.role == "user":
            self._with_our_id(message)
        self.messages.append(message)

    def _with_our_id(self, message: Message) -> None:
        ours: Any = message.parts[0].fields.pop(OUR_ID, None) if message.parts else None
        # A message that was sent twice is there twice; only one can have the id.
        if isinstance(ours, str) and 0 < len(ours) <= _MAX_ID and ours not in self.server_ids:
            self.server_ids[ours] = message.id
            message.id = ours

    def _add_sub_agent(self, row: JsonObject, about: JsonObject) -> None:
        """What a sub-agent did is a row of its own after the answer it was for."""
        answer = next((each for each in reversed(self.messages) if each.role == "assistant"), None)
        session = text_of(about, "sessionId") or text_of(row, "id")
        if answer is None or not session:
            return
        agent = LiveSubAgent(session)
        agent.name, agent.parent = text_of(about, "agentName"), text_of(about, "parentSessionId")
        agent.agent_id, agent.error = text_of(about, "assistantId"), text_of(about, "error")
        agent.state = "failed" if about.get("status") == "error" else "done"
        text = Growing(MAX_SAID)
        parts: Any = row.get("parts")
        for part in cast("list[Any]", parts) if isinstance(parts, list) else []:
            fields = cast("JsonObject", part) if isinstance(part, dict) else {}
            call_id = text_of(fields, "toolCallId")
            match fields.get("type"):
                case "text":
                    text.append(text_of(fields, "text"))
                case "tool-call":
                    agent.call(call_id, text_of(fields, "toolName"))
                case "tool-result":
                    agent.called(call_id)
                case _:
                    pass
        agent.text = text
        calls = [index for index, part in enumerate(answer.parts) if isinstance(part, ToolPart)]
        answer.parts.insert(calls[-1] + 1 if calls else 0, DataPart(agent.event().part))

"""What goes over the wire to iMBRACE and back: models of all answers, builders of all bodies (imbrace.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import Field

from kai_tui.backends.base import Outgoing
from kai_tui.backends.imbrace.history import OUR_ID
from kai_tui.backends.tolerant import Count, Fields, Flag, Rows, Text, WireModel, whole
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message

OUR_PARTS = frozenset({"data-document", "data-sub-agent"})
"""Parts this adapter makes of transient events; they never go back to the server."""


class Wrapped(WireModel):
    """`{"success", "data", "timestamp"}` around the facts (§10, §12)."""

    data: Any = None
    timestamp: Text = None


class ChatRow(WireModel):
    """A chat of the history (§8). `lastContext` is kept as it is: its numbers may be nonsense."""

    id: str
    title: Text = None
    created_at: Text = None
    updated_at: Text = None
    visibility: Text = None
    status: Text = None
    assistant_id: Text = None
    organization_id: Text = None
    last_context: Any = None


class HistoryAnswer(WireModel):
    """GET /chat-client/chats (§8)."""

    chats: Rows = Field(default_factory=list[Any])
    has_more: Flag = None


class Vote(WireModel):
    """GET /chat-client/chats/{id}/votes (§9)."""

    message_id: str
    is_upvoted: Flag = None


class User(WireModel):
    """POST /chat-client/auth/user (§2)."""

    id: Text = None
    email: Text = None


class Deleted(WireModel):
    """DELETE /chat-client/chats (§8)."""

    deleted_count: Count = None


class TitleAnswer(WireModel):
    """POST /chat-client/chats/{id}/title (§8)."""

    title: Text = None


class StatusEvent(WireModel):
    """One event of the status stream (§7)."""

    status: Text = None
    stale: Flag = None


class AgentRow(WireModel):
    """An agent, as any of the three lists has it (§10)."""

    id: Text = None
    assistant_id: Text = None
    mongo_id: Text = Field(default=None, alias="_id")
    name: Text = None
    description: Text = None
    model_id: Text = None
    streaming: Flag = None
    show_thinking_process: Flag = None
    agent_type: Text = None


class ModelRow(WireModel):
    """GET {gateway}/v3/ai/workflow-agent/models (§10)."""

    name: str


class DocumentRow(WireModel):
    """A version of a document (§11)."""

    id: str
    title: Text = None
    content: Text = None
    kind: Text = None
    created_at: Text = None


class FileRow(WireModel):
    """A knowledge file (§11)."""

    id: Text = None
    mongo_id: Text = Field(default=None, alias="_id")
    filename: Text = None
    name: Text = None
    bytes: Count = None
    size: Count = None
    assistant_id: Text = None
    created_at: Text = None


class UploadRow(WireModel):
    """What the data board says of an attachment (§11)."""

    url: Text = None
    error: Any = None


class Result(WireModel):
    """`{"message", "result"}` of the chat-ai file endpoints (§11)."""

    message: Text = None
    result: Any = None


class OrganizationRow(WireModel):
    id: Text = None
    mongo_id: Text = Field(default=None, alias="_id")
    organization_id: Text = None
    name: Text = None
    organization_name: Text = None


class LoginAnswer(WireModel):
    """POST {platform}/login/authenticate and …/_exchange_access_token (§2)."""

    access_token: Text = None
    token: Text = None
    organizations: Rows = Field(default_factory=list[Any])

    @property
    def found(self) -> str:
        """The token under whatever name it came."""
        return self.access_token or self.token or ""


class KeyAnswer(WireModel):
    """POST {gateway}/v1/platform/third_party_token (§2)."""

    api_key: Fields = None
    expires_in: Any = None


def rows_of(body: Any, *names: str) -> list[Any] | None:
    """A bare list, or the first list under one of `names` (`data` is always tried); None when there is none."""
    if isinstance(body, list):
        return cast("list[Any]", body)
    if isinstance(body, dict):
        fields = cast("JsonObject", body)
        for name in (*names, "data"):
            rows = fields.get(name)
            if isinstance(rows, list):
                return cast("list[Any]", rows)
            if isinstance(rows, dict):
                return rows_of(rows, *names)
    return None


def chat_body(
    chat_id: str,
    agent: str,
    message: JsonObject,
    *,
    organization: str = "",
    approval: bool = False,
    model: tuple[str, str] | None = None,
    board: str = "",
) -> JsonObject:
    """Body of POST /v2/chat (§3). `model`: (model id, provider id), for this request only."""
    body: JsonObject = {"id": chat_id, "assistant_id": agent, "messages": [message]}
    if organization:
        body["organization_id"] = organization
    if approval:
        body["is_tool_approval"] = True
    if model is not None:
        body["model_id"], body["provider_id"] = model
    if board:
        body["board_id"] = board
    return body


def user_message(outgoing: Outgoing) -> JsonObject:
    """The new message, files after the text (§3); our id goes in its first part (`history`)."""
    parts: list[JsonObject] = []
    if outgoing.text.strip():
        parts.append({"type": "text", "text": whole(outgoing.text)})
    parts += [
        {
            "type": "file",
            "mediaType": whole(each.media_type),
            "name": whole(each.name),
            "url": whole(each.url),
        }
        for each in outgoing.attachments
    ]
    if parts:
        parts[0][OUR_ID] = outgoing.message_id
    return {"id": outgoing.message_id, "role": "user", "parts": parts}


def answered_message(message: Message) -> JsonObject:
    """The assistant's own message with its calls answered (§6), without the parts of our making."""
    parts = [part.to_wire() for part in message.parts if part.type not in OUR_PARTS]
    return {"id": message.id, "role": "assistant", "parts": parts}


def kept_message(chat_id: str, message: Message) -> JsonObject:
    """Body of POST /chat-client/messages (§8)."""
    return {"message": {**answered_message(message), "chatId": chat_id}}


def vote_body(chat_id: str, message_id: str, up: bool) -> JsonObject:
    """Body of PATCH /chat-client/votes; the SDK's shape is refused (§9)."""
    return {"chatId": chat_id, "messageId": message_id, "type": "up" if up else "down"}


def completion_body(model: str, messages: Sequence[Mapping[str, str]]) -> JsonObject:
    """Body of POST {gateway}/v3/ai/completions, in OpenAI's shape (SDK 1.3.1, `ai.stream`)."""
    return {"model": model, "messages": [dict(each) for each in messages], "stream": True}

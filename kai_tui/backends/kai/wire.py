"""What goes over the wire to Kai and back: models of all answers, builders of all bodies (kai.md §3, §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import Field

from kai_tui.backends.base import Outgoing, Permission, ToolAnswer, Visibility
from kai_tui.backends.tolerant import (
    Count,
    Fields,
    Flag,
    Number,
    Rows,
    Text,
    WireModel,
    whole,
)
from kai_tui.backends.tolerant import M as M
from kai_tui.backends.tolerant import read as read
from kai_tui.backends.tolerant import read_rows as read_rows
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message

CHAT_MODEL = "chat-model"
"""The only value of `selectedChatModel` (kai.md §4.3)."""

SuggestionContext: TypeAlias = Literal["dashboard", "job-detail", "configuration-detail"]


class Ping(WireModel):
    """GET /ping (§4.1)."""

    timestamp: Text = None


class Info(WireModel):
    """GET /api (§4.2). `connected_mcp` is a list or one object, as the server likes."""

    timestamp: Text = None
    uptime: Number = None
    app_name: Text = None
    app_version: Text = None
    server_version: Text = None
    connected_mcp: Any = None


class ChatRow(WireModel):
    """A chat in the history, and the head of a chat (§4.5, §4.7)."""

    id: str
    title: Text = None
    created_at: Text = None
    updated_at: Text = None
    visibility: Text = None
    user_id: Text = None


class ChatAnswer(ChatRow):
    """GET /api/chat/{id} (§4.5). Messages stay raw: `Message.from_wire` reads them."""

    messages: Rows = Field(default_factory=list[Any])


class HistoryAnswer(WireModel):
    """GET /api/history (§4.7)."""

    chats: Rows = Field(default_factory=list[Any])
    has_more: Flag = None


class Vote(WireModel):
    """One vote, in its current shape (`isUpvoted`) or its older one (`type`) (§4.8)."""

    message_id: str
    chat_id: Text = None
    is_upvoted: Flag = None
    type: Text = None

    @property
    def up(self) -> bool | None:
        """True, False, or None when the row says neither."""
        if self.is_upvoted is not None:
            return self.is_upvoted
        return {"up": True, "down": False}.get(self.type or "")


class ApprovalAnswer(WireModel):
    """POST /api/chat/{id}/approval (§4.10)."""

    success: Flag = None
    tool_use_id: Text = None
    approved: Flag = None


class Usage(WireModel):
    """GET /api/usage (§4.11): messages this month, per token."""

    messages_used: Count = None
    messages_limit: Count = None
    reset_date: Text = None


class Settings(WireModel):
    """GET, PATCH /api/settings (§4.12)."""

    project_id: Text = None
    custom_instructions: Text = None
    created_at: Text = None
    updated_at: Text = None


class UserSettings(Settings):
    """GET, PATCH /api/settings/user (§4.12)."""

    user_id: Text = None
    tool_permissions: Fields = None


class ToolRow(WireModel):
    """One tool of GET /api/settings/tools (§4.12)."""

    name: str
    description: Text = None
    read_only: Flag = None


class ToolsAnswer(WireModel):
    """GET /api/settings/tools. `tools` is required: it is how kai-agent is told from kai-assistant (§1)."""

    tools: list[Any]


class Suggestion(WireModel):
    """One suggestion for a screen of the web UI (§4.13)."""

    id: Text = None
    label: Text = None
    prompt: Text = None
    priority: Number = None
    category: Text = None
    reasoning: Text = None


class Suggestions(WireModel):
    """POST /api/suggestions (§4.13)."""

    suggestions: list[Suggestion] = Field(default_factory=list[Suggestion])
    suggestion_session_id: Text = None


class Service(WireModel):
    """A service of the stack (§3)."""

    id: str
    url: Text = None


class StackIndex(WireModel):
    """GET /v2/storage (§3); only the services matter."""

    services: Rows = Field(default_factory=list[Any])


class TokenOwner(WireModel):
    """The project, or the person, of a token."""

    id: Text = None
    name: Text = None


class TokenAnswer(WireModel):
    """GET /v2/storage/tokens/verify (§3)."""

    description: Text = None
    is_master_token: Flag = None
    owner: TokenOwner | None = None
    admin: TokenOwner | None = None
    """The person it belongs to; tokens made by hand have none."""


class BranchRow(WireModel):
    """One branch of GET /v2/storage/dev-branches (see `branches.py`)."""

    id: Count = None
    name: Text = None
    description: Text = None
    is_default: Flag = None


@dataclass(frozen=True, slots=True)
class ToolRestrictions:
    """What the assistant may use in a chat; kai-agent only, and its first message decides (§4.3)."""

    allowed: Sequence[str] | None = None
    disallowed: Sequence[str] | None = None
    read_only: bool | None = None


def chat_body(
    chat_id: str,
    message: JsonObject,
    *,
    branch_id: int | None = None,
    visibility: Visibility = "private",
    restrictions: ToolRestrictions | None = None,
) -> JsonObject:
    """Body of POST /api/chat (§4.3, §4.4). Absent values are left out."""
    body: JsonObject = {
        "id": chat_id,
        "message": message,
        "selectedChatModel": CHAT_MODEL,
        "selectedVisibilityType": visibility,
    }
    if branch_id is not None:
        body["branchId"] = branch_id
    if restrictions is not None:
        limits: JsonObject = {}
        if restrictions.allowed is not None:
            limits["allowedTools"] = list(restrictions.allowed)
        if restrictions.disallowed is not None:
            limits["disallowedTools"] = list(restrictions.disallowed)
        if restrictions.read_only is not None:
            limits["readOnlyMode"] = restrictions.read_only
        if limits:
            body["toolRestrictions"] = limits
    return body


def user_message(outgoing: Outgoing) -> JsonObject:
    """A new message of the user (§4.3). `metadata` only when there is something in it."""
    message: JsonObject = {
        "id": outgoing.message_id,
        "role": "user",
        "parts": [{"type": "text", "text": whole(outgoing.text)}],
    }
    if outgoing.hidden or outgoing.context_path:
        metadata: JsonObject = {"hidden": outgoing.hidden}
        if outgoing.context_path:
            metadata["requestContext"] = {"path": whole(outgoing.context_path)}
        message["metadata"] = metadata
    return message


def answered_message(message: Message) -> JsonObject:
    """The assistant's own message with its calls answered: all parts, no metadata (§9.1)."""
    wire = message.to_wire()
    return {"id": wire["id"], "role": "assistant", "parts": wire["parts"]}


def tool_result_message(message_id: str, tool_name: str, answer: ToolAnswer) -> JsonObject:
    """The answer of the oldest servers: a user message with a lone tool result (§9.3)."""
    part = {
        "type": "tool-result",
        "toolCallId": answer.tool_call_id,
        "toolName": tool_name,
        "result": "confirmed" if answer.approved else "denied",
    }
    return {"id": message_id, "role": "user", "parts": [part]}


def approval_body(answer: ToolAnswer) -> JsonObject:
    """Body of POST /api/chat/{id}/approval (§4.10). A changed input goes only with a yes."""
    body: JsonObject = {"toolUseId": answer.tool_call_id, "approved": answer.approved}
    if answer.reason:
        body["reason"] = whole(answer.reason)
    if answer.updated_input is not None and answer.approved:
        body["updatedInput"] = answer.updated_input
    if answer.answers is not None:
        body["answers"] = answer.answers
    return body


def vote_body(chat_id: str, message_id: str, up: bool) -> JsonObject:
    """Body of PATCH /api/vote (§4.8)."""
    return {"chatId": chat_id, "messageId": message_id, "type": "up" if up else "down"}


def permissions_body(permissions: Mapping[str, Permission] | None) -> JsonObject:
    """Part of PATCH /api/settings/user: merged into the stored ones; None resets them all (§4.12)."""
    return {"toolPermissions": None if permissions is None else dict(permissions)}

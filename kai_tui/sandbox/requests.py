"""Reads and checks what is posted to the sandbox (protocols/kai.md §4.3, §16)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from starlette.requests import Request

from kai_tui.conversation.json_text import BadJson, decode_json
from kai_tui.sandbox.refusals import bad_request

JsonObject: TypeAlias = dict[str, Any]

TEXT_LIMIT = 100_000
"""Longest text part, in characters."""
PERMISSIONS = ("always_allow", "always_ask", "blocked")
INSTRUCTIONS_LIMIT = 4_000


@dataclass(frozen=True, slots=True)
class ChatPost:
    """A checked body of `POST /api/chat`."""

    chat_id: str
    message: JsonObject
    visibility: str
    branch_id: int | None = None
    restrictions: JsonObject = field(default_factory=dict[str, Any])

    @property
    def is_answer(self) -> bool:
        """Whether it answers approvals instead of saying something (kai.md §4.4)."""
        return self.message["role"] == "assistant"


async def json_object(request: Request) -> JsonObject:
    """The body as an object. Raises Refusal."""
    try:
        value = decode_json(await request.body())
    except BadJson:
        raise bad_request("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise bad_request("The body is not an object.")
    return cast("JsonObject", value)


def is_uuid(value: Any) -> bool:
    """Whether it is a UUID in its usual form, of any version."""
    if not isinstance(value, str) or len(value) != 36:
        return False
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def uuid_of(value: Any, what: str) -> str:
    """A UUID, in small letters. Raises Refusal."""
    if not is_uuid(value):
        raise bad_request(f"{what} must be a UUID.")
    return cast("str", value).lower()


async def chat_post(request: Request) -> ChatPost:
    """Read and check the body of `POST /api/chat`. Raises Refusal."""
    body = await json_object(request)
    chat_id = uuid_of(body.get("id"), "id")
    raw: Any = body.get("message")
    if not isinstance(raw, dict):
        raise bad_request("Missing required field: message")
    message = cast("JsonObject", raw)
    message_id = uuid_of(message.get("id"), "message.id")
    role = message.get("role")
    if role not in ("user", "assistant"):
        raise bad_request("message.role must be user or assistant.")
    parts: Any = message.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in cast("list[Any]", parts)):
        raise bad_request("message.parts must be a list of parts.")
    if role == "user":
        _check_user_parts(cast("list[JsonObject]", parts))
    model = body.get("selectedChatModel")
    if not isinstance(model, str) or not model:
        raise bad_request("Missing required field: selectedChatModel")
    visibility = body.get("selectedVisibilityType")
    if visibility not in ("private", "public"):
        raise bad_request("selectedVisibilityType must be private or public.")
    branch = body.get("branchId")
    if branch is not None and (not isinstance(branch, int) or isinstance(branch, bool) or abs(branch) >> 62):
        raise bad_request("branchId must be a whole number.")
    restrictions: Any = body.get("toolRestrictions")
    return ChatPost(
        chat_id,
        {**message, "id": message_id},
        visibility,
        branch,
        cast("JsonObject", restrictions) if isinstance(restrictions, dict) else {},
    )


def _check_user_parts(parts: list[JsonObject]) -> None:
    texts = [part.get("text") for part in parts if part.get("type") == "text"]
    if not all(isinstance(text, str) for text in texts):
        raise bad_request("A text part needs a text.")
    if any(len(cast("str", text)) > TEXT_LIMIT for text in texts):
        raise bad_request(f"A text part has at most {TEXT_LIMIT:,} characters.")
    if not any(cast("str", text).strip() for text in texts):
        # The older backend's own words for the same fault (kai.md §4.3).
        raise bad_request("user messages must have non-empty content")


def settings_changes(body: JsonObject, *, user: bool) -> JsonObject:
    """The changes of `PATCH /api/settings` or `/api/settings/user`. Raises Refusal."""
    changes = {name: body[name] for name in ("customInstructions", "toolPermissions") if name in body}
    if not user:
        changes.pop("toolPermissions", None)
    if not changes:
        raise bad_request("Nothing to change.", "settings")
    text = changes.get("customInstructions")
    if text is not None and (not isinstance(text, str) or len(text) > INSTRUCTIONS_LIMIT):
        raise bad_request(
            f"customInstructions is a text of at most {INSTRUCTIONS_LIMIT:,} characters.", "settings"
        )
    permissions: Any = changes.get("toolPermissions")
    if permissions is not None and (
        not isinstance(permissions, dict)
        or any(value not in PERMISSIONS for value in cast("JsonObject", permissions).values())
    ):
        raise bad_request(f"toolPermissions maps tools to {', '.join(PERMISSIONS)}.", "settings")
    return changes

"""Every method of `Backend`, so that none is forgotten: who needs which capability, and how each is called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from kai_tui.backends.base import Attachment, Backend, BackendError, Capabilities, ToolAnswer
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import TIMEOUT
from tests.contract.stand import Stand

Call = Callable[[Stand, Backend], Any]
ANSWER = ToolAnswer("call-1", True, "approval-1")
WAITING = Message.from_wire(
    {
        "id": "m1",
        "role": "assistant",
        "parts": [
            {
                "type": "tool-x",
                "toolCallId": "call-1",
                "state": "approval-requested",
                "input": {},
                "approval": {"id": "approval-1"},
            }
        ],
    }
)
OPEN = Message.from_wire(
    {
        "id": "m1",
        "role": "assistant",
        "parts": [{"type": "tool-x", "toolCallId": "call-1", "state": "input-available", "input": {}}],
    }
)
PICTURE = Attachment("https://files.example/a.png", "a.png", "image/png")

ALWAYS: Mapping[str, Call] = {
    "connect": lambda stand, backend: backend.connect(),
    "about": lambda stand, backend: backend.about(),
    "alive": lambda stand, backend: backend.alive(),
    "tools": lambda stand, backend: backend.tools(),
    "chats": lambda stand, backend: backend.chats(limit=2),
    "chat": lambda stand, backend: backend.chat(stand.chat_id),
    "send": lambda stand, backend: backend.send(stand.chat_id, stand.outgoing("Hello")),
}
OPTIONAL: Mapping[str, tuple[Callable[[Capabilities], bool], Call]] = {
    "answer": (
        lambda caps: caps.approval != "none",
        lambda stand, backend: backend.answer(stand.chat_id, WAITING, [ANSWER]),
    ),
    "answer_by_tool_result": (
        lambda caps: caps.tool_results,
        lambda stand, backend: backend.answer_by_tool_result(stand.chat_id, OPEN, ANSWER),
    ),
    "delete": (lambda caps: caps.delete, lambda stand, backend: backend.delete(stand.chat_id)),
    "vote": (lambda caps: caps.votes, lambda stand, backend: backend.vote(stand.chat_id, "m1", True)),
    "quota": (lambda caps: caps.usage, lambda stand, backend: backend.quota()),
    "instructions": (lambda caps: caps.settings, lambda stand, backend: backend.instructions("user")),
    "set_instructions": (
        lambda caps: caps.settings,
        lambda stand, backend: backend.set_instructions("user", "Be brief."),
    ),
    "permissions": (lambda caps: caps.tool_permissions, lambda stand, backend: backend.permissions()),
    "set_permissions": (
        lambda caps: caps.tool_permissions,
        lambda stand, backend: backend.set_permissions({"x": "always_ask"}),
    ),
    "suggestions": (lambda caps: caps.suggestions, lambda stand, backend: backend.suggestions()),
    "deleted_chats": (lambda caps: caps.restore, lambda stand, backend: backend.deleted_chats(limit=2)),
    "take_up": (lambda caps: caps.takes_up, lambda stand, backend: backend.take_up(stand.chat_id)),
    "delete_all": (lambda caps: caps.delete_all, lambda stand, backend: backend.delete_all()),
    "restore": (lambda caps: caps.restore, lambda stand, backend: backend.restore(stand.chat_id)),
    "send with a file": (
        lambda caps: caps.attachments,
        lambda stand, backend: backend.send(stand.chat_id, stand.outgoing("Look", attachments=(PICTURE,))),
    ),
}
"""What `caps` may deny: then it raises Unsupported before anything is sent."""
WITHOUT_A_REQUEST = {
    "aclose",
    "renew",
    "hang_up",
    "caps",
    "host",
    "agents",
    "attachments",
    "documents",
    "project",
    "on_notice",
    "on_wait",
    "on_refused",
}
TESTED_ALONE = {"until_done", "written"}
READS_NOTHING = {"votes"}
"""Where there are none there are none: an empty answer will do."""


async def result_of(work: Any) -> Any:
    """What a call gives, a stream as a list of events."""
    async with asyncio.timeout(TIMEOUT):
        if hasattr(work, "__aiter__"):
            async with aclosing(work) as stream:
                return [event async for event in stream]
        return await work


async def error_of(work: Any) -> BackendError | None:
    """The error a call comes to, None for none."""
    try:
        await result_of(work)
    except BackendError as error:
        return error
    return None


async def every_call(stand: Stand, backend: Backend) -> list[BackendError]:
    """Make each kind of request there is; the errors they come to."""
    calls = [*ALWAYS.values(), *(call for _, call in OPTIONAL.values())]
    errors = [await error_of(call(stand, backend)) for call in calls]
    return [error for error in errors if error is not None]

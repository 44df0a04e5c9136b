"""Which calls wait for the user, what an answer makes of a message, and what was really shown.

Protocol: protocols/kai.md §9.1. Rules: reliability.md A5, A10.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, cast

from kai_tui.conversation.messages import Message, ToolPart

WANTS_VALUE: Final = "value"
"""`wants` in the descriptor of a call's approval: it waits for a value, not for a yes (assistant-ui.md §12)."""


class Answer(Protocol):
    """The user's decision on one call; `backends.base.ToolAnswer` is one."""

    @property
    def tool_call_id(self) -> str: ...
    @property
    def approved(self) -> bool: ...
    @property
    def approval_id(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...


def pending(message: Message) -> list[ToolPart]:
    """The calls of a message that wait for the user's decision, in order.

    Requests the server says it answers by itself (SDK 7's `isAutomatic`) are not among them.
    """
    return [part for part in message.tool_calls() if _waits(part)]


def wants_value(approval: Mapping[str, Any] | None) -> bool:
    """Whether a call with this `approval` waits for a value of the user."""
    descriptor = (approval or {}).get("descriptor")
    return isinstance(descriptor, dict) and cast("Mapping[str, Any]", descriptor).get("wants") == WANTS_VALUE


def about_value(approval: Mapping[str, Any] | None) -> str:
    """What a tool that wants a value is said to do; empty when nothing. Raw."""
    descriptor: Any = (approval or {}).get("descriptor")
    said = cast("Mapping[str, Any]", descriptor).get("description") if isinstance(descriptor, dict) else None
    return said if isinstance(said, str) else ""


def respond(message: Message, answers: Iterable[Answer]) -> Message:
    """A copy of the message with these calls answered; every other field of `approval` stays.

    Only calls that wait are answered, and only with an answer to the request they wait for.
    """
    answered = message.reopened()
    by_call = {answer.tool_call_id: answer for answer in answers}
    for part in pending(answered):
        answer = by_call.get(part.tool_call_id)
        if answer is None or answer.approval_id not in (None, part.approval_id):
            continue
        approval = {**(part.approval or {}), "approved": answer.approved}
        if answer.reason is not None:
            approval["reason"] = answer.reason
        part.fields["state"] = "approval-responded"
        part.fields["approval"] = approval
    return answered


def without_outcome(message: Message) -> list[ToolPart]:
    """The calls that were answered and have no outcome: the server's work broke off, or goes on (kai.md §8)."""
    return [
        part for part in message.tool_calls() if part.state == "approval-responded" and not _automatic(part)
    ]


def waiting_again(message: Message) -> Message:
    """A copy of the message in which the calls without an outcome wait for an answer once more."""
    again = message.reopened()
    for part in without_outcome(again):
        answered = ("approved", "reason")
        part.fields["approval"] = {k: v for k, v in (part.approval or {}).items() if k not in answered}
        part.fields["state"] = "approval-requested"
    return again


def digest(approval_id: str | None, call_id: str, tool: str, input: Any) -> str:
    """SHA-256 of what was shown, as hex: equal only for the same request with the same input."""
    shown = json.dumps([approval_id, call_id, tool, input], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(shown.encode("ascii")).hexdigest()


def decision_digest(shown: str, updated_input: Any, answers: Any, *value: Any) -> str:
    """SHA-256 of what the user saw when deciding: the question (its `digest`), the input as they changed it,
    what they answered, and the `value` they gave, if one was asked for. None stands for "not changed", "not asked".
    """
    seen = json.dumps([shown, updated_input, answers, *value], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(seen.encode("ascii")).hexdigest()


def _waits(part: ToolPart) -> bool:
    return part.state == "approval-requested" and not _automatic(part)


def _automatic(part: ToolPart) -> bool:
    return (part.approval or {}).get("isAutomatic") is True

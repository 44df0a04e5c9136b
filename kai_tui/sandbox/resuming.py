"""Approvals of the assistant flavour: they arrive inside a posted message (protocols/kai.md §9.1).

Only the answers are taken from what is posted. What was asked, and with which input, is taken from
the store: nobody can have something else carried out than what was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from kai_tui.conversation.json_text import copy_json

JsonObject: TypeAlias = dict[str, Any]


def merge_answers(stored: Mapping[str, Any], posted: Mapping[str, Any]) -> JsonObject:
    """The stored message with the posted answers. What was answered before stays: the first answer counts."""
    answers = {
        approval["id"]: approval
        for part in _parts(posted)
        if part.get("state") == "approval-responded"
        and (approval := _approval(part)) is not None
        and isinstance(approval.get("id"), str)
        and isinstance(approval.get("approved"), bool)
    }
    merged: JsonObject = copy_json(dict(stored))
    for part in _parts(merged):
        approval = _approval(part)
        if part.get("state") != "approval-requested" or approval is None:
            continue
        answer = answers.get(approval.get("id"))
        if answer is not None:
            part["state"] = "approval-responded"
            approval["approved"] = answer["approved"]
            if isinstance(answer.get("reason"), str):
                approval["reason"] = answer["reason"]
    return merged


def open_calls(messages: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ids of calls that still wait for an answer, oldest first."""
    return [
        str(part.get("toolCallId"))
        for message in messages
        if message.get("role") == "assistant"
        for part in _parts(message)
        if part.get("state") in ("approval-requested", "approval-responded")
    ]


def _parts(message: Mapping[str, Any]) -> list[JsonObject]:
    parts: Any = message.get("parts")
    if not isinstance(parts, list):
        return []
    return [part for part in cast("list[Any]", parts) if isinstance(part, dict)]


def _approval(part: JsonObject) -> JsonObject | None:
    approval: Any = part.get("approval")
    return cast("JsonObject", approval) if isinstance(approval, dict) else None

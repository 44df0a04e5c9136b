"""Joining what the server says about a chat with what we know; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kai_tui.conversation.approvals import digest
from kai_tui.conversation.messages import Message


def adopt(ours: Sequence[Message], theirs: Sequence[Message]) -> list[Message]:
    """The server's messages, followed by those of the user it does not know.

    How our turns ended and which errors came is kept: a server does not store that.
    """
    known = {each.id: each for each in ours}
    result: list[Message] = []
    for message in theirs:
        before = known.get(message.id)
        if before is not None:
            message.finish, message.errors, message.faults = before.finish, before.errors, before.faults
        result.append(message)
    there = {each.id for each in theirs}
    result.extend(each for each in ours if each.role == "user" and each.id not in there)
    return result


def changed_calls(current: Message, shown: Mapping[str, str]) -> list[str]:
    """Ids of shown calls that are not exactly what was shown any more (A5).

    `shown` maps call ids to digests. A call that is gone or already answered counts as changed.
    """
    calls = {call.tool_call_id: call for call in current.tool_calls()}
    changed: list[str] = []
    for call_id, seen in shown.items():
        call = calls.get(call_id)
        if (
            call is None
            or call.state != "approval-requested"
            or digest(call.approval_id, call_id, call.tool_name, call.input) != seen
        ):
            changed.append(call_id)
    return changed

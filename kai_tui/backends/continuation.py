"""Answers that continue a message: all of its waiting calls at once, in a new request (kai.md §9.1, imbrace.md §6)."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.backends.base import Refused, ToolAnswer, Unsupported
from kai_tui.conversation.approvals import pending, respond
from kai_tui.conversation.messages import Message


def answered(message: Message, answers: Sequence[ToolAnswer], *, who: str) -> Message:
    """The message with its waiting calls answered, ready to be sent back. `who` takes only yes or no.

    Raises, before anything is sent: Refused for leaving a waiting call unanswered (a server would carry
    out the others and then fail), for answering a call that does not wait, and for a request that is not
    the one that was shown; Unsupported for changed inputs.
    """
    waiting = {part.tool_call_id: part.approval_id for part in pending(message)}
    if {answer.tool_call_id for answer in answers} != waiting.keys() or None in waiting.values():
        raise Refused(
            "All requests of a message have to be answered together, and only those that wait.",
            code="incomplete",
        )
    for answer in answers:
        if answer.approval_id is not None and answer.approval_id != waiting[answer.tool_call_id]:
            raise Refused("This request changed since it was shown. Nothing was sent.", code="changed")
        if answer.updated_input is not None or answer.answers is not None:
            raise Unsupported(f"{who} takes only yes or no; the input cannot be changed.")
    return respond(message, answers)

"""Which calls of a message wait for the user, and the answers gathered so far.

A continuation-style server wants all answers of a message in one POST (protocols/kai.md §9.1),
a side-request server one POST per call, at once (§9.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from kai_tui.backends.base import ToolAnswer, ToolValue
from kai_tui.conversation.approvals import about_value, digest, wants_value
from kai_tui.conversation.tools import risk, title
from kai_tui.services.approval_service import Approval, Decision

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message, ToolPart


@dataclass(frozen=True, slots=True)
class Place:
    """Where a decision would take effect; said in every question."""

    account: str
    host: str
    branch: str
    colour: str = ""
    """The user's mark of the account."""
    account_id: str = ""


@dataclass(slots=True)
class ApprovalRound:
    """The calls of one message that are decided together."""

    message_id: str
    waiting: set[str] = field(default_factory=set[str])
    answers: dict[str, ToolAnswer] = field(default_factory=dict[str, ToolAnswer])
    digests: dict[str, str] = field(default_factory=dict[str, str])
    """What was shown, by call id."""
    decided: dict[str, tuple[Approval, Decision]] = field(
        default_factory=dict[str, "tuple[Approval, Decision]"]
    )
    """What was asked and decided, by call id."""

    def add(self, approval: Approval) -> None:
        """This call waits now."""
        self.waiting.add(approval.tool_call_id)
        self.digests[approval.tool_call_id] = approval.digest
        self.answers.pop(approval.tool_call_id, None)
        self.decided.pop(approval.tool_call_id, None)

    @property
    def says_more(self) -> bool:
        """Whether an answer is more than a yes, a no, or the value that was asked for."""
        return any(
            each.updated_input is not None or each.answers is not None for each in self.answers.values()
        )

    def answer(self, approval: Approval, decision: Decision) -> bool:
        """Note a decision; True when no call of the round waits any more."""
        answer = ToolAnswer(
            tool_call_id=approval.tool_call_id,
            approved=decision.approved,
            approval_id=approval.approval_id,
            reason=decision.reason or None,
            updated_input=decision.updated_input if decision.approved else None,
            answers=decision.answers,
        )
        if decision.approved and decision.given is not None:
            answer = ToolValue(
                answer.tool_call_id,
                approved=True,
                approval_id=answer.approval_id,
                value=decision.given.value,
            )
        self.answers[approval.tool_call_id] = answer
        self.decided[approval.tool_call_id] = approval, decision
        self.waiting.discard(approval.tool_call_id)
        return not self.waiting


def digest_of(part: ToolPart) -> str:
    """What would be shown of a call as it is now, as a hash (A5)."""
    return digest(part.approval_id, part.tool_call_id, part.tool_name, part.input)


def question(
    part: ToolPart,
    message: Message,
    *,
    chat_id: str,
    chat_title: str,
    place: Place,
    read_only: bool | None,
    clock: Callable[[], float],
    asked_at: float = 0.0,
    note: str | None = None,
    edits: bool = False,
    value: bool = False,
    together: bool = False,
) -> Approval:
    """The question to put to the user about one call. `value`: it wants one though nothing on it says so."""
    return Approval(
        chat_id=chat_id,
        chat_title=chat_title,
        message_id=message.id,
        tool_call_id=part.tool_call_id,
        approval_id=part.approval_id,
        tool_name=part.tool_name,
        title=part.title or title(part.tool_name),
        input=part.input,
        has_input=part.has_input,
        risk=risk(part.tool_name, read_only),
        account=place.account,
        host=place.host,
        branch=place.branch,
        colour=place.colour,
        account_id=place.account_id,
        read_only=read_only,
        digest=digest_of(part),
        asked=clock(),
        asked_at=asked_at,
        note=note,
        edits=edits,
        wants=_wants(part, value=value),
        about=about_value(part.approval),
        together=together,
    )


def _wants(part: ToolPart, *, value: bool) -> Literal["yes-no", "value", "answers"]:
    from kai_tui.conversation.questions import questions

    if value or wants_value(part.approval):
        return "value"
    return "answers" if part.has_input and questions(part.tool_name, part.input) else "yes-no"

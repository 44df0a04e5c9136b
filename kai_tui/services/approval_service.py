"""Questions to the user about calls, and what the user says to them.

Not loaded before the first paint, which needs only the queue they wait in (`approval_queue`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kai_tui.services.approval_queue import ApprovalService as ApprovalService
from kai_tui.services.approval_queue import Policy as Policy

if TYPE_CHECKING:
    from kai_tui.conversation.events import JsonObject
    from kai_tui.services.grants import GrantTerms

Risk: TypeAlias = Literal["reads", "creates", "changes", "unknown"]
By: TypeAlias = Literal["you", "grant", "read-only switch", "server"]
"""Who decided. `server`: it ran a call without asking; only in the ledger."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave to a call that waits for a value."""

    value: Any
    """Any JSON."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One question to the user. All text is raw: the dialog shows it with `safe_exact`."""

    chat_id: str
    chat_title: str
    message_id: str
    tool_call_id: str
    approval_id: str | None
    tool_name: str
    title: str
    """The tool in words ("Create a bucket")."""
    input: Any
    has_input: bool
    risk: Risk
    account: str
    """Label of the account: "Sandbox" or the project's name."""
    host: str
    branch: str
    """"main" or a development branch's id."""
    digest: str
    """Hash of approval id, call id, tool and input as shown (A5)."""
    asked: float
    """Monotonic seconds."""
    note: str | None = None
    """Why it is asked (again), when that needs saying. Ours, no foreign text."""
    colour: str = ""
    """The user's mark of the account: a name of `ACCOUNT_COLOURS`, or empty."""
    edits: bool = False
    """Whether the answer may carry a changed input or answers (`Capabilities.edits_input`)."""
    wants: Literal["yes-no", "value", "answers"] = "yes-no"
    """`value`: a yes comes with what the user gives (assistant-ui.md §12). `answers`: it asks the user something, and
    a yes comes with the answers where the server takes them (`edits`; kai.md §4.10)."""
    about: str = ""
    """What the tool is said to do, for a call that wants a value. Raw."""
    account_id: str = ""
    read_only: bool | None = None
    """The server's own mark of the tool (kai.md §4.12); None where it has none."""
    rule: str = ""
    """Why somebody has to decide, in our words: "the server asks", "you set this tool to always ask"."""
    asked_at: float = 0.0
    """Seconds since the epoch at which it was first asked, also in an earlier run; 0 when nobody knows."""
    together: bool = False
    """Whether all questions of its message are answered in one POST (kai.md §9.1)."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.chat_id, self.tool_call_id)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the user said."""

    approved: bool
    reason: str | None = None
    updated_input: JsonObject | None = None
    """The input as the user changed it, whole; None: as it was asked. Goes only with a yes (kai.md §4.10)."""
    answers: JsonObject | None = None
    """What the user answered to a tool that asks questions (kai.md §4.10)."""
    given: Given | None = None
    """What the user gave to a call that wants a value; goes only with a yes."""
    shown: str | None = None
    """`conversation.approvals.decision_digest` of what was on screen at that moment (A5). Without it a
    decision with a changed input, with answers or with a value does not count."""
    by: By = "you"
    rule: str = ""
    """What decided, in our words, when it was not the user just now: "allowed for 10 minutes, 2 of 5 calls"."""
    grant: GrantTerms | None = None
    """A yes that holds for further calls as well."""

    @property
    def says_more(self) -> bool:
        """Whether it is more than a yes or a no."""
        return self.updated_input is not None or self.answers is not None or self.given is not None


@dataclass(frozen=True, slots=True)
class Question:
    """A question in the queue."""

    approval: Approval
    on_decided: Callable[[Approval, Decision], None]
    again: bool
    """Whether something of this call was asked about before."""


def is_as_shown(approval: Approval, decision: Decision) -> bool:
    """Whether a decision's changed input, answers and value are those that were on screen (A5)."""
    from kai_tui.conversation.approvals import decision_digest

    if not decision.says_more:
        return True
    value = () if decision.given is None else (decision.given.value,)
    seen = decision_digest(approval.digest, decision.updated_input, decision.answers, *value)
    return decision.shown == seen

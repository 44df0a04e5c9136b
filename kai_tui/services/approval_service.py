"""One queue of pending approvals over all chats; one dialog at a time (A9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Risk: TypeAlias = Literal["reads", "creates", "changes", "unknown"]


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

    @property
    def key(self) -> tuple[str, str]:
        return (self.chat_id, self.tool_call_id)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the user said."""

    approved: bool
    reason: str | None = None


class ApprovalService:
    """The queue. Observers are told after every change of `pending`."""

    @property
    def pending(self) -> Sequence[Approval]:
        """Undecided questions, oldest first."""
        raise NotImplementedError

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        raise NotImplementedError

    def decide(self, approval: Approval, decision: Decision) -> bool:
        """Record the user's decision for exactly what was shown.

        False when the question is gone or differs from what was shown by now (nothing is sent then).
        """
        raise NotImplementedError

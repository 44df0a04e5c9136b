"""One queue of pending approvals over all chats; one dialog at a time (A9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from kai_tui.services.observers import Observers

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
    note: str | None = None
    """Why it is asked (again), when that needs saying. Ours, no foreign text."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.chat_id, self.tool_call_id)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the user said."""

    approved: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    approval: Approval
    on_decided: Callable[[Approval, Decision], None]


class ApprovalService:
    """The queue. Observers are told after every change of `pending`."""

    def __init__(self) -> None:
        self._questions: dict[tuple[str, str], _Question] = {}
        self._observers: Observers[None] = Observers()

    @property
    def pending(self) -> Sequence[Approval]:
        """Undecided questions, oldest first."""
        return [question.approval for question in self._questions.values()]

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear of every change of `pending`; call the result to stop hearing."""
        return self._observers.add(callback)

    def ask(self, approval: Approval, on_decided: Callable[[Approval, Decision], None]) -> None:
        """Put a question into the queue; one with the same key is replaced and asked anew."""
        self._questions.pop(approval.key, None)
        self._questions[approval.key] = _Question(approval, on_decided)
        self._observers.tell(None)

    def withdraw(self, chat_id: str, tool_call_id: str | None = None) -> None:
        """Take back one question, or all of a chat: it was settled elsewhere or cannot be answered now."""
        gone = [
            key
            for key in self._questions
            if key[0] == chat_id and (tool_call_id is None or key[1] == tool_call_id)
        ]
        for key in gone:
            del self._questions[key]
        if gone:
            self._observers.tell(None)

    def is_pending(self, chat_id: str, tool_call_id: str) -> bool:
        """Whether this call waits for the user."""
        return (chat_id, tool_call_id) in self._questions

    def asked(self, chat_id: str, tool_call_id: str) -> Approval | None:
        """The question about this call, while it waits."""
        question = self._questions.get((chat_id, tool_call_id))
        return question.approval if question is not None else None

    def decide(self, approval: Approval, decision: Decision) -> bool:
        """Record the user's decision for exactly what was shown.

        False when the question is gone or differs from what was shown by now (nothing is sent then).
        """
        question = self._questions.get(approval.key)
        if question is None or question.approval.digest != approval.digest:
            return False
        del self._questions[approval.key]
        question.on_decided(question.approval, decision)
        self._observers.tell(None)
        return True

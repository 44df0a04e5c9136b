"""One queue of pending approvals over all chats; one dialog at a time (A9).

Apart from the questions themselves (`approval_service`): the first paint needs the queue, which is empty then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from kai_tui.services.observers import Observers

if TYPE_CHECKING:
    from kai_tui.services.approval_service import Approval, Decision, Question
    from kai_tui.services.grants import GrantTerms


class Policy(Protocol):
    """What decides instead of the user, because the user said so before."""

    def decide(self, approval: Approval, *, again: bool) -> Decision | None:
        """The decision; None: the user is asked. `again`: something of this call was asked about before."""
        ...

    def holds(self, approval: Approval, decision: Decision) -> bool:
        """Whether a decision of `decide` may still go out."""
        ...

    def forbids(self, approval: Approval) -> str | None:
        """Why this cannot be approved by anybody: one sentence; None when it can."""
        ...


class ApprovalService:
    """The queue. Observers are told after every change of `pending`."""

    policy: Policy | None = None
    on_granted: Callable[[Approval, GrantTerms], object] | None = None
    """Hears of a yes that holds for further calls as well, when it counted."""

    reserved: Collection[tuple[str, str]] = ()
    """Questions the user decided on in a list that is not sent yet: no grant approves them meanwhile."""

    def __init__(self) -> None:
        self._questions: dict[tuple[str, str], Question] = {}
        self._observers: Observers[None] = Observers()
        self._explained: set[tuple[str, str]] = set()
        self._asked: set[tuple[str, str]] = set()
        """All that was ever asked about."""
        self._ruled: dict[tuple[str, str], Decision] = {}
        """What `policy` decided and what is not answered yet: in the loop's next round, or, where a message is
        answered as a whole, when the user decided the others."""

    @property
    def pending(self) -> Sequence[Approval]:
        """Questions that wait for the user, oldest first."""
        return [question.approval for key, question in self._questions.items() if key not in self._ruled]

    def ruled(self, chat_id: str, message_id: str | None = None) -> Sequence[tuple[Approval, Decision]]:
        """What a rule decided in a chat (in one message of it) and what is not sent yet, oldest first."""
        return [
            (question.approval, self._ruled[key])
            for key, question in self._questions.items()
            if key in self._ruled
            and question.approval.chat_id == chat_id
            and message_id in (None, question.approval.message_id)
        ]

    def is_fresh(self, approval: Approval) -> bool:
        """Whether this question waits and was not asked before in any form: a new grant may decide it."""
        question = self._questions.get(approval.key)
        decided = approval.key in self._ruled or approval.key in self.reserved
        return question is not None and not question.again and not decided

    def forbidden(self, approval: Approval) -> str | None:
        """Why this cannot be approved by anybody now: one sentence; None when it can."""
        return self.policy.forbids(approval) if self.policy is not None else None

    def stands(self, approval: Approval, decision: Decision) -> bool:
        """Whether a decision that was taken may still be sent: no rule it rests on was taken back, none forbids it."""
        if not decision.approved or self.policy is None:
            return True
        if decision.by == "grant":
            return self.policy.holds(approval, decision)
        return self.policy.forbids(_as_sent(approval, decision)) is None

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear of every change of `pending`; call the result to stop hearing."""
        return self._observers.add(callback)

    def ask(self, approval: Approval, on_decided: Callable[[Approval, Decision], None]) -> None:
        """Put a question into the queue; one with the same key is replaced and asked anew."""
        from kai_tui.services.approval_service import Question

        key = approval.key
        before = self._questions.pop(key, None)
        # The same call told of once more before its answer went out is no news.
        same = (
            before is not None
            and key in self._ruled
            and not before.again
            and _same_call(before.approval, approval)
        )
        again = approval.note is not None or (key in self._asked and not same)
        self._asked.add(key)
        self._explained.discard(key)
        self._ruled.pop(key, None)
        self._questions[key] = question = Question(approval, on_decided, again)
        self._by_policy(question)
        self._observers.tell(None)

    def reconsider(self) -> None:
        """The rules changed: what waits is looked at again, also what they decided and what is not sent yet."""
        for key, question in list(self._questions.items()):
            decision = self._ruled.get(key)
            if decision is None or not self._holds(question.approval, decision):
                self._ruled.pop(key, None)
                self._explained.discard(key)
                self._by_policy(question)
        self._observers.tell(None)

    def rule(self, approval: Approval, decision: Decision) -> None:
        """The user switched something on that decides this question, which waits."""
        question = self._questions.get(approval.key)
        if question is not None and question.approval.digest == approval.digest:
            self._rule(approval, decision)
            self._observers.tell(None)

    def _by_policy(self, question: Question) -> None:
        if self.policy is None:
            return
        if question.approval.key in self.reserved and self.policy.forbids(question.approval) is None:
            return
        decision = self.policy.decide(question.approval, again=question.again)
        if decision is not None:
            self._rule(question.approval, decision)

    def _rule(self, approval: Approval, decision: Decision) -> None:
        self._ruled[approval.key] = decision
        self._explained.add(approval.key)  # the card says which rule it was
        self._apply_soon()

    def _apply_soon(self) -> None:
        # Not within this call: whoever asks notes first that it asked.
        asyncio.get_running_loop().call_soon(self._apply)

    def _apply(self) -> None:
        """Answer what the rules decided, if they still say so."""
        for key, decision in list(self._ruled.items()):
            question = self._questions.get(key)
            if question is None or self._ruled.get(key) is not decision:
                continue
            approval = question.approval
            holds = self._holds(approval, decision)
            if self._ruled.get(key) is not decision:
                continue  # looking ended a grant, and everything was looked at again
            if not holds:
                del self._ruled[key]
                self._explained.discard(key)
                self._observers.tell(None)  # it is the user's after all
            elif not (approval.together and self._user_decides_beside(approval)):
                del self._ruled[key]
                if not self.decide(approval, decision):
                    self._observers.tell(None)

    def _holds(self, approval: Approval, decision: Decision) -> bool:
        return self.policy is None or self.policy.holds(approval, decision)

    def _user_decides_beside(self, approval: Approval) -> bool:
        return any(
            each.chat_id == approval.chat_id and each.message_id == approval.message_id
            for each in self.pending
        )

    def withdraw(self, chat_id: str, tool_call_id: str | None = None, *, explained: bool = False) -> None:
        """Take back one question, or all of a chat: it was settled elsewhere or cannot be answered now.

        `explained`: the user is told why by whoever withdraws it.
        """
        gone = [
            key
            for key in self._questions
            if key[0] == chat_id and (tool_call_id is None or key[1] == tool_call_id)
        ]
        for key in gone:
            del self._questions[key]
            self._ruled.pop(key, None)
        if explained:
            self._explained.update(gone)
        if gone:
            self._observers.tell(None)
            if self._ruled:
                self._apply_soon()

    def was_explained(self, approval: Approval) -> bool:
        """Whether the user was told why this question went away."""
        return approval.key in self._explained

    def is_pending(self, chat_id: str, tool_call_id: str) -> bool:
        """Whether this call waits for the user."""
        return (chat_id, tool_call_id) in self._questions

    def asked(self, chat_id: str, tool_call_id: str) -> Approval | None:
        """The question about this call, while it waits."""
        question = self._questions.get((chat_id, tool_call_id))
        return question.approval if question is not None else None

    def decide(self, approval: Approval, decision: Decision) -> bool:
        """Record the user's decision for exactly what was shown.

        False when the question is gone or differs from what was shown by now, when a changed input, answers
        or a value are not the ones that were on screen, when there is no value although one is asked for, and
        when a rule of the user forbids it (nothing is sent then).
        """
        question = self._questions.get(approval.key)
        if question is None or question.approval.digest != approval.digest:
            return False
        if (decision.given is not None) != (decision.approved and approval.wants == "value"):
            return False
        if decision.says_more:
            from kai_tui.conversation.json_text import copy_json
            from kai_tui.services.approval_service import Given, is_as_shown

            # Our own copy first: what is checked here is what is sent.
            given = None if decision.given is None else Given(copy_json(decision.given.value))
            decision = replace(
                decision,
                updated_input=copy_json(decision.updated_input),
                answers=copy_json(decision.answers),
                given=given,
            )
            if not is_as_shown(approval, decision):
                return False
        if decision.approved and self.forbidden(_as_sent(question.approval, decision)) is not None:
            return False
        del self._questions[approval.key]
        self._ruled.pop(approval.key, None)
        question.on_decided(question.approval, decision)
        if decision.grant is not None and decision.approved and self.on_granted is not None:
            self.on_granted(question.approval, decision.grant)
        if self._ruled:
            self._apply_soon()
        self._observers.tell(None)
        return True


def _as_sent(approval: Approval, decision: Decision) -> Approval:
    """What would run: rules look at that, not at what was asked before it was edited."""
    return approval if decision.updated_input is None else replace(approval, input=decision.updated_input)


def _same_call(one: Approval, other: Approval) -> bool:
    from kai_tui.conversation.approvals import digest

    first, second = (digest(None, each.tool_call_id, each.tool_name, each.input) for each in (one, other))
    return first == second and one.note is None

"""The question once more, for the call as the user changed it: the same rules, and only then it is sent (A1-A5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, ClassVar

from textual import events
from textual.content import Content

from kai_tui.conversation.approvals import decision_digest
from kai_tui.conversation.input_changes import InputChange, changes
from kai_tui.conversation.reviews.review import PathChange, PathChanges, Presents, Review
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.ui.modals.answer_choice import Answer
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.approval_choices import LABELS

_LONGEST_NAME = 40
_NAMED = 6
"""Changed places that are named in the heading; all of them are in the view."""


class SendEdited(ApprovalDialog):
    """Result: a yes with the changed input, a plain yes where nothing differs, or None to go on editing."""

    heading: ClassVar[str] = "This is what would be sent"
    unseen: ClassVar[str] = "Sending is off until the last line was on screen: ↓ PgDn End"

    def __init__(
        self,
        approval: Approval,
        value: dict[str, Any],
        *,
        clock: Callable[[], float] = monotonic,
        stamp: Callable[[events.Event], float] | None = None,
    ) -> None:
        """`approval`: as it was asked. `value`: the whole input as it would be sent."""
        self._value = value
        self._digest = approval.digest
        self._differs = changes(approval.input, value)
        yes = "Approve with changes" if self._differs else "Approve as asked"
        self.labels = {**LABELS, "deny": "Back to editing", "approve": yes}
        self._question: ApprovalDialog | None = None
        super().__init__(replace(approval, input=value, note=_note(self._differs)), clock=clock, stamp=stamp)

    def heed(self, question: object) -> None:
        """What the question it comes from knows of rules and of the project holds here too. Before it is shown."""
        if not isinstance(question, ApprovalDialog):
            return
        self._question = question
        self.know_rules(question.locked, question.beside)
        if question._begin_to_look is not None:
            self.follow(question._begin_to_look)

    def beat(self) -> None:
        if self._question is not None:
            self.know_rules(self._question.locked, self._question.beside)
        super().beat()

    def _reviewed(self, presents: Presents | None) -> Review:
        known = super()._reviewed(presents)
        if not self._differs:
            return known
        mine = PathChanges("What you changed", [_path_change(each) for each in self._differs])
        return replace(known, blocks=(mine, *known.blocks))

    def _offered(self) -> Sequence[Answer]:
        return ("deny", "approve")

    def _tell(self) -> None:
        super()._tell()
        if (
            self._built
            and self.is_attached
            and not self._withdrawn
            and self.guard.armed
            and self.why_not() is None
        ):
            on = self.chosen == "approve"
            keys = (
                "Enter approves and sends this · ← back"
                if on
                else "→ then Enter sends this · Enter goes back"
            )
            self._state.update(Content(f"● Ready: {keys}"))

    def _decide(self, answer: Answer | None) -> None:
        if answer in (None, "deny"):
            if not self._withdrawn:
                self.finish(None)
        else:
            super()._decide(answer)

    def _yes(self) -> Decision:
        if not self._differs:
            return Decision(approved=True)
        shown = decision_digest(self._digest, self._value, None)
        return Decision(approved=True, updated_input=self._value, shown=shown)


def _note(differs: Sequence[InputChange]) -> str:
    from kai_tui.conversation.edited_input import path_words
    from kai_tui.conversation.safe_text import safe_exact

    if not differs:
        return "Nothing is changed: this is the input as it was asked."
    names = [_clip(safe_exact(path_words(each.path), one_line=True).text) for each in differs[:_NAMED]]
    more = len(differs) - len(names)
    listed = ", ".join(dict.fromkeys(names)) + (f" and {more} more" if more else "")
    return f"You changed {listed}. If you approve, it runs with what stands below."


def _clip(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"…{name[-_LONGEST_NAME:]}"


def _path_change(change: InputChange) -> PathChange:
    from kai_tui.conversation.edited_input import path_words

    return PathChange(
        path_words(change.path),
        change.does,
        before=change.before,
        known=change.does != "adds",
        after=change.after,
    )

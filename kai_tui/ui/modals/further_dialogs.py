"""The dialogs a question opens above itself, and what it does with their answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from textual import events

from kai_tui.services.approval_service import Approval, Decision
from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.guarded import Guarded
from kai_tui.ui.modals.guarded_question import GuardedQuestion

if TYPE_CHECKING:
    from kai_tui.conversation.reviews.review import Review
    from kai_tui.services.grants import GrantTerms

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Later:
    """The user put the question off; it keeps waiting."""

    then: Literal["", "next", "all"] = ""
    """What the user wants to see instead: the question after this one, or the list of all that wait."""


class OpensDialogs(GuardedQuestion[Decision | Later]):
    """A question whose answer may come from a dialog above it."""

    review: Review

    def __init__(
        self,
        approval: Approval,
        *,
        name: str,
        clock: Callable[[], float] = monotonic,
        stamp: Callable[[events.Event], float] | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, stamp=stamp)
        self.approval = approval
        self._withdrawn = False
        self._over: Guarded[Any] | None = None
        """The dialog it opened last."""

    @abstractmethod
    def why_not(self) -> str | None:
        """Why it cannot be approved now; None when it can (once armed)."""

    def ask_for_reason(self) -> None:
        """Deny, and say why."""
        from kai_tui.ui.modals.reason import ReasonDialog

        self._push(ReasonDialog(self.approval), self._deny_with)

    def edit(self) -> None:
        """Approve something else than what was asked."""
        from kai_tui.ui.modals.edit_input import EditInput

        dialog = EditInput(self.approval, self.review)
        dialog.opened_by = self
        self._push(dialog, self._edited)

    def allow_for_a_while(self) -> None:
        """Approve, also what comes after it."""
        from kai_tui.ui.modals.allow import AllowDialog

        self._push(AllowDialog(self.approval, self.review), self._allowed)

    def _push(self, dialog: Guarded[T], then: Callable[[T | None], None]) -> None:
        dialog.keep_time(self._clock, self._stamp)
        self._over = dialog
        app_of(self).push_screen(dialog, then)

    def _deny_with(self, reason: str | None) -> None:
        if reason is not None and not self._withdrawn:
            self.finish(Decision(approved=False, reason=reason or None))

    def _edited(self, decision: Decision | None) -> None:
        if decision is not None and not self._withdrawn:
            self.finish(decision)

    def _allowed(self, terms: GrantTerms | None) -> None:
        if terms is None or self._withdrawn:
            return
        if self.why_not() is not None:
            self._tell()  # something came meanwhile that has to be read first
        else:
            self.finish(Decision(approved=True, grant=terms))

    def disarm(self) -> None:
        super().disarm()
        if self._over is not None and self._over.is_attached:
            self._over.disarm()

    @property
    def withdrawn(self) -> bool:
        """Whether the question was taken away."""
        return self._withdrawn

    def withdraw(self) -> None:
        """The question was settled elsewhere or its chat is gone."""
        self._withdrawn = True
        self._tell()
        if self._over is not None:
            self._over.lapse()
        super().withdraw()

"""Puts one question at a time before the user, over whatever screen is open (reliability.md A3, A9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import App
from textual.message import Message

if TYPE_CHECKING:
    from textual import events

    from kai_tui.services.approval_service import Approval, ApprovalService, Decision
    from kai_tui.services.present_values import Look
    from kai_tui.ui.modals.approval import ApprovalDialog, Later

TYPING_SECONDS = 1.0
"""A question that comes while the user types waits until this long after the last key."""
AFTERGLOW_SECONDS = 0.3
"""Keys right after a dialog closed were meant for it."""


class ApprovalDesk:
    """Watches the queue of one account and opens the dialog for its first question."""

    class Changed(Message):
        """Questions came, went, or were put off; for banner and status bar."""

    def __init__(
        self,
        app: App[object],
        *,
        clock: Callable[[], float] = monotonic,
        stamp: Callable[[events.Event], float] | None = None,
    ) -> None:
        self._app = app
        self._clock = clock
        self._stamp = stamp
        self._service: ApprovalService | None = None
        self._look: Callable[[Approval], Look] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._dialog: ApprovalDialog | None = None
        self._newest: ApprovalDialog | None = None
        """The one opened last, also while it closes."""
        self._later: set[tuple[tuple[str, str], str]] = set()
        self._typed = float("-inf")
        self._closed = float("-inf")
        self._waits = False
        self._held = False
        self._prefer: str | None = None
        self.disarm_list: Callable[[], None] | None = None
        """While the list of all questions is open: what is decided there starts its quiet time again, too."""

    # Whom to watch

    def watch(self, service: ApprovalService | None, look: Callable[[Approval], Look] | None = None) -> None:
        """Serve another account's queue; an open dialog of the last one is withdrawn.

        `look` begins to look for what is there now, beside what a question would make of it.
        """
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._dialog is not None:
            self._dialog.withdraw()
            self._dialog = None
        self._later.clear()
        self._held = False  # whoever held it went with the screens of the last account
        self._service = service
        self._look = look
        if service is not None:
            self._unsubscribe = service.observe(self._heard)
            self._app.call_later(self.update)

    @property
    def waiting(self) -> int:
        """Questions that wait, put off or not."""
        return len(self._service.pending) if self._service is not None else 0

    @property
    def showing(self) -> bool:
        return self._dialog is not None

    def shows(self, chat_id: str) -> bool:
        """Whether the open question is one of this chat."""
        return self._dialog is not None and self._dialog.approval.chat_id == chat_id

    @property
    def in_front(self) -> bool:
        """Whether an approval is the screen that hears the keys."""
        return self._newest is not None and self._app.screen is self._newest

    @property
    def going(self) -> bool:
        """Whether the question in front was taken away and is about to close: keys are meant for nothing new."""
        return self.in_front and self._newest is not None and self._newest.withdrawn

    @property
    def waits_for_typing(self) -> bool:
        """Whether a question is held back until the user stops typing."""
        return self._waits

    def _heard(self, _: None) -> None:
        # Called from tasks of the services: act in the app's own task.
        self._app.call_later(self.update)

    # What the user does elsewhere

    def typed(self) -> None:
        """A key was pressed outside of an approval; what follows it is meant for the same place."""
        self._typed = self._clock()
        self._closed = float("-inf")

    def strayed(self) -> None:
        """A key came that finds no place yet, or goes to a question that is closing: the next question waits."""
        if not self.in_front or self.going:
            self._typed = self._clock()

    def typing_for(self) -> float:
        """Seconds until the user has paused long enough for a dialog; 0 when that is now."""
        return max(0.0, TYPING_SECONDS - (self._clock() - self._typed))

    def swallows(self, key: str) -> bool:
        """Whether a key came so soon after a dialog closed that it was meant for it."""
        return key in ("enter", "escape") and self._clock() - self._closed < AFTERGLOW_SECONDS

    def review(self, chat_id: str | None = None) -> bool:
        """Open the first waiting question (of that chat, if it has one), put off or not. False when none waits."""
        self._prefer = chat_id
        self._later.clear()
        self._typed = float("-inf")
        self.update()
        return self._dialog is not None

    def ask_for(self, approval: Approval, collect: Callable[[Approval, Decision], None]) -> None:
        """Open this question now; its answer goes to `collect`, and not to the server."""
        pending = list(self._service.pending) if self._service is not None else []
        for position, each in enumerate(pending, 1):
            if each.key == approval.key and self._dialog is None:
                self._open(
                    each, position, len(pending), changed=each.digest != approval.digest, collect=collect
                )

    @property
    def clock(self) -> Callable[[], float]:
        """Monotonic seconds."""
        return self._clock

    @property
    def stamp(self) -> Callable[[events.Event], float]:
        """The moment an event happened, on that clock."""
        from kai_tui.ui.modals.event_time import moment_by

        return self._stamp or moment_by(self._clock)

    def put_off_all(self) -> None:
        """The user saw all that waits, and wants to decide later."""
        for each in self._service.pending if self._service is not None else ():
            self.put_off(each)

    def put_off(self, approval: Approval) -> None:
        """The user wants to decide later; a word opens it (`review`)."""
        self._later.add(_mark(approval))

    def hold(self, held: bool) -> None:
        """Open no question by itself while another dialog is about that very question."""
        self._held = held
        if not held:
            self.update()

    def disarm(self) -> None:
        """The connection changed: the open dialog starts its quiet time again (A8)."""
        if self._dialog is not None:
            self._dialog.disarm()
        if self.disarm_list is not None:
            self.disarm_list()

    # The queue

    def update(self) -> None:
        """Bring the dialog in line with the queue."""
        pending = list(self._service.pending) if self._service is not None else []
        self._later &= {_mark(each) for each in pending}
        changed = self._check_open(pending)
        self._waits = False
        if self._dialog is None and not self._held:
            self._open_first(pending, changed)
        self._app.post_message(self.Changed())

    def _check_open(self, pending: list[Approval]) -> tuple[str, str] | None:
        """Withdraw a dialog whose question is gone or differs; its key when it differs."""
        dialog = self._dialog
        if dialog is None:
            return None
        for position, each in enumerate(pending, 1):
            if each.key == dialog.approval.key:
                if each.digest == dialog.approval.digest:
                    dialog.set_position(position, len(pending))
                    dialog.know_rules(*self._rules_of(each))
                    return None
                break
        self._dialog = None
        if dialog.done:
            return None
        dialog.withdraw()
        # Somebody may have typed into it: the next question waits for a pause, too.
        self._typed = max(self._typed, dialog.strayed)
        if any(each.key == dialog.approval.key for each in pending):
            return dialog.approval.key
        if self._service is None or not self._service.was_explained(dialog.approval):
            self._app.notify("The question is no longer open. Nothing was sent.", markup=False)
        return None

    def _open_first(self, pending: list[Approval], changed: tuple[str, str] | None) -> None:
        fresh = [(number, each) for number, each in enumerate(pending, 1) if _mark(each) not in self._later]
        if not fresh:
            return
        quiet = self._clock() - self._typed
        if quiet < TYPING_SECONDS:
            self._waits = True
            self._app.set_timer(TYPING_SECONDS - quiet + 0.01, self._try_again)
            return
        position, approval = next((one for one in fresh if one[1].chat_id == self._prefer), fresh[0])
        self._prefer = None
        self._open(approval, position, len(pending), changed=changed == approval.key)

    def _open(
        self,
        approval: Approval,
        position: int,
        total: int,
        *,
        changed: bool,
        collect: Callable[[Approval, Decision], None] | None = None,
    ) -> None:
        from kai_tui.ui.modals.approval import ApprovalDialog

        kind: type[ApprovalDialog] = ApprovalDialog
        if approval.wants == "value":
            from kai_tui.ui.modals.tool_value import ValueDialog

            kind = ValueDialog
        elif approval.wants == "answers":
            from kai_tui.ui.modals.answers import AnswersDialog

            kind = AnswersDialog
        dialog = kind(
            approval,
            position=position,
            total=total,
            changed=changed,
            clock=self._clock,
            stamp=self._stamp,
        )
        dialog.know_rules(*self._rules_of(approval))
        if self._look is not None:
            dialog.follow(self._look)
        dialog.collected = collect is not None
        self._dialog = self._newest = dialog
        self._app.push_screen(dialog, lambda result: self._answered(dialog, result, collect))

    def _rules_of(self, approval: Approval) -> tuple[str | None, Sequence[tuple[Approval, Decision]]]:
        """Why it cannot be approved, and what rules decided beside it."""
        assert self._service is not None
        beside = self._service.ruled(approval.chat_id, approval.message_id) if approval.together else ()
        return self._service.forbidden(approval), beside

    def _open_after(self, approval: Approval) -> None:
        """The question behind this one, and the first one behind the last: nothing is put off by looking around."""
        pending = list(self._service.pending) if self._service is not None else []
        keys = [each.key for each in pending]
        if approval.key in keys:
            at = (keys.index(approval.key) + 1) % len(pending)
            self._later.discard(_mark(pending[at]))
            self._open(pending[at], at + 1, len(pending), changed=False)

    def _try_again(self) -> None:
        if self._dialog is None and self._waits and not self._held:
            self.update()

    def _answered(
        self,
        dialog: ApprovalDialog,
        result: Decision | Later | None,
        collect: Callable[[Approval, Decision], None] | None,
    ) -> None:
        from kai_tui.services.approval_service import Decision

        self._closed = self._clock()
        if self._dialog is dialog:
            self._dialog = None
        from kai_tui.ui.modals.approval import Later

        if collect is not None:
            if isinstance(result, Decision):
                collect(dialog.approval, result)
        elif isinstance(result, Later) and result.then == "next":
            self._open_after(dialog.approval)
        elif isinstance(result, Later) and result.then == "all":
            # The list lets go of it when it closes.
            self.hold(True)
            self._app.call_later(self._app.run_action, "app.show_inbox")
        elif isinstance(result, Later):
            self._later.add(_mark(dialog.approval))
        elif (
            isinstance(result, Decision)
            and self._service is not None
            and not self._service.decide(dialog.approval, result)
        ):
            why = self._service.forbidden(dialog.approval) or "The question changed or was settled meanwhile."
            self._app.notify(f"{why} Nothing was sent.", severity="warning", markup=False)
        self.update()


def _mark(approval: Approval) -> tuple[tuple[str, str], str]:
    return (approval.key, approval.digest)

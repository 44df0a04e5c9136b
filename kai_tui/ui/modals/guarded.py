"""Dialogs under the question: nothing is sent from them but after half a second of quiet (reliability.md A1-A3).

What writes may be typed at once, for it can do no harm; it only delays the moment from which sending counts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from time import monotonic
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import BindingType

from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.event_time import moment_by
from kai_tui.ui.modals.guard import Guard

BEAT_SECONDS = 0.05
LAPSED = "This question is no longer open. Nothing is sent · Esc closes"

T = TypeVar("T")


class Guarded(Ask[T], Generic[T]):
    """Every key, click and paste comes to `hear` first, also from its fields."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self._clock: Callable[[], float] = monotonic
        self._stamp: Callable[[events.Event], float] = moment_by(monotonic)
        self.guard = Guard()
        self.lapsed = False
        """Whether the question is no longer open: nothing can be sent from here any more."""
        self._painted = False
        self._press_counts = False

    def keep_time(self, clock: Callable[[], float], stamp: Callable[[events.Event], float]) -> None:
        """Another clock, and the moment an event happened on it: the question's own. Before it is shown."""
        self._clock, self._stamp = clock, stamp

    @abstractmethod
    def tell(self) -> None:
        """Say in words what a key would do now."""

    @abstractmethod
    def hear_key(self, event: events.Key, when: float) -> None:
        """A key; `self.guard` says whether it may act."""

    def hear_paste(self, event: events.Paste) -> None:
        """A paste; where it is meant for a field, its `take` is called."""

    def lapse(self) -> None:
        """The question was settled elsewhere, or is gone. What was typed stays until the user leaves."""
        self.lapsed = True
        if self.standing:
            self.tell()

    # The guard

    def on_mount(self) -> None:
        self.set_interval(BEAT_SECONDS, self.beat)
        self.watch(app_of(self), "app_focus", self.disarm, init=False)

    def on_resize(self) -> None:
        self.guard.disturb(self._clock())

    def on_screen_resume(self) -> None:
        self.disarm()

    def disarm(self) -> None:
        """Something outside changed: look again before it is sent (A8)."""
        self.guard.disturb(self._clock())
        if self.standing:
            self.tell()

    def beat(self) -> None:
        """The pulse that arms the dialog after enough quiet."""
        if not self.standing:
            return
        now = self._clock()
        if not self._painted and self.size.height and self.is_active:
            self._painted = True
            self.guard.painted(now)
        if self.guard.beat(now):
            self.tell()

    # What the user does

    def hear(self, event: events.Key | events.Paste) -> None:
        """A key or a paste, from wherever the focus is."""
        when = self._stamp(event)
        if isinstance(event, events.Key):
            self.hear_key(event, when)
        else:
            self.guard.pass_by(when)
            self.hear_paste(event)

    def _forward_event(self, event: events.Event) -> None:
        if event.is_forwarded:
            return
        if isinstance(event, events.Key | events.Paste):
            self.hear(event)
        elif not isinstance(event, events.MouseEvent) or self._mouse_passes(event):
            super()._forward_event(event)

    def _mouse_passes(self, event: events.MouseEvent) -> bool:
        when = self._stamp(event)
        if isinstance(event, events.Click):
            return event.chain == 1 or not self._press_counts
        if isinstance(event, events.MouseDown):
            self._press_counts = self.guard.counts(when)
            self.tell()
        else:
            self.guard.pass_by(when)
        return True

    @property
    def click_counts(self) -> bool:
        """Whether a click that arrives now was begun when the dialog was armed."""
        return self._press_counts and self.guard.armed

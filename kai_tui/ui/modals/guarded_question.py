"""A question in which nothing counts before half a second of quiet (reliability.md A1-A3, A8).

Nothing in it has to take the focus: every key, click and paste comes to the screen itself and passes the `Guard`
first, so there is one place where a stray key can be stopped, and no widget that could act on its own. Dialogs under
it, in which something is written, are `Guarded`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from time import monotonic
from typing import ClassVar, TypeVar

from textual import events
from textual.binding import BindingType

from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.event_time import moment_by
from kai_tui.ui.modals.guard import Guard

BEAT_SECONDS = 0.05

T = TypeVar("T")


class GuardedQuestion(Ask[T]):
    """Hears everything the user does first. Say what keys do in `_key`, what a false start takes back in `_back`."""

    AUTO_FOCUS: ClassVar[str | None] = None
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        *,
        name: str,
        clock: Callable[[], float] = monotonic,
        stamp: Callable[[events.Event], float] | None = None,
    ) -> None:
        """`clock` and `stamp` (the moment an event happened) are injected by tests."""
        super().__init__(name=name)
        self._clock = clock
        self._stamp: Callable[[events.Event], float] = stamp or moment_by(clock)
        self.guard = Guard()
        self._press_counts = False
        self.strayed = float("-inf")
        """When a key last came that was meant for something else."""

    def on_mount(self) -> None:
        self.set_interval(BEAT_SECONDS, self.beat)
        self.watch(app_of(self), "app_focus", self._focus_changed, init=False)

    def on_resize(self) -> None:
        self.guard.disturb(self._clock())

    @abstractmethod
    def beat(self) -> None:
        """The pulse: tells the guard when everything was painted, and arms it after enough quiet."""

    @abstractmethod
    def _key(self, event: events.Key) -> None:
        """A key was pressed. Only what `guard.counts` lets through may decide anything."""

    @abstractmethod
    def _back(self) -> None:
        """Something came that does not count: whatever was chosen is Deny again."""

    @abstractmethod
    def _tell(self) -> None:
        """Say in words what a key would do now."""

    def disarm(self) -> None:
        """Something outside changed (connection, account): look again before deciding (A8)."""
        self.guard.disturb(self._clock())
        self._back()

    def _focus_changed(self) -> None:
        self.disarm()

    def on_screen_resume(self) -> None:
        self.disarm()

    def _forward_event(self, event: events.Event) -> None:
        """Everything the user does comes through here first."""
        if event.is_forwarded:
            return
        if isinstance(event, events.Key):
            self._key(event)
        elif isinstance(event, events.Paste):
            self.guard.disturb(self._stamp(event))
            self._back()
        elif isinstance(event, events.MouseEvent):
            if self._mouse_passes(event):
                super()._forward_event(event)
        else:
            super()._forward_event(event)

    def _mouse_passes(self, event: events.MouseEvent) -> bool:
        when = self._stamp(event)
        if isinstance(event, events.Click):
            return self._press_counts and event.chain == 1
        if isinstance(event, events.MouseDown):
            self._press_counts = self.guard.counts(when)
            if not self._press_counts:
                self._back()
        else:
            self.guard.pass_by(when)
        return True

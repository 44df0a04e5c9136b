"""Keys act in the order they were typed, however fast they come.

Textual hands a key to the widget that has the focus at that moment; a key that is bound bubbles up
before it acts, and the letters behind it have overtaken it by then: an address, Tab and a token in one
go would put the token into the address field, where it can be read. So a key is handed on only when
the one before it has passed every widget up to the app. A message sent after it on the same way says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.timer import Timer

MOST_HELD = 10_000
PATIENCE_SECONDS = 0.25
"""A widget that went away takes the message with it: then the next key goes on after this."""


class KeyPassed(Message):
    """Follows a key on its way up; when it arrives at the app, the key has acted."""


class KeyOrder:
    """Used by the app, at the one place where every key passes:

    async def on_event(self, event):
        fresh = isinstance(event, Key | Paste) and not event.is_forwarded
        if fresh and self.key_order.hold(event):
            return
        await super().on_event(event)
        if fresh:
            self.key_order.follow(event)

    async def on_key_passed(self, message): await self.key_order.passed(message)
    """

    def __init__(
        self,
        app: App[Any],
        dispatch: Callable[[events.Event], Awaitable[None]],
        acts_at_once: Callable[[events.Key | events.Paste], bool],
    ) -> None:
        """`dispatch`: the app's `on_event`. `acts_at_once`: the focused widget acts on this key in its
        own handler, so that what comes behind it cannot overtake it."""
        self._app = app
        self._dispatch = dispatch
        self._acts_at_once = acts_at_once
        self._held: deque[events.Event] = deque()
        self._under_way: KeyPassed | None = None
        self._dispatching: events.Event | None = None
        self._timer: Timer | None = None

    def hold(self, event: events.Event) -> bool:
        """Whether this event has to wait for the ones before it; it comes again when it is its turn."""
        if (
            not isinstance(event, events.Key | events.Paste)
            or event.is_forwarded
            or event is self._dispatching
            or (self._under_way is None and not self._held)
        ):
            return False
        if len(self._held) < MOST_HELD:
            self._held.append(event)
        return True

    def again(self, event: events.Event) -> bool:
        """Whether this event was held and comes for the second time."""
        return event is self._dispatching

    def follow(self, event: events.Event) -> None:
        """This event was handed on: what comes behind it waits until it has passed."""
        if not isinstance(event, events.Key | events.Paste) or self._acts_at_once(event):
            return
        target = self._app.focused or self._app.screen
        message = KeyPassed()
        if target.post_message(message):
            self._under_way = message
            self._timer = self._app.set_timer(PATIENCE_SECONDS, lambda: self.passed(message))

    async def passed(self, message: KeyPassed) -> None:
        """A key has acted: the next ones."""
        if message is not self._under_way:
            return
        self._under_way = None
        if self._timer is not None:
            self._timer.stop()
        while self._held and self._under_way is None:
            self._dispatching = self._held.popleft()
            try:
                await self._dispatch(self._dispatching)
            finally:
                self._dispatching = None

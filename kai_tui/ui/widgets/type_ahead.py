"""Keys typed before the prompt is there wait for it; they reach it first and in order."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App
from textual.message import Message

from kai_tui.ui.widgets.composer import Composer

MOST_HELD = 10_000


class TypeAhead:
    """Used by the app, at the one place where every key passes in order:

        async def on_event(self, event: events.Event) -> None:
            if not self.type_ahead.take(event, self):
                await super().on_event(event)

    The chat screen calls `attach` when its composer is mounted, a screen without one calls `give_up`.
    """

    def __init__(self) -> None:
        self._held: list[events.Key | events.Paste] = []
        self._composer: Composer | None = None
        self._waiting = True

    def take(self, event: Message, app: App[Any]) -> bool:
        """Keep an input event, or hand it to the composer, when nothing has the focus; False otherwise."""
        if (
            not isinstance(event, (events.Key, events.Paste))
            or event.is_forwarded
            or (app.screen_stack and app.focused is not None)
            or not Composer.wants(event)
        ):
            return False
        if self._waiting:
            if len(self._held) < MOST_HELD:
                self._held.append(event)
            return True
        composer = self._composer
        # Between mounting and focus, keys go the same way as the kept ones, or they would overtake them.
        if (
            composer is None
            or not composer.is_attached
            or not composer.screen.is_active
            or composer.read_only
        ):
            return False
        composer.take(event)
        return True

    def attach(self, composer: Composer) -> None:
        """The prompt is there: it gets what was kept, and keys nobody has the focus for from now on."""
        self._composer, self._waiting = composer, False
        for event in self._held:
            composer.take(event)
        self._held.clear()

    def give_up(self) -> None:
        """There will be no prompt soon: drop what was kept, it was not meant for another screen."""
        self._waiting = False
        self._held.clear()

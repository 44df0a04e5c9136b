"""Number keys in an empty prompt pick one of the choices on screen.

The digit is typed like every other key and only taken for a choice when nothing follows it for a moment
(or Enter does): "2024 was…" stays the beginning of a message, however many choices there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

QUIET_SECONDS = 0.7
"""A digit that stands alone for so long is a choice."""
MOST_CHOICES = 9


@dataclass
class ChoiceHeld(Message):
    """A digit was typed that may become a choice; None: it did not."""

    text: str | None


@dataclass
class ChoiceMade(Message):
    """The user chose `text`: send it. The prompt is empty again."""

    text: str


class ChoiceKeys(TextArea):
    """A text area that knows which choices are on screen."""

    _offered: tuple[str, ...] = ()
    _held: str | None = None
    _quiet: Timer | None = None

    def offer(self, choices: Sequence[str]) -> None:
        """What the keys 1 to 9 stand for while the prompt is empty. A digit typed before keeps its choice."""
        self._offered = tuple(choices[:MOST_CHOICES])

    @property
    def held(self) -> str | None:
        """The choice that is sent next unless something else is typed."""
        return self._held

    def _hold(self, typed: str) -> None:
        """`typed` stands alone in the prompt."""
        if typed not in "123456789" or len(typed) != 1 or int(typed) > len(self._offered):
            return
        self._held = self._offered[int(typed) - 1]
        self._quiet = self.set_timer(QUIET_SECONDS, self._choose)
        self.post_message(ChoiceHeld(self._held))

    def _let_go(self) -> None:
        """What stands in the prompt is a message after all."""
        if self._held is None:
            return
        self._held = None
        if self._quiet is not None:
            self._quiet.stop()
            self._quiet = None
        self.post_message(ChoiceHeld(None))

    def _choose(self) -> None:
        held = self._held
        self._let_go()
        # Behind a dialog nobody sees what is chosen: the digit stays as text.
        if held is not None and self.has_focus and self.screen.is_current and not self.read_only:
            self.load_text("")
            self.post_message(ChoiceMade(held))

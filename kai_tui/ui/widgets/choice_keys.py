"""A digit in an empty prompt and Enter behind it pick one of the choices on screen.

The digit is typed like every other key, and the line over the prompt says what Enter would send. Nothing is
sent by a digit alone, and none is lost: "2024 was…" is the beginning of a message, however many choices
there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.message import Message

from kai_tui.ui.widgets.steps_back import StepsBack

if TYPE_CHECKING:
    from kai_tui.conversation.choices import Choice

MOST_CHOICES = 9
_DIGITS = frozenset("123456789")


class ChoiceMade(Message):
    """Enter took the choice whose number was typed. The prompt is empty again."""

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.choice = choice


class ChoiceKeys(StepsBack):
    """A text area that knows which choices are on screen."""

    offers: Callable[[int], Choice | None] | None = None
    """Which choice a number key means now. Asked when a digit is typed into the empty prompt."""
    _offered: tuple[str, Choice] | None = None

    @property
    def offered(self) -> Choice | None:
        """The choice Enter takes: a digit was typed for it, and nothing else.

        Decided when the digit was typed: what is offered later cannot change what Enter does. A digit
        that was pasted, loaded or is left of a longer text is text.
        """
        offered = self._offered
        return offered[1] if offered is not None and self.text == offered[0] else None

    def edit(self, edit: Edit) -> EditResult:
        """Every change of the text passes here, except a loaded one."""
        self._offered = None
        return super().edit(edit)

    def _typed_alone(self, typed: str) -> None:
        """`typed` was typed into the empty prompt."""
        if typed in _DIGITS and self.offers is not None:
            choice = self.offers(int(typed))
            self._offered = (typed, choice) if choice is not None else None

    def _let_go(self) -> None:
        """What stands in the prompt was not typed: it is text."""
        self._offered = None

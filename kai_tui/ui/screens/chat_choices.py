"""What the number keys of the empty prompt stand for: suggestions of an empty chat."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from kai_tui.ui.screens.chat_loan import ChatLoan
from kai_tui.ui.screens.chat_words import first_choices
from kai_tui.ui.widgets.choice_keys import ChoiceHeld, ChoiceMade
from kai_tui.ui.widgets.reading_note import ReadingNote


class ChatChoices(ChatLoan):
    """Sends what was chosen as if it had been typed."""

    def _choices(self) -> Sequence[str]:
        """The choices on screen, in the order of their numbers."""
        session = self._session
        if self._problem is not None or (session is None and self._opening is not None):
            return ()
        if session is None or not session.messages:
            return [each.prompt for each in first_choices(self.workspace)]
        return ()

    def _offer_choices(self) -> None:
        self._composer.offer(() if self.lent else self._choices())

    def on_choice_held(self, message: ChoiceHeld) -> None:
        """The digit stands in the prompt; what it will send lights up."""
        message.stop()
        self._note.mark(message.text)

    def on_choice_made(self, message: ChoiceMade) -> None:
        message.stop()
        self._send_choice(message.text)

    def on_reading_note_clicked(self, message: ReadingNote.Clicked) -> None:
        message.stop()
        if not self.lent and message.prompt in self._choices():
            self._send_choice(message.prompt)

    def on_offers_news(self) -> None:
        self._refresh_words()

    def _send_choice(self, text: str) -> None:
        """What was typed meanwhile stays in the prompt."""
        self._composer.remember(text)
        self._submit(text)

    @abstractmethod
    def _submit(self, text: str) -> None:
        """Send a message in the chat on screen."""

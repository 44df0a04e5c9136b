"""Picking what is offered: the next steps under the newest answer, or the openers of an empty chat.

There is one question, `live_choices`, and one way to say the chosen text: the way of a typed message.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.services.notice import Notice
from kai_tui.ui.screens.chat_loan import ChatLoan
from kai_tui.ui.screens.chat_words import offer_words, openers

if TYPE_CHECKING:
    from textual.widgets import TextArea

    from kai_tui.conversation.choices import Choice
    from kai_tui.ui.transcript.view import Transcript
    from kai_tui.ui.widgets.choice_keys import ChoiceMade
    from kai_tui.ui.widgets.reading_note import ReadingNote

_NOT_WHOLE = (
    "This suggestion is long, or has characters that cannot be shown. It stands in the prompt: "
    "look it over, Enter sends it."
)
_OLD = "This is not offered any more. It stands in the prompt: Enter sends it."
_LENT = "The prompt holds something else. Finish that with Enter or leave it with Esc, then pick."


class ChatChoices(ChatLoan):
    """The choices of the chat on screen."""

    def live_choices(self) -> Sequence[Choice]:
        """What can be picked now, in the order of the number keys."""
        from kai_tui.conversation.choices import Choice

        session = self._session
        if session is not None and not self._noted:
            return session.live_choices()
        opening = session is None and self._opening is not None
        if self._problem is not None or opening or (session is not None and session.queue):
            return ()
        return [Choice(each.prompt, in_full=True) for each in openers(self.workspace)]

    def choice_at(self, number: int) -> Choice | None:
        """The choice of a number key (1 is the first), as long as the prompt is free for one."""
        if self.lent:
            return None
        live = self.live_choices()
        return live[number - 1] if 0 < number <= len(live) else None

    def pick(self, choice: Choice) -> None:
        """Say it. What is not shown exactly as it would be sent, or not offered any more, is only put
        into the prompt."""
        if self.lent:
            self._tell(Notice(_LENT))
        elif choice not in self.live_choices():
            self._into_prompt(choice, _OLD)
        elif not choice.sendable:
            self._into_prompt(choice, _NOT_WHOLE)
        elif self._composer.gate is not None and not self._composer.gate(choice.text):
            self._into_prompt(choice)
        else:
            # What was typed meanwhile stays in the prompt.
            self._composer.remember(choice.text)
            self._submit(choice.text)
            self.set_focus(self._composer)

    @abstractmethod
    def _submit(self, text: str) -> None:
        """Send a message in the chat on screen."""

    def _into_prompt(self, choice: Choice, why: str = "") -> None:
        """Below what is being typed, with everything in it that cannot be seen written out.

        `why` is told; empty: it was told already.
        """
        from kai_tui.conversation.safe_text import safe_code

        typed = self._composer.text_to_send
        text = safe_code(choice.text)
        self._composer.load(f"{typed}\n{text}" if typed else text)
        self.set_focus(self._composer)
        if why:
            self._tell(Notice(why))

    def _show_offer(self) -> None:
        """Over the prompt: what Enter says for the digit that stands there."""
        choice = self._composer.offered
        self._note.mark(choice.text if choice is not None else None)
        if choice is None:
            self._composer.border_title = None
        else:
            self._composer.border_title = Content.assemble(offer_words(choice, self._composer.size.width - 4))

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        self._show_offer()

    def on_choice_made(self, message: ChoiceMade) -> None:
        message.stop()
        self.pick(message.choice)

    def on_transcript_choice_picked(self, message: Transcript.ChoicePicked) -> None:
        message.stop()
        self.pick(message.choice)

    def on_reading_note_clicked(self, message: ReadingNote.Clicked) -> None:
        message.stop()
        picked = next((each for each in self.live_choices() if each.text == message.prompt), None)
        if picked is not None:
            self.pick(picked)

    def on_offers_news(self) -> None:
        self._refresh_words()

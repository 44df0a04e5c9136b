"""The prompt lent to something else for a while: a waiting message, the last question once more.

What was being typed is kept aside and comes back; nothing typed is lost when the loan ends some other way (P6).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from textual.content import Content

from kai_tui.services.notice import Notice
from kai_tui.ui.screens.chat_part import ChatPart


class Loan(NamedTuple):
    """Who has the prompt."""

    lent: str
    """What was put into the prompt."""
    aside: str
    """What was being typed before."""
    words: Content
    """The line over the prompt: what Enter will do."""
    on_send: Callable[[str], None]
    """Called with the text when the user sends it, before `on_end`; the prompt is given back already."""
    on_end: Callable[[], None]
    """Called once, however the loan ends."""


class ChatLoan(ChatPart):
    """Lends the prompt, and takes it back."""

    _loan: Loan | None = None

    @property
    def lent(self) -> bool:
        """Whether the prompt holds something else than a new message."""
        return self._loan is not None

    def _is_lent(self) -> bool:
        """Whether the prompt is lent already; says so then."""
        if self.lent:
            self._tell(Notice("Finish editing first: Enter takes it, Esc leaves it."))
        return self.lent

    def _lend(
        self,
        text: str,
        words: Content,
        on_send: Callable[[str], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._end_loan()
        self._loan = Loan(text, self._composer.text_to_send, words, on_send, on_end)
        self._composer.load(text)
        self.set_focus(self._composer)
        self._refresh_words()

    def _show_loan(self) -> None:
        loan = self._loan
        self._purpose.set_class(loan is not None, "-shown")
        if loan is not None:
            self._purpose.update(loan.words)

    def _typed(self) -> str:
        """What stands in the prompt and was not sent, with what was put aside for a loan."""
        text = self._composer.text_to_send
        loan = self._loan
        if loan is None:
            return text
        changed = "" if text == loan.lent else text
        return "\n\n".join(each for each in (loan.aside, changed) if each)

    def _end_loan(self) -> None:
        """Give the prompt back as it was before."""
        loan, self._loan = self._loan, None
        if loan is not None:
            self._composer.load(loan.aside)
            loan.on_end()
            self._refresh_words()

    def _load_prompt(self, text: str) -> None:
        """Put another draft into the prompt; a loan ends."""
        self._end_loan()
        self._composer.load(text)

    def _sent_on_loan(self, text: str) -> bool:
        """Hand a sent text to whom the prompt is lent. False when it is a message like any other."""
        loan, self._loan = self._loan, None
        if loan is None:
            return False
        self._composer.load(loan.aside)
        # Before the loan ends: what it held back must go with the change.
        loan.on_send(text)
        loan.on_end()
        self._refresh_words()
        return True

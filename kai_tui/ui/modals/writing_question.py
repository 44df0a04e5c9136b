"""A question that is answered by writing: a field, the answers below it, and Tab between them.

The rules of the question before a change hold here, too (reliability.md A1-A4): nothing counts before half a second
of quiet, and no key that writes can send.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.widgets import Static, TextArea

from kai_tui.ui.modals.answer_choice import Answer
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.question_field import QuestionField

LONGEST = 20_000
"""Characters of what is written; more would make every key slow."""


class WritingQuestion(ApprovalDialog):
    """The keys go to the field while `writing`; else to the answers. Make `_field` and `_sent_as` in `_fields`."""

    reviews: ClassVar[bool] = False
    unseen: ClassVar[str] = "Sending is off until the last line above was on screen: PgDn"
    on_tab: ClassVar[str] = "Tab to the answers"
    DEFAULT_CSS = """
    WritingQuestion QuestionField { height: 6; }
    WritingQuestion #sent-as { height: auto; color: $text-muted; }
    WritingQuestion #sent-as.-bad { color: $text-warning; }
    WritingQuestion.-low QuestionField { height: 4; }
    """

    writing: bool = True
    _field: QuestionField
    _sent_as: Static
    """What would be sent, in words."""

    def _make_field(self) -> None:
        self._field = QuestionField(id="value", longest_paste=2 * LONGEST)
        self._sent_as = Static(id="sent-as", markup=False)

    def _offered(self) -> Sequence[Answer]:
        return ("deny", "approve", "reason")

    def on_mount(self) -> None:
        self._field.focus()
        self._say_what_is_sent()

    @abstractmethod
    def _say_what_is_sent(self) -> None:
        """Bring `_sent_as` up to date."""

    def _taken(self) -> None:
        """What stands in the field is what the answer is made of; before it is sent."""

    def _begins_text(self) -> None:
        """A text comes to the field."""

    # Keys

    def _tell(self) -> None:
        super()._tell()
        ready = self._built and self.is_attached and not self._withdrawn and self.guard.armed
        if ready and self.writing and self.why_not() is None:
            self._state.update(Content(f"● Ready: Ctrl+S sends · {self.on_tab} · Esc decides later"))

    def _back(self) -> None:
        super()._back()
        if self._built:
            self._turn_to(writing=True)

    def _turn_to(self, *, writing: bool) -> None:
        self.writing = writing
        if writing:
            self._field.focus()
        else:
            self.chosen = "deny"
            self.set_focus(None)
        self._tell()

    def hear(self, event: events.Key | events.Paste) -> None:
        """A key or a paste that came to the field."""
        self._forward_event(event)

    def _forward_event(self, event: events.Event) -> None:
        if isinstance(event, events.Paste) and not event.is_forwarded and self._takes_text():
            self.guard.pass_by(self._stamp(event))
            self._begins_text()
            self._field.take(event)
            return
        super()._forward_event(event)

    def _takes_text(self) -> bool:
        return self.guard.armed and self.writing and self._field.has_focus and not self._withdrawn

    def _sends_on(self, event: events.Key) -> bool:
        """Whether this is the key that sends; if so it is dealt with."""
        if event.key != "ctrl+s":
            return False
        if self.guard.counts(self._stamp(event), key=True):
            # Behind the keys that the field has not taken yet.
            self._field.call_later(self._send)
        return True

    def _send(self) -> None:
        self._taken()
        self._decide("approve")

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        self._taken()
        self._text_changed()

    def _text_changed(self) -> None:
        """The field has other text."""

    def on_text_area_selection_changed(self) -> None:
        """A click into the field: keys go there."""
        if self._field.has_focus and not self.writing:
            self._turn_to(writing=True)

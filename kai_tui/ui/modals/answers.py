"""A tool that asks the user something: its questions as a form, and what is answered goes as it stands there.

The rules of the question before a change hold here, too (reliability.md A1-A4): nothing counts before half a second of
quiet, no key that writes can send, and the whole call is shown beside the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.content import Content

from kai_tui.conversation.approvals import decision_digest
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.input_changes import LONGEST_REASON
from kai_tui.conversation.questions import answers, besides, in_words, questions
from kai_tui.conversation.reviews.review import Presents, Review
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.ui.modals.answer_choice import Answer
from kai_tui.ui.modals.approval import NARROW
from kai_tui.ui.modals.approval_choices import LABELS
from kai_tui.ui.modals.approval_panes import Panes
from kai_tui.ui.modals.argument_view import Row, rows_for
from kai_tui.ui.modals.question_form import QuestionForm
from kai_tui.ui.modals.writing_question import LONGEST, WritingQuestion

_FORM_KEYS = ("up", "down", "enter")


class AnswersDialog(WritingQuestion):
    """Result as of `ApprovalDialog`; a yes has the answers in it, where the server takes them."""

    heading: ClassVar[str] = "The assistant asks you"
    on_tab: ClassVar[str] = "Tab on"
    raw: bool = False
    """Whether the call is shown as it came; else only what the form does not show."""
    DEFAULT_CSS = """
    AnswersDialog #form { margin-top: 1; }
    AnswersDialog #value { height: 3; }
    AnswersDialog.-low #form { margin: 0; }
    AnswersDialog.-low #value { height: 1; border: none; padding: 0; }
    """

    def __init__(
        self,
        approval: Approval,
        *,
        position: int = 1,
        total: int = 1,
        changed: bool = False,
        clock: Callable[[], float] = monotonic,
        stamp: Callable[[events.Event], float] | None = None,
    ) -> None:
        self.labels: Mapping[Answer, str] = {
            **LABELS,
            "approve": "Send the answers" if approval.edits else "Deny with the answers",
        }
        self._asked = questions(approval.tool_name, approval.input)
        super().__init__(approval, position=position, total=total, changed=changed, clock=clock, stamp=stamp)
        self._whole, _, _ = rows_for(approval.input, approval.has_input)
        self._besides = _rows_besides(approval.input)
        self.panes = Panes(self._besides, on_end=self._tell, name="The call")
        self._form = QuestionForm(self._asked, id="form")
        self._make_field()
        self._followed = self._form.question
        """The question whose own words the field has."""

    def _fields(self) -> ComposeResult:
        yield self._form
        yield self._field
        yield self._sent_as

    def _reviewed(self, presents: Presents | None) -> Review:
        count = len(self._asked)
        return Review(f"Asks you {count} questions" if count > 1 else "Asks you a question", ("reads",))

    def on_resize(self) -> None:
        # Said, not left to the layout: the panes take the rows that the rest leaves.
        rows = self._form.rows(max(20, min(90, self.size.width - 8)))
        # In a narrow window the line below the form takes two rows.
        most = self.size.height // 3 - (self.size.width < NARROW)
        self._form.styles.height = max(3, min(rows, most))

    # The answers

    def sent(self) -> JsonObject:
        """What would be sent, by the names of the questions."""
        return answers(self._form.questions, self._form.given)

    def why_not(self) -> str | None:
        """Why it cannot be sent now."""
        why = super().why_not()
        if why is not None:
            return why
        if not self._form.end_seen:
            return "Sending is off until the last question was on screen: ↓ Tab"
        sent = self.sent()
        if not sent:
            return "Answer a question first, or deny."
        if any(len(each) > LONGEST for said in self._form.given.values() for each in said):
            return f"An answer is longer than {LONGEST:,} characters."
        if not self.approval.edits:
            more = len(in_words(self._form.questions, sent)) - LONGEST_REASON
            if more > 0:
                return f"{more:,} characters more than fit into a reason."
        return None

    def _yes(self) -> Decision:
        sent = self.sent()
        if not self.approval.edits:
            return Decision(approved=False, reason=in_words(self._form.questions, sent))
        shown = decision_digest(self.approval.digest, None, sent)
        return Decision(approved=True, answers=sent, shown=shown)

    def beat(self) -> None:
        super().beat()
        if self._fitted and not self._form.end_seen:
            self._form.look()
            if self._form.end_seen:
                self._tell()

    def _say_what_is_sent(self) -> None:
        from kai_tui.conversation.safe_text import safe_exact

        asked, answered = len(self._form.questions), len(self.sent())
        words = f"{answered} of {asked} answered, sent exactly as marked"
        if not self.approval.edits:
            words = (
                f"{answered} of {asked} answered. This server takes no answers: they go as the reason of a No"
            )
        hidden = sum(
            safe_exact(each, one_line=True).hidden for said in self._form.given.values() for each in said
        )
        if hidden:
            words += f" · ! {hidden} character(s) cannot be seen"
        self._sent_as.update(Content(f"{words} · ↑↓ Enter choose · F2 the call as it came"))
        self._sent_as.set_class(hidden > 0 or not self.approval.edits, "-bad")

    def on_question_form_changed(self, message: QuestionForm.Changed) -> None:
        message.stop()
        self._follow()
        self._say_what_is_sent()
        self._tell()

    def _follow(self, *, anew: bool = False) -> None:
        """The field has the own words about the question the cursor is at."""
        if anew or self._followed is not self._form.question:
            self._followed = self._form.question
            if self._field.text != self._form.own:
                self._field.load_text(self._form.own)
                self._field.move_cursor(self._field.document.end)

    def _taken(self) -> None:
        """What stands in the field are the own words."""
        if self._followed is self._form.question:
            self._form.say(self._field.text)

    def _begins_text(self) -> None:
        self._form.to_own()

    # Keys

    def _key(self, event: events.Key) -> None:
        when = self._stamp(event)
        if event.key == "f2":
            self.guard.pass_by(when)
            self.raw = not self.raw
            self.panes.use_rows(self._whole if self.raw else self._besides)
            self._fitted = False
        elif self._sends_on(event):
            return
        elif not self.writing:
            last = event.key == "tab" and self.chosen == self.answers[-1]
            if last or (event.key == "shift+tab" and self.chosen == self.answers[0]):
                self._turn_to(writing=True)
            else:
                super()._key(event)
        elif event.key in ("pageup", "pagedown", "escape"):
            super()._key(event)
        elif not self._takes_text():
            self.guard.disturb(when)
        elif event.key in ("tab", "shift+tab"):
            if self.guard.counts(when, key=True):
                self._field.call_later(self._act, event.key)
        else:
            self.guard.pass_by(when)
            if event.key in _FORM_KEYS or (event.key == "space" and self._form.on_option):
                self._field.call_later(self._act, event.key)
            else:
                if event.is_printable or event.key in ("backspace", "delete"):
                    self._form.to_own()
                self._field.take(event)

    def _act(self, key: str) -> None:
        """A key for the form: moving and choosing."""
        form = self._form
        self._taken()
        if key in ("up", "down"):
            form.move(1 if key == "down" else -1)
        elif key in ("tab", "shift+tab"):
            if not form.turn(1 if key == "tab" else -1):
                self._turn_to(writing=False)
        else:
            answered = form.choose()
            self._follow(anew=True)
            if answered and key == "enter" and not form.question.many:
                form.turn(1)
        self._follow()


def _rows_besides(input: Any) -> list[Row]:
    """What the form does not show of a call, whole and exact."""
    rest = besides(input)
    if not rest:
        return [Row("names", "It asks, and nothing else: all that came stands in the form below.")]
    rows, _, _ = rows_for(rest, has_input=True)
    return [Row("names", "What came besides the questions below:"), *rows]

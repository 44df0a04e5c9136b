"""A call that waits for a value of the user: what it asks with, a field for the answer, and what will be sent.

The rules of the question before a change hold here, too (reliability.md A1-A4): nothing counts before
half a second of quiet, and no key that writes can send.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from kai_tui.services.approval_service import Approval, Decision, Given
from kai_tui.ui.modals.answer_choice import Answer
from kai_tui.ui.modals.approval_choices import LABELS
from kai_tui.ui.modals.writing_question import LONGEST, WritingQuestion


class ValueDialog(WritingQuestion):
    """Result as of `ApprovalDialog`; a yes has the value in it."""

    labels: Mapping[Answer, str] = {**LABELS, "approve": "Send the value"}
    heading: ClassVar[str] = "The assistant asks for a value"
    DEFAULT_CSS = """
    ValueDialog #about { height: auto; max-height: 3; color: $text-muted; }
    """

    form: Literal["text", "JSON"] = "text"
    """What is sent: the text itself, or the JSON value it says."""

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
        super().__init__(approval, position=position, total=total, changed=changed, clock=clock, stamp=stamp)
        self._make_field()

    def _about(self) -> ComposeResult:
        from kai_tui.conversation.safe_text import safe_prose

        about = Static(Content(safe_prose(self.approval.about).strip()), id="about", markup=False)
        about.display = bool(self.approval.about.strip())
        yield about

    def _fields(self) -> ComposeResult:
        yield self._field
        yield self._sent_as

    # The value

    def value(self) -> Any:
        """What would be sent. Raises ValueError with a sentence when that is nothing."""
        from kai_tui.conversation.json_text import BadJson, decode_json

        text = self._field.text
        if len(text) > LONGEST:
            raise ValueError(f"{len(text) - LONGEST:,} characters too many.")
        if not text.strip():
            raise ValueError("Type the value first, or deny.")
        if self.form == "text":
            return text
        try:
            return decode_json(text)
        except BadJson as error:
            raise ValueError(
                f"This is {error}." if str(error).startswith("not JSON") else f"{error}."
            ) from None

    def why_not(self) -> str | None:
        """Why it cannot be sent now."""
        why = super().why_not()
        if why is None:
            try:
                self.value()
            except ValueError as error:
                why = str(error)
        return why

    def _yes(self) -> Decision:
        from kai_tui.conversation.approvals import decision_digest

        value = self.value()
        shown = decision_digest(self.approval.digest, None, None, value)
        return Decision(approved=True, given=Given(value), shown=shown)

    def _text_changed(self) -> None:
        self._say_what_is_sent()
        self._tell()

    def _say_what_is_sent(self) -> None:
        from kai_tui.conversation.safe_text import safe_exact, safe_line

        other = "JSON" if self.form == "text" else "text"
        text = self._field.text
        words, bad = f"Sent as {self.form}, exactly as it stands here", False
        if self.form == "JSON" and text.strip():
            try:
                words = f"Sent as JSON: {_kind(self.value())}"
            except ValueError as error:
                words, bad = safe_line(str(error)), True
        hidden = sum(safe_exact(line).hidden for line in text.split("\n"))
        if hidden:
            words, bad = f"{words} · ! {hidden} character(s) in it cannot be seen", True
        line = self._sent_as
        line.update(Content(f"{words} · F2 {other}"))
        line.set_class(bad, "-bad")

    # Keys

    def _key(self, event: events.Key) -> None:
        when = self._stamp(event)
        if event.key == "f2":
            self.guard.pass_by(when)
            self.form = "JSON" if self.form == "text" else "text"
            self._say_what_is_sent()
            self._tell()
        elif self._sends_on(event):
            return
        elif event.key in ("tab", "shift+tab") and self.writing:
            if self.guard.counts(when, key=True):
                self._turn_to(writing=False)
        elif event.key == "shift+tab" or (event.key == "tab" and self.chosen == "reason"):
            self._turn_to(writing=True)
        elif event.key in ("pageup", "pagedown") or event.key == "escape" or not self.writing:
            super()._key(event)
        elif self._takes_text():
            self.guard.pass_by(when)
            self._field.take(event)
        else:
            self.guard.disturb(when)


def _kind(value: Any) -> str:
    """A JSON value in a few words."""
    if isinstance(value, dict):
        return f"an object of {len(value)}"  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, list):
        return f"a list of {len(value)}"  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, str):
        return "a text"
    if value is None:
        return "null"
    return "yes or no" if isinstance(value, bool) else "a number"

"""The field of a guided dialog: one widget for each kind of question, of which one is shown.

They stay mounted, so that the next question can be on screen before the next key is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, TextArea

from kai_tui.ui.interview import YES_NO
from kai_tui.ui.modals.picker import Picker
from kai_tui.ui.widgets.choice_field import ChoiceField, GoOn

if TYPE_CHECKING:
    from kai_tui.backends.system import Field

_KINDS = ("text", "secret", "choice", "switch", "lines")
LONGEST = 20_000
"""Characters of an answer."""


class GuidedInput(Input):
    """Enter waits until the answer was taken: what is typed behind it belongs to the next question."""

    def __init__(self, go_on: GoOn, *, id: str, password: bool = False) -> None:
        # What is asked again shall not go at the first key; a secret nobody can see is typed anew.
        super().__init__(id=id, password=password, max_length=LONGEST, select_on_focus=password)
        self.cursor_blink = False
        self._go_on = go_on

    async def action_submit(self) -> None:
        await self._go_on()


class SecretInput(GuidedInput):
    """Nothing of it can be copied out."""

    def __init__(self, go_on: GoOn, *, id: str) -> None:
        super().__init__(go_on, id=id, password=True)
        self.placeholder = "paste it; it is not shown"

    def action_copy(self) -> None:
        """A secret goes to no clipboard."""

    def action_cut(self) -> None:
        """A secret goes to no clipboard."""


class YesNo(Picker):
    """y and n say it at once; Enter goes on."""

    BINDINGS = [("y", "say(0)"), ("n", "say(1)"), ("enter", "submit")]  # noqa: RUF012 - Textual wants a list

    def __init__(self, go_on: GoOn, *, id: str) -> None:
        super().__init__(YES_NO, id=id)
        self._go_on = go_on

    def action_say(self, index: int) -> None:
        """Choose one of both."""
        self.index = index

    async def action_submit(self) -> None:
        """Take the answer."""
        await self._go_on()


class GuidedField(Vertical):
    """Asks one question at a time. `go_on` is awaited at Enter."""

    DEFAULT_CSS = """
    GuidedField { height: auto; }
    GuidedField GuidedInput { border: none; height: 1; padding: 0 1; background: $panel; }
    GuidedField GuidedInput:focus { border: none; background: $boost; }
    GuidedField TextArea {
        height: 6; border: none; padding: 0 1; background: $panel; scrollbar-size-vertical: 1;
    }
    GuidedField TextArea:focus { border: none; background: $boost; }
    """

    def __init__(self, go_on: GoOn, *, id: str = "guided-field") -> None:
        super().__init__(id=id)
        self._go_on = go_on
        self._question: Field | None = None
        self._began = ""
        self._text = GuidedInput(go_on, id="field-text")
        self._secret = SecretInput(go_on, id="field-secret")
        self._choice = ChoiceField(go_on, id="field-choice")
        self._switch = YesNo(go_on, id="field-switch")
        self._lines = TextArea(
            id="field-lines", soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False
        )
        self._lines.cursor_blink = False
        self._all = (self._text, self._secret, self._choice, self._switch, self._lines)
        self._show(None)

    def compose(self) -> ComposeResult:
        yield from self._all

    def _show(self, one: Widget | None) -> None:
        # Not by a class: that would count at the next frame, and the next key may come before it.
        for each in self._all:
            each.display = each is one

    @property
    def _shown(self) -> Widget:
        kind = self._question.kind if self._question is not None else "text"
        return self._all[_KINDS.index(kind)]

    def ask(self, question: Field, text: str) -> None:
        """Show a question with this in its field. Foreign text may stand in a text field only as safe text."""
        self.clear()
        self._question = question
        self._show(self._shown)
        if question.kind == "choice":
            self._choice.ask(question.choices, text)
        elif question.kind == "switch":
            self._switch.index = 0 if text == YES_NO[0] else 1
        elif question.kind == "lines":
            self._lines.load_text(text)
        else:
            entry = self._secret if question.kind == "secret" else self._text
            entry.value = text
            if text and text == question.default:
                entry.select_all()  # nobody typed it: what is typed or pasted takes its place
            else:
                entry.cursor_position = len(text)
        self._began = self.value or ""

    def clear(self) -> None:
        """Ask nothing, and let go of what was typed."""
        self._show(None)
        self._question = None
        self._text.value = self._secret.value = self._began = ""
        self._choice.clear()
        self._lines.load_text("")

    @property
    def value(self) -> str | None:
        """What stands in the field; None when nothing is asked, or nothing is chosen."""
        if self._question is None:
            return None
        kind = self._question.kind
        if kind == "choice":
            return self._choice.value
        if kind == "switch":
            return YES_NO[self._switch.index]
        if kind == "lines":
            return self._lines.text
        return (self._secret if kind == "secret" else self._text).value

    @property
    def touched(self) -> bool:
        """Whether something else stands in it than at first."""
        return self._question is not None and (self.value or "") != self._began

    def take_focus(self) -> None:
        """Hear the keys."""
        if self._question is not None:
            shown = self._shown
            # At once: what is typed behind the last answer is meant for this field.
            self.screen.set_focus(shown.hearing if isinstance(shown, ChoiceField) else shown)

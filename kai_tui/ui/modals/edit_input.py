"""Change what a call is asked with: value by value, or all of it as JSON. Nothing is sent from here.

What comes of it is shown anew as a question of its own (`send_edited.py`), with the same rules as the first one; where
the server takes no other input, it becomes the reason of a No.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TextArea

from kai_tui.conversation.edited_input import (
    InputField,
    NotSendable,
    Path,
    check,
    json_to_edit,
)
from kai_tui.conversation.input_changes import correction
from kai_tui.conversation.json_text import copy_json
from kai_tui.conversation.reviews.review import Review
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.edit_words import KINDS, NO_EDITS, changes_words, is_too_big, was_words
from kai_tui.ui.modals.edited_values import EditedValues
from kai_tui.ui.modals.guarded import LAPSED, Guarded
from kai_tui.ui.modals.input_rows import MASK, InputRows
from kai_tui.ui.modals.question_field import QuestionField

if TYPE_CHECKING:
    from kai_tui.ui.modals.reason import ReasonDialog
    from kai_tui.ui.modals.send_edited import SendEdited

_OURS = ("escape", "ctrl+s", "f2", "f3", "tab", "shift+tab")
_FLIPS = ("space", "enter", "left", "right")


class EditInput(Guarded[Decision]):
    """Result: the decision, made on what was shown of it; None to go back to the question as it was."""

    AUTO_FOCUS: ClassVar[str | None] = "#editor"
    DEFAULT_CSS = """
    EditInput .dialog { width: 110; height: 94%; max-height: 44; border: round $text-warning; }
    EditInput.-short .dialog { max-height: 24; }
    EditInput #what { height: auto; max-height: 2; }
    EditInput #no-edits { height: auto; color: $text-warning; }
    EditInput #rows { height: auto; max-height: 40%; margin: 1 0; }
    EditInput #about-value { height: auto; max-height: 3; color: $text-muted; }
    EditInput #editor { height: 1fr; min-height: 1; }
    EditInput #problem { height: auto; max-height: 3; color: $text-warning; }
    EditInput #changed { height: auto; max-height: 3; }
    EditInput #keys { height: auto; color: $text-muted; }
    EditInput.-low #rows { margin: 0; max-height: 30%; }
    EditInput.-low .dialog { height: 100%; }
    EditInput.-lowest .dialog { padding: 0; }
    EditInput.-lowest #editor { border: none; padding: 0; }
    EditInput.-lowest #what, EditInput.-lowest #rows, EditInput.-lowest #no-edits, EditInput.-lowest #keys { display: none; }
    EditInput.-lowest #about-value { max-height: 1; }
    EditInput.-lowest #changed { max-height: 1; }
    EditInput.-lowest #problem { max-height: 2; }
    """

    def __init__(self, approval: Approval, review: Review) -> None:
        """`review`: of the call as it was asked."""
        super().__init__(name="edit-input")
        self.approval = approval
        self.review = review
        self.values = EditedValues(approval.input)
        self._at = 0
        self._loaded = ""
        """What was put into the editor last."""
        self._revealed: set[Path] = set()
        self.as_json = False
        """Whether the editor has the whole input as JSON."""
        self._rows = InputRows(id="rows")
        self._editor = QuestionField(id="editor")
        self._why = ""
        self.opened_by: object = None
        """The question it was opened from: what that hears of rules and of the project holds here too."""
        self._over: SendEdited | ReasonDialog | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Edit the input")
            yield Static(self._what(), id="what", markup=False)
            no_edits = Static(Content(NO_EDITS), id="no-edits", markup=False)
            no_edits.display = not self.approval.edits
            yield no_edits
            yield self._rows
            yield Static(id="about-value", markup=False)
            yield self._editor
            yield Static(id="problem", markup=False)
            yield Static(id="changed", markup=False)
            yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        self._take_fields(self.values.first)
        if not self.values.fields:
            self._turn_to_json()

    def on_resize(self) -> None:
        self._take_room()
        self.set_class(self.size.height < 26, "-low")
        self.set_class(self.size.height < 14, "-lowest")

    def _take_room(self) -> None:
        """Short values need no high window."""
        width = max(10, min(100, self.size.width - 12))
        texts = map(self.values.text, range(min(len(self.values.fields), 50)))
        lines = max((text.count("\n") + len(text) // width for text in texts), default=0)
        self.set_class(not self.as_json and lines < 6 and len(self.values.fields) < 12, "-short")

    def _what(self) -> Content:
        from kai_tui.conversation.safe_text import safe_exact

        return Content.assemble((safe_exact(self.review.sentence, one_line=True).text, "bold"))

    # The values

    @property
    def _field(self) -> InputField | None:
        return self.values.fields[self._at] if self.values.fields and not self.as_json else None

    def _hides(self, field: InputField) -> bool:
        return field.secret and field.path not in self._revealed

    def _take_fields(self, at: int) -> None:
        """The list anew, for the input as it is now."""
        self._rows.show(self.values.rows(), 0)
        if self.values.fields:
            self._load(min(at, len(self.values.fields) - 1))
        self.tell()

    def _load(self, number: int) -> None:
        """Put a value into the editor."""
        self._at = number
        field = self.values.fields[number]
        self._rows.set_reactive(InputRows.cursor_line, number)
        self._rows.refresh()
        self._rows.scroll_to_cursor()
        hides = self._hides(field)
        self._fill(MASK if hides else self.values.text(number), read_only=hides or field.kind == "yes or no")
        self._why = self.values.why_not(number)

    def _fill(self, text: str, *, read_only: bool) -> None:
        if is_too_big(text):
            text, read_only = "", True
        self._editor.read_only = read_only
        self._editor.load_text(text)
        self._loaded = self._editor.text
        self._editor.move_cursor(self._editor.document.end if len(text) < 2000 else (0, 0))

    @property
    def _typed(self) -> bool:
        """Whether the editor has something else in it than what was put there."""
        return not self._editor.read_only and self._editor.text != self._loaded

    def _keep(self) -> None:
        """What stands in the editor is the value now, or is noted as none."""
        if self._field is None or not self._typed:
            return
        self._loaded = self._editor.text
        self.values.put(self._at, self._loaded)
        self._why = self.values.why_not(self._at)
        self._rows.put(self._at, self.values.row(self._at))

    def _go(self, number: int) -> None:
        self._keep()
        if self._field is not None:
            self._load(number % len(self.values.fields))
            self.tell()

    # All of it

    def _turn_to_json(self) -> None:
        self._keep()
        if self._is_wrong_somewhere():
            return
        self.as_json = True
        self._why = ""
        self._rows.display = False
        self._fill(json_to_edit(self.values.value), read_only=False)
        self._editor.move_cursor((0, 0))
        self._take_room()
        self.tell()

    def _turn_to_fields(self) -> None:
        if self._read_json() and self.values.fields:
            self.as_json = False
            self._rows.display = True
            self._take_room()
            self._take_fields(self._at)

    def _read_json(self) -> bool:
        """Take what stands in the editor as the whole input; False when it is none, and why is said."""
        if self._typed:
            try:
                self.values.put_json(self._editor.text)
            except NotSendable as error:
                self._why = str(error)
                self.tell()
                return False
            self._why = ""
            self._loaded = self._editor.text
        return True

    # Going on

    def _is_wrong_somewhere(self) -> bool:
        """Whether something is no value; it is shown then."""
        wrong = self.values.wrong
        if wrong and self._at not in wrong:
            self._load(wrong[0])
        self.tell()
        return bool(wrong)

    def _look_at_it(self) -> None:
        """What would be sent, as a question of its own."""
        self._keep()
        if self.lapsed or (self.as_json and not self._read_json()) or self._is_wrong_somewhere():
            return
        try:
            if self.approval.edits:
                check(self.values.value)
                self._ask_whether_to_send()
            else:
                self._ask_whether_to_deny()
        except NotSendable as error:
            self._why = str(error)
            self.tell()

    def _ask_whether_to_send(self) -> None:
        from kai_tui.ui.modals.send_edited import SendEdited

        value = copy_json(self.values.value)
        dialog = SendEdited(self.approval, value, clock=self._clock, stamp=self._stamp)
        dialog.heed(self.opened_by)
        self._push(dialog)

    def _ask_whether_to_deny(self) -> None:
        from kai_tui.ui.modals.reason import ReasonDialog

        text = correction(self.approval.tool_name, self.values.asked, self.values.value)
        title = "Deny, and ask for this instead"
        dialog = ReasonDialog(self.approval, text=text, title=title, about=NO_EDITS)
        dialog.keep_time(self._clock, self._stamp)
        self._push(dialog)

    def _push(self, dialog: SendEdited | ReasonDialog) -> None:
        self._over = dialog
        app_of(self).push_screen(dialog, self._answered)

    def _answered(self, result: object) -> None:
        self._over = None
        if isinstance(result, str) and result:
            result = Decision(approved=False, reason=result)
        if isinstance(result, Decision) and not self.lapsed:
            self.finish(result)

    def lapse(self) -> None:
        if isinstance(self._over, Guarded):
            self._over.lapse()
        elif self._over is not None:
            self._over.withdraw()
        super().lapse()

    def disarm(self) -> None:
        super().disarm()
        if self._over is not None and self._over.is_attached:
            self._over.disarm()

    def action_leave(self) -> None:
        """Back to the question; ask first when something was changed."""
        self._keep()
        changed = self.values.changed or (self.as_json and self._typed)
        if not changed or self.lapsed:
            self.finish(None)
            return
        from kai_tui.ui.modals.confirm import Confirm

        app_of(self).push_screen(
            Confirm(
                "Leave your changes?",
                Content("Nothing is sent. The question stays as it was asked."),
                yes="Throw them away",
                no="Keep editing",
                name="confirm-edits",
            ),
            lambda yes: self.finish(None) if yes else None,
        )

    # Keys

    def hear_key(self, event: events.Key, when: float) -> None:
        self.guard.pass_by(when)
        field = self._field
        flips = field is not None and field.kind == "yes or no" and event.key in _FLIPS
        if flips or event.key in _OURS:
            # Behind the keys that the editor has not taken yet: all of them count in their order.
            self._editor.call_later(self._act, event.key)
        else:
            self._editor.take(event)

    def _act(self, key: str) -> None:
        field = self._field
        if key == "escape":
            self.action_leave()
        elif key == "ctrl+s":
            self._look_at_it()
        elif key == "f2":
            if self.as_json:
                self._turn_to_fields()
            else:
                self._turn_to_json()
        elif key in ("tab", "shift+tab"):
            self._go(self._at + (1 if key == "tab" else -1))
        elif key == "f3":
            if field is not None and self._hides(field):
                self._revealed.add(field.path)
                self._load(self._at)
                self.tell()
        elif field is not None and field.kind == "yes or no":
            self.values.flip(self._at)
            self._rows.put(self._at, self.values.row(self._at))
            self._load(self._at)
            self.tell()

    def hear_paste(self, event: events.Paste) -> None:
        self._editor.take(event)

    def on_input_rows_moved(self, message: InputRows.Moved) -> None:
        message.stop()
        if message.number != self._at:
            self._go(message.number)

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        self._keep()
        self.tell()

    # Words

    def tell(self) -> None:
        if not self.standing:
            return
        self.query_one("#about-value", Static).update(self._about())
        from kai_tui.conversation.safe_text import safe_line

        why = LAPSED if self.lapsed else safe_line(self._why)
        problem = self.query_one("#problem", Static)
        problem.update(Content(f"◐ {why}" if why else ""))
        problem.display = bool(why)
        self.query_one("#changed", Static).update(Content(self._changes()))
        parts = ["Ctrl+S look at it and send"]
        if not self.as_json:
            parts.append("Tab next value")
        parts += ["F2 " + ("value by value" if self.as_json else "as JSON"), "Esc back"]
        self.query_one("#keys", Static).update(Content(" · ".join(parts)))

    def _about(self) -> Content:
        from kai_tui.conversation.safe_text import safe_exact

        field = self._field
        if field is None:
            said = "All of the input as JSON: values can be added and removed here."
            if self._editor.read_only:
                said = "The input is too long to be edited in one piece. F2 goes back to its values."
            return Content(said)
        name = safe_exact(field.name, one_line=True).text
        kind = KINDS[field.kind]
        if self._hides(field):
            kind = "a secret: F3 shows it and lets you change it. What you type becomes part of the chat"
        elif is_too_big(self.values.text(self._at)):
            length = len(self.values.text(self._at))
            kind = f"{length:,} characters are too many to be edited here; it is sent as it was asked"
        else:
            kind += was_words(self.values, field)
        return Content.assemble((name, "bold $text"), f" · {kind}")

    def _changes(self) -> str:
        if self.as_json and self._typed:
            return "Changed. What differs is shown before anything is sent."
        return changes_words(self.values)

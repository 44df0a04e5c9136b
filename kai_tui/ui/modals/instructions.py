"""What Kai is told before every chat: the user's own instructions, and the project's."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static, TextArea

from kai_tui.backends.base import BackendError, NotAllowed
from kai_tui.services.instructions import LONGEST, ChangedElsewhere, Instructions
from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.picker import Picker
from kai_tui.ui.widgets.instructions_editor import InstructionsEditor

if TYPE_CHECKING:
    from kai_tui.backends.base import Whose

_WHOSE: tuple[Whose, ...] = ("user", "project")
_CHOICES = ("Your own", "The project's")
_ABOUT = {
    "user": "Kai is told this before every chat of yours in this project, also in the web interface.",
    "project": "Kai is told this before every chat of everybody in this project. "
    "Only admins and managers of the project can change it.",
}
_FORBIDDEN = "Only admins and managers of the project can change these. Your text is still here."
NOTE_SECONDS = 0.4
"""So long after a key what was typed is on disk."""
_KEYS = "Ctrl+S save · F2 your own / the project's · Esc close"


@dataclass(slots=True)
class Sheet:
    """One of the two texts."""

    instructions: Instructions
    editor: InstructionsEditor
    state: Literal["new", "loading", "failed", "ready", "saving"] = "new"
    words: str = ""
    """What was last to say about it. May hold foreign text, raw."""
    bad: bool = False
    """Whether that is a problem."""
    noted: str | None = None
    """What was typed, as it is on disk; None: nothing is."""

    @property
    def unsaved(self) -> bool:
        return self.state in ("ready", "saving") and self.editor.changed


class InstructionsDialog(Ask[None]):
    """Edits both; nothing typed is lost by a save that fails."""

    AUTO_FOCUS: ClassVar[str | None] = "#text-user"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", show=False, priority=True),
        Binding("f2", "other", "The other one", show=False, priority=True),
        Binding("ctrl+r", "read", "Read again", show=False),
    ]
    DEFAULT_CSS = """
    InstructionsDialog .dialog { width: 96; height: 94%; max-height: 40; }
    InstructionsDialog #whose { margin-top: 1; }
    InstructionsDialog #about-whose { height: auto; margin-bottom: 1; }
    InstructionsDialog #count { height: auto; color: $text-muted; }
    InstructionsDialog #count.-bad { color: $text-error; }
    InstructionsDialog #said { height: auto; color: $text-success; }
    InstructionsDialog #said.-bad { color: $text-error; }
    InstructionsDialog.-low #whose { margin-top: 0; }
    InstructionsDialog.-low #about-whose { margin-bottom: 0; }
    """

    def __init__(self, instructions: Callable[[Whose], Instructions]) -> None:
        super().__init__(name="instructions")
        self._noting: Timer | None = None
        self._picker = Picker(_CHOICES, id="whose")
        self._sheets = [
            Sheet(instructions(whose), InstructionsEditor(id=f"text-{whose}")) for whose in _WHOSE
        ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Instructions for Kai")
            yield self._picker
            yield Static(id="about-whose", classes="quiet", markup=False)
            for sheet in self._sheets:
                yield sheet.editor
            yield Static(id="count", markup=False)
            yield Static(id="said", markup=False)
            yield Static(_KEYS, classes="quiet", markup=False)

    def on_mount(self) -> None:
        self.watch(self._picker, "index", self._turn_to, init=False)
        self._turn_to(0)

    def on_resize(self) -> None:
        self.set_class(self.size.height < 30, "-low")

    @property
    def sheet(self) -> Sheet:
        """The one on screen."""
        return self._sheets[self._picker.index]

    # Reading

    def _turn_to(self, index: int) -> None:
        for number, sheet in enumerate(self._sheets):
            sheet.editor.display = number == index
        if self.sheet.state == "new":
            self._read(self.sheet)
        if not self._picker.has_focus:
            self.sheet.editor.focus()
        self._draw()

    def action_other(self) -> None:
        """From the own instructions to the project's and back; what was typed stays in both."""
        self._picker.index = 1 - self._picker.index
        self.sheet.editor.focus()

    def action_read(self) -> None:
        """Ask the server for the text anew, unless something typed would be lost."""
        if self.sheet.unsaved:
            self._say(self.sheet, "You changed this text: save it first, or undo with Ctrl+Z.", bad=True)
        elif self.sheet.state not in ("loading", "saving"):
            self._read(self.sheet)

    def _read(self, sheet: Sheet) -> None:
        sheet.state = "loading"
        sheet.editor.say("Reading…")
        self._say(sheet, "")

        async def work() -> None:
            try:
                text = await sheet.instructions.load()
            except BackendError as error:
                sheet.state = "failed"
                sheet.editor.say("It could not be read.")
                self._say(sheet, f"{error.sentence} Press Ctrl+R to read it again.", bad=True)
                return
            sheet.state = "ready"
            hidden = sheet.editor.show(text)
            sheet.editor.say(None)
            sheet.noted = typed = await sheet.instructions.take_up_typed()
            if typed is not None and sheet.editor.go_on_from(typed):
                self._say(
                    sheet,
                    "This is what you typed last time and did not save. Ctrl+Z shows what the server keeps.",
                )
                return
            warning = "Characters that cannot be seen are written out like ⟨U+202E⟩; saved is what you see."
            self._say(sheet, warning if hidden else "", bad=hidden)

        self.run_worker(work(), group=f"read-{sheet.instructions.whose}", exit_on_error=False)

    # Saving

    def action_save(self) -> None:
        """Keep the text on screen. Of two quick presses only the first counts."""
        if self.is_active:
            self._save(self.sheet)

    def _save(self, sheet: Sheet, over: str | None = None) -> None:
        text = sheet.editor.text
        if sheet.state != "ready":
            return
        if len(text) > LONGEST:
            extra = len(text) - LONGEST
            self._say(sheet, f"Not saved: {extra:,} character{'' if extra == 1 else 's'} too many.", bad=True)
            return
        if not sheet.editor.changed and over is None:
            self._say(sheet, "Nothing to save: this is what the server keeps.")
            return
        sheet.state = "saving"
        self._say(sheet, "")

        async def work() -> None:
            try:
                kept = await sheet.instructions.save(text, over=over)
            except ChangedElsewhere as changed:
                sheet.state = "ready"
                self._say(sheet, "Not saved yet: it was changed meanwhile.", bad=True)
                self._ask_whose(sheet, changed.theirs)
            except NotAllowed as error:
                sheet.state = "ready"
                own = sheet.instructions.whose == "user"
                words = f"{error.sentence} Your text is still here." if own else _FORBIDDEN
                self._say(sheet, words, bad=True)
            except BackendError as error:
                sheet.state = "ready"
                self._say(
                    sheet,
                    f"{error.sentence} Your text is still here. Press Ctrl+S to try again.",
                    bad=True,
                )
            else:
                sheet.state = "ready"
                shown = sheet.editor.saved(text, kept)
                differs = shown and kept.replace("\r\n", "\n") != text
                self._say(sheet, "Saved. The server keeps it as you see it now." if differs else "Saved.")
                self._note()

        self.run_worker(work(), group=f"save-{sheet.instructions.whose}", exit_on_error=False)

    def _ask_whose(self, sheet: Sheet, theirs: str) -> None:
        from kai_tui.ui.modals.changed_elsewhere import ChangedElsewhereDialog, Whole

        def answered(whole: Whole | None) -> None:
            if whole == "mine":
                self._save(sheet, over=theirs)
            elif whole == "theirs":
                sheet.instructions.accept(theirs)
                sheet.editor.take_over(theirs)
                self._say(sheet, "This is what the server keeps. Ctrl+Z brings your text back.")

        app_of(self).push_screen(ChangedElsewhereDialog(theirs), answered)

    # Leaving

    def action_leave(self) -> None:
        """Close; ask first when something is not saved."""
        saving = any(sheet.state == "saving" for sheet in self._sheets)
        unsaved = [sheet.instructions.whose for sheet in self._sheets if sheet.unsaved]
        if not unsaved and not saving:
            self.finish(None)
            return
        from kai_tui.ui.modals.confirm import Confirm

        names = " and ".join("your own" if whose == "user" else "the project's" for whose in unsaved)
        words = (
            "The server has not confirmed yet that it keeps your text."
            if saving
            else f"What you changed in {names} instructions is not saved."
        )
        app_of(self).push_screen(
            Confirm(
                "Leave without saving?",
                Content(words),
                yes="Leave it" if saving else "Throw it away",
                no="Keep editing",
                name="confirm-unsaved",
            ),
            lambda yes: self._throw_away() if yes else None,
        )

    def _throw_away(self) -> None:
        if self._noting is not None:
            self._noting.stop()
        for sheet in self._sheets:
            self._leave_behind(sheet.instructions.keep_typed(None))
        self.finish(None)

    # Words

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        self._draw()
        if self._noting is None:
            self._noting = self.set_timer(NOTE_SECONDS, self._note)

    def _note(self) -> None:
        """What was typed goes to disk: the program may end in any way."""
        self._noting = None
        for sheet in self._sheets:
            if sheet.state not in ("ready", "saving"):
                continue
            typed = sheet.editor.text if sheet.editor.changed else None
            if typed != sheet.noted:
                sheet.noted = typed
                self._leave_behind(sheet.instructions.keep_typed(typed))

    def _leave_behind(self, work: Coroutine[Any, Any, None]) -> None:
        """In the app, not here: it must not end with the dialog."""
        app_of(self).run_worker(work, group="instructions", exit_on_error=False)

    def on_instructions_editor_too_long(self, message: InstructionsEditor.TooLong) -> None:
        message.stop()
        words = f"Not pasted: {message.characters:,} characters are far more than the {LONGEST:,} that fit."
        self._say(self.sheet, words, bad=True)

    def _say(self, sheet: Sheet, words: str, *, bad: bool = False) -> None:
        sheet.words, sheet.bad = words, bad
        self._draw()

    def _draw(self) -> None:
        if not self.standing:
            return
        from kai_tui.conversation.safe_text import safe_prose

        sheet = self.sheet
        self.query_one("#about-whose", Static).update(Content(_ABOUT[sheet.instructions.whose]))
        length = len(sheet.editor.text)
        state = {"saving": " · saving…", "loading": " · reading…"}.get(sheet.state, "")
        if not state and sheet.unsaved:
            state = " · not saved"
        over = f" · {length - LONGEST:,} too many" if length > LONGEST else ""
        count = self.query_one("#count", Static)
        count.set_class(length > LONGEST, "-bad")
        count.update(Content(f"{length:,} / {LONGEST:,}{over}{state}"))
        said = self.query_one("#said", Static)
        said.set_class(sheet.bad, "-bad")
        said.update(Content(safe_prose(sheet.words) or " "))

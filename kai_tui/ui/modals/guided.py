"""Adding or changing an account of another system: its interview, one question at a time, with live checks.

What is typed stays in the field and in the `Interview`; a secret is never shown, and let go of when the dialog
closes (reliability.md C6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Button, Static

from kai_tui.backends.base import BackendError
from kai_tui.backends.system import Field
from kai_tui.services.account import Account
from kai_tui.ui.app_of import app_of
from kai_tui.ui.interview import Interview
from kai_tui.ui.modals.account_making import Making
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.widgets.guided_field import GuidedField
from kai_tui.ui.widgets.interview_lines import lines_of

if TYPE_CHECKING:
    from kai_tui.backends.secret import Secret
    from kai_tui.backends.system import System
    from kai_tui.services.account_service import AccountService


QUIET_SECONDS = 0.5
"""Keys that came while nothing was asked: the next field hears them only after this long without any."""
SECOND_ENTER_SECONDS = 0.2
"""An Enter so soon after a question appeared was meant for the one before it."""
TAKEN_SECONDS = 0.5
"""How long keys behind an Enter wait for the next question."""

_KEYS = {
    "text": "Enter go on",
    "secret": "Enter go on",
    "choice": "↑ ↓ choose · Enter go on",
    "switch": "← → or y n · Enter go on",
    "lines": "Enter new line · Ctrl+S go on",
}


class GuidedDialog(Ask[Account]):
    """Result: the account as it was kept, or None when the user left."""

    AUTO_FOCUS: ClassVar[str | None] = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", show=False, priority=True),
        Binding("ctrl+c", "leave_at_once", show=False, priority=True),
        Binding("pageup", "scroll_lines(-1)", show=False),
        Binding("pagedown", "scroll_lines(1)", show=False),
    ]
    DEFAULT_CSS = """
    GuidedDialog .dialog { width: 78; height: 23; overflow-y: auto; scrollbar-size-vertical: 1; }
    GuidedDialog #about { height: auto; color: $text-muted; margin-bottom: 1; }
    GuidedDialog #lines { height: auto; max-height: 5; scrollbar-size-vertical: 1; }
    GuidedDialog.-begun #about { display: none; }
    GuidedDialog OptionList { max-height: 6; }
    GuidedDialog #so-far { height: auto; }
    GuidedDialog #question { height: auto; margin-top: 1; text-style: bold; }
    GuidedDialog #help, GuidedDialog #problem, GuidedDialog #note { height: auto; display: none; }
    GuidedDialog #help.-shown, GuidedDialog #problem.-shown, GuidedDialog #note.-shown { display: block; }
    GuidedDialog #help, GuidedDialog #note { color: $text-muted; }
    GuidedDialog #answers { height: 1; margin-top: 1; }
    GuidedDialog #again { display: none; }
    GuidedDialog.-stuck #again { display: block; }
    GuidedDialog.-stuck #go, GuidedDialog.-stuck #question { display: none; }
    GuidedDialog.-wide .dialog { width: 96; height: 28; }
    GuidedDialog.-wide #lines { max-height: 9; }
    GuidedDialog.-wide OptionList { max-height: 8; }
    """

    def __init__(
        self,
        system: System,
        accounts: AccountService,
        *,
        account: Account | None = None,
        secret: Secret | None = None,
        why: str = "",
        renews: bool = False,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`account`: the one that is changed, with its `secret`. `why`: one sentence before everything; foreign text in it is raw.

        `renews`: only what is new is asked, its secret first of all; name and colour stay.
        """
        super().__init__(name="guided")
        self._system = system
        self._account = account
        self._why = why
        self._renews = renews
        self._clock = clock
        self._making = Making(accounts, system, account, secret, self._explain, renews=renews)
        self._interview: Interview[Account] = Interview(self._making.whole, self._draw, skips_known=renews)
        self._field = GuidedField(self.go_on)
        self._turn = 0
        self._asked_at = float("-inf")
        self._unheard = clock() if renews or why else float("-inf")
        """When a key came that nothing was there for. A dialog that opened by itself begins with one."""
        self._listening: Timer | None = None
        self._settled = asyncio.Event()
        self._asks_leaving = False
        self._stepped = False
        """Whether the user went back on purpose."""
        self._result: Account | None = None
        """The account that was kept while another dialog was over this one."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._title())
            yield Static(self._about(), id="about", markup=False)
            with VerticalScroll(id="lines", can_focus=False):
                yield Static(id="so-far", markup=False)
            yield Static(id="question", markup=False)
            yield self._field
            yield Static(id="help", markup=False)
            yield Static(id="problem", classes="problem", markup=False)
            yield Static(id="note", markup=False)
            with Horizontal(id="answers"):
                yield Button("Go on", id="go", variant="primary", compact=True)
                yield Button("Try again", id="again", variant="primary", compact=True)
                yield Button("Back", id="back", compact=True)
                yield Button("Leave", id="leave", compact=True)

    def _title(self) -> str:
        from kai_tui.conversation.safe_text import safe_line

        if self._account is None:
            return f"A new account: {self._system.title}"
        verb = "Sign in again" if self._renews else "Change"
        return f"{verb}: {safe_line(self._account.label, 40)} · {self._system.title}"

    def _about(self) -> Content:
        from kai_tui.conversation.safe_text import safe_prose

        if self._why:
            stays = "Your chat, what you typed and waiting questions stay as they are."
            return Content.assemble((safe_prose(self._why), "$text"), "\n", stays)
        return Content(self._system.about)

    def on_mount(self) -> None:
        self._start()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= 110 and self.size.height >= 34, "-wide")

    def on_unmount(self) -> None:
        self._interview.forget()

    # The interview

    def _start(self) -> None:
        """Go through it from the beginning; what is known comes back at once."""
        self.remove_class("-stuck")
        self.run_worker(self._go_through(), group="interview", exclusive=True, exit_on_error=False)

    async def _go_through(self) -> None:
        from kai_tui.storage.errors import StorageError

        while True:
            try:
                account = await self._interview.run()
            except (BackendError, StorageError) as error:
                if not self._interview.failed(error.sentence):
                    self._stop(error.sentence)
                    return
            except Exception:
                self._stop("kai-tui made a mistake. Nothing was kept. Leave, or try again.")
                raise
            else:
                self._close(account)
                return

    # The user

    async def go_on(self) -> None:
        """Enter: take what stands in the field, and wait until the next question is there."""
        value = self._field.value
        if not self._hears or self._interview.now.question is None:
            return
        if value is None:
            self._say("Choose one of these.")
            return
        if self._clock() - self._asked_at < SECOND_ENTER_SECONDS and not self._field.touched:
            return
        self._settled.clear()
        if not self._interview.answer(value):
            return
        try:
            await asyncio.wait_for(self._settled.wait(), TAKEN_SECONDS)
        except TimeoutError:
            return

    action_take = go_on

    def action_scroll_lines(self, pages: int) -> None:
        """Look at what was answered before."""
        lines = self.query_one("#lines", VerticalScroll)
        lines.scroll_relative(y=pages * max(1, lines.size.height - 1), animate=False)

    async def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        pressed = message.button.id
        if pressed == "go":
            self._asked_at = float("-inf")
            await self.go_on()
        elif pressed == "again":
            self._start()
        elif pressed == "back":
            self._step_back()
        else:
            self.action_leave_at_once()

    def action_leave(self) -> None:
        """Esc: one step back; out from the first question, or from the only one of a sign-in again."""
        if self._begins:
            self.action_leave_at_once()
        else:
            self._step_back()

    @property
    def _begins(self) -> bool:
        """Whether nothing was answered yet by the user, who was asked to sign in again."""
        fresh = not (self._interview.answered_by_user or self._stepped)
        return self._renews and fresh and self._interview.now.question is not None

    def _step_back(self) -> None:
        if self._making.keeping:
            return
        self._stepped = True
        stopped = bool(self._interview.now.doing)
        if not self._interview.back(self._field.value):
            self._leave()
            return
        if stopped:
            self._interview.now.problem = "Stopped. Nothing was kept."
        self._start()

    def action_leave_at_once(self) -> None:
        """Out, after asking when something typed is lost."""
        if not self._making.keeping:
            self._leave()

    def _leave(self) -> None:
        if not (self._interview.answered_by_user or self._field.touched):
            self._close(None)
            return
        from kai_tui.ui.modals.confirm import Confirm

        if self._asks_leaving:
            return
        self._asks_leaving = True
        body = Content("What you typed here is not kept, and nothing else was changed.")
        app_of(self).push_screen(
            Confirm("Leave?", body, yes="Leave", no="Stay", name="confirm-leave-guided"), self._may_leave
        )

    def _may_leave(self, sure: bool | None) -> None:
        self._asks_leaving = False
        if sure and not self._leaving:
            self._close(None)

    def _close(self, account: Account | None) -> None:
        self._interview.forget()
        self._field.clear()
        self._making.secret = None
        self._result = account
        if self.is_active:
            self.finish(account)
        else:
            self._leaving = True

    def on_screen_resume(self) -> None:
        if self._leaving:
            self.finish(self._result)

    # Keys nobody waits for

    @property
    def _hears(self) -> bool:
        """Whether a field takes what is typed."""
        return self._interview.now.question is not None and self._listening is None

    def on_key(self, event: events.Key) -> None:
        if self.focused is None and event.key != "escape":
            self._missed()

    def on_paste(self) -> None:
        if self.focused is None:
            self._missed()

    def _missed(self) -> None:
        self._unheard = self._clock()
        self._note("What you type now is not taken." if self._listening is not None else "")

    def _listen(self) -> None:
        """Give the field the keys: at once, or when those that were not meant for it have ended."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None
        left = QUIET_SECONDS - (self._clock() - self._unheard)
        if left <= 0:
            self._note("")
            self._field.take_focus()
            self._asked_at = self._clock()
            return
        self.set_focus(None)
        self._listening = self.set_timer(left + 0.01, self._listen)

    # Drawing

    def _draw(self) -> None:
        """Show the interview as it is now."""
        if self.done or not self.standing:
            return
        now = self._interview.now
        self.set_class(bool(now.lines) and not self._why, "-begun")
        self.query_one("#so-far", Static).update(lines_of(now.lines, now.doing))
        self.query_one("#lines", VerticalScroll).scroll_end(animate=False)
        if now.question is None:
            if now.doing:
                self._busy()
            return
        if now.turn != self._turn:
            self._turn = now.turn
            self._ask(now.question)
        self._say(now.problem)

    def _ask(self, question: Field) -> None:
        from kai_tui.conversation.safe_text import safe_line, safe_prose

        optional = "" if question.required or question.kind in ("choice", "switch") else "  (optional)"
        label = Content.assemble(safe_line(question.label, 100), (optional, "not bold $text-muted"))
        self._write("question", label)
        self._field.ask(question, self._interview.now.text)
        example = f"for example {question.example}" if question.example else ""
        self._write(
            "help", Content("\n").join(Content(safe_prose(each)) for each in (question.help, example) if each)
        )
        self._show_keys(_KEYS[question.kind])
        self._listen()
        self._settled.set()

    def _busy(self) -> None:
        """Something is done: no field hears keys."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None
        self.set_focus(None)
        self._say("")
        self._show_keys("")
        self._settled.set()

    def _show_keys(self, keys: str) -> None:
        way_out = "back" if self._interview.can_go_back else "leave"
        if self._interview.now.doing:
            way_out = "stop"
        elif self._begins:
            way_out = "not now"
        self.query_one("#back", Button).display = self._interview.can_go_back
        box = self.query_one(".dialog")
        box.border_subtitle = Content(f"{keys} · Esc {way_out}" if keys else f"Esc {way_out}")

    def _stop(self, sentence: str) -> None:
        """The interview ended before it asked anything."""
        self._interview.now.problem = ""
        self.add_class("-stuck")
        self._field.clear()
        self._write("help", Content(""))
        self._say(sentence)
        self._show_keys("Enter try again")
        self.query_one("#again").focus()
        self._settled.set()

    def _explain(self, sentence: str) -> None:
        """Say this at the next question."""
        self._interview.now.problem = sentence

    def _say(self, sentence: str) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        self._write("problem", Content(safe_prose(sentence)))

    def _note(self, words: str) -> None:
        self._write("note", Content(words))

    def _write(self, where: str, text: Content) -> None:
        shown = self.query_one(f"#{where}", Static)
        shown.update(text)
        shown.set_class(bool(text), "-shown")

"""The question before anything is changed: what, where, exactly which arguments, how risky.

The safety heart of the program (reliability.md A1-A4, A9). Nothing in this dialog can take the
focus: every key, click and paste comes to the screen itself and passes the `Guard` first, so there
is one place where a stray key can be stopped, and no widget that could act on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from kai_tui.conversation.reviews.review import Review
from kai_tui.services.account import MAIN
from kai_tui.services.approval_service import Approval, Decision, Risk
from kai_tui.services.grants import GrantTerms
from kai_tui.ui.app_of import app_of
from kai_tui.ui.colour_marks import mark
from kai_tui.ui.modals.answer_choice import ANSWERS, Answer, Choice
from kai_tui.ui.modals.approval_choices import LABELS, SHORT, offered
from kai_tui.ui.modals.approval_rules import Beside, beside_words
from kai_tui.ui.modals.argument_view import ArgumentView, rows_for
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.event_time import moment_by
from kai_tui.ui.modals.guard import Guard
from kai_tui.ui.modals.guarded import Guarded
from kai_tui.ui.modals.reason import ReasonDialog

LEAST_WIDTH = 40
LEAST_HEIGHT = 14
NARROW = 78
"""Columns below which the answers have their short names."""
BEAT_SECONDS = 0.05

_RISKS: dict[Risk, tuple[str, str]] = {
    "reads": ("○ reads only", "text-success"),
    "creates": ("▲ creates something", "text-warning"),
    "changes": ("▲ changes or starts something", "text-warning"),
    "unknown": ("▲ unknown tool: treat it as one that changes things", "text-error"),
}
_SCROLL_KEYS = {
    "up": "scroll_up",
    "down": "scroll_down",
    "pageup": "scroll_page_up",
    "pagedown": "scroll_page_down",
    "home": "scroll_home",
    "end": "scroll_end",
    "ctrl+home": "scroll_home",
    "ctrl+end": "scroll_end",
}
_MOVES = {"right": 1, "tab": 1, "left": -1, "shift+tab": -1}


@dataclass(frozen=True, slots=True)
class Later:
    """The user put the question off; it keeps waiting."""


class ApprovalDialog(Ask[Decision | Later]):
    """Asks about one call. Result: a decision, `Later`, or None when the question was withdrawn."""

    AUTO_FOCUS: ClassVar[str | None] = None
    BINDINGS: ClassVar[list[BindingType]] = []
    labels: Mapping[Answer, str] = LABELS
    collected: bool = False
    """Whether the answer only goes to the list of all questions, which sends it."""
    unseen: ClassVar[str] = "Approve is off until the last line was on screen: ↓ PgDn End"
    DEFAULT_CSS = """
    ApprovalDialog .dialog { width: 96; border: round $text-warning; }
    ApprovalDialog.-reads .dialog { border: round $border; }
    ApprovalDialog #what { text-style: bold; margin-top: 1; }
    ApprovalDialog #facts { height: auto; margin: 1 0; }
    ApprovalDialog #hidden { color: $text-warning; height: auto; margin-bottom: 1; display: none; }
    ApprovalDialog #hidden.-shown { display: block; }
    ApprovalDialog #state { height: auto; margin-top: 1; color: $text-muted; }
    ApprovalDialog #state.-armed { color: $text-success; }
    ApprovalDialog #state.-off { color: $text-warning; }
    ApprovalDialog #answers { height: 1; margin: 1 0 0 0; }
    ApprovalDialog.-low #what { margin-top: 0; }
    ApprovalDialog.-low #facts { margin: 0; }
    ApprovalDialog.-low #hidden { margin: 0; }
    ApprovalDialog.-low #state, ApprovalDialog.-low #answers { margin: 0; }
    ApprovalDialog Choice { padding: 0 1; margin-right: 1; }
    ApprovalDialog.-narrow Choice { padding: 0; }
    ApprovalDialog.-narrow .dialog { padding: 0; }
    """

    locked: str | None = None
    """Why a rule of the user keeps this from being approved."""
    beside: Beside = ()
    """What rules decided in the same message, sent together with the answer."""

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
        """`clock` and `stamp` (the moment an event happened) are injected by tests."""
        super().__init__(name="approval")
        self.approval = approval
        self._position = (position, total)
        self._changed = changed
        self._clock = clock
        self._stamp: Callable[[events.Event], float] = stamp or moment_by(clock)
        self.guard = Guard()
        self.chosen: Answer = "deny"
        self._press_counts = False
        self._rows, self._hidden, self._off = rows_for(approval.input, approval.has_input)
        self._arguments = ArgumentView(self._rows, id="arguments", on_end=self._tell)
        self.review = self._reviewed()
        self.answers = self._offered()
        # Held, not looked up: the clock and the connection speak to a dialog whose widgets are going already.
        self._box = Vertical(classes="dialog")
        self._state = Static(id="state", markup=False)
        self._withdrawn = False
        self._over: Guarded[Any] | None = None
        """The dialog it opened last."""
        self._built = False
        self._fitted = False
        self.set_class(approval.risk == "reads", "-reads")

    # What is shown

    def _reviewed(self) -> Review:
        from kai_tui.conversation.reviews.reviewing import review

        asked = self.approval
        return review(asked.tool_name, asked.input, read_only=asked.read_only, title_given=asked.title)

    def _offered(self) -> Sequence[Answer]:
        return offered(self.approval, self.review, clear=self._off is None)

    def compose(self) -> ComposeResult:
        with self._box as box:
            box.border_title = Content("The assistant asks before it acts")
            box.border_subtitle = Content(self._subtitle())
            yield Static(self._what(), id="what", markup=False)
            yield Static(self._facts(), id="facts", markup=False)
            yield Static(id="hidden", markup=False)
            yield self._arguments
            yield self._state
            yield from self._choices()

    def _choices(self) -> ComposeResult:
        with Horizontal(id="answers"):
            for answer in ANSWERS:
                choice = Choice(answer, self.labels[answer])
                choice.set_class(answer not in self.answers, "-hidden")
                yield choice

    def _subtitle(self) -> str:
        position, total = self._position
        place = f"{position} of {total}" if total > 1 else ""
        return " · ".join(filter(None, (place, "sent from the list" if self.collected else "")))

    def set_position(self, position: int, total: int) -> None:
        """More questions came or went meanwhile."""
        if (position, total) != self._position and self._built:
            self._position = (position, total)
            self._box.border_subtitle = Content(self._subtitle())

    def know_rules(self, locked: str | None, beside: Beside) -> None:
        """What the user's rules say of this question. What is shown changes: it has to be read again."""
        if (locked, list(beside)) == (self.locked, list(self.beside)):
            return
        self.locked, self.beside = locked, tuple(beside)
        if self._built:
            self.query_one("#what", Static).update(self._what())
            self._fitted = False
            self.disarm()

    def _what(self) -> Content:
        from kai_tui.conversation.safe_text import safe_exact

        title, tool = (
            safe_exact(self.approval.title, one_line=True),
            safe_exact(self.approval.tool_name, one_line=True),
        )
        parts: list[tuple[str, str]] = [(title.text, "bold")]
        if tool.text != title.text:
            parts.append((f"  {tool.text}", "not bold $text-muted"))
        if self._changed:
            parts.append(("\nchanged since you saw it: read it again", "bold $text-warning"))
        if self.approval.note:
            parts.append((f"\n{self.approval.note}", "not bold $text-warning"))
        parts += beside_words(self.beside)
        return Content.assemble(*parts)

    def _facts(self) -> Content:
        from kai_tui.conversation.safe_text import safe_exact

        approval = self.approval
        risk, colour = _RISKS[approval.risk]
        project = safe_exact(approval.account, one_line=True).text
        branch = safe_exact(approval.branch, one_line=True).text
        on_main = approval.branch in ("", MAIN)
        if approval.branch and on_main:
            project += f" · branch {branch}"
        shape = mark(approval.colour)
        facts = [
            (
                "in",
                f"{shape} {project}" if shape else project,
                f"account-{approval.colour}" if shape else "text",
            )
        ]
        if not on_main:
            facts.append(("branch", branch, "text-warning"))
        facts.append(("at", safe_exact(approval.host, one_line=True).text, "text"))
        if approval.chat_title:
            facts.append(("chat", safe_exact(approval.chat_title, one_line=True).text, "text"))
        if approval.wants == "yes-no":
            facts.append(("risk", risk, colour))
        lines: list[Content] = [
            Content.assemble(
                (f"{label:<8}" if not on_main else f"{label:<6}", "$text-muted"), (value, f"${style}")
            )
            for label, value, style in facts
            if value
        ]
        return Content("\n").join(lines)

    def why_not(self) -> str | None:
        """Why Approve is off; None when it is on (once armed)."""
        if self.locked is not None:
            return self.locked
        if self._off is not None:
            return self._off
        if self._too_small:
            return "This window is too small to approve in. Make it larger."
        if not self._arguments.end_seen:
            return self.unseen
        return None

    @property
    def _too_small(self) -> bool:
        return self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT

    def _tell(self) -> None:
        """Write the state line and mark the chosen answer."""
        if not self._built or not self.is_attached:
            return
        why = self.why_not()
        state = self._state
        if self._withdrawn:
            text = "This question is no longer open."
        elif not self.guard.armed:
            text = "◌ Reading time: keys do nothing until half a second of quiet"
        elif why is not None:
            text = f"◐ {why}"
        elif self.chosen == "approve":
            text = "● Ready: Enter approves · ← back to Deny · Esc decides later"
        else:
            text = "● Ready: → then Enter approves · Enter denies · Esc decides later"
        state.update(Content(text))
        state.set_class(self.guard.armed and why is None, "-armed")
        state.set_class(self.guard.armed and why is not None, "-off")
        for choice in self.query(Choice):
            choice.set_class(choice.answer == self.chosen, "-chosen")
            off = choice.answer in ("approve", "allow") and why is not None
            choice.set_class(not self.guard.armed or off, "-off")

    # Size

    def on_mount(self) -> None:
        self._built = True
        hidden = self.query_one("#hidden", Static)
        if self._hidden:
            hidden.update(Content(f"! {' and '.join(self._hidden)}: marked below"))
            hidden.add_class("-shown")
        self.set_interval(BEAT_SECONDS, self.beat)
        self.watch(app_of(self), "app_focus", self._focus_changed, init=False)
        self._tell()

    def on_resize(self) -> None:
        self.guard.disturb(self._clock())
        self.set_class(self.size.height < 26, "-low")
        narrow = self.size.width < NARROW
        self.set_class(narrow, "-narrow")
        for choice in self.query(Choice):
            label = self.labels[choice.answer]
            choice.update(Content(SHORT.get(choice.answer, label) if narrow else label))
        self._fitted = False

    def _fit(self) -> bool:
        """Give the arguments the rows that the rest leaves; True when they have them already.

        Asked at every beat: other styles take effect only with the next layout.
        """
        box, arguments = self._box, self._arguments
        if not box.outer_size.height:
            return False
        lines = arguments.fold_to(arguments.size.width - 1)
        others = box.outer_size.height - arguments.outer_size.height
        height = max(3, min(lines, self.size.height - others))
        if arguments.outer_size.height == height:
            return True
        arguments.styles.height = height
        return False

    # What happens

    def beat(self) -> None:
        """The pulse that arms the dialog after enough quiet."""
        now = self._clock()
        if not self._fitted:
            self._fitted = self._fit()
            if self._fitted:
                self.guard.painted(now)
        else:
            self._arguments.look()
        if self.guard.beat(now):
            if not self.guard.armed:
                self.chosen = "deny"
            self._tell()
        elif self.guard.hasty_counts(now):
            self._decide(self.chosen)

    def disarm(self) -> None:
        """Something outside changed (connection, account): look again before deciding (A8)."""
        self.guard.disturb(self._clock())
        self._back()

    def _focus_changed(self) -> None:
        self.disarm()

    def on_screen_resume(self) -> None:
        self.disarm()

    def _back(self) -> None:
        self.chosen = "deny"
        self._tell()

    def _forward_event(self, event: events.Event) -> None:
        """Everything the user does comes through here first."""
        if event.is_forwarded:
            return
        if isinstance(event, events.Key):
            self._key(event)
        elif isinstance(event, events.Paste):
            self.guard.disturb(self._stamp(event))
            self._back()
        elif isinstance(event, events.MouseEvent):
            if self._mouse_passes(event):
                super()._forward_event(event)
        else:
            super()._forward_event(event)

    def _mouse_passes(self, event: events.MouseEvent) -> bool:
        when = self._stamp(event)
        if isinstance(event, events.Click):
            return self._press_counts and event.chain == 1
        if isinstance(event, events.MouseDown):
            self._press_counts = self.guard.counts(when)
            if not self._press_counts:
                self._back()
        else:
            self.guard.pass_by(when)
        return True

    def _key(self, event: events.Key) -> None:
        when = self._stamp(event)
        if event.key in _SCROLL_KEYS:
            self.guard.pass_by(when)
            getattr(self._arguments, _SCROLL_KEYS[event.key])(animate=False)
            self._tell()
        elif event.key in _MOVES:
            if self.guard.counts(when, key=True, move=True):
                step = _MOVES[event.key]
                self.chosen = self.answers[(self.answers.index(self.chosen) + step) % len(self.answers)]
            self._tell()
        elif event.key == "enter" and self.guard.is_hasty(when):
            pass  # the next beats tell whether it stood alone
        elif event.key in ("enter", "escape"):
            if self.guard.counts(when, key=True):
                self._decide(self.chosen if event.key == "enter" else None)
            else:
                self._back()
        else:
            self.guard.disturb(when)
            self._back()

    def on_choice_clicked(self, message: Choice.Clicked) -> None:
        self._decide(message.answer)

    def _decide(self, answer: Answer | None) -> None:
        if self._withdrawn:
            return
        if answer is None:
            self.finish(Later())
        elif answer == "deny":
            self.finish(Decision(approved=False))
        elif answer == "reason":
            self._push(ReasonDialog(self.approval), self._deny_with)
        elif answer == "edit":
            self._open("edit_input", "EditInput", self._edited)
        elif not self.guard.armed or self.why_not() is not None:
            self.chosen = answer
            self._tell()
        elif answer == "allow":
            self._open("allow", "AllowDialog", self._allowed)
        else:
            self.finish(self._yes())

    def _open(self, module: str, dialog: str, then: Callable[[Any], None]) -> None:
        kind = getattr(import_module(f"kai_tui.ui.modals.{module}"), dialog)
        self._push(kind(self.approval, self.review), then)

    def _push(self, dialog: Ask[Any], then: Callable[[Any], None]) -> None:
        if isinstance(dialog, Guarded):
            dialog.keep_time(self._clock, self._stamp)
            self._over = dialog
        app_of(self).push_screen(dialog, then)

    def _edited(self, decision: Decision | None) -> None:
        if decision is not None and not self._withdrawn:
            self.finish(decision)

    def _allowed(self, terms: GrantTerms | None) -> None:
        if terms is not None and not self._withdrawn:
            self.finish(Decision(approved=True, grant=terms))

    def _yes(self) -> Decision:
        return Decision(approved=True)

    def _deny_with(self, reason: str | None) -> None:
        if reason is not None and not self._withdrawn:
            self.finish(Decision(approved=False, reason=reason or None))

    def withdraw(self) -> None:
        """The question was settled elsewhere or its chat is gone."""
        self._withdrawn = True
        self._tell()
        if self._over is not None:
            self._over.lapse()
        super().withdraw()

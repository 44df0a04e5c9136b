"""The question before anything is changed: what, where, how risky, exactly what becomes of what, and what is sent.

The safety heart of the program (reliability.md A1-A4, A9). What it shows comes from the call itself
(`conversation.reviews`); what is there now comes late and from elsewhere, and never moves what is being read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic, time
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from kai_tui.conversation.reviews.review import Presents, Review
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.ui.modals.answer_choice import ANSWERS, Answer, Choice
from kai_tui.ui.modals.approval_choices import LABELS, SHORT, offered
from kai_tui.ui.modals.approval_head import head, level, on_main, whole_head
from kai_tui.ui.modals.approval_panes import COVERED, Panes
from kai_tui.ui.modals.approval_rules import Beside, beside_paragraphs
from kai_tui.ui.modals.argument_view import rows_for
from kai_tui.ui.modals.further_dialogs import Later, OpensDialogs
from kai_tui.ui.modals.typed_name import TypedName

__all__ = ["ApprovalDialog", "Later"]

if TYPE_CHECKING:
    from kai_tui.services.present_values import Known, Look
    from kai_tui.ui.modals.reading_view import Paragraph

LEAST_WIDTH = 40
LEAST_HEIGHT = 14
LOW = 26
"""Rows below which nothing is left empty."""
NARROW = 78
"""Columns below which the answers have their short names."""
NEWS = "Approve is off: something new stands above, ↑ PgUp Home"
_ELSEWHERE: Mapping[str, Literal["next", "all"]] = {"f4": "next", "f3": "all", "alt+q": "all"}
_MOVES = {"right": 1, "tab": 1, "left": -1, "shift+tab": -1}


class ApprovalDialog(OpensDialogs):
    """Asks about one call. Result: a decision, `Later`, or None when the question was withdrawn."""

    labels: Mapping[Answer, str] = LABELS
    heading: ClassVar[str] = "The assistant asks before it acts"
    unseen: ClassVar[str] = "Approve is off until the last line was on screen: ↓ PgDn End"
    reviews: ClassVar[bool] = True
    """Whether the change is shown beside what is sent."""
    DEFAULT_CSS = """
    ApprovalDialog .dialog { width: 96; border: round $text-warning; }
    ApprovalDialog.-error .dialog { border: round $text-error; }
    ApprovalDialog.-success .dialog { border: round $border; }
    ApprovalDialog.-two-panes .dialog { width: 94%; max-width: 180; }
    ApprovalDialog #what { text-style: bold; margin-top: 1; }
    ApprovalDialog #facts { height: auto; margin: 1 0; }
    ApprovalDialog #hidden { color: $text-warning; height: auto; margin-bottom: 1; display: none; }
    ApprovalDialog #hidden.-shown { display: block; }
    ApprovalDialog #to-type { height: auto; max-height: 3; margin-top: 1; display: none; }
    ApprovalDialog #to-type.-shown { display: block; }
    ApprovalDialog #state { height: auto; margin-top: 1; color: $text-muted; }
    ApprovalDialog #state.-armed { color: $text-success; }
    ApprovalDialog #state.-off { color: $text-warning; }
    ApprovalDialog #answers { height: 1; margin: 1 0 0 0; }
    ApprovalDialog.-low #what, ApprovalDialog.-low #facts { margin: 0; }
    ApprovalDialog.-low #hidden, ApprovalDialog.-low #to-type { margin: 0; }
    ApprovalDialog.-low #state, ApprovalDialog.-low #answers { margin: 0; }
    ApprovalDialog Choice { padding: 0 1; margin-right: 1; }
    ApprovalDialog.-narrow Choice { padding: 0; }
    ApprovalDialog.-narrow .dialog { padding: 0; }
    ApprovalDialog.-tiny #state { height: 1; }
    ApprovalDialog.-tiny #to-type { display: none; }
    ApprovalDialog.-tiny #what, ApprovalDialog.-tiny #facts, ApprovalDialog.-tiny #hidden { display: none; }
    ApprovalDialog.-tiny #answer-edit, ApprovalDialog.-tiny #answer-allow { display: none; }
    """

    collected: bool = False
    """Whether the answer only goes to the list of all questions, which sends it."""
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
        wall: Callable[[], float] = time,
    ) -> None:
        """`clock`, `stamp` (the moment an event happened) and `wall` (seconds since the epoch) are injected by
        tests."""
        super().__init__(approval, name="approval", clock=clock, stamp=stamp)
        self._position = (position, total)
        self._changed = changed
        self._wall = wall
        self.chosen: Answer = "deny"
        rows, self._hidden, self._off = rows_for(approval.input, approval.has_input)
        self.review = self._reviewed(None)
        self.answers = self._offered()
        self.panes = Panes(rows, on_end=self._tell)
        self._to_type = TypedName(self.review.to_type if on_main(approval) and self.reviews else "")
        # Held, not looked up: the clock and the connection speak to a dialog whose widgets are going already.
        self._box = Vertical(classes="dialog")
        self._what = Static(id="what", markup=False)
        self._facts = Static(id="facts", markup=False)
        self._typed = Static(id="to-type", markup=False)
        self._state = Static(id="state", markup=False)
        self._begin_to_look: Callable[[Approval], Look] | None = None
        self._look: Look | None = None
        self._note = ""
        """Why not all is known that is there now."""
        self._built = False
        self._fitted = False
        self.add_class(f"-{level(self.review)}")

    # What is shown

    def compose(self) -> ComposeResult:
        with self._box as box:
            box.border_title = Content(self.heading)
            box.border_subtitle = Content(self._subtitle())
            yield self._what
            yield from self._about()
            yield self._facts
            yield Static(id="hidden", markup=False)
            yield self.panes
            yield from self._fields()
            yield self._typed
            yield self._state
            with Horizontal(id="answers"):
                for answer in ANSWERS:
                    choice = Choice(answer, self.labels[answer])
                    choice.set_class(answer not in self.answers, "-hidden")
                    yield choice

    def _about(self) -> ComposeResult:
        """What stands under the heading."""
        yield from ()

    def _fields(self) -> ComposeResult:
        """What stands under the arguments."""
        yield from ()

    def _reviewed(self, presents: Presents | None) -> Review:
        from kai_tui.conversation.reviews.reviewing import review

        asked = self.approval
        return review(
            asked.tool_name,
            asked.input,
            read_only=asked.read_only,
            title_given=asked.title,
            presents=presents,
        )

    def _offered(self) -> Sequence[Answer]:
        return offered(self.approval, self.review, clear=self._off is None)

    def _subtitle(self) -> str:
        position, total = self._position
        place = f"{position} of {total}" if total > 1 else ""
        ways = "sent from the list" if self.collected else "F4 next · F3 all of them" if total > 1 else ""
        return " · ".join(filter(None, (place, ways)))

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
            self._show_review()
            self.disarm()

    def follow(self, look: Callable[[Approval], Look]) -> None:
        """Look for what is there now while the question is open. Before it is shown."""
        self._begin_to_look = look

    def _known(self, known: Known) -> None:
        """More is known of what is there now. What is read stays where it is; what is new has to be read again."""
        if self._withdrawn or self.done or not self.is_attached:
            return
        self.panes.say("looking at the project…" if known.looking else "")
        note = "" if known.looking else known.note
        review = self._reviewed(known.presents)
        if (review, note) != (self.review, self._note):
            self.review, self._note = review, note
            if self._show_review():
                self.disarm()

    def _show_review(self) -> bool:
        """Draw head and change anew; True when that changes what is to be read."""
        width = max(20, self._box.content_size.width or self.size.width - 8)
        most = 1 if self.size.height < LEAST_HEIGHT + 4 else 2 if self.size.height < LOW else 3
        now = self._wall()
        shown = head(self.approval, self.review, width=width, most=most, changed=self._changed, now=now)
        self._what.update(shown.what)
        self._facts.update(shown.facts)
        above = whole_head(self.approval, self.review, now=now) if self._too_small else shown.whole
        above = [*above, *beside_paragraphs(self.beside)]
        change: Sequence[Paragraph] = ()
        if self.reviews:
            from kai_tui.ui.modals.review_view import paragraphs

            change = paragraphs(self.review, now=now, note=self._note)
        after = () if self._too_small else shown.after
        news = self.panes.show([*above, *change], after)
        self.set_class(self.panes.two, "-two-panes")
        return news

    def why_not(self) -> str | None:
        """Why Approve is off; None when it is on (once armed)."""
        if self.locked is not None:
            return self.locked
        if self._off is not None:
            return self._off
        if self._too_small:
            return "Too small to approve in"
        if self.panes.covered:
            return COVERED
        if not self.panes.end_seen:
            return NEWS if self.panes.news_above else self.unseen
        if not self._to_type.matches:
            return "Approve is off until you typed the name: this takes effect on MAIN"
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
            text = "◌ Reading time" + (
                "" if self._too_small else ": keys do nothing until half a second of quiet"
            )
        elif why is not None:
            text = f"◐ {why}"
        elif self.chosen == "approve":
            text = "● Ready: Enter approves · ← back to Deny · Esc decides later"
        else:
            text = "● Ready: → then Enter approves · Enter denies · Esc decides later"
        state.update(Content(text))
        state.set_class(self.guard.armed and why is None, "-armed")
        state.set_class(self.guard.armed and why is not None, "-off")
        if self._to_type.wanted:
            self._typed.update(self._to_type.shown(hears=self.guard.armed))
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
        self._typed.set_class(bool(self._to_type.wanted), "-shown")
        self._show_review()
        self._tell()
        if self._begin_to_look is not None and self.reviews:
            self._look = self._begin_to_look(self.approval)
            self._look.observe(self._known)
            self._known(self._look.known)

    def on_unmount(self) -> None:
        if self._look is not None:
            self._look.stop()

    def on_resize(self) -> None:
        size = self.size
        self.set_class(size.height < LOW, "-low")
        self.set_class(self._too_small, "-tiny")
        self.panes.set_class(self._too_small, "-tiny")
        self.set_class(self.panes.use_width(size.width), "-two-panes")
        narrow = size.width < NARROW
        self.set_class(narrow, "-narrow")
        for choice in self.query(Choice):
            label = self.labels[choice.answer]
            choice.update(Content(SHORT.get(choice.answer, label) if narrow else label))
        self._fitted = False
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        if self._built and self.is_attached:
            self._show_review()

    def _fit(self) -> bool:
        """Give the panes the rows that the rest leaves; True when they have them already."""
        box = self._box
        if not box.outer_size.height:
            return False
        # All of its rows, also those that have no room in the window now.
        frame = box.outer_size.height - box.size.height
        others = box.virtual_size.height + frame - self.panes.outer_size.height
        return self.panes.fit(self.size.height - others)

    # What happens

    def beat(self) -> None:
        """The pulse that arms the dialog after enough quiet."""
        now = self._clock()
        # At every beat: other styles take effect only with the next layout.
        fits = self._fit()
        if fits and self._fitted:
            self.panes.look()
        elif fits:
            self.guard.painted(now)
        elif self._fitted:
            self.disarm()
        self._fitted = fits
        changed = self.guard.beat(now)
        if not self.guard.armed and self.chosen != "deny":
            self._back()  # whatever disarmed it: a mark from before is no choice
        elif changed:
            self._tell()
        elif self.guard.hasty_counts(now):
            self._decide(self.chosen)

    def _back(self) -> None:
        self.chosen = "deny"
        self._tell()

    def _key(self, event: events.Key) -> None:
        when = self._stamp(event)
        if self.panes.scroll_by(event.key):
            self.guard.pass_by(when)
            self._tell()
        elif event.key in _MOVES:
            if self.guard.counts(when, key=True, move=True):
                self._move(_MOVES[event.key])
                self._tell()
            else:
                self._back()
        elif event.key == "enter" and self.guard.is_hasty(when):
            pass  # the next beats tell whether it stood alone
        elif event.key in ("enter", "escape"):
            if self.guard.counts(when, key=True):
                self._decide(self.chosen if event.key == "enter" else None)
            else:
                self._back()
        elif event.key in _ELSEWHERE and self._position[1] > 1 and not self.collected:
            if not self.guard.counts(when, key=True):
                self._back()
            elif not self._withdrawn:
                self.finish(Later(_ELSEWHERE[event.key]))
        elif self.guard.armed and self._to_type.wanted and self._to_type.hear(event):
            self.guard.pass_by(when)
            self.chosen = "deny"
            self._tell()
        else:
            self.strayed = when
            self.guard.disturb(when)
            self._back()

    def _move(self, step: int) -> None:
        small = self._too_small
        answers: list[Answer] = [each for each in self.answers if not (small and each in ("edit", "allow"))]
        self.chosen = answers[(answers.index(self.chosen) + step) % len(answers)]

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
            self.ask_for_reason()
        elif answer == "edit":
            self.edit()
        elif not self.guard.armed or self.why_not() is not None:
            self.chosen = answer
            self._tell()
        elif answer == "allow":
            self.allow_for_a_while()
        else:
            self.finish(self._yes())

    def _yes(self) -> Decision:
        return Decision(approved=True)

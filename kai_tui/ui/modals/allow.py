"""A yes that holds for a while: for what, where, how long. Guarded like the question it comes from (A1-A3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from kai_tui.conversation.granting import object_of
from kai_tui.conversation.reviews.review import ObjectRef, Review
from kai_tui.services.account import MAIN
from kai_tui.services.approval_service import Approval
from kai_tui.services.grant_words import about_words, span_words
from kai_tui.services.grants import GrantTerms
from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.answer_choice import Choice
from kai_tui.ui.modals.guarded import LAPSED, Guarded

if TYPE_CHECKING:
    from kai_tui.services.workspace import Workspace

LEAST_WIDTH = 60
LEAST_HEIGHT = 18
_OTHER_ROWS = 11
"""Frame, tool, options, state and answers, where nothing stands between them."""
_MINUTES: tuple[float | None, ...] = (10, 30, 60, None)
_CALLS: tuple[int | None, ...] = (5, 20, None)
_STILL = "Asked all the same: what hides something, warns of something else, or changes after you saw it."
_END = "Ends when you take it back, at a new connection, at sleep, and when you leave the account."

Answer: TypeAlias = Literal["back", "allow"]


class OptionRow(Static):
    """One choice of a few. Has no focus of its own; the dialog moves the mark."""

    DEFAULT_CSS = """
    OptionRow { height: auto; color: $text-muted; }
    """
    LABEL = 10

    @dataclass
    class Clicked(Message):
        row: OptionRow
        index: int

    def __init__(self, label: str, choices: Sequence[str], *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._label = label
        self._choices = tuple(choices)
        self.index = 0

    @property
    def count(self) -> int:
        return len(self._choices)

    def draw(self, active: bool) -> None:
        """`active`: whether arrow keys act on this row."""
        parts: list[tuple[str, str]] = [
            (f"{self._label:<{self.LABEL}}", "$text" if active else "$text-muted")
        ]
        for number, choice in enumerate(self._choices):
            chosen = number == self.index
            style = "bold $text" if chosen else "$text-muted"
            if chosen and active:
                style = "bold $block-cursor-foreground on $block-cursor-background"
            parts += [(f" {'●' if chosen else '○'} {choice} ", style), (" ", "")]
        self.update(Content.assemble(*parts))

    def on_click(self, event: events.Click) -> None:
        start = self.LABEL
        for number, choice in enumerate(self._choices):
            end = start + cell_len(choice) + 5
            if event.y == 0 and start <= event.x < end:
                self.post_message(self.Clicked(self, number))
            start = end


class AllowDialog(Guarded[GrantTerms]):
    """Result: what is allowed besides this call, or None to go back to the question."""

    AUTO_FOCUS: ClassVar[str | None] = None
    DEFAULT_CSS = """
    AllowDialog .dialog { width: 88; border: round $text-warning; }
    AllowDialog #allow-what { height: auto; max-height: 3; margin: 1 0; }
    AllowDialog #allow-words { height: auto; margin: 1 0; scrollbar-size-vertical: 1; }
    AllowDialog #allow-text { height: auto; }
    AllowDialog #state { height: auto; color: $text-muted; }
    AllowDialog #state.-armed { color: $text-success; }
    AllowDialog #state.-off { color: $text-warning; }
    AllowDialog #answers { height: 1; margin: 1 0; }
    AllowDialog.-low #allow-what, AllowDialog.-low #allow-words, AllowDialog.-low #answers { margin: 0; }
    AllowDialog.-low #allow-what { max-height: 1; }
    """

    def __init__(self, approval: Approval, review: Review) -> None:
        super().__init__(name="allow")
        self.approval = approval
        self._review = review
        self._object: ObjectRef | None = object_of(review)
        about = ["anything"]
        if self._object is not None:
            kind = "object" if self._object.kind == "other" else self._object.kind
            about.insert(0, f"only this {kind}")
        self._rows = {
            "about": OptionRow("About", about, id="allow-about"),
            "where": OptionRow("Where", ["this chat", "every chat of this account"], id="allow-where"),
            "minutes": OptionRow("How long", [_minutes(each) for each in _MINUTES], id="allow-minutes"),
            "calls": OptionRow("At most", [_calls(each) for each in _CALLS], id="allow-calls"),
        }
        self._answers = {"back": Choice("deny", "Back"), "allow": Choice("allow", "Approve and allow")}
        self.chosen: Answer = "back"
        self._active = len(self._rows)
        """The row the arrow keys act on; behind the options are the answers."""
        self._words = VerticalScroll(Static(id="allow-text", markup=False), id="allow-words", can_focus=False)
        self._end_seen = self._drawn = False

    def compose(self) -> ComposeResult:
        from kai_tui.conversation.safe_text import safe_exact

        title = safe_exact(self.approval.title, one_line=True).text
        tool = safe_exact(self.approval.tool_name, one_line=True).text
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Allow for a while")
            box.border_subtitle = Content("↑ ↓ row · ← → choose · Esc back")
            yield Static(
                Content.assemble((title, "bold"), ("" if tool == title else f"  {tool}", "$text-muted")),
                id="allow-what",
                markup=False,
            )
            yield from self._rows.values()
            yield self._words
            yield Static(id="state", markup=False)
            with Horizontal(id="answers"):
                yield from self._answers.values()

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self.set_class(self.size.height < 26, "-low")
        self._words.styles.max_height = max(3, self.size.height - _OTHER_ROWS)
        self._end_seen = False
        self.tell()

    # What it means

    @property
    def terms(self) -> GrantTerms:
        """What is chosen now."""
        only = self._object if self._rows["about"].index == 0 else None
        return GrantTerms(
            tool=self.approval.tool_name,
            of=only,
            chat_id=self.approval.chat_id if self._rows["where"].index == 0 else None,
            minutes=_MINUTES[self._rows["minutes"].index],
            calls=_CALLS[self._rows["calls"].index],
        )

    def _sentence(self) -> Content:
        from kai_tui.conversation.safe_text import safe_exact

        approval, terms = self.approval, self.terms
        tool = safe_exact(approval.tool_name, one_line=True).text
        account = safe_exact(approval.account, one_line=True).text
        about = safe_exact(about_words(terms.of), one_line=True).text
        where = "in this chat" if terms.chat_id is not None else f"in every chat of {account}"
        parts: list[tuple[str, str]] = [
            ("Approves this call now. Further calls of ", ""),
            (tool, "bold"),
            (f" {about}, {where}", ""),
        ]
        branch = safe_exact(approval.branch, one_line=True).text
        if branch:
            parts += [
                (", on branch ", ""),
                (branch.upper() if approval.branch == MAIN else branch, "bold $text-warning"),
            ]
        parts += [
            (", run without a question ", ""),
            (f"{span_words(terms)}.", "bold"),
        ]
        waiting = self._decided_at_once(terms)
        if waiting:
            ones = "question that waits now is" if waiting == 1 else "questions that wait now are"
            parts.append((f"\n{waiting} {ones} approved with it, unseen.", "$text-warning"))
        parts.append((f"\n\n{_STILL} {_END}", "$text-muted"))
        return Content.assemble(*parts)

    def _decided_at_once(self, terms: GrantTerms) -> int:
        """Questions that wait now and would be answered by it."""
        workspace: Workspace | None = getattr(app_of(self), "workspace", None)
        if workspace is None:
            return 0
        grants, service = workspace.grants, workspace.approvals
        grant = grants.draft(self.approval, terms)
        count = sum(
            each.key != self.approval.key and service.is_fresh(each) and grants.covers(grant, each)
            for each in service.pending
        )
        return count if terms.calls is None else min(count, terms.calls)

    def _draw(self) -> None:
        """Something else is chosen: it has to be read."""
        self.query_one("#allow-text", Static).update(self._sentence())
        self._words.scroll_home(animate=False)
        self._end_seen = self._drawn = False
        self.call_after_refresh(self._was_drawn)
        self._draw_rows()

    def _was_drawn(self) -> None:
        self._drawn = True

    # What keys do

    def why_not(self) -> str | None:
        """Why it cannot be allowed now."""
        if self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT:
            return "This window is too small to allow something in. Make it larger."
        return None if self._end_seen else "Read on to the end first: PgDn"

    def tell(self) -> None:
        if not self.standing:
            return
        why = self.why_not()
        if self.lapsed:
            text = LAPSED
        elif not self.guard.armed:
            text = "◌ Reading time: keys do nothing until half a second of quiet"
        elif why is not None:
            text = f"◐ {why}"
        elif self.chosen == "allow":
            text = "● Ready: Enter approves and allows · ← back"
        else:
            text = "● Ready: → then Enter approves and allows · ↑ changes what"
        state = self.query_one("#state", Static)
        state.update(Content(text))
        ready = self.guard.armed and why is None and not self.lapsed
        state.set_class(ready, "-armed")
        state.set_class(self.guard.armed and not ready, "-off")
        for name, choice in self._answers.items():
            choice.set_class(name == self.chosen and self._active == len(self._rows), "-chosen")
            choice.set_class(name == "allow" and not ready, "-off")

    def beat(self) -> None:
        super().beat()
        if self.standing and not self.guard.armed and self.chosen == "allow":
            self.chosen = "back"  # whatever disarmed it: a mark from before is no choice
            self.tell()
        if self.standing and self._painted and self._drawn and not self._end_seen and self._words.size.height:
            self._end_seen = self._words.scroll_offset.y >= self._words.max_scroll_y
            if self._end_seen:
                self.tell()

    def disarm(self) -> None:
        self.chosen = "back"
        super().disarm()

    def hear_key(self, event: events.Key, when: float) -> None:
        key = event.key
        if key == "escape":
            self.finish(None)
        elif key in ("up", "down", "tab", "shift+tab"):
            self.guard.pass_by(when)
            self._move(1 if key in ("down", "tab") else -1)
        elif key in ("pageup", "pagedown"):
            self.guard.pass_by(when)
            scroll = self._words.scroll_page_down if key == "pagedown" else self._words.scroll_page_up
            scroll(animate=False)
        elif key in ("left", "right"):
            self._step(1 if key == "right" else -1, when)
        elif key == "enter":
            self._enter(when)
        else:
            self.guard.disturb(when)
            self.chosen = "back"
            self.tell()

    def hear_paste(self, event: events.Paste) -> None:
        self.disarm()

    def _move(self, by: int) -> None:
        self._active = (self._active + by) % (len(self._rows) + 1)
        self.chosen = "back"
        self._draw_rows()

    def _draw_rows(self) -> None:
        for number, row in enumerate(self._rows.values()):
            row.draw(number == self._active)
        self.tell()

    def _step(self, by: int, when: float) -> None:
        if self._active < len(self._rows):
            row = list(self._rows.values())[self._active]
            row.index = (row.index + by) % row.count
            self.guard.disturb(when)  # what would be allowed is another thing now
            self._draw()
        elif self.guard.counts(when, key=True):
            self.chosen = "allow" if self.chosen == "back" else "back"
            self.tell()
        else:
            self.chosen = "back"
            self.tell()

    def _enter(self, when: float) -> None:
        if self._active < len(self._rows):
            self.guard.pass_by(when)
            self._move(1)
        elif self.guard.counts(when, key=True):
            self._answer(self.chosen)
        else:
            self.chosen = "back"
            self.tell()

    def _answer(self, answer: Answer) -> None:
        if answer == "back":
            self.finish(None)
        elif self.guard.armed and self.why_not() is None and not self.lapsed:
            self.finish(self.terms)
        else:
            self.tell()

    # The mouse

    def on_option_row_clicked(self, message: OptionRow.Clicked) -> None:
        message.stop()
        message.row.index = message.index
        self._active = list(self._rows.values()).index(message.row)
        self.chosen = "back"
        self.guard.disturb(self._clock())
        self._draw()

    def on_choice_clicked(self, message: Choice.Clicked) -> None:
        message.stop()
        if message.answer != "allow":
            self.finish(None)
        elif self.click_counts:
            self._answer("allow")


def _minutes(minutes: float | None) -> str:
    return "until I leave" if minutes is None else f"{minutes:.0f} min"


def _calls(calls: int | None) -> str:
    return "any number" if calls is None else f"{calls} calls"

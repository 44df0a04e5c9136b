"""All questions that wait, over all chats and accounts, decided one by one and sent together.

A no can be given here; a yes only in the question itself, which has to be read to its end (A2, A4). What is
decided is sent when the user says so, under the same guard as the question (A1, A3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from kai_tui.services.account import Account
from kai_tui.services.approval_service import Decision
from kai_tui.ui.inbox_rows import InboxRow, bracketed
from kai_tui.ui.modals.guarded import Guarded
from kai_tui.ui.modals.inbox_answers import GivenAnswers
from kai_tui.ui.modals.inbox_words import about_row, counts, few_words, state_words
from kai_tui.ui.widgets.inbox_list import InboxList

if TYPE_CHECKING:
    from kai_tui.services.approval_service import Approval
    from kai_tui.services.inbox_elsewhere import Elsewhere
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.approval_desk import ApprovalDesk

Place: TypeAlias = Literal["list", "send"]

_UNSENT = "What you decided here is not sent. Tab to send it · Esc again closes without sending."
AGE_SECONDS = 20.0
"""How often the ages are drawn anew."""


class _Send(Static):
    """The one button that sends."""

    DEFAULT_CSS = """
    _Send { width: auto; height: 1; padding: 0 2; background: $panel; color: $text; }
    _Send.-off { color: $text-disabled; }
    _Send.-chosen { background: $text-warning; color: $background; text-style: bold; }
    _Send.-chosen.-off { background: $panel; color: $text-disabled; text-style: bold underline; }
    """

    class Clicked(Message):
        """Somebody clicked it."""

    def on_click(self) -> None:
        self.post_message(self.Clicked())


class InboxDialog(Guarded[Account]):
    """Result: the account to open, or None."""

    AUTO_FOCUS: ClassVar[str | None] = None
    DEFAULT_CSS = """
    InboxDialog .dialog { width: 130; border: round $text-warning; }
    InboxDialog #inbox-heading { height: 1; color: $text-muted; }
    InboxDialog #inbox-list { height: auto; max-height: 24; min-height: 1; }
    InboxDialog #inbox-about { height: auto; margin-top: 1; border-top: solid $panel; }
    InboxDialog #inbox-state { height: auto; margin-top: 1; color: $text-muted; }
    InboxDialog #inbox-state.-armed { color: $text-success; }
    InboxDialog #inbox-state.-warns { color: $text-warning; }
    InboxDialog #inbox-buttons { height: 1; margin-top: 1; }
    InboxDialog.-low #inbox-about, InboxDialog.-low #inbox-state, InboxDialog.-low #inbox-buttons { margin-top: 0; }
    InboxDialog.-low #inbox-about { border-top: none; }
    InboxDialog.-tiny #inbox-about, InboxDialog.-tiny #inbox-heading { display: none; }
    InboxDialog.-tiny .dialog { padding: 0; max-width: 100%; }
    """

    def __init__(
        self,
        workspace: Workspace | None,
        desk: ApprovalDesk,
        read_elsewhere: Callable[[], object],
        *,
        prefer: str | None = None,
        wall: Callable[[], float] = time,
    ) -> None:
        """`read_elsewhere` begins to read what waits in other accounts; `show_elsewhere` is called with it.
        `prefer`: the chat whose question the cursor stands on at first.
        """
        super().__init__(name="inbox")
        self._workspace = workspace
        self._desk = desk
        self._read_elsewhere = read_elsewhere
        self._prefer = prefer
        self._wall = wall
        self._elsewhere: Sequence[Elsewhere] | None = None
        self._answers = GivenAnswers()
        self._asked_of: dict[tuple[tuple[str, str], str], InboxRow] = {}
        self._place: Place = "list"
        self._said = ""
        """What just happened, until the next key."""
        self._warns = True
        self._list = InboxList(wall, id="inbox-list")
        self._about = Static(id="inbox-about", markup=False)
        self._state = Static(id="inbox-state", markup=False)
        self._heading = Static(id="inbox-heading", markup=False)
        self._send = _Send(id="inbox-send", markup=False)
        self._box = Vertical(classes="dialog")
        self._leave_services: list[Callable[[], None]] = []

    def compose(self) -> ComposeResult:
        with self._box as box:
            box.border_title = Content("Waiting for you")
            yield self._heading
            yield self._list
            yield self._about
            yield self._state
            with Horizontal(id="inbox-buttons"):
                yield self._send

    def on_mount(self) -> None:
        super().on_mount()
        self._list.add_class("-driven")
        self._desk.hold(True)
        self._desk.disarm_list = self.disarm
        if self._workspace is not None:
            self._workspace.approvals.reserved = self._answers
            self._leave_services = [
                self._workspace.approvals.observe(lambda _: self._heard()),
                self._workspace.inbox.observe(lambda _: self._heard()),
            ]
        self.set_interval(AGE_SECONDS, self._list.refresh)
        self.draw()
        self._read_elsewhere()

    def _heard(self) -> None:
        # Called from tasks of the services: draw in the dialog's own.
        self.call_later(self.draw)

    def on_unmount(self) -> None:
        self._desk.disarm_list = None
        if self._workspace is not None:
            self._workspace.approvals.reserved = ()
        for leave in self._leave_services:
            leave()

    def on_resize(self) -> None:
        super().on_resize()
        self.set_class(self.size.height < 28, "-low")
        self.set_class(self.size.height < 16, "-tiny")
        self.call_after_refresh(self.draw)

    def show_elsewhere(self, found: Sequence[Elsewhere]) -> None:
        """What waits in other accounts was read."""
        self._elsewhere = found
        self.draw()

    # Rows

    def draw(self) -> None:
        """All rows anew; answers to questions that changed or went are taken back."""
        if not self.standing:
            return
        pending = list(self._workspace.approvals.pending) if self._workspace is not None else []
        self._take_back(pending)
        rows = [self._row(each) for each in _by_message(pending)]
        rows = [
            _with(row, bracket=mark if row.approval is not None and row.approval.together else "")
            for row, mark in zip(rows, bracketed(rows), strict=True)
        ]
        if self._workspace is not None:
            rows += [
                InboxRow(("", chat_id, asked.tool_call_id), asked)
                for chat_id, asked in self._workspace.inbox.unread
            ]
        rows += [
            InboxRow((each.account.id, each.chat_id, each.asked.tool_call_id), each.asked, elsewhere=each)
            for each in self._elsewhere or ()
        ]
        self._list.empty_text = "Nothing waits for you." if self._elsewhere is not None else "Looking…"
        self._list.show(rows, first=self._prefer)
        self._prefer = None
        width = self._list.scrollable_content_region.width
        self._heading.update(Content(self._list.heading(width) if width else ""))
        here, there = len(pending), len(self._elsewhere or ())
        self._box.border_subtitle = Content(counts(here, there))
        self.tell()

    def _fit(self) -> None:
        """The list has the rows that the rest of the dialog leaves."""
        if not self.standing or not self._box.outer_size.height:
            return
        rest = (self._heading, self._about, self._state, self._send)
        others = sum(each.outer_size.height + each.styles.margin.height for each in rest if each.display)
        buttons = self.query_one("#inbox-buttons")
        room = self.size.height - others - buttons.styles.margin.height - self._box.gutter.height
        height = max(1, min(self._list.count, room))
        if self._list.styles.height is None or self._list.outer_size.height != height:
            self._list.styles.height = height
            self._list.scroll_to_cursor()

    def _row(self, approval: Approval) -> InboxRow:
        shown = (approval.key, approval.digest)
        known = self._asked_of.get(shown)
        if known is None:
            from kai_tui.services.inbox import asked_of

            known = InboxRow(("", *approval.key), asked_of(approval), approval)
            self._asked_of[shown] = known
        return _with(known, approval=approval, answer=self._answers.to(approval))

    def _take_back(self, pending: Sequence[Approval]) -> None:
        gone = self._answers.take_back_changed(pending)
        if gone:
            # What would be sent is not what was on screen a moment ago.
            self._place = "list"
            self.guard.disturb(self._clock())
            one = gone == 1
            self._warns = True
            self._said = (
                f"{gone} question{'' if one else 's'} changed or went meanwhile: "
                f"{'its answer was' if one else 'their answers were'} not sent."
            )

    def _ready(self) -> list[tuple[Approval, Decision]]:
        return self._answers.ready(self._workspace.approvals.pending) if self._workspace is not None else []

    # Words

    def tell(self) -> None:
        if not self.standing:
            return
        row = self._list.row
        self._about.update(about_row(row, self._workspace.account if self._workspace else None, self._wall()))
        ready = self._ready()
        held = len(self._answers) - len(ready)
        self._send.update(
            Content(
                f"Send {len(ready)} answer{'' if len(ready) == 1 else 's'}" if ready else "Send the answers"
            )
        )
        self._send.set_class(self._place == "send", "-chosen")
        self._send.set_class(not ready or not self.guard.armed, "-off")
        self._list.set_class(self._place == "list", "-driven")
        self._state.update(Content(self._state_words(row, len(ready), held)))
        self._state.set_class(bool(ready) and self.guard.armed and not self._said, "-armed")
        self._state.set_class(bool(self._said) and self._warns, "-warns")
        self.call_after_refresh(self._fit)

    def _state_words(self, row: InboxRow | None, ready: int, held: int) -> str:
        said, sending, armed = self._said, self._place == "send", self.guard.armed
        if self.has_class("-tiny"):
            return said or few_words(row, ready, sending=sending, armed=armed)
        words = state_words(row, ready, held, sending=sending, armed=armed)
        return f"{said}\n{words}" if said else words

    # What the user does

    def hear_key(self, event: events.Key, when: float) -> None:
        key = event.key
        said, self._said, self._warns = self._said, "", True
        if key in ("up", "down", "pageup", "pagedown", "home", "end", "j", "k"):
            self.guard.pass_by(when)
            self._place = "list"
            self._list.move({"j": "down", "k": "up"}.get(key, key))
        elif key in ("tab", "shift+tab", "left", "right"):
            if self.guard.counts(when, key=True, move=True):
                self._place = "send" if self._place == "list" and self._ready() else "list"
        elif key == "enter" and self._place == "send" and self.guard.is_hasty(when):
            pass  # the next beats tell whether it stood alone
        elif key == "enter" and (self._place == "list" or self.guard.counts(when, key=True)):
            self._enter()
        elif key in ("d", "delete") and self._place == "list":
            self.guard.pass_by(when)
            self._deny(forget=key == "delete")
        elif key in ("u", "backspace") and self._place == "list":
            self.guard.pass_by(when)
            self._undo()
        elif key in ("escape", "f3", "alt+q"):
            self.guard.pass_by(when)
            self._close(sure=said == _UNSENT)
        else:
            self.guard.disturb(when)
            self._place = "list"
        self.tell()

    def beat(self) -> None:
        super().beat()
        if not self.guard.armed and self._place == "send" and self.standing:
            self._place = "list"
            self.tell()
        elif self._place == "send" and self.guard.hasty_counts(self._clock()):
            self._enter()

    def on_inbox_list_moved(self) -> None:
        self.tell()

    def on__send_clicked(self) -> None:
        if self.click_counts:
            self._send_all()

    def _enter(self) -> None:
        row = self._list.row
        if self._place == "send":
            self._send_all()
        elif row is None:
            return
        elif row.approval is not None:
            self._desk.ask_for(row.approval, self._decided)
        elif row.elsewhere is not None:
            if self._answers:
                self._said = (
                    "Send the answers first, or take them back with u: leaving this account forgets them."
                )
            else:
                self.finish(row.elsewhere.account)

    def _decided(self, approval: Approval, decision: Decision) -> None:
        self._answers.give(approval, decision)
        self.draw()

    def _deny(self, *, forget: bool = False) -> None:
        row = self._list.row
        if row is None or row.approval is None:
            if row is not None and row.elsewhere is None and forget and self._workspace is not None:
                self._workspace.inbox.forget(row.key[1], row.key[2])
            return
        self._answers.give(row.approval, Decision(approved=False))
        self._list.move("down")
        self.draw()

    def _undo(self) -> None:
        row = self._list.row
        if row is not None and row.approval is not None and self._answers.take_back(row.approval.key):
            self.draw()

    def _send_all(self) -> None:
        """Each answer to exactly what it was given about; what changed meanwhile is not sent."""
        if self._workspace is None or not self.guard.armed:
            return
        ready = self._ready()
        self._place = "list"
        self.guard.disturb(self._clock())
        taken = 0
        for approval, decision in ready:
            self._answers.take_back(approval.key)
            taken += self._workspace.approvals.decide(approval, decision)
        self._warns = taken < len(ready)
        if self._warns:
            left = len(ready) - taken
            self._said = (
                f"{left} answer{' was' if left == 1 else 's were'} not sent: the question changed, or something "
                "you set forbids it."
            )
        elif ready:
            self._said = f"{taken} answer{' is on its' if taken == 1 else 's are on their'} way."
        # The inbox takes off what was just answered only in the loop's next round.
        sent = {approval.key for approval, _ in ready}
        unread = ((chat_id, each.tool_call_id) for chat_id, each in self._workspace.inbox.unread)
        everything = (
            *self._workspace.approvals.pending,
            *(key for key in unread if key not in sent),
            *(self._elsewhere or ()),
        )
        if ready and not self._warns and not everything:
            self._close(sure=True)
        else:
            self.draw()

    def _close(self, *, sure: bool) -> None:
        if self._answers and not sure:
            self._said = _UNSENT
            return
        self.finish(None)

    def action_leave(self) -> None:
        self._close(sure=False)


def _by_message(pending: Sequence[Approval]) -> list[Approval]:
    """The oldest first; those of one message one under the other."""
    groups: dict[tuple[str, str], list[Approval]] = {}
    for each in pending:
        groups.setdefault((each.chat_id, each.message_id), []).append(each)
    return [each for group in groups.values() for each in group]


def _with(row: InboxRow, **changes: object) -> InboxRow:
    from dataclasses import replace

    return replace(row, **changes)  # type: ignore[arg-type]

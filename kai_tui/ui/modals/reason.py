"""Why not: the sentence the assistant hears together with the No."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from kai_tui.conversation.input_changes import LONGEST_REASON
from kai_tui.services.account import MAIN
from kai_tui.services.approval_service import Approval
from kai_tui.ui.modals.guarded import LAPSED, Guarded
from kai_tui.ui.modals.question_field import QuestionField

_OWN = "Own words"


@dataclass(frozen=True, slots=True)
class Template:
    """A reason that is often the right one."""

    label: str
    text: str


def templates(approval: Approval) -> list[Template]:
    """The reasons offered for a question, in words that fit it. What they quote of it is safe text."""
    from kai_tui.conversation.safe_text import safe_line
    from kai_tui.conversation.tools import headline

    subject = safe_line(" ".join(headline(approval.tool_name, approval.input).split()), 80)
    branch = safe_line(approval.branch, 60)
    wrong = f"Wrong object: not {subject}." if subject else "This is the wrong object."
    found = [Template("Wrong object", f"{wrong} Ask me which one I mean.")]
    if branch in ("", MAIN):
        there = "This would change the main branch. Do it in a development branch, and ask me which one."
    else:
        there = f"Wrong branch: this is {branch}. Ask me which one I mean."
    if branch:
        found.append(Template("Wrong branch", there))
    show = "Do not change anything yet. Show me first what would be there before and after, then ask again."
    return [*found, Template("Show me first", show)]


class _TemplateLine(Static):
    """One template to choose."""

    DEFAULT_CSS = """
    _TemplateLine { height: 1; color: $text-muted; }
    _TemplateLine.-chosen { color: $text; text-style: bold; }
    """

    @dataclass
    class Chosen(Message):
        number: int

    def __init__(self, number: int, label: str) -> None:
        super().__init__(markup=False, id=f"template-{number}")
        self._number = number
        self._label = label

    def mark(self, chosen: bool) -> None:
        self.set_class(chosen, "-chosen")
        self.update(Content(f"{'●' if chosen else '○'} {self._label}"))

    def on_click(self) -> None:
        self.post_message(self.Chosen(self._number))


class _Send(Static):
    """What a click sends with."""

    DEFAULT_CSS = """
    _Send { width: auto; height: 1; padding: 0 2; background: $panel; color: $text; }
    _Send.-off { color: $text-disabled; }
    """

    class Clicked(Message):
        pass

    def on_click(self) -> None:
        self.post_message(self.Clicked())


class ReasonDialog(Guarded[str]):
    """Result: the reason, never empty, or None to go back to the question."""

    AUTO_FOCUS: ClassVar[str | None] = "#reason"
    DEFAULT_CSS = """
    ReasonDialog .dialog { width: 84; }
    ReasonDialog #asked { height: auto; max-height: 2; text-style: bold; }
    ReasonDialog #about-reason { height: auto; max-height: 3; margin-bottom: 1; }
    ReasonDialog #reason { height: 6; margin-top: 1; }
    ReasonDialog #size { height: auto; color: $text-muted; }
    ReasonDialog #size.-bad { color: $text-error; }
    ReasonDialog #state { height: auto; color: $text-muted; }
    ReasonDialog #state.-armed { color: $text-success; }
    ReasonDialog.-low #about-reason { max-height: 2; margin: 0; }
    ReasonDialog.-low #reason { height: 4; margin: 0; }
    ReasonDialog.-lowest #reason { height: 1fr; min-height: 1; border: none; padding: 0; }
    ReasonDialog.-lowest .dialog { height: 100%; padding: 0; }
    ReasonDialog.-lowest #asked, ReasonDialog.-lowest #about-reason { display: none; }
    ReasonDialog.-lowest _TemplateLine { display: none; }
    ReasonDialog.-lowest _Send { display: none; }
    """

    def __init__(
        self,
        approval: Approval,
        *,
        text: str = "",
        title: str = "Deny with a reason",
        about: str = "The assistant hears this together with the No.",
    ) -> None:
        """`text`: what stands there at first. `title` and `about` are words of ours."""
        super().__init__(name="reason")
        self.approval = approval
        self._title = title
        self._about = about
        self._field = QuestionField(text, id="reason", placeholder="for example: use the bucket that exists")
        self._templates: Sequence[Template] = () if text else (Template(_OWN, ""), *templates(approval))
        self._chosen = 0
        self._own = ""
        """What was typed behind the template."""
        self._why = ""

    def compose(self) -> ComposeResult:
        from kai_tui.conversation.reviews.reviewing import review
        from kai_tui.conversation.safe_text import safe_exact

        approval = self.approval
        seen = review(
            approval.tool_name, approval.input, read_only=approval.read_only, title_given=approval.title
        )
        asked = safe_exact(seen.sentence, one_line=True).text
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._title)
            yield Static(Content(asked), id="asked", markup=False)
            yield Static(Content(self._about), id="about-reason", classes="quiet", markup=False)
            for number, template in enumerate(self._templates):
                yield _TemplateLine(number, template.label)
            yield self._field
            yield Static(id="size", markup=False)
            yield Static(id="state", markup=False)
            yield _Send(Content("Deny with this"), id="send", markup=False)

    def on_mount(self) -> None:
        self._field.move_cursor(self._field.document.end)
        self.tell()

    def on_resize(self) -> None:
        self.set_class(self.size.height < 22, "-low")
        self.set_class(self.size.height < 14, "-lowest")

    # What stands there

    @property
    def reason(self) -> str:
        """What would be sent."""
        return self._field.text.strip()

    def why_not(self) -> str | None:
        """Why it cannot be sent now."""
        if not self.reason:
            return "Write a reason, or choose one with Tab."
        more = len(self.reason) - LONGEST_REASON
        return f"{more:,} character{'' if more == 1 else 's'} too many." if more > 0 else None

    def choose(self, number: int) -> None:
        """Put a template in front of what was typed."""
        if not self._templates:
            return
        self._chosen = number % len(self._templates)
        template = self._templates[self._chosen].text
        text = f"{template} {self._own}".strip() if self._own else template
        self._field.load_text(text)
        self._field.move_cursor(self._field.document.end)
        self.tell()

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        text = self._field.text
        template = self._templates[self._chosen].text if self._templates else ""
        if template and not text.startswith(template):
            self._chosen, template = 0, ""
        self._own = text[len(template) :].strip()
        self.tell()

    # Keys

    def hear_key(self, event: events.Key, when: float) -> None:
        if event.key == "escape":
            self.finish(None)
        elif event.key == "enter":
            if self.guard.counts(when, key=True):
                # Behind the keys that the field has not taken yet.
                self._field.call_later(self._send)
            self.tell()
        elif event.key in ("tab", "shift+tab"):
            self.guard.pass_by(when)
            step = 1 if event.key == "tab" else -1
            self._field.call_later(lambda: self.choose(self._chosen + step))
        else:
            self.guard.pass_by(when)
            self._field.take(event)

    def hear_paste(self, event: events.Paste) -> None:
        self._field.take(event)

    def on__template_line_chosen(self, message: _TemplateLine.Chosen) -> None:
        self.choose(message.number)

    def on__send_clicked(self) -> None:
        if self.click_counts:
            self._send()

    def _send(self) -> None:
        if self.why_not() is None and not self.lapsed:
            self.finish(self.reason)

    def tell(self) -> None:
        if not self.standing:
            return
        from kai_tui.conversation.safe_text import safe_exact

        length, why = len(self.reason), self.why_not()
        hidden = sum(safe_exact(line).hidden for line in self.reason.split("\n")) if length else 0
        words = f"{length:,} / {LONGEST_REASON:,}"
        if hidden:
            words += f" · ! {hidden} character(s) in it cannot be seen"
        size = self.query_one("#size", Static)
        size.update(Content(words))
        size.set_class(length > LONGEST_REASON or hidden > 0, "-bad")
        if self.lapsed:
            state = f"◐ {LAPSED}"
        elif not self.guard.armed:
            state = "◌ A moment: Enter counts after half a second of quiet · Esc back"
        elif why is not None:
            state = f"◐ {why} · Esc back"
        else:
            state = "● Enter denies with this" + (" · Tab another" if self._templates else "") + " · Esc back"
        line = self.query_one("#state", Static)
        line.update(Content(state))
        can = self.guard.armed and why is None and not self.lapsed
        line.set_class(can, "-armed")
        self.query_one(_Send).set_class(not can, "-off")
        for number in range(len(self._templates)):
            self.query_one(f"#template-{number}", _TemplateLine).mark(number == self._chosen)

"""The questions of a call with their answers: all of them in one view that scrolls, nothing cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kai_tui.conversation.questions import Question
from kai_tui.ui.modals.argument_view import fold

OWN = -1
"""In place of an option's number: the answer in one's own words."""


@dataclass(slots=True)
class _Given:
    """What was answered to a question so far."""

    chosen: set[int] = field(default_factory=set[int])
    own: str = ""


class QuestionForm(ScrollView):
    """Has no focus: the dialog says what keys mean. `stop` is where the cursor is: a question and one of its answers."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "question-form--question",
        "question-form--answer",
        "question-form--chosen",
        "question-form--cursor",
    }
    DEFAULT_CSS = """
    QuestionForm {
        height: 1fr;
        min-height: 3;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        background: $surface;
    }
    QuestionForm > .question-form--question { color: $text; text-style: bold; }
    QuestionForm > .question-form--answer { color: $text-muted; }
    QuestionForm > .question-form--chosen { color: $text-success; text-style: bold; }
    QuestionForm > .question-form--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """

    class Changed(Message):
        """Another answer, or the cursor is elsewhere."""

    def __init__(self, questions: Sequence[Question], *, id: str) -> None:
        super().__init__(id=id)
        self.can_focus = False
        self.questions = tuple(questions)
        self._given = [_Given() for _ in self.questions]
        self.stops = [
            (number, option)
            for number, question in enumerate(self.questions)
            for option in (*range(len(question.options)), OWN)
        ]
        self.at = 0
        self._lines: list[tuple[str, str, int | None]] = []
        """Text, style and stop of each line."""
        self._width = 0
        self.end_seen = False
        """Whether the last line was on screen at some time."""

    # The answers

    @property
    def given(self) -> dict[str, list[str]]:
        """The answers by the names of their questions, as they would be sent."""
        found: dict[str, list[str]] = {}
        for question, given in zip(self.questions, self._given, strict=True):
            said = [question.options[number].label for number in sorted(given.chosen)]
            if given.own.strip():
                said.append(given.own.strip())
            if said:
                found[question.key] = said
        return found

    @property
    def question(self) -> Question:
        """The question the cursor is at."""
        return self.questions[self.stops[self.at][0]]

    @property
    def own(self) -> str:
        """The own words about the question the cursor is at."""
        return self._given[self.stops[self.at][0]].own

    @property
    def on_option(self) -> bool:
        """Whether the cursor is at an answer that is offered."""
        return self.stops[self.at][1] != OWN

    def say(self, text: str) -> None:
        """Answer the question the cursor is at in own words. One that takes a single answer has no other then."""
        number = self.stops[self.at][0]
        given = self._given[number]
        if given.own == text:
            return
        given.own = text
        if text.strip() and not self.questions[number].many:
            given.chosen.clear()
        self._draw()

    def choose(self) -> bool:
        """Take the offered answer at the cursor, or give it back; whether the question is answered by that."""
        number, option = self.stops[self.at]
        given = self._given[number]
        if option == OWN:
            return bool(given.own.strip())
        if option in given.chosen:
            given.chosen.discard(option)
        elif self.questions[number].many:
            given.chosen.add(option)
        else:
            given.chosen = {option}
            given.own = ""
        self._draw()
        return option in given.chosen

    # Moving

    def move(self, step: int) -> None:
        """To the answer before or after, at most to an end."""
        self._go(min(max(self.at + step, 0), len(self.stops) - 1))

    def to_own(self) -> None:
        """To the own words of the question the cursor is at."""
        self._go(self.stops.index((self.stops[self.at][0], OWN)))

    def turn(self, step: int) -> bool:
        """To the question before or after; False when there is none."""
        number = self.stops[self.at][0] + step
        if not 0 <= number < len(self.questions):
            return False
        self._go(next(at for at, stop in enumerate(self.stops) if stop[0] == number))
        return True

    def _go(self, at: int) -> None:
        if at != self.at:
            self.at = at
            self._draw()

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        stop = self._lines[line][2] if 0 <= line < len(self._lines) else None
        if stop is not None:
            self._go(stop)
            self.choose()

    # Drawing

    def _draw(self) -> None:
        self._build(self._width)
        self._show_cursor()
        self.post_message(self.Changed())

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        if width != self._width:
            self._build(width)
            self._show_cursor()

    def rows(self, width: int) -> int:
        """How many lines it takes at a width."""
        self._build(width)
        return len(self._lines)

    def _build(self, width: int) -> None:
        from kai_tui.conversation.safe_text import safe_exact

        self._width = width
        lines: list[tuple[str, str, int | None]] = []
        self._lines = lines
        if width < 8:
            return
        stop = 0
        for number, (question, given) in enumerate(zip(self.questions, self._given, strict=True), 1):
            if number > 1:
                lines.append(("", "question", None))
            head = f"{number}. " if len(self.questions) > 1 else ""
            text = safe_exact(question.text, one_line=True).text
            if question.header.strip():
                text = f"{safe_exact(question.header, one_line=True).text}: {text}"
            more = "  (several)" if question.many else ""
            if question.key != question.text:
                more += f"  [{safe_exact(question.key, one_line=True).text}]"
            lines += [(each, "question", None) for each in _hung(head, f"{text}{more}", width)]
            for index, option in enumerate(question.options):
                text = safe_exact(option.label, one_line=True).text
                if option.about.strip():
                    text += f" — {safe_exact(option.about, one_line=True).text}"
                self._answer(text, index in given.chosen, stop, width)
                stop += 1
            own = safe_exact(given.own, one_line=True).text
            label = "own words" if question.options else "your answer"
            self._answer(f"{label}: {own}" if own else f"{label}…", bool(given.own.strip()), stop, width)
            stop += 1
        self.virtual_size = Size(width, len(lines))
        self.refresh()

    def _answer(self, text: str, chosen: bool, stop: int, width: int) -> None:
        style = "chosen" if chosen else "answer"
        self._lines += [(each, style, stop) for each in _hung("  ● " if chosen else "  ○ ", text, width)]

    def look(self) -> None:
        """Note whether the last line is on screen now. Called after a paint, never before one."""
        height = self.scrollable_content_region.height
        if height > 0 and self._lines and self.scroll_offset.y + height >= len(self._lines):
            self.end_seen = True

    def _show_cursor(self) -> None:
        places = [place for place, line in enumerate(self._lines) if line[2] == self.at]
        height = self.scrollable_content_region.height
        if not places or height <= 0:
            return
        # The question above its first answer is worth seeing as well.
        top = places[0]
        while top and self._lines[top - 1][2] is None and self._lines[top - 1][0]:
            top -= 1
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False)
        elif places[-1] >= self.scroll_offset.y + height:
            self.scroll_to(y=places[-1] - height + 1, animate=False)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        if not 0 <= number < len(self._lines):
            return Strip.blank(width, self.rich_style)
        text, name, stop = self._lines[number]
        names = [f"question-form--{name}"]
        if stop == self.at:
            names.append("question-form--cursor")
        style = self.get_visual_style(*names).rich_style
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)


def _hung(head: str, text: str, width: int) -> list[str]:
    """Folded lines, the further ones under the first one's text."""
    folded = fold(text, max(1, width - len(head)))
    return [(head if not number else " " * len(head)) + line for number, line in enumerate(folded)]

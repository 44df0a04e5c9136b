"""What stands where the conversation will be: where one is, why there is none, what to ask first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.style import Style as RichStyle
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Static

from kai_tui.ui.transcript.wrap import break_words, cells

_META = "choice"
WIDEST_LABEL = 34
"""Cells of a column of labels beside the prompts."""


class Opener(NamedTuple):
    """Something to ask. Both texts are safe: what is shown is what is sent."""

    label: str
    prompt: str


class ReadingNote(VerticalScroll, can_focus=False):
    """A text of ours and, below it, numbered choices. Scrolls when the window is too small for all of it."""

    DEFAULT_CSS = """
    ReadingNote { scrollbar-size-vertical: 1; }
    ReadingNote > Static { height: auto; }
    """

    class Clicked(Message):
        """The user clicked on a choice."""

        def __init__(self, prompt: str) -> None:
            super().__init__()
            self.prompt = prompt

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = Static(markup=False)
        self._words = Content("")
        self._choices: tuple[Opener, ...] = ()
        self._marked: str | None = None
        self._drawn: tuple[Content, tuple[Opener, ...], str | None, int] | None = None

    def compose(self) -> ComposeResult:
        yield self._text

    def show(self, words: Content, choices: Sequence[Opener] = ()) -> None:
        """Say this. Nothing is drawn anew when it says it already."""
        self._words, self._choices = words, tuple(choices)
        self._draw()

    def mark(self, prompt: str | None) -> None:
        """The choice that is about to be sent."""
        self._marked = prompt
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_click(self, event: events.Click) -> None:
        number: object = event.style.meta.get(_META)
        if isinstance(number, int) and number < len(self._choices):
            event.stop()
            self.post_message(self.Clicked(self._choices[number].prompt))

    def _draw(self) -> None:
        # Before the first layout there is no width; then it is drawn again.
        width = self.scrollable_content_region.width or 60
        now = (self._words, self._choices, self._marked, width)
        if now != self._drawn:
            self._drawn = now
            self._text.update(Content.assemble(self._words, *self._lines(width)))

    def _lines(self, width: int) -> list[Content | tuple[str, str]]:
        lines: list[Content | tuple[str, str]] = []
        if self._choices:
            lines.append(("\n\nTry one: press its number and Enter, or write your own", "$text-muted"))
        column = self._label_column(width)
        for number, choice in enumerate(self._choices):
            chosen = Style.from_rich_style(RichStyle.from_meta({_META: number}))
            marked = "bold $text-accent" if choice.prompt == self._marked else ""
            lead = (f"\n {number + 1}  ", "$text-accent bold" if marked else "$text-accent")
            if column and choice.prompt != choice.label:
                gap = " " * (column - cells(choice.label))
                label = (choice.label + gap, marked)
                beside = (choice.prompt, "$text-muted")
                lines.append(Content.assemble(lead, label, beside).stylize(chosen))
                continue
            rows = [(row, marked) for row in _wrapped(choice.label, width - 5)]
            if choice.prompt != choice.label:
                rows += [(row, "$text-muted") for row in _wrapped(choice.prompt, width - 5)]
            for place, each in enumerate(rows):
                first: tuple[str, str] = lead if place == 0 else ("\n    ", "")
                lines.append(Content.assemble(first, each).stylize(chosen))
        return lines

    def _label_column(self, width: int) -> int:
        """Cells of a column of labels, when every prompt fits beside it in one row; else 0."""
        column = max((cells(each.label) for each in self._choices), default=0) + 2
        fits = all(
            "\n" not in each.label + each.prompt and column + cells(each.prompt) <= width - 5
            for each in self._choices
            if each.prompt != each.label
        )
        return column if fits and column <= WIDEST_LABEL else 0


def _wrapped(text: str, width: int) -> list[str]:
    """Rows of a safe text; never none."""
    rows: list[str] = []
    for line in text.expandtabs(4).split("\n"):
        rows += [line[start:end] for start, end in break_words(line, max(10, width))] or [""]
    return rows

"""Paragraphs to be read to their end before something is decided: folded at the width, nothing cut.

A Line-API view: one value may be megabytes of SQL. Every line of foreign text stands behind a lead of ours or
an indent, so that no text can pass for a line of another kind, also where it is folded (reliability.md D8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal, NamedTuple, Protocol

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kai_tui.ui.app_of import app_of

_MARK = re.compile("⟨[^⟩\n]{1,60}⟩")
LEAST_WIDTH = 4
_GROUNDS = frozenset({"mark", "rule", "added", "removed", "added-word", "removed-word"})
_LOOKED_AHEAD = 60
"""Lines: what a tall window shows."""


class Span(NamedTuple):
    """A stretch of a line in a style of its own."""

    start: int
    end: int
    style: str


class Line(NamedTuple):
    """One line on the screen; all texts are safe."""

    text: str
    style: str = "value"
    lead: str = ""
    lead_style: str = "lead"
    spans: tuple[Span, ...] = ()
    aside: str = ""
    """Said quietly after the text."""
    fill: str = ""
    """The style of the whole line's ground."""


class Paragraph(Protocol):
    """Something that can be laid out at a width."""

    def fold(self, width: int) -> Sequence[Line]:
        """Its lines, none wider than `width` cells (at least `LEAST_WIDTH`)."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A text in one style, with stretches in others. `text` may have line ends."""

    text: str
    style: str = "value"
    lead: str = ""
    """Before its first line."""
    hang: str = ""
    """Before every further line; as wide as `lead`."""
    lead_style: str = "lead"
    spans: tuple[Span, ...] = ()
    """Of a text without line ends."""
    aside: str = ""
    wrap: Literal["words", "cells"] = "cells"
    fill: str = ""

    def fold(self, width: int) -> Sequence[Line]:
        room = max(1, width - cell_len(self.lead))
        lines: list[Line] = []
        cut = fold_words if self.wrap == "words" else fold
        at = 0
        for text in cut(self.text, room):
            lead = self.hang if lines else self.lead
            spans = _within(self.spans, at, at + len(text)) if self.spans else ()
            lines.append(Line(text, self.style, lead, self.lead_style, spans, "", self.fill))
            at += len(text)
        if self.aside:
            last = lines[-1]
            aside = f"  {self.aside}"
            if cell_len(last.text) + len(aside) <= room:
                lines[-1] = last._replace(aside=aside)
            else:
                hang = Line("", self.style, self.hang, self.lead_style, fill=self.fill)
                lines += [hang._replace(aside=part) for part in fold_words(aside, room)]
        return lines


GAP = Passage("", "value")
"""An empty line between paragraphs."""


def fold(text: str, width: int) -> list[str]:
    """Cut into lines of at most `width` cells; joined again they are `text` without its line breaks."""
    lines: list[str] = []
    for line in text.split("\n"):
        if not line:
            lines.append("")
        elif line.isascii():
            lines += [line[start : start + width] for start in range(0, len(line), width)]
        else:
            lines += chop_cells(line, width)
    return lines


def fold_words(text: str, width: int) -> list[str]:
    """As `fold`, but between words where that is possible. Blanks at a break stay with the line before."""
    from kai_tui.ui.transcript.wrap import break_words

    lines: list[str] = []
    for line in text.split("\n"):
        starts = [start for start, _ in break_words(line, width)]
        starts[0] = 0
        lines += [line[start:end] for start, end in zip(starts, [*starts[1:], len(line)], strict=True)]
    return lines


def _within(spans: Iterable[Span], start: int, end: int) -> tuple[Span, ...]:
    """The parts of spans that lie between two places, counted from the first of them."""
    return tuple(
        Span(max(span.start, start) - start, min(span.end, end) - start, span.style)
        for span in spans
        if span.start < end and span.end > start
    )


class ReadingView(ScrollView):
    """Shows paragraphs and tells when the last line was on screen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"reading--{name}"
        for names in (
            (
                "names",
                "key",
                "value",
                "note",
                "aside",
                "mark",
                "lead",
                "title",
                "quiet",
                "good",
                "warning",
                "bad",
            ),
            ("caution", "divider", "rule", "head", "line"),
            ("added", "removed", "added-lead", "removed-lead", "added-word", "removed-word"),
            ("syntax-comment", "syntax-keyword", "syntax-name", "syntax-builtin", "syntax-number"),
            ("syntax-string", "syntax-inserted", "syntax-deleted"),
        )
        for name in names
    }
    DEFAULT_CSS = """
    ReadingView {
        height: 3;
        overflow-y: auto;
        overflow-x: hidden;
        background: $background;
        padding: 0 1;
        scrollbar-size-vertical: 1;
    }
    ReadingView > .reading--names { color: $text-muted; }
    ReadingView > .reading--key { color: $text-accent; text-style: bold; }
    ReadingView > .reading--value { color: $text; }
    ReadingView > .reading--note { color: $text-warning; }
    ReadingView > .reading--aside { color: $text-muted; text-style: not bold; }
    ReadingView > .reading--mark { color: $background; background: $text-warning; }
    ReadingView > .reading--lead { color: $text-muted; }
    ReadingView > .reading--title { color: $text; text-style: bold; }
    ReadingView > .reading--quiet { color: $text-muted; }
    ReadingView > .reading--good { color: $text-success; }
    ReadingView > .reading--warning { color: $text-warning; }
    ReadingView > .reading--bad { color: $text-error; text-style: bold; }
    ReadingView > .reading--divider { color: $text-muted; text-style: bold; }
    ReadingView > .reading--rule { background: $panel; }
    ReadingView > .reading--caution { color: $text-warning; text-style: bold; }
    ReadingView > .reading--added { background: $success 10%; }
    ReadingView > .reading--removed { background: $error 10%; }
    ReadingView > .reading--added-lead { color: $text-success; text-style: bold; }
    ReadingView > .reading--removed-lead { color: $text-error; text-style: bold; }
    ReadingView > .reading--added-word { background: $success 30%; text-style: bold; }
    ReadingView > .reading--removed-word { background: $error 30%; text-style: bold; }
    ReadingView > .reading--head { color: $text-muted; text-style: bold; }
    ReadingView > .reading--line { color: $border-blurred; }
    ReadingView > .reading--syntax-comment { color: $text-muted; text-style: italic; }
    ReadingView > .reading--syntax-keyword { color: $text-accent; }
    ReadingView > .reading--syntax-name { color: $text-secondary; }
    ReadingView > .reading--syntax-builtin { color: $text-secondary; }
    ReadingView > .reading--syntax-number { color: $text-warning; }
    ReadingView > .reading--syntax-string { color: $text-success; }
    ReadingView > .reading--syntax-inserted { color: $text-success; }
    ReadingView > .reading--syntax-deleted { color: $text-error; }
    """

    def __init__(
        self, paragraphs: Sequence[Paragraph], *, id: str | None = None, on_end: Callable[[], None]
    ) -> None:
        super().__init__(id=id)
        self.can_focus = False
        self._paragraphs = paragraphs
        self._lines: list[Line] = []
        self._width = 0
        self._on_end = on_end
        self._made: dict[tuple[str, ...], Style] = {}
        self.end_seen = False
        """Whether the last line was on screen at some time since what is shown last changed."""
        self.news_at: int | None = None
        """The first line of what changed while it was shown; None once that was on screen."""

    @property
    def line_count(self) -> int:
        """Lines at the present width."""
        return len(self._lines)

    def show(self, paragraphs: Sequence[Paragraph]) -> bool:
        """Show these from now on; True when that changes what is to be read.

        What is read stays where it is: the line at the top is looked for in the new lines.
        """
        self._paragraphs = paragraphs
        width, self._width = self._width, 0
        if not width:
            return bool(paragraphs)
        before, earlier = self._lines, self.news_at
        top = round(self.scroll_offset.y)
        self.fold_to(width)
        self.news_at = earlier
        if before == self._lines:
            return False
        self.end_seen = False
        both = zip(before, self._lines, strict=False)
        one_longer = max(0, min(len(before), len(self._lines)) - 1)
        first = next((at for at, (old, new) in enumerate(both) if old != new), one_longer)
        self.news_at = first if earlier is None else min(first, earlier)
        if 0 < top < len(before):
            self.scroll_to(y=_same_place(before, top, self._lines), animate=False, immediate=True)
        return True

    def fold_to(self, width: int) -> int:
        """Fold everything to `width` cells; the number of lines."""
        width = max(LEAST_WIDTH, width)
        if width == self._width:
            return len(self._lines)
        self._width = width
        self.news_at = None if self.news_at is None else 0  # other lines: who knows where it is now
        self._lines = [line for paragraph in self._paragraphs for line in paragraph.fold(width)]
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()
        return len(self._lines)

    def look(self) -> None:
        """Note whether the last line is on screen now. Called after a paint, never before one."""
        if self.end_seen or not self.is_attached or app_of(self).screen is not self.screen:
            return  # what another dialog covers is not on screen
        height = self.scrollable_content_region.height
        if height > 0 and self._width > 0:
            top = self.scroll_offset.y
            if self.news_at is not None and top <= self.news_at < top + height:
                self.news_at = None
            self.end_seen = self.news_at is None and top + height >= len(self._lines)
            if self.end_seen:
                self._on_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.call_after_refresh(self.look)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        if not 0 <= number < len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[number]
        ground = (line.fill,) if line.fill else ()
        segments = [Segment(line.lead, self._styled(line.lead_style, *ground))] if line.lead else []
        segments += self._text(line, ground)
        if line.aside:
            segments.append(Segment(line.aside, self._styled("aside", *ground)))
        return Strip(segments).adjust_cell_length(width, self._styled(*ground) if ground else self.rich_style)

    def _text(self, line: Line, ground: tuple[str, ...]) -> Iterable[Segment]:
        """The line's text; characters shown by their code point stand out."""
        text = line.text
        marks = (
            [Span(found.start(), found.end(), "mark") for found in _MARK.finditer(text)]
            if "⟨" in text
            else []
        )
        spans = (*line.spans, *marks)
        if not spans:
            return [Segment(text, self._styled(line.style, *ground))]
        cuts = sorted({0, len(text), *(edge for span in spans for edge in (span.start, span.end))})
        segments: list[Segment] = []
        for start, end in pairwise(cuts):
            over = [span.style for span in spans if span.start <= start and span.end >= end]
            segments.append(Segment(text[start:end], self._styled(line.style, *ground, *over)))
        return segments

    def _styled(self, *names: str) -> Style:
        """Styles laid over each other: grounds give only their ground, the others only their colour."""
        style = self._made.get(names)
        if style is None:
            style = self.rich_style
            for name in names:
                over = self.get_component_rich_style(f"reading--{name}")
                if name in _GROUNDS:
                    style += Style(bgcolor=over.bgcolor, bold=over.bold or None)
                    if name == "mark":
                        style += Style(color=over.color)
                else:
                    style += Style(color=over.color, bold=over.bold, italic=over.italic)
            self._made[names] = style
        return style

    def notify_style_update(self) -> None:
        self._made.clear()
        super().notify_style_update()


def _same_place(before: Sequence[Line], top: int, after: Sequence[Line]) -> int:
    """Where the line that was at `top` is now: beside the first text from there on that is there once."""
    places: dict[str, list[int]] = {}
    for number, line in enumerate(after):
        places.setdefault(line.text, []).append(number)
    for offset, line in enumerate(before[top : top + _LOOKED_AHEAD]):
        found = places.get(line.text, ())
        if line.text and len(found) == 1:
            return max(0, found[0] - offset)
    near = places.get(before[top].text, [top])
    return min(near, key=lambda number: abs(number - top))

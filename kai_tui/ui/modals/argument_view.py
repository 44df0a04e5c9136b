"""The arguments of a call, whole and exact: what an approval shows (reliability.md A4, D5, D8).

A Line-API view: one argument may be megabytes of SQL, and nothing of it may be cut. Lines are folded
hard at the view's width, so that no character can hide behind a margin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, cast

from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

if TYPE_CHECKING:
    from kai_tui.conversation.safe_text import Exact

RowKind: TypeAlias = Literal["names", "key", "value", "note", "space"]

_MARK = re.compile("⟨[^⟩\n]{1,60}⟩")
_INDENT = {"value": "  "}


@dataclass(frozen=True, slots=True)
class Row:
    """A paragraph of the view. `text` is safe text."""

    kind: RowKind
    text: str
    aside: str = ""
    """Shown quietly after the text: the size of a value."""


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


class ArgumentView(ScrollView):
    """Shows rows and tells when the last line was on screen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "arguments--names",
        "arguments--key",
        "arguments--value",
        "arguments--note",
        "arguments--aside",
        "arguments--mark",
    }
    DEFAULT_CSS = """
    ArgumentView {
        height: 3;
        overflow-y: auto;
        overflow-x: hidden;
        background: $background;
        padding: 0 1;
        scrollbar-size-vertical: 1;
    }
    ArgumentView > .arguments--names { color: $text-muted; }
    ArgumentView > .arguments--key { color: $text-accent; text-style: bold; }
    ArgumentView > .arguments--value { color: $text; }
    ArgumentView > .arguments--note { color: $text-warning; }
    ArgumentView > .arguments--aside { color: $text-muted; text-style: not bold; }
    ArgumentView > .arguments--mark { color: $background; background: $text-warning; }
    """

    def __init__(self, rows: list[Row], *, id: str | None = None, on_end: Callable[[], None]) -> None:
        super().__init__(id=id)
        self.can_focus = False
        self._rows = rows
        self._lines: list[tuple[RowKind, str, str]] = []
        self._width = 0
        self._on_end = on_end
        self.end_seen = False
        """Whether the last line was on screen at some time."""

    @property
    def line_count(self) -> int:
        """Lines at the present width."""
        return len(self._lines)

    def fold_to(self, width: int) -> int:
        """Fold everything to `width` cells; the number of lines."""
        width = max(4, width)
        if width == self._width:
            return len(self._lines)
        self._width = width
        lines: list[tuple[RowKind, str, str]] = []
        self._lines = lines
        for row in self._rows:
            indent = _INDENT.get(row.kind, "")
            folded = fold(row.text, width - len(indent))
            aside = f"  {row.aside}" if row.aside else ""
            if aside and len(folded[-1]) + len(aside) > width:
                folded.append("")
            lines.extend((row.kind, indent + text, "") for text in folded[:-1])
            lines.append((row.kind, indent + folded[-1], aside))
        self.virtual_size = Size(width, len(lines))
        self.refresh()
        return len(lines)

    def look(self) -> None:
        """Note whether the last line is on screen now. Called after a paint, never before one."""
        height = self.scrollable_content_region.height
        if not self.end_seen and height > 0 and self._width > 0:
            self.end_seen = self.scroll_offset.y + height >= len(self._lines)
            if self.end_seen:
                self._on_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.call_after_refresh(self.look)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        number = y + self.scroll_offset.y
        if not 0 <= number < len(self._lines):
            return Strip.blank(width, base)
        kind, text, aside = self._lines[number]
        style = base if kind == "space" else self.get_component_rich_style(f"arguments--{kind}")
        segments = self._marked(text, style)
        if aside:
            segments.append(Segment(aside, self.get_component_rich_style("arguments--aside")))
        return Strip(segments).adjust_cell_length(width, base)

    def _marked(self, text: str, style: Style) -> list[Segment]:
        """Characters shown by their code point stand out."""
        segments: list[Segment] = []
        start = 0
        for match in _MARK.finditer(text):
            segments.append(Segment(text[start : match.start()], style))
            segments.append(Segment(match.group(), self.get_component_rich_style("arguments--mark")))
            start = match.end()
        segments.append(Segment(text[start:], style))
        return segments


def rows_for(value: object, has_input: bool) -> tuple[list[Row], list[str], str | None]:
    """What to show of a call's input.

    Returns:
        rows, warnings about what is hidden or looks like something else, and why Approve is off
        (None: it is not).
    """
    from kai_tui.conversation.clear_input import why_not_approvable
    from kai_tui.conversation.safe_text import Pairs, exact_arguments, exact_value

    if not has_input:
        return [Row("note", "arguments not received")], [], why_not_approvable(value, has_input)
    if not isinstance(value, dict | Pairs):
        shown = exact_value(value)
        rows = [Row("note", "not an object:"), Row("value", shown.text)]
        return rows, _warnings([shown]), why_not_approvable(value, has_input)
    entries = exact_arguments(cast("object", value))
    if not entries:
        return [Row("names", "no arguments")], [], None
    names = ", ".join(entry.key.text for entry in entries)
    count = "1 argument" if len(entries) == 1 else f"{len(entries)} arguments"
    rows = [Row("names", f"{count}: {names}")]
    for entry in entries:
        rows += [Row("space", ""), Row("key", entry.key.text, entry.size), Row("value", entry.value.text)]
        rows += [Row("note", f"! {flag}") for flag in (*entry.key.flags, *entry.value.flags)]
        rows += [Row("names", f"  {note}") for note in entry.value.notes]
    warnings = _warnings([exact for entry in entries for exact in (entry.key, entry.value)])
    return rows, warnings, why_not_approvable(cast("object", value), has_input, entries)


def _warnings(shown: Sequence[Exact]) -> list[str]:
    hidden = sum(exact.hidden for exact in shown)
    flags = sum(len(exact.flags) for exact in shown)
    found: list[str] = []
    if hidden:
        found.append("1 hidden character" if hidden == 1 else f"{hidden} hidden characters")
    if flags:
        found.append("1 suspicious place" if flags == 1 else f"{flags} suspicious places")
    return found

"""The arguments of a call, whole and exact: what an approval shows (reliability.md A4, D5, D8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from kai_tui.ui.modals.reading_view import Paragraph, Passage, ReadingView, fold

if TYPE_CHECKING:
    from kai_tui.conversation.safe_text import Exact

__all__ = ["ArgumentView", "Row", "fold", "passages", "rows_for"]

RowKind: TypeAlias = Literal["names", "key", "value", "note", "space"]


@dataclass(frozen=True, slots=True)
class Row:
    """A paragraph of the view. `text` is safe text."""

    kind: RowKind
    text: str
    aside: str = ""
    """Shown quietly after the text: the size of a value."""


def passages(rows: Sequence[Row]) -> list[Paragraph]:
    """Rows as paragraphs to read. Values stand indented, also where they are folded."""
    return [_passage(row) for row in rows]


def _passage(row: Row) -> Paragraph:
    indent = "  " if row.kind == "value" else ""
    style = "value" if row.kind == "space" else row.kind
    wrap: Literal["words", "cells"] = "words" if row.kind == "names" else "cells"
    return Passage(row.text, style, indent, indent, aside=row.aside, wrap=wrap)


class ArgumentView(ReadingView):
    """Shows rows and tells when the last line was on screen."""

    def __init__(self, rows: Sequence[Row], *, id: str | None = None, on_end: Callable[[], None]) -> None:
        super().__init__(passages(rows), id=id, on_end=on_end)

    def show_rows(self, rows: Sequence[Row]) -> bool:
        """Show these from now on; True when that changes what is to be read."""
        return self.show(passages(rows))


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

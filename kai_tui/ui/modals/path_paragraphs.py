"""What happens to a configuration, place by place, as lines to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kai_tui.conversation.reviews.review import PathChange
from kai_tui.ui.modals.change_lines import change_lines
from kai_tui.ui.modals.reading_view import Paragraph, Passage, Span

_ARROW = " → "
_SHORT = 56
"""Characters of two values that stand beside each other."""
_HANG = "  "


def path_changes(changes: Sequence[PathChange]) -> Iterator[Paragraph]:
    """Every change: its place, then what goes and what comes."""
    for change in changes:
        yield from _change(change)


def _change(change: PathChange) -> Iterator[Paragraph]:
    from kai_tui.conversation.safe_text import exact_value, safe_exact

    path = safe_exact(change.path, one_line=True).text or "(everything)"
    before, after = exact_value(change.before).text, exact_value(change.after).text
    known = change.known
    if change.does == "replaces text" or (
        known and _has_lines(change.before) and isinstance(change.after, str)
    ):
        words = "in it, wherever it comes:" if change.does == "replaces text" and not known else ""
        yield _place(path, words)
        yield from change_lines(_text(change.before), _text(change.after), indent=_HANG)
    elif change.does == "removes":
        yield _place(path, "is removed")
        if known:
            yield _value(before, gone=True)
    elif change.does in ("adds", "appends"):
        yield _place(path, "is added" if change.does == "adds" else "gets one more")
        yield _value(after)
    elif known and len(before) + len(after) <= _SHORT and "\n" not in before + after:
        yield _place(path, "")
        yield _beside(before, after)
    else:
        yield _place(path, "" if known else "what is there now is not known here")
        if known:
            yield _value(before, gone=True)
        yield _value(after)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _has_lines(value: object) -> bool:
    return isinstance(value, str) and ("\n" in value or len(value) > _SHORT)


def _place(path: str, words: str) -> Passage:
    return Passage(path, "key", _HANG, _HANG, aside=words)


def _beside(before: str, after: str) -> Passage:
    text = f"{before}{_ARROW}{after}"
    arrow = len(before)
    spans = (
        Span(0, arrow, "removed-word"),
        Span(arrow, arrow + len(_ARROW), "aside"),
        Span(arrow + len(_ARROW), len(text), "added-word"),
    )
    return Passage(text, "value", "    ", "    ", spans=spans)


def _value(text: str, *, gone: bool = False) -> Passage:
    kind = "removed" if gone else "added"
    return Passage(text, "value", "  - " if gone else "  + ", "    ", f"{kind}-lead", fill=kind)

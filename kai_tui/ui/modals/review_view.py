"""What a call would change, drawn the way a person decides it: the blocks of a `Review` as paragraphs.

All of its text is foreign: every line passes the exact rules (reliability.md D5-D8) and stands behind a lead of
ours, so that no text can pass for a heading, for another line of a difference, or for a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from kai_tui.conversation.reviews.review import (
    Block,
    Code,
    Grid,
    PathChanges,
    Present,
    Review,
    TextChange,
    Tone,
    Words,
)
from kai_tui.ui.modals.change_lines import change_lines, code_lines, exact_lines
from kai_tui.ui.modals.grid_paragraph import GridParagraph
from kai_tui.ui.modals.path_paragraphs import path_changes
from kai_tui.ui.modals.reading_view import GAP, Paragraph, Passage

_TONES: dict[Tone, str] = {
    "plain": "value",
    "quiet": "quiet",
    "good": "good",
    "warning": "warning",
    "bad": "bad",
}
_SOURCES = {
    "chat": "before: seen earlier in this chat",
    "project": "before: read from the project",
    "preview": "before: from the Keboola server's preview",
}


def paragraphs(review: Review, *, now: float, note: str = "") -> list[Paragraph]:
    """Everything a review says besides its sentence.

    `now`: seconds since the epoch; `note`: why not all is known that is there now, foreign text in it.
    """
    found: list[Paragraph] = []
    for caution in review.cautions:
        found += _said(caution, "caution", "▲ ")
    if review.reason.strip():
        if found:
            found.append(GAP)
        found.append(Passage("The assistant's reason", "title"))
        found += _said(review.reason.strip("\n"), "value", "❝ ", "  ")
    new = set(review.effects) <= {"creates", "costs"}
    for block in review.blocks:
        drawn = list(_block(block, now, new=new))
        if found and drawn and not (isinstance(block, Words) and _is_said(found[-1])):
            found.append(GAP)
        found += drawn
    if note:
        # Last: it comes late, and nothing that is being read may move by it.
        found += [GAP, *_said(note, "quiet", "◦ ")] if found else _said(note, "quiet", "◦ ")
    return found


def _is_said(paragraph: Paragraph) -> bool:
    """Whether it is a line of words that further words may follow without a gap."""
    return isinstance(paragraph, Passage) and paragraph.wrap == "words" and paragraph.lead == _WORDS


_WORDS = "  "


def _block(block: Block, now: float, *, new: bool) -> Iterator[Paragraph]:
    """`new`: nothing was there before."""
    match block:
        case Words():
            yield from _said(block.text, _TONES[block.tone], _WORDS)
        case TextChange():
            yield _title(block.title, _seen(block.present, now))
            if new and block.before is None:
                yield from code_lines(block.after, block.language, "good")
                return
            yield from change_lines(block.before, block.after, block.language)
        case Code():
            yield _title(block.title)
            yield from code_lines(block.text, block.language, block.tone)
        case Grid():
            yield _title(block.title)
            yield GridParagraph(block.columns, block.rows, [_TONES[tone] for tone in block.tones])
        case PathChanges():
            yield _title(block.title, _seen(block.present, now))
            yield from path_changes(block.changes)
        case _:
            assert_never(block)


def _title(title: str, aside: str = "") -> Passage:
    from kai_tui.conversation.safe_text import safe_exact

    return Passage(safe_exact(title, one_line=True).text, "title", wrap="words", aside=aside)


def _said(text: str, style: str, lead: str, hang: str = "") -> list[Paragraph]:
    """Words, line by line; every line after the first stands behind `hang`."""
    hang = hang or " " * len(lead)
    return [
        Passage(line, style, hang if number else lead, hang, lead_style=style, wrap="words")
        for number, line in enumerate(exact_lines(text))
    ]


def _seen(present: Present | None, now: float) -> str:
    """Where the present value comes from, and how old it is."""
    if present is None:
        return ""
    return f"{_SOURCES[present.source]}, {age(present.seen, now)}"


def age(seen: float | None, now: float) -> str:
    """How long ago something was, in words."""
    if seen is None:
        return "the time is not known"
    minutes = round((now - seen) / 60)
    for limit, size, unit in ((60, 1, "min"), (48 * 60, 60, "h")):
        if minutes < limit:
            return "just now" if minutes < 1 else f"{minutes // size} {unit} ago"
    return f"{minutes // (24 * 60)} days ago"

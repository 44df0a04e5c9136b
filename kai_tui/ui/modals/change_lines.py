"""Texts and code as lines to read, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kai_tui.conversation.line_diff import DiffLine, line_diff
from kai_tui.conversation.reviews.review import Tone
from kai_tui.ui.modals.reading_view import Paragraph, Passage, Span

_TAB = "⇥"
_MOST_EMPTY = 2


def exact_lines(raw: str) -> list[str]:
    """The lines of a text as the exact rules show them, so that different texts never look the same (D5-D7)."""
    lines: list[str] = []
    empty = 0
    for line in raw.split("\n"):
        if line.strip(" \t"):
            lines += _empty(empty)
            empty = 0
            lines.append(_exact(line))
        else:
            empty += 1
    return [*lines, *_empty(empty)]


def _empty(count: int) -> list[str]:
    return [""] * count if count <= _MOST_EMPTY else [f"⟨{count} empty lines⟩"]


def _exact(line: str) -> str:
    if line.isascii() and line.isprintable() and "         " not in line:
        return line
    from kai_tui.conversation.prose_text import code_point
    from kai_tui.conversation.safe_text import safe_exact

    pieces = line.replace(_TAB, code_point(_TAB)).split("\t")
    return f"{_TAB}   ".join(safe_exact(piece, one_line=True).text for piece in pieces)


def code_lines(text: str, language: str, tone: Tone = "plain", *, indent: str = "") -> Iterator[Paragraph]:
    """Code that is new (`good`), goes (`bad`), or stands as it is."""
    lines = exact_lines(text)
    colours = _coloured(lines, language)
    lead, lead_style, fill = {
        "good": ("+ ", "added-lead", "added"),
        "bad": ("- ", "removed-lead", "removed"),
    }.get(tone, ("│ ", "line", ""))
    for line, spans in zip(lines, colours, strict=True):
        yield _line(line, indent + lead, lead_style, fill, spans, language)


def change_lines(
    before: str | None, after: str, language: str = "", *, indent: str = ""
) -> Iterator[Paragraph]:
    """What becomes of a text; the whole new one where the old one is not known (None)."""
    if before is None:
        yield Passage(
            "What is there now is not known here; this takes its place:", "quiet", "  ", "  ", wrap="words"
        )
        yield from code_lines(after, language, indent=indent)
        return
    if bool(before) != bool(after):
        said = "There is nothing now." if after else "There is nothing afterwards."
        yield Passage(said, "quiet", f"{indent}  ", f"{indent}  ", wrap="words")
        yield from code_lines(after or before, language, "good" if after else "bad", indent=indent)
        return
    old, new = exact_lines(before), exact_lines(after)
    if old == new:
        stays = "It stays as it is." if before == after else "Only blanks in empty lines change."
        yield Passage(stays, "quiet", "  ", "  ", wrap="words")
        yield from code_lines(after, language, indent=indent)
        return
    colours = _coloured(old, language), _coloured(new, language)
    for line in line_diff("\n".join(old), "\n".join(new)):
        yield _changed(line, colours, language, indent)


def _changed(
    line: DiffLine, colours: tuple[Sequence[tuple[Span, ...]], ...], language: str, indent: str
) -> Paragraph:
    if line.kind == "skipped":
        return Passage(
            f"{line.left_out} lines stay as they are", "quiet", f"{indent}⋮ ", f"{indent}⋮ ", "quiet"
        )
    if line.kind == "same":
        return _line(line.text, f"{indent}  ", "line", "", colours[1][line.at], language)
    added = line.kind == "added"
    spans = colours[1 if added else 0][line.at]
    words = tuple(Span(start, end, f"{line.kind}-word") for start, end in line.changed)
    lead = indent + ("+ " if added else "- ")
    return _line(line.text, lead, f"{line.kind}-lead", line.kind, (*spans, *words), language)


def _line(
    text: str, lead: str, lead_style: str, fill: str, spans: tuple[Span, ...], language: str
) -> Passage:
    return Passage(
        text,
        "value",
        lead,
        lead if "│" in lead else " " * len(lead),
        lead_style,
        spans,
        wrap="cells" if language else "words",
        fill=fill,
    )


def _coloured(lines: Sequence[str], language: str) -> Sequence[tuple[Span, ...]]:
    """The colours of code, line by line; none for prose and for what is too long to be read as code."""
    if not language:
        return [()] * len(lines)
    from kai_tui.ui.transcript.code import coloured

    spans = [tuple(Span(*span) for span in line) for line in coloured("\n".join(lines), language)]
    return [*spans, *[()] * (len(lines) - len(spans))]

"""Where to break a line of text so that it fits a number of cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len, split_graphemes

from kai_tui.ui.terminal.narrow import is_narrow

_WORD = re.compile(r"[^ ]+ *| +")

Break = tuple[int, int]
"""Start and end of one line in the text; spaces at the break belong to neither line."""


def cells(text: str) -> int:
    """Width of `text` in cells."""
    return len(text) if text.isascii() else cell_len(text)


def _narrow_words(text: str, start: int, end: int, width: int) -> Iterator[Break]:
    while end - start > width:
        cut = text.rfind(" ", start, start + width + 1)
        stop = cut
        while stop > start and text[stop - 1] == " ":
            stop -= 1
        if stop <= start:
            # One long word, or only an indent before it.
            yield start, start + width
            start += width
            continue
        yield start, stop
        start = cut + 1
        while start < end and text[start] == " ":
            start += 1
    if start < end:
        yield start, end


def _pieces(text: str) -> Iterator[tuple[int, int, int]]:
    """Parts that may stand on a line of their own: (start, end, cells).

    Wide characters (Chinese, Japanese, Korean, emoji) are parts by themselves.
    """
    for match in _WORD.finditer(text):
        word = match[0]
        start = match.start()
        if is_narrow(word):
            yield start, match.end(), len(word)
            continue
        graphemes, _ = split_graphemes(word)
        run = 0
        run_cells = 0
        for first, last, size in graphemes:
            if size < 2:
                run_cells += size
                continue
            if first > run:
                yield start + run, start + first, run_cells
            yield start + first, start + last, size
            run = last
            run_cells = 0
        if run < len(word):
            yield start + run, match.end(), run_cells


def _wide_words(text: str, width: int) -> Iterator[Break]:
    start = end = 0
    used = 0
    for first, last, size in _pieces(text):
        bare = last
        while bare > first and text[bare - 1] == " ":
            bare -= 1
        needed = size - (last - bare)
        if used and used + needed > width:
            yield start, end
            start = end = first
            used = 0
            if bare == first:
                # Only spaces: they vanish at the break.
                start = end = last
                continue
        if needed > width:
            broken = list(break_cells(text[first:bare], width))
            for offset_start, offset_end in broken[:-1]:
                yield first + offset_start, first + offset_end
            start = first + broken[-1][0]
            used = cells(text[start:bare]) + (last - bare)
        else:
            used += size
        end = bare if bare > start else end
    if end > start:
        yield start, end


def break_words(text: str, width: int) -> list[Break]:
    """Break at spaces; words longer than a line are broken anywhere."""
    if not text:
        return [(0, 0)]
    if text.isascii() or is_narrow(text):
        if len(text) <= width:
            return [(0, len(text))]
        return list(_narrow_words(text, 0, len(text), width)) or [(0, 0)]
    if cell_len(text) <= width:
        return [(0, len(text))]
    return list(_wide_words(text, width)) or [(0, 0)]


def break_cells(text: str, width: int) -> list[Break]:
    """Break wherever a line is full, never inside a character.

    A wide character takes a line of its own when `width` is 1, and is too wide for it.
    """
    if not text:
        return [(0, 0)]
    size = len(text)
    if text.isascii() or is_narrow(text):
        return [(start, min(size, start + width)) for start in range(0, size, width)]
    lines: list[Break] = []
    start = used = 0
    for first, _, length in split_graphemes(text)[0]:
        if used + length > width and first > start:
            lines.append((start, first))
            start = first
            used = 0
        used += length
    lines.append((start, size))
    return lines


def cut(text: str, width: int) -> str:
    """The start of `text` that fits, with an ellipsis when something is left out."""
    if cells(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    start, end = break_cells(text, width - 1)[0] if width > 2 else (0, 1 if text.isascii() else 0)
    return text[start:end].rstrip() + "…"

"""What a person sees as one character can be several code points: a family emoji, a flag, a letter with marks.

Textual's text area moves by code point and, where it looks for the column under a cell, adds up the widths of
single code points: 👩‍👩‍👧 is two cells wide and would count as six. Private parts of Textual 8.2.8 are used here only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, split_graphemes
from textual._cells import cell_width_to_column_index
from textual._wrap import compute_wrap_offsets
from textual.document import _wrapped_document
from textual.expand_tabs import get_tab_widths

_FLAG_FIRST, _FLAG_LAST = "\U0001f1e6", "\U0001f1ff"


@lru_cache(maxsize=256)
def clusters(line: str) -> tuple[tuple[int, int], ...]:
    """Where characters of more than one code point stand: (first, behind the last)."""
    if line.isascii():
        return ()
    found: list[tuple[int, int]] = []
    flag = -1
    for start, end, _ in split_graphemes(line)[0]:
        if end - start == 1 and _FLAG_FIRST <= line[start] <= _FLAG_LAST:
            if flag == start - 1 and flag >= 0:
                found.append((flag, end))
                flag = -1
            else:
                flag = start
            continue
        flag = -1
        if end - start > 1 and "\t" not in line[start:end]:
            found.append((start, end))
    return tuple(found)


def column_at(text: str, cell: int, tab_width: int) -> int:
    """The column of the character drawn at a cell; the end of the text beyond it."""
    if text.isascii() and "\t" not in text:
        return min(cell, len(text))
    column = used = 0
    for part, tab in get_tab_widths(text, tab_width):
        for start, end in _characters(part):
            used += cell_len(part[start:end])
            if used > cell:
                return column + start
        column += len(part)
        used += tab
        if used > cell:
            return column
        column += 1
    return len(text)


def _characters(part: str) -> list[tuple[int, int]]:
    """Everything one can stand before: clusters, and single code points between them."""
    found: list[tuple[int, int]] = []
    at = 0
    for start, end in (*clusters(part), (len(part), len(part))):
        found += [(each, each + 1) for each in range(at, start)]
        if end > start:
            found.append((start, end))
        at = end
    return found


_whole_words = re.compile(r"\s*\S+\s*|\s+").findall


def wrap_offsets(
    text: str,
    width: int,
    tab_size: int,
    fold: bool = True,
    precomputed_tab_sections: list[tuple[str, int]] | None = None,
) -> list[int]:
    """Where the rows of a line begin, but for the first; the words as Textual takes them, no character in two."""
    if "\t" in text or not clusters(text):
        return compute_wrap_offsets(text, width, tab_size, fold, precomputed_tab_sections)
    offsets: list[int] = []
    start = used = 0
    for word in _whole_words(text):
        size = cell_len(word)
        if used + size > width and start:
            offsets.append(start)
            used = 0
        if size > width:
            for first, last in _characters(word):
                each = cell_len(word[first:last])
                if used + each > width and used:
                    offsets.append(start + first)
                    used = 0
                used += each
        else:
            used += size
        start += len(word)
    return offsets


def know_clusters() -> None:
    """Make Textual's text areas break and find whole characters."""
    for name, ours in _OURS.items():
        setattr(_wrapped_document, name, ours)


_OURS: Final = {compute_wrap_offsets.__name__: wrap_offsets, cell_width_to_column_index.__name__: column_at}

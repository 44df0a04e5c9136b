"""What differs between two texts, line by line and within lines: for people who decide about a change.

Pure, never raises, and bounded: texts made to be slow to compare are shown as one that goes and one that comes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, Literal, NamedTuple, TypeAlias

LineKind: TypeAlias = Literal["same", "added", "removed", "skipped"]

CONTEXT: Final = 3
"""Lines shown around a change that stay as they are."""
_MOST_PAIRS: Final = 100_000
"""Equal pieces on both sides, each with each: what makes comparing slow."""
_LONGEST_LINE: Final = 4_000
_MOST_COMPARED: Final = 300
"""Lines of one stretch whose words are compared."""
_ALIKE: Final = 0.4
"""From here on two lines are the same line with other words."""
_PIECE: Final = re.compile(r"\s+|\w+|[^\w\s]")


class DiffLine(NamedTuple):
    """One line of a difference. `text` is as raw as what was compared."""

    kind: LineKind
    text: str
    changed: tuple[tuple[int, int], ...] = ()
    """Where its own words are, in a line that stands opposite another one."""
    at: int = 0
    """Which line of `after` it is, of `before` for one that is removed; counted from 0."""
    left_out: int = 0
    """How many lines stay as they are and are not in the list (`skipped`)."""


def line_diff(before: str, after: str, *, context: int = CONTEXT) -> list[DiffLine]:
    """The lines of `after`, with those of `before` that go. Equal stretches longer than needed are counted."""
    old, new = before.split("\n"), after.split("\n")
    lines: list[DiffLine] = []
    codes = list(_opcodes(old, new))
    for number, (tag, a, b, c, d) in enumerate(codes):
        if tag == "equal":
            head = 0 if number == 0 else context
            tail = 0 if number == len(codes) - 1 else context
            lines += _calm(new, c, d, head, tail)
        else:
            lines += _replaced(old[a:b], new[c:d], a, c)
    return lines


def _calm(texts: Sequence[str], start: int, end: int, head: int, tail: int) -> Iterator[DiffLine]:
    """Lines that stay: `head` of them after a change, `tail` before the next one."""
    first, last = start + head, end - tail
    for at in range(start, end):
        if last - first < 2 or not first <= at < last:
            yield DiffLine("same", texts[at], at=at)
        elif at == first:
            yield DiffLine("skipped", "", at=at, left_out=last - first)


def _replaced(old: Sequence[str], new: Sequence[str], at_old: int, at_new: int) -> Iterator[DiffLine]:
    compared = zip(old[:_MOST_COMPARED], new[:_MOST_COMPARED], strict=False)
    pairs = [_words(left, right) for left, right in compared]
    for number, text in enumerate(old):
        yield DiffLine("removed", text, pairs[number][0] if number < len(pairs) else (), at_old + number)
    for number, text in enumerate(new):
        yield DiffLine("added", text, pairs[number][1] if number < len(pairs) else (), at_new + number)


Spans: TypeAlias = tuple[tuple[int, int], ...]


def _words(left: str, right: str) -> tuple[Spans, Spans]:
    """Where two lines differ; nothing when they have too little in common."""
    if not left or not right or max(len(left), len(right)) > _LONGEST_LINE:
        return (), ()
    old, new = _PIECE.findall(left), _PIECE.findall(right)
    if _pairs(old, new) > _MOST_PAIRS:
        return (), ()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    same = sum(
        len("".join(old[block.a : block.a + block.size]).strip()) for block in matcher.get_matching_blocks()
    )
    if same < _ALIKE * max(len(left.strip()), len(right.strip())):
        return (), ()
    return _spans(matcher, old, new)


def _spans(matcher: SequenceMatcher[str], old: Sequence[str], new: Sequence[str]) -> tuple[Spans, Spans]:
    starts = _starts(old), _starts(new)
    gone: list[tuple[int, int]] = []
    come: list[tuple[int, int]] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            if b > a:
                gone.append((starts[0][a], starts[0][b]))
            if d > c:
                come.append((starts[1][c], starts[1][d]))
    return tuple(gone), tuple(come)


def _starts(pieces: Sequence[str]) -> list[int]:
    at = [0]
    for piece in pieces:
        at.append(at[-1] + len(piece))
    return at


def _pairs(old: Sequence[str], new: Sequence[str]) -> int:
    counts = Counter(new)
    return sum(count * counts[piece] for piece, count in Counter(old).items())


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """As `SequenceMatcher.get_opcodes`; the common ends are cut off first, what is too much is one replacement."""
    start = 0
    shortest = min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    end = 0
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    a, c = len(old) - end, len(new) - end
    if start:
        yield "equal", 0, start, 0, start
    middle_old, middle_new = old[start:a], new[start:c]
    if not middle_old or not middle_new or _pairs(middle_old, middle_new) > _MOST_PAIRS:
        if middle_old or middle_new:
            yield "replace", start, a, start, c
    else:
        matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
        for tag, i, j, k, m in matcher.get_opcodes():
            yield tag, i + start, j + start, k + start, m + start
    if end:
        yield "equal", a, len(old), c, len(new)

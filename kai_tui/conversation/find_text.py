"""Finding words in texts as people mean it: without regard to case unless they write a capital, and however a
character is composed (`é`, full-width letters, half-width katakana, `ß` and `ss`)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final
from unicodedata import combining, is_normalized, normalize

Span = tuple[int, int]

_WORD: Final = re.compile(r"[^\W_]+")
_MARKS: Final = b"*_~`\\"
"""Signs of markdown and of JSON that may stand inside a word of a source and are not shown."""
_SHOWN_OTHERWISE: Final = re.compile(
    "[\x80-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
    "|[\u0300-\u036f]{8}"
)
"""What is shown as a mark that says what stands there, e.g. `⟨U+202E⟩`; those below a space are escaped in JSON."""
_GAP: Final = b" " * 60
"""Long gaps are shown as a count."""
_GOES_ON: Final = "\uff9e\uff9f"
"""Half-width sound marks: one character with the katakana before them."""


class Matcher:
    """Looks for one query."""

    def __init__(self, query: str) -> None:
        """Nothing but spaces finds nothing."""
        self.query = query
        self.exact = any(each.isupper() for each in query)
        """Whether case counts: a capital was written."""
        self._wanted = _plain(query, exact=self.exact) if query.strip() else ""
        self._words = _WORD.findall(_plain(query, exact=False))
        self._bytes = [word.encode() for word in self._words]

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def narrows(self, other: Matcher) -> bool:
        """Whether it can only find what the other one finds too."""
        return bool(other) and self.exact >= other.exact and _inside(other, self)

    def find(self, text: str) -> list[Span]:
        """Where it stands in `text`, from left to right, not overlapping."""
        wanted = self._wanted
        if not wanted:
            return []
        folded, places = _folded(text, exact=self.exact)
        found: list[Span] = []
        at = folded.find(wanted)
        while at >= 0:
            end = at + len(wanted)
            span = (at, end) if places is None else _original(places, at, end)
            if not found or span[0] >= found[-1][1]:
                found.append(span)
            at = folded.find(wanted, end)
        return found

    def may_be_in(self, raw: bytes) -> bool:
        """Whether a text whose JSON this is can show it; only a No is certain. A few µs for a kilobyte.

        Markup may stand inside and between its words, so each word is looked for by itself.
        """
        if b"\\u" in raw or b"&#" in raw or _GAP in raw:
            return True  # what is written and shown in different ways
        cleaned = raw.translate(None, _MARKS)
        if cleaned.isascii():
            low = cleaned.lower()
            return all(word in low for word in self._bytes)
        text = cleaned.decode("utf-8", "replace")
        shown = normalize("NFKC", text).casefold()
        return _SHOWN_OTHERWISE.search(text) is not None or all(word in shown for word in self._words)


def _inside(other: Matcher, this: Matcher) -> bool:
    wanted, mine = other.query, this.query
    if not other.exact:
        wanted, mine = _plain(wanted, exact=False), _plain(mine, exact=False)
    return wanted in mine


def _plain(text: str, *, exact: bool) -> str:
    return _folded(text, exact=exact)[0]


def _folded(text: str, *, exact: bool) -> tuple[str, Sequence[int] | None]:
    """The text as it is compared, and for each of its characters (and its end) the place in `text`; None: the same."""
    if text.isascii():
        return (text if exact else text.lower()), None
    if is_normalized("NFKC", text):
        folded = text if exact else text.casefold()
        if len(folded) == len(text):
            return folded, None
    pieces: list[str] = []
    places: list[int] = []
    at, size = 0, len(text)
    while at < size:
        end = at + 1
        while end < size and (combining(text[end]) or text[end] in _GOES_ON):
            end += 1
        piece = normalize("NFKC", text[at:end])
        if not exact:
            piece = piece.casefold()
        pieces.append(piece)
        places.extend([at] * len(piece))
        at = end
    places.append(size)
    return "".join(pieces), places


def _original(places: Sequence[int], at: int, end: int) -> Span:
    """A stretch of the compared text in the text itself: whole characters."""
    last = places[end]
    if last == places[end - 1]:
        # It ends inside one (`s` of `ß`).
        last = places[bisect_left(places, last + 1)]
    return places[at], last

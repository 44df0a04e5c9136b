"""Secrets taken out of text that is kept or shown to others: logs, `--debug`, crash reports (C7).

Three nets, each enough for most cases: names (headers, JSON keys, variables, query parameters) whose
value is hidden whatever it looks like; shapes of known tokens, also broken over lines; and the live
secrets themselves, of which no piece as long as half of one is left, however it is wrapped or quoted.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

MASK: Final = "•••"
"""What stands in the place of a secret."""

SHORTEST_SECRET: Final = 8
"""Shorter values are no secrets worth the name; hiding them would only make the text unreadable."""
_LONGEST_PIECE: Final = 12

_NAME: Final = (
    r"(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|credential|session[_-]?id|cookie|authorization)[\w.-]{0,24}?"
)
_GLUE: Final = r"""(?:\\?["'])?\]?\s{0,4}(?::=|=>|[:=]|%3[AaDd])\s{0,4}(?:[bru]?\\?["'])?"""
_HARMLESS: Final = r"(?!(?:\d{1,7}|true|false|null|None|True|False)(?![\w-]))"

_HEADER_LINE: Final = re.compile(
    r"""(?i)((?:proxy-)?authorization|(?:set-)?cookie)("?'?\s{0,4}[:=]\s{0,4}["']?|["']?\s{0,4},\s{0,4}b?["'])[^\r\n"']+"""
)
_PAIRED: Final = re.compile(
    rf"""(?i)(["'][\w.-]{{0,24}}{_NAME}["']\s{{0,4}},\s{{0,4}}b?["'])[^"'\r\n]+"""  # ('x-api-key', 'value') and [b'…', b'…']
)
_NAMED: Final = re.compile(rf"""(?i)({_NAME}{_GLUE}){_HARMLESS}[^\s"'&,;)}}\]<>\\|│]+""")
_USERINFO: Final = re.compile(r"(://[^\s/@:]{0,64}:)[^\s/@]{1,256}@")
_SHAPES: Final = re.compile(
    r"""
      \b(?:Bearer|Basic|Token)\s+[A-Za-z0-9+/=._~-]{8,}
    | \beyJ[A-Za-z0-9_=-]{5,}(?:\s{0,4}\.\s{0,4}[A-Za-z0-9_=-]*){0,2}   # JSON web tokens
    | (?<![\w-])(?!\d{4}-\d\d-\d\d[T\D])\d{1,10}-\d{1,12}-(?:           # Storage API tokens: whole
          [A-Za-z0-9]{32,} | [A-Za-z0-9]{8,31}(?:[ \t"'│|\\]*(?:\r?\n|\\n)[ \t"'│|\\]*[A-Za-z0-9]{4,})?)   # or broken
    | \b(?:sk|pk|rk|api)[-_][A-Za-z0-9_-]{16,}
    | \bgh[pousr]_[A-Za-z0-9]{16,} | \bgithub_pat_\w{16,} | \bglpat-[\w-]{16,}
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,}
    | \bA(?:KIA|SIA)[A-Z0-9]{12,}
    | \bAIza[\w-]{30,}
    """,
    re.VERBOSE,
)
_BETWEEN: Final = re.compile(r"""\s+|\\[nrt]|["'+│|\\]+""")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without secrets: each is replaced by `•••`. Never raises.

    `secrets` are the live ones: of them, no piece of half its length (or of 12 characters) stays,
    also when it is percent-encoded, quoted, or broken over lines.
    """
    for secret in set(secrets):
        if len(secret) >= SHORTEST_SECRET:
            text = _without_pieces(text.replace(secret, MASK), secret)
            if (encoded := quote(secret, safe="")) != secret:
                text = _without_pieces(text, encoded)
    text = _HEADER_LINE.sub(rf"\1\2{MASK}", text)
    text = _USERINFO.sub(rf"\1{MASK}@", text)
    text = _SHAPES.sub(MASK, text)
    text = _PAIRED.sub(rf"\1{MASK}", text)
    return _NAMED.sub(rf"\1{MASK}", text)


def _without_pieces(text: str, secret: str) -> str:
    """Hide every piece of `secret`, looking at the text as if nothing stood between its characters."""
    secret, _ = _joined(secret)
    if len(secret) < SHORTEST_SECRET:
        return text
    size = min(_LONGEST_PIECE, len(secret) // 2)
    joined, places = _joined(text)
    found = bytearray(len(joined))
    hit = False
    for start in range(len(secret) - size + 1):
        piece = secret[start : start + size]
        at = joined.find(piece)
        while at >= 0:
            hit = True
            found[at : at + size] = b"\x01" * size
            at = joined.find(piece, at + 1)
    if not hit:
        return text
    out: list[str] = []
    copied = 0
    for run in re.finditer(rb"\x01+", found):
        first, last = _place(places, run.start()), _place(places, run.end() - 1)
        out.append(text[copied:first])
        out.append(MASK)
        copied = last + 1
    out.append(text[copied:])
    return "".join(out)


def _joined(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without what may stand between the pieces of a wrapped or quoted secret.

    With it, where each kept stretch began: (position in the joined text, position in the text).
    """
    kept: list[str] = []
    places: list[tuple[int, int]] = []
    length = start = 0
    for gap in _BETWEEN.finditer(text):
        if gap.start() > start:
            places.append((length, start))
            kept.append(text[start : gap.start()])
            length += gap.start() - start
        start = gap.end()
    places.append((length, start))
    kept.append(text[start:])
    return "".join(kept), places


def _place(places: list[tuple[int, int]], at: int) -> int:
    joined, place = places[bisect_right(places, at, key=lambda pair: pair[0]) - 1]
    return place + at - joined

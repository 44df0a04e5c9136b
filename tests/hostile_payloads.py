"""Did foreign text reach the terminal as control codes? Checks raw pty bytes (P11, t_pty_output).

    problems = leaks(terminal.raw)
    assert not problems

`leaks` finds the corpus' payloads and, besides, every control sequence the program has no business
to write. `hostile_texts` gives the strings to feed to whatever shows foreign text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tests.hostile_cases import hostile_cases

_OURS = re.compile(
    rb"""
      \x1b\[[0-9;:]*m                    # colours
    | \x1b\[[0-9;]*[HABCDJK]             # cursor, erase
    | \x1b\[\?(?:7|25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]
    | \x1b\[>[0-9]+u | \x1b\[<u          # kitty keys
    | \x1b\[\?(?:2026|2048)\$p           # questions
    | \x1b\]22;[a-z-]*\x07               # pointer shape
    | \r\n | \n
    """,
    re.VERBOSE,
)
_CONTROL = re.compile(
    rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xaf]|\xed[\xa0-\xbf]"
)
_OWN_CLIPBOARD = re.compile(rb"\x1b\]52;c;[A-Za-z0-9+/=]*\x07")
_ODD = re.compile(r"[^\n -~\u00a1-\u02ff\u0400-\u04ff]|\[|&")
_BELL = re.compile(rb"\x07")


def leaks(raw: bytes, *, clipboard: bool = False, bell: bool = False, exact: bool = False) -> list[str]:
    """What in the written bytes is not ours: the names of payloads, and stray control characters.

    `exact` also looks for invisible characters that are spelling in prose but not in an approval.
    `clipboard` allows clipboard writes, `bell` bells: set them when the test makes the program do so.
    """
    rest = raw
    if clipboard:
        rest = _OWN_CLIPBOARD.sub(b"", rest)
    if bell:
        rest = _BELL.sub(b"", rest)
    left = _OURS.sub(b"", rest)
    found = [
        f"{name}: {payload!r}"
        for name, payload in payloads(exact=exact)
        # A text may well be followed by an escape sequence of ours.
        if payload.encode("utf-8", "surrogatepass") in (left if payload.endswith("\x1b") else rest)
    ]
    for match in list(_CONTROL.finditer(left))[:10]:
        found.append(f"control character in {left[max(0, match.start() - 20) : match.end() + 20]!r}")
    return found


@cache
def payloads(*, exact: bool = True) -> list[tuple[str, str]]:
    """What must never be written, with the case it is from; without `exact` only what acts on terminals."""
    return [
        (case.name, payload)
        for case in hostile_cases(kind=None if exact else "terminal-control")
        for payload in case.strings("must_not_emit")
    ]


def hostile_texts(*, odd: bool = False, longest: int = 20_000) -> list[tuple[str, str]]:
    """Every string of the corpus that a screen may have to show, named and cut to `longest`.

    `odd` takes only those with characters that are no plain printable ones, or with markup.
    """
    texts: list[tuple[str, str]] = []
    for case in hostile_cases():
        if case.text:
            texts.append((case.name, case.text))
        strings = [case.fields.get("tool", ""), *_strings(case.fields.get("args"))]
        texts += [(case.name, text) for text in strings if isinstance(text, str) and text]
    texts += [("own: " + name, text) for name, text in OWN]
    texts = [(name, text[:longest]) for name, text in texts]
    return [pair for pair in texts if not odd or _ODD.search(pair[1])]


OWN = [
    ("bidi", "a\u202eb\u2066c\u200ed\u061ce"),
    ("lone surrogates", "a\ud83db\udfffc"),
    ("tags", "a" + "".join(chr(0xE0000 + ord(letter)) for letter in "rm -rf")),
    ("every control", "".join(map(chr, range(0x20))) + "".join(map(chr, range(0x7F, 0xA0)))),
    ("markdown entity", "&#x1b;]0;x&#x7; &#x202e;abc &#27;[2J"),
    (
        "markdown address",
        "[click](https://evil.example/%1b%5d0;x%07%e2%80%ae) <https://evil.example/%E2%80%AEx>",
    ),
    ("escape at a line's end", "line\x1b\n[2Jnext"),
    ("markup", "[link='https://evil.example/\x1b\\']x[/link][@click=app.quit]y[/][/nope]"),
]
"""Strings the corpus has not."""


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *_strings(item))]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return []

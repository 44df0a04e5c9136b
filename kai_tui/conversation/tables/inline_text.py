"""Inline markdown as the text a reader sees: `**Total** [see](https://…)` is "Total see".

The rules are CommonMark's with `~~`, as the transcript draws cells, written again without a library: the core knows
none. Where the two could differ the tests hold them against each other. Images are "▣ alt (address)".
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final
from unicodedata import category

_MARKUP: Final = frozenset("\\`*_~[]!<&")
_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_KEPT_BACKSLASH: Final = frozenset("[]()")
r"""After a backslash these keep it: models write formulas as `\[` and `\(`."""
_AUTOLINK: Final = re.compile(
    r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\x00-\x20<>]*)>|<([\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+)>"
)
_ENTITY: Final = re.compile(r"&(?:#[xX][0-9A-Fa-f]{1,6}|#[0-9]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")
_TARGET: Final = re.compile(
    r"\(\s*(?:<(?P<angle>[^<>\n\\]*(?:\\.[^<>\n\\]*)*)>|(?P<bare>(?:[^\s()\\\x00-\x1f]|\\.|\([^\s()\\]*\))*))"
    r"(?:\s+(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?\s*\)"
)
_UNSAFE: Final = re.compile(r"\s*(?:vbscript|javascript|file|data):", re.IGNORECASE)
_SAFE_DATA: Final = re.compile(r"\s*data:image/(?:gif|png|jpeg|webp);", re.IGNORECASE)


@dataclass(slots=True)
class _Run:
    """A run of `*`, `_` or `~` that may open or close something."""

    sign: str
    count: int
    opens: bool
    closes: bool
    length: int
    """As it was written; the rule of three looks at it."""


def plain_text(source: str) -> str:
    """What a reader sees of one line of markdown."""
    if _MARKUP.isdisjoint(source):
        return source
    return "".join(_resolved(_pieces(source)))


def _pieces(source: str) -> list[str | _Run]:
    """Texts, and between them the signs that may be emphasis."""
    pieces: list[str | _Run] = []
    brackets: list[tuple[int, bool]] = []
    """Where in `pieces` an open bracket stands, and whether it is an image's."""
    at, size = 0, len(source)
    while at < size:
        sign = source[at]
        if sign == "\\" and at + 1 < size and source[at + 1] in _PUNCTUATION:
            escaped = source[at + 1]
            pieces.append("\\" + escaped if escaped in _KEPT_BACKSLASH else escaped)
            at += 2
        elif sign == "`":
            at = _code(source, at, pieces)
        elif sign in "*_~":
            at = _signs(source, at, pieces)
        elif sign == "[" or source.startswith("![", at):
            brackets.append((len(pieces), sign == "!"))
            mark = source[at] if sign == "[" else "!["
            pieces.append(mark)
            at += len(mark)
        elif sign == "]":
            at = _close_bracket(source, at, pieces, brackets)
        elif sign == "<" and (link := _AUTOLINK.match(source, at)) and _leads(link[1] or ""):
            pieces.append(link[1] or link[2])
            at = link.end()
        elif sign == "&" and (entity := _ENTITY.match(source, at)):
            pieces.append(html.unescape(entity[0]))
            at = entity.end()
        else:
            end = at + 1
            while end < size and source[end] not in _MARKUP:
                end += 1
            pieces.append(source[at:end])
            at = end
    return pieces


def _code(source: str, at: int, pieces: list[str | _Run]) -> int:
    end = at
    while end < len(source) and source[end] == "`":
        end += 1
    ticks = source[at:end]
    close = re.compile(rf"(?<!`){ticks}(?!`)").search(source, end)
    if close is None:
        pieces.append(ticks)
        return end
    code = source[end : close.start()]
    if len(code) > 2 and code[0] == code[-1] == " " and code.strip(" "):
        code = code[1:-1]
    pieces.append(code)
    return close.end()


def _signs(source: str, at: int, pieces: list[str | _Run]) -> int:
    sign, end = source[at], at
    while end < len(source) and source[end] == sign:
        end += 1
    before = source[at - 1] if at else " "
    after = source[end] if end < len(source) else " "
    space_before, space_after = before.isspace(), after.isspace()
    mark_before, mark_after = _is_mark(before), _is_mark(after)
    left = not space_after and (not mark_after or space_before or mark_before)
    right = not space_before and (not mark_before or space_after or mark_after)
    opens = left and (sign != "_" or not right or mark_before)
    closes = right and (sign != "_" or not left or mark_after)
    count = end - at
    if sign == "~" and count == 1:
        pieces.append("~")
    elif sign == "~":
        if count % 2:
            pieces.append("~")
        pieces.extend(_Run("~", 2, opens, closes, 2) for _ in range(count // 2))
    else:
        pieces.append(_Run(sign, count, opens, closes, count))
    return end


def _is_mark(sign: str) -> bool:
    return sign in _PUNCTUATION or category(sign)[0] in "PS"


def _close_bracket(source: str, at: int, pieces: list[str | _Run], brackets: list[tuple[int, bool]]) -> int:
    target = _TARGET.match(source, at + 1) if brackets else None
    address = _unescaped((target["angle"] or target["bare"] or "") if target is not None else "")
    if target is None or not _leads(address):
        if brackets:
            brackets.pop()
        pieces.append("]")
        return at + 1
    start, image = brackets.pop()
    inner = "".join(_resolved(pieces[start + 1 :]))
    if image:
        inner = _image(inner, address)
    else:
        # No link inside a link.
        brackets[:] = [each for each in brackets if each[1]]
    pieces[start:] = [inner]
    return target.end()


def _leads(address: str) -> bool:
    return _UNSAFE.match(address) is None or _SAFE_DATA.match(address) is not None


def _unescaped(address: str) -> str:
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", address))


def _image(alt: str, address: str) -> str:
    label = alt or "image"
    return f"▣ {label} ({address})" if address else f"▣ {label}"


def _resolved(pieces: list[str | _Run]) -> list[str]:
    """Texts without the signs that were emphasis; the other signs stay."""
    texts = list(pieces)
    runs = [index for index, piece in enumerate(texts) if isinstance(piece, _Run)]
    opened: list[int] = []
    bottoms: dict[tuple[str, bool, int], int] = {}
    """Up to where in `opened` there is nothing for a closer of a kind: else looking would be quadratic."""
    for index in runs:
        closer = texts[index]
        assert isinstance(closer, _Run)
        while closer.closes and closer.count:
            kind = (closer.sign, closer.opens, closer.length % 3)
            place = _opener(texts, opened, closer, bottoms.get(kind, 0))
            if place is None:
                bottoms[kind] = len(opened)
                break
            opener = texts[opened[place]]
            assert isinstance(opener, _Run)
            used = 2 if opener.count >= 2 and closer.count >= 2 else 1
            del opened[place + 1 :]
            opener.count -= used
            closer.count -= used
            if not opener.count:
                opened.pop()
            for each, bottom in bottoms.items():
                bottoms[each] = min(bottom, len(opened))
        if closer.opens and closer.count:
            opened.append(index)
    return [each.sign * each.count if isinstance(each, _Run) else each for each in texts]


def _opener(texts: list[str | _Run], opened: list[int], closer: _Run, bottom: int) -> int | None:
    """The nearest run that this one closes, as a place in `opened` not below `bottom`."""
    for place in range(len(opened) - 1, bottom - 1, -1):
        opener = texts[opened[place]]
        assert isinstance(opener, _Run)
        if opener.sign != closer.sign:
            continue
        both = opener.closes or closer.opens
        if both and (opener.length + closer.length) % 3 == 0 and (opener.length % 3 or closer.length % 3):
            continue
        return place
    return None

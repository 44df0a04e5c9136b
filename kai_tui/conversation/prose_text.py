"""Foreign prose, code and lines made fit to be seen: rules D1-D4 and D7 (reliability.md §7).

Runs of white space (D7): lines and exact text count them as the rule says. Prose and code keep
indentation, aligned columns and blank lines as they came, because they are code and tables as often
as not, and the transcript scrolls; only gaps wider than any screen are counted there.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from kai_tui.conversation.growing_text import mend_surrogates


class Safe(str):
    """Text that passed one of the doors: it can do nothing to the terminal. Widgets ask for it.

    Only this package makes one from foreign text; literals of our own may be wrapped by hand.
    """

    __slots__ = ()


LINE_ENDS: Final = "\r\x0b\x0c\x85\u2028\u2029"
"""What ends a line for some reader but not for us (D2): all become a line feed."""

_DROPPED: Final = "\u200b\u2060\ufeff\xad\u200e\u200f"
_JOINERS: Final = "\u200c\u200d"
_EMOJI_STYLES: Final = "\ufe0e\ufe0f"
_KEYCAP_BASES: Final = "0123456789#*\xa9\xae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299"

_ODD_BMP: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\ufffe\uffff"
)
_ODD: Final = (
    _ODD_BMP + "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
"""Characters prose may not keep without a look: controls, format characters, fillers, variation
selectors, lone surrogates, private use. Unassigned ones are left: tomorrow's letters and emoji."""

_ASCII_PLAIN: Final = bytes(byte for byte in range(128) if byte in (9, 10) or 32 <= byte < 127)
_MARK_RANGES: Final = (
    (0x300, 0x1E00),
    (0x20D0, 0x20F1),
    (0x2CEF, 0x2CF2),
    (0x2D7F, 0x2E00),
    (0x302A, 0x309B),
    (0xA66F, 0xABEE),
    (0xFB1E, 0xFB1F),
    (0xFE20, 0xFE30),
    (0x101FD, 0x1037B),
    (0x10A01, 0x11F43),
    (0x13440, 0x13456),
    (0x16AF0, 0x16FE5),
    (0x1BC9D, 0x1BC9F),
    (0x1CF00, 0x1CF47),
    (0x1D165, 0x1D245),
    (0x1DA00, 0x1E94B),
)
_OLD_SCRIPTS: Final = "\U00010000-\U0001efff"
_FLAG: Final = (
    "\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}\U000e007f"
)
_FLAG_BASE: Final = "\U0001f3f4"
_HUGE_GAPS: Final = (
    (" " * 401, re.compile(r" {401,}")),
    ("\t" * 101, re.compile(r"\t{101,}")),
    ("\n", re.compile(r"\n(?:[ \t]*\n){101,}")),
)
"""Gaps prose and code may not keep, each with the text that must be there for one to be."""
_LINE_GAP: Final = re.compile(r" {9,}|\t{5,}")
_BREAKS: Final = re.compile(r"[ \t]*\n[ \t\n]*")

MAX_MARKS: Final = 8
"""Combining marks one letter may carry in prose (D3)."""
_TOKENS_IN_A_ROW: Final = 3


def code_point(character: str) -> str:
    """How a character that can not be shown is shown: `⟨U+202E⟩`."""
    return f"⟨U+{ord(character):04X}⟩"


def safe_prose(raw: str) -> Safe:
    """Foreign prose, fit to be drawn over several lines (D2-D4).

    Ordinary text comes back as it is, at the cost of one search (about 1 ms per MB of ASCII, 7 ms
    of anything else). Keeps line feeds, tabs and indentation; never raises; applied twice it changes
    nothing more.
    """
    return _shown(raw, keep_code=False)


def safe_code(raw: str) -> Safe:
    """Like `safe_prose`, but zero-width characters are shown, not dropped: copied code is what was seen."""
    return _shown(raw, keep_code=True)


def safe_line(raw: str, limit: int | None = None) -> Safe:
    """Foreign text for one line: a title, a name, a status. Line breaks are shown as `⏎`.

    `limit` is in characters; what is longer is cut and ends in `…`. Runs of more than 8 spaces are
    counted (D7), so that nothing is pushed out of sight.
    """
    more = False
    if limit is not None:
        window = 8 * max(limit, 1) + 256
        more = len(raw) > window
        raw = raw[:window]
    text = safe_prose(raw).strip()  # a plain str again, which may now begin with a mark
    text = _BREAKS.sub(" ⏎ ", safe_prose(text))
    text = count_gaps(text, _LINE_GAP).replace("\t", " ")
    if limit is not None and (more or len(text) > limit):
        text = text[: max(limit - 1, 0)].rstrip(_JOINERS + " ") + "…"
    return Safe(text)


def safe_copy(raw: str) -> Safe:
    """Text for the clipboard: as it is shown, without a line end that would run it when pasted (T23)."""
    return Safe(safe_prose(raw).rstrip("\n"))


def count_gaps(text: str, gap: re.Pattern[str]) -> str:
    """Replace runs of white space that `gap` finds by their count, e.g. `⟨2000 spaces⟩` (D7)."""
    return gap.sub(_counted, text)


def _counted(match: re.Match[str]) -> str:
    run = match.group()
    if run[0] == "\n":
        return f"\n⟨{run.count(chr(10)) - 1} empty lines⟩\n"
    return f"⟨{len(run)} {'spaces' if run[0] == ' ' else 'tabs'}⟩"


def _shown(raw: str, *, keep_code: bool) -> Safe:
    if isinstance(raw, Safe):
        return raw
    text = raw
    if text.isascii():
        if text.encode("ascii").translate(None, _ASCII_PLAIN):
            text = _without_odd(text, keep_code=keep_code)
    elif (first := _suspects().search(text)) is not None:
        if _odd_set().search(text, first.start()) is not None:
            text = _without_odd(mend_surrogates(text), keep_code=keep_code)
        for crowd in _crowds(astral=has_old_scripts(text)):
            text = crowd.sub(_crowd_counted, text)
    for sign, gap in _HUGE_GAPS:
        if sign in text:
            text = count_gaps(text, gap)
    return Safe(text)


def _without_odd(text: str, *, keep_code: bool) -> str:
    def replace(match: re.Match[str]) -> str:
        return match.group() if match.lastgroup == "flag" else _run_shown(match, keep_code=keep_code)

    runs = _odd_runs(flags=_FLAG_BASE in text)
    return runs.sub(replace, text.replace("\r\n", "\n"))


def _run_shown(match: re.Match[str], *, keep_code: bool) -> str:
    """What stands for one run of odd characters, given what was before and what comes after it."""
    text, start, end = match.string, match.start(), match.end()
    before = text[start - 1] if start else ""
    out: list[str] = []
    hidden: list[str] = []
    for at in range(start, end):
        character = text[at]
        after = text[at + 1] if at + 1 < len(text) else ""
        shown = _one_shown(character, before, after, keep_code=keep_code)
        if shown is None:
            hidden.append(character)
            before = "⟩"
            continue
        if hidden and shown:
            out.append(_hidden_shown(hidden))
            hidden = []
        out.append(shown)
        before = shown[-1] if shown else before
    out.append(_hidden_shown(hidden))
    return "".join(out)


def _hidden_shown(hidden: list[str]) -> str:
    if len(hidden) > _TOKENS_IN_A_ROW:
        return f"⟨{len(hidden)} hidden characters⟩"
    return "".join(map(code_point, hidden))


def _one_shown(character: str, before: str, after: str, *, keep_code: bool) -> str | None:
    """One odd character: what is shown for it, an empty string to drop it, None to show its code point."""
    point = ord(character)
    if character in LINE_ENDS:
        return "\n"
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "\u2421"
    if 0xD800 <= point <= 0xDFFF:
        return "\ufffd"
    if character in _DROPPED:
        return None if keep_code else ""
    if character in _JOINERS:
        return _joiner_shown(character, before, after)
    if character in _EMOJI_STYLES and before and (_is_emoji(before) or before in _KEYCAP_BASES):
        return character
    if 0xE0100 <= point <= 0xE01EF and before and _is_ideograph(before):
        return character
    if 0x180B <= point <= 0x180F and "\u1820" <= before <= "\u18aa":
        return character
    return None


def _joiner_shown(character: str, before: str, after: str) -> str | None:
    """ZWJ and ZWNJ are spelling between letters of joining scripts and glue between emoji (D3).

    After such a letter but with nothing to join (the end of a reply that is still coming, a word
    end) they do nothing and are dropped like other zero-width characters. Elsewhere they hide.
    """
    if not before:
        return None
    if _is_emoji(before) or before in _EMOJI_STYLES:
        return character if after and _is_emoji(after) else ""
    if _joins(before):
        return character if after and _joins(after) else ""
    return None


def _is_emoji(character: str) -> bool:
    point = ord(character)
    return (
        0x1F000 <= point <= 0x1FBFF
        or 0x2190 <= point <= 0x2BFF
        or unicodedata.category(character) in ("So", "Sk")
    )


def _is_ideograph(character: str) -> bool:
    point = ord(character)
    return 0x3400 <= point <= 0x9FFF or 0xF900 <= point <= 0xFAFF or 0x20000 <= point <= 0x3FFFD


def _joins(character: str) -> bool:
    point = ord(character)
    joining = (
        0x600 <= point <= 0x109F
        or 0x1780 <= point <= 0x18AF
        or 0x1A20 <= point <= 0x1CFF
        or 0xA800 <= point <= 0xABFF
        or 0xFB50 <= point <= 0xFDCF
        or 0xFE70 <= point <= 0xFEFC
        or 0x10A00 <= point <= 0x11FFF
        or 0x1E900 <= point <= 0x1E95F
    )
    return joining and unicodedata.category(character)[0] in "LM" and _odd_set().match(character) is None


def _crowd_counted(match: re.Match[str]) -> str:
    run = match.group()
    if run[0] in "\n\t" or match.start() == 0:
        # A mark without a letter would be drawn over whatever the program drew before it.
        lead, marks = (run[0], run[1:]) if run[0] in "\n\t" else ("", run)
        lead += "\u25cc"
    else:
        lead, marks = "", run
    extra = len(marks) - MAX_MARKS
    return lead + (marks if extra <= 0 else f"{marks[:MAX_MARKS]}⟨{extra} marks⟩")


def has_old_scripts(text: str) -> bool:
    """Whether marks beyond U+FFFF have to be looked for."""
    return _old_script().search(text) is not None


@cache
def mark_class(*, astral: bool) -> str:
    """The inside of a character class of all combining marks (Mn, Me): those below U+10000, or all.

    Built once, from this Python's own tables, in about 2 ms and only when text beyond ASCII comes.
    Two classes, because `re` searches ranges above U+FFFF one by one, ten times slower.
    """
    odd = _odd_set()
    ranges: list[str] = []
    first = last = -1
    for low, high in _MARK_RANGES:
        if low > 0xFFFF and not astral:
            break
        for point in range(low, high):
            if unicodedata.category(chr(point)) in ("Mn", "Me") and not odd.match(chr(point)):
                if point != last + 1:
                    if first >= 0:
                        ranges.append(f"{chr(first)}-{chr(last)}")
                    first = point
                last = point
    ranges.append(f"{chr(first)}-{chr(last)}")
    return "".join(ranges)


@cache
def _odd_set() -> re.Pattern[str]:
    return re.compile(f"[{_ODD}]")


@cache
def _old_script() -> re.Pattern[str]:
    return re.compile(f"[{_OLD_SCRIPTS}]")


@cache
def _odd_runs(*, flags: bool) -> re.Pattern[str]:
    """Odd characters in a row; with `flags` also whole flags, which stay. Made when the first one comes."""
    return re.compile(f"(?P<flag>{_FLAG})|[{_ODD}]+" if flags else f"[{_ODD}]+")


@cache
def _suspects() -> re.Pattern[str]:
    """Where prose needs a closer look: odd characters, marks, and any old script beyond U+FFFF."""
    return re.compile(f"[{_ODD_BMP}{mark_class(astral=False)}{_OLD_SCRIPTS}\U000e0000-\U0010ffff]")


@cache
def _crowds(*, astral: bool) -> tuple[re.Pattern[str], ...]:
    marks = f"[{mark_class(astral=astral)}]"
    return (
        re.compile(rf"\A{marks}+"),
        re.compile(rf"[\n\t]{marks}+"),
        re.compile(rf"{marks}{marks}{{{MAX_MARKS},}}"),
    )

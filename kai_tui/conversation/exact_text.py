"""Text shown exactly, for decisions: rules D5, D7 and D8 (reliability.md §7).

Nothing is dropped and nothing can pass for something else: what is not an ordinary visible
character is a code point, white space that could push text out of sight is counted, and what only
looks like other text is said. Marks of our own (`⟨U+202E⟩`, `⏎`, `│`) can not be forged: where they
come in the text, they are code points too, or stand behind the line's own mark.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kai_tui.conversation.look_alikes import disguises, facts
from kai_tui.conversation.messages import mend_surrogates
from kai_tui.conversation.prose_text import Safe, code_point, has_old_scripts, mark_class

MAX_EXACT_MARKS: Final = 2
"""Combining marks one letter may carry; later ones are code points (D5)."""
INDENT_KEPT: Final = 32
"""Spaces at the beginning of a line that are left: SQL and code are indented. More are counted (D7)."""
GUTTER: Final = "│ "
"""What every further line of one value begins with, so that it can not look like a key (D8)."""

_FORGEABLE: Final = "\u27e8\u23ce"
_BLANK_LOOKING: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159\U00013441\U00013442\U00016fe4"
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Letters and symbols that draw nothing, and variation selectors: categories do not tell (D5)."""
_PLAIN_ASCII: Final = bytes(byte for byte in range(128) if 32 <= byte < 127 and byte not in b'"\\')
_SPACES: Final = re.compile(r"  +")
_TABS: Final = re.compile(r"\t{5,}")
_EMPTY_LINES: Final = re.compile(r"\n(?:[ \t\r]*\n){3,}")
_LOOSE_JAMO: Final = re.compile("(?<![\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb])[\u1161-\u11ff\ud7b0-\ud7fb]")
"""Korean vowels and finals with no syllable to belong to: drawn without width."""
_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Exact:
    """A text as it is shown for a decision."""

    text: Safe
    hidden: int = 0
    """Characters that are shown as code points."""
    flags: tuple[Safe, ...] = ()
    """Warnings, a sentence each."""
    notes: tuple[Safe, ...] = field(default=())
    """Facts that help to judge and are no warning: the host of an address."""


def safe_exact(raw: str, *, one_line: bool = False) -> Exact:
    """Foreign text a decision hangs on: tool names, hosts, titles in delete dialogs (D5-D7).

    Line feeds are shown as `⏎`; with `one_line` the line is not broken there, and they count as
    hidden. Never raises.
    """
    return _Shown(raw, quoted=False, one_line=one_line).exact()


def exact_string(raw: str) -> Exact:
    """A string value of an approval: JSON-escaped, in quotes, every line after the first behind `│` (D8)."""
    return _Shown(raw, quoted=True, one_line=False).exact()


def is_ordinary(character: str) -> bool:
    """Whether a character can be seen as what it is, wherever it stands."""
    return character.isprintable() and character not in _BLANK_LOOKING


class _Shown:
    """One text on its way to the screen, with what was noticed."""

    def __init__(self, raw: str, *, quoted: bool, one_line: bool) -> None:
        self._quoted = quoted
        self._one_line = one_line
        self._hidden: Counter[str] = Counter()
        self._gaps: list[str] = []
        self._raw = raw

    def exact(self) -> Exact:
        text = self._raw
        if not text.isascii() or text.encode("ascii").translate(None, _PLAIN_ASCII):
            text = self._slowly(mend_surrogates(text))
        elif "  " in text:
            text = self._without_gaps(text)
        flags = [*self._hidden_words(), *self._gaps, *disguises(self._raw)]
        return Exact(
            text=Safe(f'"{text}"' if self._quoted else text),
            hidden=self._hidden.total(),
            flags=tuple(dict.fromkeys(map(_quoted_safely, flags))),
            notes=tuple(map(_quoted_safely, facts(self._raw))),
        )

    def _slowly(self, text: str) -> str:
        for mark in _FORGEABLE:
            if mark in text:
                self._hidden[mark] += text.count(mark)
                text = text.replace(mark, code_point(mark))
        if self._quoted:
            text = text.replace("\\", "\\\\").replace('"', '\\"')
        text = self._without_gaps(text)
        if not text.isascii():
            text = re.sub(f"[{mark_class(astral=has_old_scripts(text))}]+", self._marks, text)
            text = _LOOSE_JAMO.sub(self._run, text)
        odd = [each for each in set(text) if not each.isprintable() or each in _BLANK_LOOKING]
        if odd:
            text = re.sub(f"[{re.escape(''.join(odd))}]+", self._run, text)
        return text

    def _without_gaps(self, text: str) -> str:
        if "\n\n" in text or "\n" in text:
            text = _EMPTY_LINES.sub(self._empty_lines, text)
        if "  " in text:
            text = _SPACES.sub(self._spaces, text)
        if "\t\t\t\t\t" in text:
            text = _TABS.sub(self._tabs, text)
        return text

    def _empty_lines(self, match: re.Match[str]) -> str:
        return f"\n{self._gap(match.group().count(chr(10)) - 1, 'empty lines')}\n"

    def _spaces(self, match: re.Match[str]) -> str:
        count = len(match.group())
        at_line_start = match.start() == 0 or match.string[match.start() - 1] == "\n"
        return match.group() if count <= (INDENT_KEPT if at_line_start else 8) else self._gap(count, "spaces")

    def _tabs(self, match: re.Match[str]) -> str:
        return self._gap(len(match.group()), "tabs")

    def _gap(self, count: int, what: str) -> str:
        self._gaps.append(f"a gap of {count} {what}")
        return f"⟨{count} {what}⟩"

    def _marks(self, match: re.Match[str]) -> str:
        run = match.group()
        before = match.string[match.start() - 1] if match.start() else ""
        kept = MAX_EXACT_MARKS if before and unicodedata.category(before)[0] in "LNS" else 0
        return run[:kept] + self._tokens(run[kept:])

    def _run(self, match: re.Match[str]) -> str:
        """A run of characters that can not be shown as they are."""
        run = match.group()
        out: list[str] = []
        odd: list[str] = []
        at = 0
        while at < len(run):
            line_end = "\r\n" if run.startswith("\r\n", at) else run[at]
            shown = self._white(line_end)
            if shown is None:
                odd.append(run[at])
                at += 1
                continue
            out.append(self._tokens("".join(odd)))
            odd.clear()
            out.append(shown)
            at += len(line_end)
        out.append(self._tokens("".join(odd)))
        return "".join(out)

    def _white(self, character: str) -> str | None:
        """How a line end or a tab is shown; None when it is a code point like any other."""
        if character in ("\n", "\r\n"):
            if self._quoted:
                return ("\\r\\n" if character == "\r\n" else "\\n") + "\n" + GUTTER
            if self._one_line:
                self._hidden["\n"] += 1
                return "⏎"
            return "⏎\n"
        return "\\t" if character == "\t" and self._quoted else None

    def _tokens(self, run: str) -> str:
        """Code points for a run; the same one many times over is counted."""
        self._hidden.update(run)
        out: list[str] = []
        at = 0
        while at < len(run):
            end = at
            while end < len(run) and run[end] == run[at]:
                end += 1
            count = end - at
            token = code_point(run[at])
            out.append(token * count if count <= 3 else f"{token[:-1]} ×{count}⟩")
            at = end
        return "".join(out)

    def _hidden_words(self) -> Iterable[str]:
        if not self._hidden:
            return
        count = self._hidden.total()
        kinds = [_named(character) for character, _ in self._hidden.most_common(_NAMED)]
        more = len(self._hidden) - len(kinds)
        listed = ", ".join(kinds) + (f" and {more} more kinds" if more > 0 else "")
        what = "1 hidden or unusual character" if count == 1 else f"{count} hidden or unusual characters"
        yield f"{what}: {listed}"


def _named(character: str) -> str:
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name.lower()}".rstrip()


def _quoted_safely(sentence: str) -> Safe:
    """A sentence of ours that quotes the text: what can not be shown in it is a code point."""
    shown: list[str] = []
    marks = 0
    for character in sentence:
        is_mark = unicodedata.category(character) in ("Mn", "Me")
        marks = marks + 1 if is_mark else 0
        plain = character.isprintable() and character not in _BLANK_LOOKING and marks <= MAX_EXACT_MARKS
        shown.append(character if plain else code_point(character))
    return Safe("".join(shown))

"""What stands in the prompt: text as shown, and the big pastes that a short label stands for.

A megabyte in a text area stalls every key for seconds, so a big paste is shown as
"[pasted 1.0 MB, 18,326 lines]" and put back when the prompt is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

BIG_TEXT = 8 * 1024
"""Characters from which a paste becomes a chip."""
LONG_LINE = 2000
"""A line longer than this makes every key slow, whatever the size of the whole."""

EDITABLE_TEXT = 100 * 1024
"""Characters up to which a chip can be put into the prompt as text: beyond that every key would be slow."""
EDITABLE_LINE = 4 * LONG_LINE

_NO_CHIPS: Mapping[str, str] = MappingProxyType({})
_CONTROL_SEQUENCE = "\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\^_])"
_LINE_END = "\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]"
_ASCII_ENDS = bytes.maketrans(b"\r\x0b\x0c\x1c\x1d\x1e", b"\n" * 6)
_ASCII_CONTROL = bytes(each for each in (*range(32), 127) if each not in b"\t\n\r\x0b\x0c\x1c\x1d\x1e")
_CONTROL = "[\x00-\x08\x0e-\x1f\x7f-\x9f]"


class Draft(NamedTuple):
    """A prompt as it stands in the composer."""

    shown: str = ""
    chips: Mapping[str, str] = _NO_CHIPS
    """What each label in `shown` stands for."""

    @classmethod
    def of(cls, text: str) -> Draft:
        """The draft for a whole text; too big a one becomes a chip."""
        text = plain(text)
        if not is_big(text):
            return cls(text)
        name = label(text, _NO_CHIPS)
        return cls(name, {name: text})

    @property
    def text(self) -> str:
        """All of it, every chip replaced by what it stands for."""
        if not self.chips:
            return self.shown
        return _pattern(self.chips).sub(lambda found: self.chips[found.group()], self.shown)

    def beside(self, taken: Mapping[str, str]) -> Draft:
        """The same with other labels for those that stand for something else in `taken`."""
        names: dict[str, str] = {}
        chips: dict[str, str] = {}
        for name, text in self.chips.items():
            other = taken.get(name, text) != text
            names[name] = label(text, {**taken, **self.chips, **chips}) if other else name
            chips[names[name]] = text
        if not chips or list(names) == list(chips):
            return self
        return Draft(_pattern(self.chips).sub(lambda found: names[found.group()], self.shown), chips)

    def used(self) -> Draft:
        """The same without the chips that were deleted from the text."""
        return Draft(self.shown, {name: text for name, text in self.chips.items() if name in self.shown})


def is_big(text: str) -> bool:
    """Whether a text must not stand in a text area as it is."""
    return len(text) > BIG_TEXT or (
        len(text) > LONG_LINE and any(len(line) > LONG_LINE for line in text.split("\n"))
    )


def is_editable(text: str) -> bool:
    """Whether a chip's text can be edited in the prompt itself."""
    return len(text) <= EDITABLE_TEXT and all(len(line) <= EDITABLE_LINE for line in text.split("\n"))


def plain(text: str) -> str:
    """Pasted text without terminal sequences and control characters; every line end is `\\n`."""
    if "\x1b" in text:
        text = re.sub(_CONTROL_SEQUENCE, "", text)
    if text.isascii():
        # A megabyte in 3 ms; the patterns take 40.
        octets = text.encode("ascii").replace(b"\r\n", b"\n")
        return octets.translate(_ASCII_ENDS, _ASCII_CONTROL).decode("ascii")
    return re.sub(_CONTROL, "", re.sub(_LINE_END, "\n", text))


def chip_at(line: str, column: int, chips: Mapping[str, str]) -> tuple[int, int] | None:
    """The chip under a column, else the one that ends last before it, else the first behind it."""
    found = spans(line, chips)
    under = [span for span in found if span[0] <= column <= span[1]]
    before = [span for span in found if span[1] < column]
    return next(iter(under or before[-1:] or found), None)


def label(text: str, taken: Mapping[str, str]) -> str:
    """The label of a chip, unlike every one in `taken`."""
    lines = text.count("\n") + (not text.endswith("\n"))
    size = _size(len(text.encode("utf-8", "surrogatepass")))
    words = f"pasted {size}, {lines:,} line{'' if lines == 1 else 's'}"
    name = f"[{words}]"
    number = 1
    while name in taken:
        number += 1
        name = f"[{words} #{number}]"
    return name


def spans(line: str, chips: Mapping[str, str]) -> list[tuple[int, int]]:
    """Where labels stand in a line: (first column, column behind the last)."""
    if not chips or "[pasted " not in line:
        return []
    return [found.span() for found in _pattern(chips).finditer(line)]


def _pattern(chips: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name) for name in chips))


def _size(octets: int) -> str:
    if octets < 1024:
        return f"{octets} B"
    if octets < 1024 * 1024:
        return f"{octets / 1024:.1f} KB"
    return f"{octets / (1024 * 1024):.1f} MB"

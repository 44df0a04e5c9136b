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

_NO_CHIPS: Mapping[str, str] = MappingProxyType({})
_CONTROL_SEQUENCE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\^_])")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")


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


def plain(text: str) -> str:
    """Pasted text without terminal sequences and control characters; every line end is `\\n`."""
    if "\x1b" in text:
        text = _CONTROL_SEQUENCE.sub("", text)
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


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

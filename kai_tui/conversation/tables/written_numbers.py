"""How a column writes its numbers, and what they are.

A number may be grouped (`1,234.5`, `1 234,5`) and have a unit, which is the same in the whole column (`$`, `%`, `ms`).
Text stays what only looks like a number: `00123`, ids of more than 15 digits (no float holds them), `+420777123456`.
Where a column reads both ways, the point is before the fraction: `1.234` is less than two, `1,234` more than a thousand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from kai_tui.conversation.tables.blank import BLANK, BLANK_PATTERN

Style: TypeAlias = Literal["plain", "point", "comma"]
Number: TypeAlias = float | Decimal

_SPACES: Final = " \u00a0\u202f\u2009'’_"
_GAP: Final = "[ \u00a0\u202f]?"
_CODES: Final = "USD|EUR|GBP|CZK|CHF|PLN|JPY|CAD|AUD|HUF|SEK|NOK|DKK"
_BEFORE: Final = rf"US\$|[$€£¥₹₿]|(?:{_CODES})(?=[ \u00a0])"
_AFTER: Final = (
    rf"[%‰€$£¥₹°×]|°[CF]|Kč|zł|kr|[KkMGT]?i?B|[kMG]bit|[µmn]?s|min|h|d|[km]?g|t|[kcm]?m|px|pt|[kKMx]|{_CODES}"
)
_PLAIN_INTEGER: Final = re.compile(rf"-?(?:0|[1-9]\d{{0,14}})|{BLANK_PATTERN}", re.ASCII)
_PLAIN_NUMBER: Final = re.compile(
    rf"-?(?:(?:0|[1-9]\d{{0,14}})(?:\.\d{{1,30}})?(?:[eE][-+]?\d{{1,2}})?|\.\d{{1,30}})|{BLANK_PATTERN}",
    re.ASCII,
)
_EXACT: Final = 16
"""Written longer than this a number may have more digits than a float."""


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How the numbers of a column are written."""

    style: Style = "plain"
    """`plain` as JSON and SQL write them; else what stands before a fraction while thousands may be grouped."""
    before: str = ""
    after: str = ""

    @property
    def unit(self) -> str:
        """What they are numbers of, "" when nothing says so."""
        return " ".join(part for part in (self.before, self.after) if part)

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether every filled cell is such a number."""
        return all(map(_PLAIN_NUMBER.fullmatch if self.style == "plain" else _pattern(self).fullmatch, cells))

    def fits_integers(self, cells: Sequence[str]) -> bool:
        """Whether every filled cell is such a number, and whole."""
        if self.style == "plain":
            return all(map(_PLAIN_INTEGER.fullmatch, cells))
        point = "," if self.style == "comma" else "."
        return self.fits(cells) and not any(point in cell for cell in cells)

    def values(self, cells: Sequence[str]) -> list[Number | None]:
        """The cells as numbers that compare as what is written; None where nothing is."""
        if self.style == "plain":
            make: Callable[[str], Number] = Decimal if any(len(cell) > _EXACT for cell in cells) else float
            return [None if cell in BLANK else make(cell) for cell in cells]
        texts = [None if cell in BLANK else self.bare(cell) for cell in cells]
        make = Decimal if any(len(text) > _EXACT for text in texts if text is not None) else float
        return [None if text is None else make(text) for text in texts]

    def bare(self, cell: str) -> str:
        """A filled cell as a plain number."""
        found = _pattern(self).fullmatch(cell)
        assert found is not None
        text = found["number"].translate(_UNGROUPED[self.style])
        return f"-{text}" if (found["s1"] or found["s2"]) in ("-", "−") else text


_UNGROUPED: Final = {
    "point": {ord(sign): None for sign in _SPACES + ","},
    "comma": {ord(","): ".", **{ord(sign): None for sign in _SPACES + "."}},
}


@lru_cache(maxsize=64)
def _pattern(form: NumberForm) -> re.Pattern[str]:
    return re.compile(
        f"{_number(form.style, re.escape(form.before), re.escape(form.after))}|{BLANK_PATTERN}", re.ASCII
    )


def _number(style: Style, before: str, after: str) -> str:
    groups, point = (f"[,{_SPACES}]", r"\.") if style == "point" else (f"[.{_SPACES}]", ",")
    whole = rf"[1-9]\d{{0,2}}(?P<g>{groups})\d{{3}}(?:(?P=g)\d{{3}}){{0,3}}|0|[1-9]\d{{0,14}}"
    sign = r"(?P<{}>[-−]|\+(?!\d{{7}}))?"
    start = f"(?P<before>{before}){_GAP}{sign.format('s2')}" if before else "(?P<before>)(?P<s2>)"
    end = f"{_GAP}(?P<after>{after})" if after else "(?P<after>)"
    return f"{sign.format('s1')}{start}(?P<number>(?:{whole})(?:{point}\\d{{1,30}})?){end}"


_ANY: Final[dict[Style, re.Pattern[str]]] = {
    style: re.compile(_number(style, f"(?:{_BEFORE})?", f"(?:{_AFTER})?"), re.ASCII)
    for style in ("point", "comma")
}


def forms(sample: Sequence[str]) -> Iterator[NumberForm]:
    """How these filled cells may write numbers, the plainest first."""
    if not sample:
        return
    form = NumberForm()
    if form.fits(sample):
        yield form
    for style, pattern in _ANY.items():
        first = pattern.fullmatch(sample[0])
        if first is not None:
            form = NumberForm(style, first["before"], first["after"])
            if form.fits(sample):
                yield form


def number_form(cells: Sequence[str]) -> NumberForm | None:
    """How these cells write their numbers; None when one of them is none, or nothing is filled."""
    sample = [cell for cell in cells[:2_000] if cell not in BLANK] or [
        cell for cell in cells if cell not in BLANK
    ]
    return next((form for form in forms(sample[:50]) if form.fits(cells)), None)

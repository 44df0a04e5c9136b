"""What the terminal shows, and the least that has to be written to make it show something else.

Textual writes every line of a changed region whole, each stretch with all its colours and a reset. Over
ssh those bytes are what makes a streamed answer slow, so here a line is compared with the one that
stands there, and colours are written only where they change.

Words are written whole, and a line with characters whose width terminals disagree about is, too: behind each of
them the cursor is put where it belongs, so that one that is wider or narrower than thought moves nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from kai_tui.ui.terminal.narrow import is_narrow

Chop = tuple[int, int, Strip]
"""Row, column and what stands there."""


_SPILL = 8
"""Characters before an edge: what is drawn wider than thought there reaches over it, and what it hides is written again."""
SLIM = 2
"""Cells of a scrollbar."""

_DOUBTFUL = re.compile(
    "(?:[^\u0020-\u02ff\u0370-\u052f\u2010-\u2027\u2030-\u203b\u2190-\u22ff\u2500-\u25fc"
    "\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff00-\uff60])+"
)
"""Emoji, their joiners, combining marks, scripts whose letters join: not every terminal gives them as many cells as we do."""


class _Shown(NamedTuple):
    """A strip as text and colours."""

    strip: Strip
    text: str
    runs: tuple[tuple[int, str], ...]
    """Where each stretch ends, in characters, and its colours (an SGR parameter string)."""
    narrow: bool
    """Whether every character is one cell wide in all terminals."""


class Front:
    """The terminal's lines as last written. One for the whole program."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, _Shown]] = {}

    def forget(self) -> None:
        """Nobody knows what the terminal shows: it was cleared, or somebody else wrote."""
        self._rows.clear()

    def whole(self, rows: Iterable[tuple[int, int, Iterable[Strip]]], colours: ColorSystem) -> str:
        """The sequence that draws these rows (y, x, strips side by side), whatever stood there."""
        out = _Writer(colours)
        for y, x, strips in rows:
            shown: dict[int, _Shown] = {}
            out.move(x, y)
            for strip in strips:
                shown[x] = here = _flat(strip, colours)
                out.write(here, 0, len(here.text), x, y)
                x += strip.cell_length
                if not here.narrow:
                    out.move(x, y)
            self._rows[y] = shown
        return out.done()

    def changes(self, chops: Iterable[Chop], colours: ColorSystem) -> str:
        """The sequence that makes the terminal show these strips; empty when it does already."""
        out = _Writer(colours)
        spilled: dict[int, int] = {}
        for y, x, strip in chops:
            row = self._rows.setdefault(y, {})
            before = row.get(x)
            if before is not None and before.strip is strip:
                continue
            here = _flat(strip, colours)
            if before is None or before.strip.cell_length != strip.cell_length:
                # The columns are cut differently now: what was known of them no longer holds.
                _forget_under(row, x, x + strip.cell_length)
                start, end = 0, len(here.text)
            elif before.text == here.text and before.runs == here.runs:
                # Somebody asked for it: what the terminal lost comes back that way. Scrollbars always ask for all.
                start, end = 0, len(here.text) if strip.cell_length > SLIM else 0
            elif before.narrow and here.narrow:
                start, end = _difference(before, here)
            else:
                start, end = 0, len(here.text)
            row[x] = here
            if end > start:
                out.move(x + start, y)
                out.write(here, start, end, x, y)
                if not here.narrow and _DOUBTFUL.search(here.text, len(here.text) - _SPILL) is not None:
                    spilled[y] = min(x, spilled.get(y, x))
        for y, left in spilled.items():
            for x, shown in sorted(self._rows[y].items()):
                if x > left:
                    out.move(x, y)
                    out.write(shown, 0, len(shown.text), x, y)
        return out.done()


def _forget_under(row: dict[int, _Shown], left: int, right: int) -> None:
    """Forget what stood between these columns; what is beside them stands there still."""
    for x in [x for x, shown in row.items() if x < right and x + shown.strip.cell_length > left]:
        del row[x]


def _flat(strip: Strip, colours: ColorSystem) -> _Shown:
    texts: list[str] = []
    runs: list[tuple[int, str]] = []
    length = 0
    last: str | None = None
    for text, style, _ in strip:
        if not text:
            continue
        code = _code(style, colours) if style is not None else ""
        length += len(text)
        texts.append(text)
        if code == last:
            runs[-1] = (length, code)
        else:
            runs.append((length, code))
            last = code
    joined = "".join(texts)
    return _Shown(strip, joined, tuple(runs), is_narrow(joined))


def _code(style: Style, colours: ColorSystem) -> str:
    return style._ansi or Strip.render_ansi(style, colours)  # pyright: ignore[reportPrivateUsage] - where Textual keeps it


def _difference(before: _Shown, here: _Shown) -> tuple[int, int]:
    """Where the two begin and cease to differ; both are as long, and words stay whole."""
    text = here.text
    start = min(_equal(before.text, text), _equal_runs(before.runs, here.runs))
    if start and text[start - 1] != " ":
        start = text.rfind(" ", 0, start) + 1
    size = len(text)
    back = _equal(before.text[::-1], text[::-1])
    end = size - min(back, _equal_runs(_reversed(before.runs), _reversed(here.runs)))
    if end < size and text[end] != " ":
        end = text.find(" ", end)
        if end < 0:
            end = size
    return start, max(start, end)


def _equal(one: str, other: str) -> int:
    """How many characters at the start are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _equal_runs(one: tuple[tuple[int, str], ...], other: tuple[tuple[int, str], ...]) -> int:
    """How many characters at the start have the same colours."""
    reached = 0
    for (end, code), (other_end, other_code) in zip(one, other, strict=False):
        if code != other_code:
            return reached
        reached = min(end, other_end)
        if end != other_end:
            return reached
    return reached


def _reversed(runs: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
    size = runs[-1][0] if runs else 0
    starts = [0, *(end for end, _ in runs[:-1])]
    return tuple(
        (size - start, code) for start, (_, code) in zip(reversed(starts), reversed(runs), strict=True)
    )


class _Writer:
    """Collects a sequence and remembers which colours are set."""

    def __init__(self, colours: ColorSystem) -> None:
        self._parts: list[str] = []
        self._set = ""
        self._colours = colours

    def move(self, x: int, y: int) -> None:
        self._parts.append(f"\x1b[{y + 1};{x + 1}H")

    def write(self, shown: _Shown, start: int, end: int, x: int, y: int) -> None:
        """Write these characters of what begins at column `x`; the cursor is where the first one goes."""
        parts, text = self._parts, shown.text
        at = 0
        for stop, code in shown.runs:
            if stop > start:
                if at >= end:
                    break
                if code != self._set:
                    parts.append(_change(self._set, code))
                    self._set = code
                piece = text[max(at, start) : min(stop, end)]
                if shown.narrow:
                    parts.append(piece)
                else:
                    x = self._placed(piece, x, y)
            at = stop

    def _placed(self, text: str, x: int, y: int) -> int:
        """Write at column `x` what terminals give other widths; what follows stands where it belongs in all of them."""
        parts, at = self._parts, 0
        for doubtful in _DOUBTFUL.finditer(text):
            end = doubtful.end()
            x += cell_len(text[at:end])
            parts.append(text[at:end])
            self.move(x, y)
            at = end
        parts.append(text[at:])
        return x + cell_len(text[at:])

    def done(self) -> str:
        if self._set:
            self._parts.append("\x1b[0m")
        return "".join(self._parts)


@lru_cache(maxsize=8192)
def _change(before: str, after: str) -> str:
    """The shortest sequence from one set of colours to another."""
    if not after:
        return "\x1b[0m"
    attributes, ink, ground = _split(after)
    old_attributes, old_ink, old_ground = _split(before)
    if old_attributes - attributes:
        return f"\x1b[0;{after}m"
    codes = sorted(attributes - old_attributes)
    if ink != old_ink:
        codes.append(ink or "39")
    if ground != old_ground:
        codes.append(ground or "49")
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _split(code: str) -> tuple[frozenset[str], str, str]:
    """Attributes, ink and ground of an SGR parameter string."""
    attributes: set[str] = set()
    ink = ground = ""
    numbers = _numbers(code)
    for number in numbers:
        if number in ("38", "48"):
            kind = next(numbers, "")
            rest = [next(numbers, "0") for _ in range(3 if kind == "2" else 1)]
            colour = ";".join((number, kind, *rest))
        elif len(number) >= 2 and number[:-1] in ("3", "4", "9", "10"):
            colour = "" if number in ("39", "49") else number
        else:
            attributes.add(number)
            continue
        if number[0] in "39":
            ink = colour
        else:
            ground = colour
    return frozenset(attributes), ink, ground


def _numbers(code: str) -> Iterator[str]:
    return iter(code.split(";") if code else ())

"""What the reading cursor stands on: a card, or one block of an answer (paragraph, list, code, table).

A stop is found from what is there now; nothing is kept beside the items. A block that the splitter cut
into several items is one stop. `key` says which stop it is, however its text grows and whoever shows it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple

from kai_tui.ui.transcript.items import Block, Item, Unit
from kai_tui.ui.transcript.pieces import Kind, Piece

_LEADS = ("heading", "label")


class Key(NamedTuple):
    """Which stop, when its message is drawn anew or read anew from the server."""

    message_id: str
    number: int
    """Of its unit."""
    start: int


class At(NamedTuple):
    """A piece: number of the item in its unit, number of the piece in the item."""

    item: int
    piece: int


@dataclass(frozen=True, slots=True)
class Stop:
    """What the cursor stands on."""

    unit: Unit
    kind: Kind
    first: At
    last: At
    top: int
    """Its first row in the first item, and the row after its last in the last item, counted without
    the empty row before the item."""
    bottom: int
    start: int
    language: str = ""
    """Of code: what its fence or its argument says. Raw."""

    @property
    def block(self) -> Block:
        """The message it is in."""
        return self.unit.block

    @property
    def items(self) -> Sequence[Item]:
        """The items it is in; only a part of the first and the last may be its."""
        return self.unit.items[self.first.item : self.last.item + 1]

    @property
    def whole(self) -> bool:
        """Whether it is the whole unit."""
        return self.unit.pieces(0) is None

    @property
    def is_prose(self) -> bool:
        """Whether it is a block of an answer's text, not of what a card shows."""
        from kai_tui.conversation.messages import TextPart

        return isinstance(self.unit.shows, TextPart)

    @property
    def key(self) -> Key:
        """Which stop it is, also when everything was drawn anew."""
        message = self.unit.block.message
        return Key(message.id if message is not None else "", self.unit.number, self.start)

    def same(self, other: Stop | None) -> bool:
        """Whether both are one place; one may have grown since."""
        return other is not None and other.unit is self.unit and other.start == self.start

    def covers(self, item: Item, row: int) -> bool:
        """Whether a row of an item is its; the empty row before an item is row -1."""
        if item.unit is not self.unit:
            return False
        items = self.unit.items
        if self.last.item >= len(items):
            return False
        first, last = items[self.first.item], items[self.last.item]
        if not first.base <= item.base <= last.base:
            return False
        return (item is not first or row >= self.top) and (item is not last or row < self.bottom)

    def beginning(self, least: int) -> str:
        """The first pieces of its source, at least so many characters of it where there are so many."""
        from kai_tui.ui.transcript.outline import source_of

        text = ""
        for piece in _between(self.unit, self.first, self.last):
            text += source_of(piece)
            if len(text) >= least:
                break
        return text

    def source(self) -> str:
        """Its source: prose as it was written, code without its fence. Raw."""
        if self.kind == "card" or self.whole:
            return self.unit.source()
        if self.kind == "table" and (table := self.unit.table()) is not None:
            from kai_tui.conversation.tables.formats import as_tsv

            # All of it, however many rows its card shows.
            return as_tsv(table).removesuffix("\n")
        from kai_tui.ui.transcript.outline import source_of

        pieces = _between(self.unit, self.first, self.last)
        text = "".join(source_of(piece) for piece in pieces if piece.kind != "label" or self.kind == "label")
        return text.removesuffix("\n") if self.kind in ("code", "text") else text.strip("\n")


def _pieces(unit: Unit, index: int) -> Sequence[Piece]:
    found = unit.pieces(index)
    if found is None:
        return (Piece(unit.kind, goes_on=index > 0),)
    item = unit.items[index]
    if item.instead is None:
        return found
    from kai_tui.ui.transcript.laid_out import shifted

    return shifted(item, found, item.instead)


def _between(unit: Unit, first: At, last: At) -> Iterator[Piece]:
    for index in range(first.item, min(last.item + 1, len(unit.items))):
        for number, piece in enumerate(_pieces(unit, index)):
            if first <= At(index, number) <= last:
                yield piece


def _after(unit: Unit, at: At) -> tuple[At, Piece] | None:
    """The piece after another, in whichever item of the unit."""
    index, number = at.item, at.piece + 1
    while index < len(unit.items):
        pieces = _pieces(unit, index)
        if number < len(pieces):
            return At(index, number), pieces[number]
        index, number = index + 1, 0
    return None


def _before(unit: Unit, at: At) -> tuple[At, Piece] | None:
    """The piece before another."""
    index, number = at.item, at.piece
    while number == 0:
        index -= 1
        if index < 0:
            return None
        number = len(_pieces(unit, index))
    return At(index, number - 1), _pieces(unit, index)[number - 1]


def _run(unit: Unit, at: At, piece: Piece) -> Stop:
    """The stop that begins with a piece."""
    return _on(Stop(unit, piece.kind, at, at, piece.top, piece.bottom, piece.start, piece.language))


def _on(stop: Stop) -> Stop:
    """A stop with all that goes on from its last piece."""
    unit, kind, language = stop.unit, stop.kind, stop.language
    last, bottom = stop.last, stop.bottom
    while (following := _after(unit, last)) is not None and following[1].goes_on:
        last, piece = following
        bottom = piece.bottom
        if kind in _LEADS:
            # What a heading or a label is about says what it is.
            kind, language = piece.kind, piece.language
    if last == stop.last and bottom == stop.bottom:
        return stop
    return Stop(unit, kind, stop.first, last, stop.top, bottom, stop.start, language)


def _around(unit: Unit, at: At, piece: Piece) -> Stop:
    """The stop a piece is in."""
    while piece.goes_on and (before := _before(unit, at)) is not None:
        at, piece = before
    return _run(unit, at, piece)


def first_of(unit: Unit) -> Stop | None:
    """The first stop of a unit."""
    return _next(unit, At(0, -1))


def last_of(unit: Unit) -> Stop | None:
    """The last stop of a unit."""
    return _previous(unit, At(len(unit.items), 0))


def after(stop: Stop) -> Stop | None:
    """The next stop in the same unit."""
    return _next(stop.unit, stop.last)


def before(stop: Stop) -> Stop | None:
    """The stop before it in the same unit."""
    return _previous(stop.unit, stop.first)


def _next(unit: Unit, at: At) -> Stop | None:
    following = _after(unit, at)
    while following is not None and following[1].kind == "rule":
        following = _after(unit, following[0])
    return _run(unit, *following) if following is not None else None


def _previous(unit: Unit, at: At) -> Stop | None:
    found = _before(unit, at)
    while found is not None and found[1].kind == "rule":
        found = _before(unit, found[0])
    return _around(unit, *found) if found is not None else None


def at_row(item: Item, row: int) -> Stop | None:
    """The stop a row of an item belongs to (the empty row before an item is row -1); None between two."""
    unit = item.unit
    index = bisect_left(unit.items, item.base, key=attrgetter("base"))
    if index >= len(unit.items) or unit.items[index] is not item:
        return None
    for number, piece in enumerate(_pieces(unit, index)):
        if piece.top <= row < piece.bottom and piece.kind != "rule":
            return _around(unit, At(index, number), piece)
    return None


def again(stop: Stop) -> Stop | None:
    """A stop as it is now, after its message grew or was drawn anew; None when its unit is gone."""
    unit = stop.unit
    block = unit.block
    if not unit.items or unit not in block.units:
        return None
    if stop.last.item < len(unit.items):
        first, last = _pieces(unit, stop.first.item), _pieces(unit, stop.last.item)
        if stop.first.piece < len(first) and stop.last.piece < len(last):
            piece, end = first[stop.first.piece], last[stop.last.piece]
            if piece.start == stop.start and not piece.goes_on:
                kind = piece.kind if stop.first == stop.last else stop.kind
                return _on(replace(stop, kind=kind, top=piece.top, bottom=end.bottom))
    return find(unit, stop.start)


def find(unit: Unit, start: int) -> Stop | None:
    """The stop at a place of a unit's text, else the one before it."""
    index = min(unit.item_at(start), len(unit.items) - 1)
    best: tuple[At, Piece] | None = None
    for each in range(max(0, index), len(unit.items)):
        pieces = _pieces(unit, each)
        if pieces and pieces[0].start > start:
            break
        for number, piece in enumerate(pieces):
            if piece.start <= start and piece.kind != "rule":
                best = At(each, number), piece
    return _around(unit, *best) if best is not None else first_of(unit)

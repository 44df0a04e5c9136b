"""Blocks of code that are drawn laid out anew, in the place of what the model wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.conversation.safe_text import safe_code, safe_line
from kai_tui.ui.transcript.rows import Block, Lead, Row, row_count

if TYPE_CHECKING:
    from kai_tui.ui.transcript.items import Item
    from kai_tui.ui.transcript.pieces import Piece
    from kai_tui.ui.transcript.stops import Stop

LINES = 60
"""Lines of an item of code, where there are items enough."""
_MARK = "laid out here"


class Laid(NamedTuple):
    """What is drawn for a piece of an item instead of its own rows."""

    rows: list[Row]
    text: str
    """The whole text, at the first piece of the block; raw."""


def put(stop: Stop, text: str | None) -> None:
    """Draw `text` for a block of code, or (None) again what it is. Its items are forgotten."""
    for item in stop.items:
        item.forget()
    if text is None:
        for item, number in _places(stop):
            if item.instead is not None:
                item.instead.pop(number, None)
                item.instead = item.instead or None
        return
    pieces = _cut(safe_code(text), len(stop.items))
    for place, (item, number) in enumerate(_places(stop)):
        first, lead = _leads(item, number)
        rows = _rows(pieces[place], lead) if place < len(pieces) else []
        if not place:
            label = safe_line(stop.language, 40)
            label = f"{label} · {_MARK}" if label else _MARK
            rows.insert(0, Row("", lead=(*first, Lead(label, "code-label")), base="code-block", copied=""))
        item.instead = {**(item.instead or {}), number: Laid(rows, text if not place else "")}


def text_of(stop: Stop) -> str | None:
    """What a block of code is drawn as; None when that is its own text."""
    item, number = next(_places(stop))
    laid = item.instead.get(number) if item.instead is not None else None
    return laid.text if laid is not None else None


def _places(stop: Stop) -> Iterator[tuple[Item, int]]:
    """The items of a block of code and its piece in each."""
    for index, item in enumerate(stop.items):
        yield item, stop.first.piece if not index else 0


def _cut(code: str, count: int) -> list[str]:
    """Pieces for at most `count` items."""
    lines = code.split("\n")
    size = max(LINES, -(-len(lines) // count))
    return ["\n".join(lines[start : start + size]) for start in range(0, len(lines), size)]


def _rows(code: str, lead: tuple[Lead, ...]) -> list[Row]:
    from kai_tui.ui.transcript.code import code_rows

    rows = code_rows(code, "sql")
    for row in rows:
        row.lead = row.rest = lead
    return rows


def _leads(item: Item, number: int) -> tuple[tuple[Lead, ...], tuple[Lead, ...]]:
    """What stands before the first and the further lines of a block of code."""
    pieces = own_pieces(item)
    piece = pieces[number] if pieces is not None else None
    rows: list[Row] = []
    at = 0
    for block in item.unit.blocks(item):
        if isinstance(block, Row) and (piece is None or piece.top <= at < piece.bottom):
            rows.append(block)
        at += row_count([block])
    rest = rows[-1].rest if rows else ()
    return rows[0].lead[: len(rest)] if rows else (), rest


def own_pieces(item: Item) -> Sequence[Piece] | None:
    """The pieces of an item as its own text gives them."""
    return item.unit.pieces(item.unit.items.index(item))


def drawn(item: Item, instead: dict[int, Laid]) -> list[Block]:
    """An item's rows with what is drawn instead of some."""
    pieces = own_pieces(item) or ()
    places = {number: pieces[number] for number in instead if number < len(pieces)}
    rows: list[Block] = []
    at = 0
    done: set[int] = set()
    for block in item.unit.blocks(item):
        number = next((each for each, piece in places.items() if piece.top <= at < piece.bottom), None)
        if number is None:
            rows.append(block)
        elif number not in done:
            done.add(number)
            rows.extend(instead[number].rows)
        at += row_count([block])
    return rows


def shifted(item: Item, pieces: Sequence[Piece], instead: dict[int, Laid]) -> list[Piece]:
    """The pieces of an item where they are drawn."""
    found: list[Piece] = []
    shift = 0
    count = row_count(list(item.unit.blocks(item)))
    for number, piece in enumerate(pieces):
        top, bottom = piece.top + shift, piece.bottom + shift
        laid = instead.get(number)
        if laid is not None:
            own = min(piece.bottom, count) - piece.top
            shift += len(laid.rows) - own
            bottom = top + len(laid.rows)
            piece = piece._replace(text=laid.text, chunk=None)
        found.append(piece._replace(top=top, bottom=bottom))
    return found

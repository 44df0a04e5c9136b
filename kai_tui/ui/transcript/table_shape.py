"""How wide the columns of a table are drawn, and which of them. Decided from its first rows, so that it stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from kai_tui.ui.transcript.rows import Align, Shape, Table
from kai_tui.ui.transcript.wrap import cells

SEPARATOR: Final = " │ "
MORE: Final = " …"
"""Behind the last name when there are more columns."""
_LEAST: Final = 5
"""Narrowest column that is of use when a grid has to be squeezed."""
_TEXT: Final = 16
"""Cells of a text that are always shown when texts are cut; more where there is room."""
_WORD: Final = 24
"""A word longer than this (an address) may be broken."""
_FIRM: Final = 32
"""A number or a date longer than this may be cut."""
_NARROW: Final = 50
"""Cells below which a small table of prose becomes records: names and values below each other."""
_RECORD_COLUMNS: Final = 8

Form: TypeAlias = Literal["whole", "cut", "records"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a table is drawn at one width."""

    form: Form
    """`whole`: every cell in full, wrapped where needed; `cut`: a line a row, cells end with an ellipsis."""
    widths: Sequence[int] = ()
    """Of the columns that are drawn; those behind them are not."""


def shape_of(table: Table) -> Shape:
    """Measure a table by the rows it has."""
    body = table.rows[1:] if table.header else table.rows
    columns = [[row[index].text for row in body] for index in range(len(table.aligns))]
    heads = [cell.text for cell in table.rows[0]] if table.header else list(table.names)
    return column_shape(heads, columns, table.aligns)


def column_shape(
    names: Sequence[str], columns: Sequence[Sequence[str]], aligns: Sequence[Align] | None = None
) -> Shape:
    """The shape of these columns; numbers stand at the right unless `aligns` says otherwise."""
    from kai_tui.conversation.tables.kinds import is_number, kind_of

    shape = Shape([], [], [], [])
    for index, texts in enumerate(columns):
        kind = kind_of(texts)
        said: Align = aligns[index] if aligns is not None else "left"
        all_texts = [*texts, names[index]] if index < len(names) else texts
        shape.widths.append(max(map(cells, all_texts), default=0))
        shape.words.append(max(map(_longest_word, all_texts), default=0))
        shape.aligns.append("right" if said == "left" and is_number(kind) else said)
        shape.firm.append(kind not in ("text", "empty"))
    return shape


def _longest_word(text: str) -> int:
    if not text.isascii() and cells(text) > len(text):
        return _LEAST  # wide characters may be parted anywhere
    return min(_WORD, max(map(len, text.split()), default=0))


def planned(shape: Shape, room: int, *, data: bool) -> Plan:
    """What fits into `room` cells."""
    count = len(shape.widths)
    wanted = [max(1, width) for width in shape.widths]
    if sum(wanted) + len(SEPARATOR) * (count - 1) <= room:
        return Plan("whole", wanted)
    if not data:
        widths = shared(wanted, shape.words, room)
        if widths is not None:
            return Plan("whole", widths)
        if room < _NARROW and count <= _RECORD_COLUMNS:
            return Plan("records")
    least = [min(width, _FIRM if firm else _TEXT) for width, firm in zip(wanted, shape.firm, strict=True)]
    for shown in range(count, 1, -1):
        widths = shared(wanted[:shown], least[:shown], room if shown == count else room - len(MORE))
        if widths is not None:
            return Plan("cut", widths)
    return Plan("cut", [max(1, min(wanted[0], room - len(MORE)))] if wanted else [])


def fitted(natural: Sequence[int], room: int) -> list[int] | None:
    """Widths that fill at most `room` together; None when the columns would be too narrow to be of use."""
    return shared([max(1, width) for width in natural], [_LEAST] * len(natural), room)


def shared(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int] | None:
    """Widths of at least `least` that fill `room` together: the narrow columns get what they want first."""
    room -= len(SEPARATOR) * (len(wanted) - 1)
    floors = [max(1, min(want, low)) for want, low in zip(wanted, least, strict=True)]
    if sum(floors) > room:
        return None

    def at(level: int) -> list[int]:
        return [min(want, max(low, level)) for want, low in zip(wanted, floors, strict=True)]

    low, high = 0, max(wanted, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(at(middle)) <= room:
            low = middle
        else:
            high = middle - 1
    widths = at(low)
    left = room - sum(widths)
    for index in sorted(range(len(wanted)), key=wanted.__getitem__):
        # The one that needs least may be content with a single cell more.
        want = wanted[index]
        if left > 0 and widths[index] == max(floors[index], low) and widths[index] < want:
            widths[index] += 1
            left -= 1
    return widths

"""Chunks of prose as pieces the reading cursor can stand on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from kai_tui.ui.transcript.markdown import code_lines, reader_of
from kai_tui.ui.transcript.pieces import REST, Kind, Piece, Top, belongs
from kai_tui.ui.transcript.rows import row_count

if TYPE_CHECKING:
    from kai_tui.ui.transcript.markdown import References
    from kai_tui.ui.transcript.splitter import Chunk

_ENDS = "\n\r\x0b\x0c\x85\u2028\u2029"
_LINE = re.compile(r"[^\n\r\x0b\x0c\x85\u2028\u2029]*(?:\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]|$)")
_KINDS: dict[str, Kind] = {
    "paragraph_open": "paragraph",
    "heading_open": "heading",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
    "fence": "code",
    "code_block": "code",
    "hr": "rule",
    "table_open": "table",
}


def pieces_of(chunk: Chunk, start: int, references: References | None = None) -> list[Piece]:
    """The pieces of a chunk that starts at character `start` of its text."""
    if chunk.kind == "code":
        return [Piece("code", 0, REST, start, not chunk.opens, "", chunk, chunk.info)]
    if chunk.kind == "table":
        return [Piece("table", 0, REST, start, not chunk.opens, "", chunk)]
    return _prose(chunk, start, *_tops_of(chunk, references))


def _tops_of(chunk: Chunk, references: References | None) -> tuple[list[Top], int]:
    """The blocks of a prose chunk, and how many lines its safe source has."""
    reader = reader_of(chunk, references)
    rows = [0, *accumulate(row_count([block]) for block in reader.read())]
    tops = reader.tops
    found: list[Top] = []
    for index, top in enumerate(tops):
        end = tops[index + 1].row if index + 1 < len(tops) else len(rows) - 1
        first = top.row + (top.row in reader.gaps)
        if first < end:
            found.append(top._replace(row=rows[first], end=rows[end]))
    return found, reader.line_count


def _prose(chunk: Chunk, start: int, tops: Sequence[Top], count: int) -> list[Piece]:
    lines = [found for found in _LINE.findall(chunk.source) if found]
    if count != len(lines) + (not chunk.source or chunk.source[-1] in _ENDS):
        # What is shown has other lines than the text (huge gaps are counted): then it is one piece.
        return [Piece("paragraph", 0, REST, start, False, chunk.source)] if tops else []
    places = [0]
    for line in lines:
        places.append(places[-1] + len(line))
    pieces: list[Piece] = []
    for index, top in enumerate(tops):
        first = places[min(top.line, len(lines))] if index else 0
        last = places[min(tops[index + 1].line, len(lines))] if index + 1 < len(tops) else len(chunk.source)
        text = top.code if top.code is not None else chunk.source[first:last]
        kind = _KINDS.get(top.type, "paragraph")
        piece = Piece(kind, top.row, top.end, start + first, False, text, None, top.info, top.type)
        if pieces and belongs(pieces[-1], piece):
            piece = piece._replace(goes_on=True)
        pieces.append(piece)
    return pieces


def source_of(piece: Piece) -> str:
    """The source of a piece. Raw."""
    chunk = piece.chunk
    if chunk is None:
        return piece.text
    return "".join(f"{line}\n" for line in code_lines(chunk)) if chunk.kind == "code" else chunk.source

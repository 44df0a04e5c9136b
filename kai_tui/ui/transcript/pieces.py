"""What an item is made of, as the reading cursor sees it: paragraphs, lists, code, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from kai_tui.ui.transcript.splitter import Chunk

Kind: TypeAlias = Literal[
    "question", "paragraph", "heading", "list", "quote", "rule", "code", "table", "card", "thought", "choice",
    "label", "text", "links", "more", "note", "raw",
]  # fmt: skip
"""What the cursor can stand on. A `rule` is passed over; `more` opens the rest of its card; a `label` and a `heading` go with what follows them."""

REST = 10**9
"""After every row an item can have."""


class Piece(NamedTuple):
    """A stretch of an item's rows. Several pieces, also of several items, may be one stop."""

    kind: Kind
    top: int = 0
    """Its first row, the empty row before the item not counted."""
    bottom: int = REST
    """The row after its last."""
    start: int = 0
    """Where it starts in its unit's text; the same however much comes after it."""
    goes_on: bool = False
    """Whether it belongs to the piece before it."""
    text: str = ""
    """Its source, with what follows up to the next piece. Raw."""
    chunk: Chunk | None = None
    """What its source is in, when that is not its text."""
    language: str = ""
    """Of code: what its fence or its argument says. Raw."""
    shape: str = ""
    """Tells apart what is of one kind and still does not go together, e.g. bullets and numbers."""


def belongs(before: Piece, piece: Piece, *, cut: bool = False, gap: bool = True) -> bool:
    """Whether the cursor takes two pieces in a row as one.

    `cut`: the second is the first of its item, so it may go on where the item before was cut; `gap`: an empty
    row is between them.
    """
    if before.kind == "heading":
        return piece.kind in ("paragraph", "list", "quote")
    if before.kind == "label":
        return piece.kind in ("label", "code", "table", "text", "links")
    if not cut or before.kind != piece.kind or before.shape != piece.shape:
        return False
    return piece.kind == "list" or (piece.kind in ("paragraph", "quote") and not gap)


class Top(NamedTuple):
    """A block of a prose chunk that stands by itself: at the top, or code inside a list."""

    type: str
    """markdown-it's name of its first token."""
    line: int
    """Its first line in the (safe) source."""
    row: int
    """Its first row, and the row after its last."""
    end: int
    code: str | None = None
    """Of code: what is in it."""
    info: str = ""

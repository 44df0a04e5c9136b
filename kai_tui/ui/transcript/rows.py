"""What a renderer says: logical rows, not yet wrapped to a width.

A row is also the unit of selection: an offset in the transcript is (row, character of its text),
so it stays true while a reply streams and when the window is resized.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias


class Span(NamedTuple):
    """A style for `text[start:end]`, by its name in `styles.py`."""

    start: int
    end: int
    style: str


class Link(NamedTuple):
    """`text[start:end]` leads to `href` when the user chooses it. The address is raw foreign text."""

    start: int
    end: int
    href: str


class Lead(NamedTuple):
    """Decoration before a row: a bullet, a quote's bar. Never part of the text."""

    text: str
    style: str


@dataclass(slots=True)
class Row:
    """One paragraph, list item, line of code or the like. Text is safe and has no line ends."""

    text: str
    spans: list[Span] = field(default_factory=list[Span])
    links: list[Link] = field(default_factory=list[Link])
    lead: tuple[Lead, ...] = ()
    """Before the first line."""
    rest: tuple[Lead, ...] = ()
    """Before the further lines; as wide as `lead`."""
    base: str = ""
    """Style under all spans; its background fills the line when it has one."""
    wrap: Literal["words", "cells", "cut"] = "words"
    """Wrapped at spaces, anywhere (code), or cut with an ellipsis (one-line summaries)."""
    right: tuple[Lead, ...] = ()
    """Stands at the right end of the first line."""
    copied: str | None = None
    """What a wholly selected row copies when that is not its text; empty: nothing, not even a line."""
    findable: int | None = None
    """How many of its characters are looked through in a search; None: all, of a summary none."""


@dataclass(slots=True)
class Cell:
    """One cell of a table."""

    text: str
    spans: list[Span] = field(default_factory=list[Span])
    links: list[Link] = field(default_factory=list[Link])


Align: TypeAlias = Literal["left", "right", "center"]


class Shape(NamedTuple):
    """What the columns of a table are like; the same for all its pieces, so that they stand below each other."""

    widths: list[int]
    """What each column wants, in cells."""
    words: list[int]
    """Its longest word, in cells: narrower than that it is hard to read."""
    aligns: list[Align]
    firm: list[bool]
    """Numbers, dates and the like, which say something else when they are cut."""


@dataclass(slots=True)
class Table:
    """A table; every table row is a logical row of its own, its text the cells apart by tabs."""

    rows: list[list[Cell]]
    aligns: list[Align]
    header: bool = True
    """Whether the first of `rows` is the header."""
    shape: Shape | None = None
    """Of the whole table, when this is a piece of it."""
    names: list[str] = field(default_factory=list[str])
    """The columns' names, for the narrow form."""
    lead: tuple[Lead, ...] = ()
    data: bool = False
    """Whether its rows are records: one line each, whatever the width. Else its cells are prose, which wraps."""


Block: TypeAlias = Row | Table


def row_count(blocks: list[Block]) -> int:
    """How many logical rows these are."""
    return sum(len(block.rows) if isinstance(block, Table) else 1 for block in blocks)

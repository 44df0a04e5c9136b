"""Prose into settled chunks and a live tail, so that only the tail is rendered again.

A line machine, not a markdown parser: it only has to find places where cutting changes nothing.
It decides by complete lines and fixed lengths, never by how the deltas fell, so a streamed text
and the same text read back give the same chunks. The chunks' sources joined are the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

ChunkKind: TypeAlias = Literal["prose", "code", "table"]

SOFT = 600
"""Characters after which a chunk is settled at the next safe line."""
HARD = 6_000
"""Characters after which it is settled at any line."""
LINE = 3_000
"""Longest piece of one line of prose or code."""
ROW = 30_000
"""Longest table row; a longer one is no table any more."""
CODE_LINES = 40
"""Lines of an open fence that make a chunk."""
TABLE_ROWS = 30
"""Rows that make a chunk; the first such chunk also fixes the columns' widths."""

_FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})[ \t]*(.*)$")
_NESTED_FENCE = re.compile(r"^(\s+)(`{3,}|~{3,})[ \t]*(.*)$")
_ITEM = re.compile(r"^ {0,3}(?:[-*+]|(\d{1,9})[.)])(?:[ \t]|$)")
_DELIMITER = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_FORCES_GAP = re.compile(r"^ {0,3}(?:#{1,6}(?:[ \t]|$)|(?:[-*_][ \t]*){3,}$)")
_UNDECIDED = re.compile(r"^\s*(?:[-=*+_~`#>|:]+|\d{1,9}[.)]?|[-*+]\s+\[[ xX]?\]?)\s*$")
_SILENT = re.compile(r"^\s*(?:(?:[-*+>]|\d{1,9}[.)])\s+)*(?:`{3,}[^`]*|~{3,}.*)$|^ {0,3}\[[^\[\]]+\]:")
"""A line that shows nothing itself once it is complete: the beginning of a fence, the address of a link."""
_CLOSING = re.compile(r"^ {0,3}[`~]+\s*$")


@dataclass(slots=True)
class Chunk:
    """A piece of prose that is rendered on its own."""

    kind: ChunkKind
    source: str
    gap: bool = False
    """Whether an empty row stands before it."""
    info: str = ""
    """A fence's info string."""
    opens: bool = False
    """A code or table chunk that starts with its fence line or its header."""
    closes: bool = False
    """A code chunk that ends with its closing fence line."""
    indent: int = 0
    """Spaces before the opening fence; as many are taken off its lines."""
    ordinal: int | None = None
    """The number of the first item when a numbered list goes on here."""
    live: bool = False
    """Prose whose last line is still being written."""
    head: str = ""
    """Source of the table's first chunk, for the columns of a later one."""


@dataclass(slots=True)
class _Fence:
    """An open code fence."""

    marker: str
    info: str
    indent: int
    opened: bool = False
    """Whether the chunk with the opening line is settled."""

    def closed_by(self, line: str) -> bool:
        match = _FENCE.match(line)
        if match is None:
            return False
        marker = match[2]
        return marker[0] == self.marker[0] and len(marker) >= len(self.marker) and not match[3].strip()


def cells_of(line: str) -> int:
    """How many cells a table line has."""
    line = line.strip()
    if line.startswith("|"):
        line = line[1:]
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return len(re.findall(r"(?<!\\)\|", line)) + 1


def _safe_cut(text: str, limit: int) -> int:
    """Where to cut a line that is longer than `limit`: at a space outside code, else at the limit."""
    cut = text.rfind(" ", limit // 2, limit)
    for _ in range(8):
        if cut <= 0:
            break
        if text.count("`", 0, cut + 1) % 2 == 0:
            return cut + 1
        cut = text.rfind(" ", limit // 2, text.rfind("`", 0, cut + 1))
    cut = limit
    # Not between a character and what changes it (variation selectors, joiners, marks).
    while cut > limit - 32 and (text[cut] in "\u200d\ufe0e\ufe0f" or text[cut - 1] == "\u200d"):
        cut -= 1
    return cut


class Splitter:
    """Feed deltas, read `settled` and `tail()`. Costs well under a microsecond per delta."""

    def __init__(self) -> None:
        self.settled: list[Chunk] = []
        self._lines: list[str] = []
        """Complete lines of the coming chunk, each with its line end."""
        self._size = 0
        self._partial = ""
        self._blank = True
        """Whether the last line was empty."""
        self._gap = False
        """Whether the coming chunk has an empty row before it."""
        self._fence: _Fence | None = None
        self._nested: _Fence | None = None
        """A fence inside a list item: it stays in its prose chunk."""
        self._in_list = False
        self._count: int | None = None
        """The number of the next item of the numbered list we are in."""
        self._ordinal: int | None = None
        self._table = False
        self._table_opens = False
        self._table_head = ""
        self._rows = 0

    def feed(self, delta: str) -> None:
        """Take the next piece of the text."""
        data = self._partial + delta
        if "\n" in delta:
            *complete, data = data.split("\n")
            for line in complete:
                self._take(line, "\n")
        self._partial = data
        if len(data) > LINE:
            self._partial = self._cut_long(data)

    def finish(self) -> None:
        """The text is complete: everything left becomes settled."""
        rest, self._partial = self._partial, ""
        if rest:
            self._take(rest, "")
        if self._table:
            self._end_table()
        self._settle(closes=False)

    # -- lines -------------------------------------------------------------------------------

    def _take(self, line: str, end: str) -> None:
        if len(line) > LINE:
            line = self._cut_long(line)
        text = line.rstrip("\r") if line[-1:] == "\r" else line
        if self._fence is not None:
            self._code_line(self._fence, line + end, text)
        elif self._nested is not None:
            self._nested_line(self._nested, line + end, text)
        elif self._table and "|" in text:
            self._table_row(line + end)
        else:
            if self._table:
                self._end_table()
            self._prose_line(line + end, text)

    def _cut_long(self, line: str) -> str:
        """Settle pieces of a line that is too long for one chunk; the rest of it."""
        while len(line) > (limit := ROW if self._table else LINE):
            if self._table:
                self._end_table()
                continue
            cut = limit if self._fence is not None else _safe_cut(line, limit)
            self._add(line[:cut])
            self._settle(closes=False)
            self._gap = self._blank = False
            line = line[cut:]
        return line

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line)

    def _prose_line(self, line: str, text: str) -> None:
        bare = text.lstrip()
        if not bare:
            self._blank = True
            self._add(line)
            return
        # Most lines are plain: of each pattern, its first character is asked for first.
        mark = bare[0]
        if mark in "`~" and self._opens_fence(line, text):
            return
        if "|" in text and self._opens_table(line, text):
            return
        apart = mark in "#-*_" and _FORCES_GAP.match(text) is not None
        item = _ITEM.match(text) if not apart and (mark in "-*+" or mark.isdecimal()) else None
        flush = text[0] not in " \t"
        if item is not None and (self._blank or self._in_list or item[1] in (None, "1")):
            if flush and self._in_list and self._size >= SOFT:
                self._settle_here(gap=self._blank)
            self._list_item(item, top=text[0] != " ")
        elif flush:
            if self._blank or apart:
                self._in_list = False
                self._count = None
            if self._size >= SOFT and (self._blank or (text[0] == "#" and apart)):
                self._settle_here(gap=True)
        if self._size >= (HARD if flush else 4 * HARD):
            self._settle_here(gap=self._blank)
        self._blank = False
        self._lines.append(line)
        self._size += len(line)

    def _list_item(self, item: re.Match[str], *, top: bool) -> None:
        if not top:
            return
        number = item[1]
        if not self._in_list or (number is None) != (self._count is None):
            self._count = int(number) if number is not None else None
        if not self._lines:
            self._ordinal = self._count
        self._in_list = True
        if self._count is not None:
            self._count += 1

    def _settle_here(self, *, gap: bool) -> None:
        """Settle what is gathered; the coming line starts a chunk."""
        self._settle(closes=False)
        self._gap = gap
        self._ordinal = None

    def _settle(self, *, closes: bool) -> None:
        if not self._lines:
            return
        source = "".join(self._lines)
        fence = self._fence
        if fence is not None:
            chunk = Chunk("code", source, self._gap, fence.info, not fence.opened, closes, fence.indent)
            fence.opened = True
            self._gap = False
        elif self._table:
            chunk = Chunk("table", source, self._gap, opens=self._table_opens, head=self._table_head)
            self._table_head = self._table_head or source
            self._table_opens = False
            self._gap = False
        else:
            chunk = Chunk("prose", source, self._gap, ordinal=self._ordinal)
        self.settled.append(chunk)
        self._lines = []
        self._size = 0
        self._ordinal = None

    # -- fences ------------------------------------------------------------------------------

    def _opens_fence(self, line: str, text: str) -> bool:
        match = _FENCE.match(text)
        nested = self._in_list and text[0] in " \t"
        if nested:
            match = _NESTED_FENCE.match(text)
        if match is None or (match[2][0] == "`" and "`" in match[3]):
            return False
        info = match[3].strip().split(" ")[0]
        if nested:
            self._nested = _Fence(match[2], info, len(match[1]))
            self._blank = False
            self._add(line)
            return True
        self._begin_block()
        self._fence = _Fence(match[2], info, len(match[1]))
        self._add(line)
        return True

    def _begin_block(self) -> None:
        """A code block or table starts: it stands in chunks of its own, apart from the text before."""
        had_text = bool(self.settled) or any(line.strip() for line in self._lines)
        self._settle(closes=False)
        self._gap = had_text
        self._in_list = False
        self._count = None

    def _end_block(self) -> None:
        self._gap = True
        self._blank = True

    def _code_line(self, fence: _Fence, line: str, text: str) -> None:
        self._lines.append(line)
        self._size += len(line)
        if fence.marker in text and fence.closed_by(text):
            self._settle(closes=True)
            self._fence = None
            self._end_block()
        elif len(self._lines) >= CODE_LINES:
            self._settle(closes=False)

    def _nested_line(self, fence: _Fence, line: str, text: str) -> None:
        self._add(line)
        match = _NESTED_FENCE.match(text) or _FENCE.match(text)
        if match is not None and match[2].startswith(fence.marker) and not match[3].strip():
            self._nested = None
        elif self._size >= HARD:
            # Too long to stay with its list: the rest is a code block of its own.
            self._settle(closes=False)
            self._gap = False
            self._nested = None
            self._fence = _Fence(fence.marker, fence.info, fence.indent, opened=True)

    # -- tables ------------------------------------------------------------------------------

    def _opens_table(self, line: str, text: str) -> bool:
        if not self._lines or "|" not in text or _DELIMITER.match(text) is None:
            return False
        header = self._lines[-1]
        bare = header.rstrip("\r\n")
        if "|" not in bare or (self._in_list and bare[:1] in " \t") or cells_of(bare) != cells_of(text):
            return False
        self._lines.pop()
        self._size -= len(header)
        self._begin_block()
        self._table = self._table_opens = True
        self._table_head = ""
        self._rows = 0
        self._add(header)
        self._add(line)
        return True

    def _table_row(self, line: str) -> None:
        self._add(line)
        self._rows += 1
        if self._rows >= TABLE_ROWS:
            self._settle(closes=False)
            self._rows = 0

    def _end_table(self) -> None:
        self._settle(closes=False)
        self._table = False
        self._end_block()

    # -- the tail ----------------------------------------------------------------------------

    def tail(self) -> Chunk | None:
        """What is not settled, as far as it can be shown without showing it broken; None when nothing.

        Held back are lines whose first characters may still become a marker, and a table's line
        until it is complete.
        """
        lines, partial = self._lines, self._partial
        fence = self._fence
        if fence is not None:
            if _CLOSING.match(partial):
                partial = ""
            source = "".join(lines) + partial
            if not source:
                return None
            return Chunk("code", source, self._gap, fence.info, not fence.opened, False, fence.indent)
        if self._table:
            if not lines:
                return None
            return Chunk("table", "".join(lines), self._gap, opens=self._table_opens, head=self._table_head)
        if _UNDECIDED.match(partial) or partial.lstrip().startswith("|") or _SILENT.match(partial):
            partial = ""
        if not partial and self._may_be_header():
            lines = lines[:-1]
        source = "".join(lines) + partial
        if not source.strip():
            return None
        return Chunk("prose", source, self._gap, ordinal=self._ordinal, live=True)

    def _may_be_header(self) -> bool:
        """Whether the last complete line may be the header of a table that is about to come."""
        lines = self._lines
        if not lines or not lines[-1].lstrip().startswith("|"):
            return False
        return len(lines) < 2 or not lines[-2].lstrip().startswith("|")


def split(text: str) -> list[Chunk]:
    """All chunks of a complete text."""
    splitter = Splitter()
    splitter.feed(text)
    splitter.finish()
    return splitter.settled

"""Chunks of prose into rows: markdown-it reads, we draw.

HTML is off: it stays literal text. markdown-it is loaded with the first prose, never before.
Everything here gets safe text; only what markdown-it decodes from entities is filtered again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kai_tui.conversation.safe_text import safe_code, safe_line, safe_prose
from kai_tui.conversation.tables.markdown_lines import delimiter_cells, row_cells
from kai_tui.ui.transcript.code import code_rows, expand_tabs
from kai_tui.ui.transcript.half import closed
from kai_tui.ui.transcript.inline import addresses, inline, split_lines, with_marks, without_start
from kai_tui.ui.transcript.pieces import Top
from kai_tui.ui.transcript.rows import Align, Block, Cell, Lead, Link, Row, Shape, Span, Table
from kai_tui.ui.transcript.splitter import Chunk
from kai_tui.ui.transcript.table_shape import shape_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_TASK = re.compile(r"^\[([ xX])\][ \t]+")
_DEFINITION = re.compile(r"^ {0,3}\[([^\]\[]+)\]:[ \t]*<?(\S+?)>?(?:[ \t]+[\"'(].*)?[ \t]*$", re.MULTILINE)
_APART = frozenset({"heading_open", "fence", "code_block", "hr", "table_open"})
"""Blocks that always have an empty row before and after them."""
_MARKUP = re.compile(r"[\\`*_~\[\]!<&]|://")
_BULLETS = "•◦▪"

References = dict[str, Any]
"""markdown-it's `env`: link definitions found anywhere in the text."""


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "escaped_bracket", _escaped_bracket)
    return parser


def _escaped_bracket(state: StateInline, silent: bool) -> bool:
    r"""Keep the backslash of `\[` and `\(`: models write formulas that way, and it says no link is meant."""
    if state.src[state.pos] != "\\" or state.src[state.pos + 1 : state.pos + 2] not in tuple("[]()"):
        return False
    if not silent:
        state.pending += state.src[state.pos : state.pos + 2]
    state.pos += 2
    return True


def find_references(source: str, references: References) -> bool:
    """Collect link definitions (`[name]: address`); whether there were new ones."""
    if "]:" not in source:
        return False
    from markdown_it.common.utils import normalizeReference

    known = references.setdefault("references", {})
    before = len(known)
    for name, address in _DEFINITION.findall(source):
        parser = _parser()
        href = parser.normalizeLink(address)
        if parser.validateLink(href):
            known.setdefault(normalizeReference(name), {"title": "", "href": href})
    return len(known) > before


def blocks_of(chunk: Chunk, references: References | None = None) -> list[Block]:
    """The rows of a chunk, without its gap. The source is raw; this is where prose becomes safe."""
    if chunk.kind == "code":
        blocks = _code_chunk(chunk)
    elif chunk.kind == "table":
        blocks = _table_chunk(chunk)
    else:
        blocks = reader_of(chunk, references).read()
    return blocks


def reader_of(chunk: Chunk, references: References | None = None) -> BlockReader:
    """Reads a prose chunk into rows."""
    source = safe_prose(closed(chunk.source) if chunk.live else chunk.source)
    clean = safe_prose if "&" in source else None
    env: References = {"references": dict(references["references"])} if references else {}
    return BlockReader(_parser().parse(source, env), source, clean, chunk.ordinal)


# -- code ----------------------------------------------------------------------------------------


def code_lines(chunk: Chunk) -> list[str]:
    """The lines of a code chunk without its fence; raw."""
    lines = _raw_lines(chunk.source)
    if chunk.opens and lines:
        lines.pop(0)
    if chunk.closes and lines:
        lines.pop()
    return [_unindent(line, chunk.indent) for line in lines] if chunk.indent else lines


def _code_chunk(chunk: Chunk) -> list[Block]:
    lines = code_lines(chunk)
    code = safe_code("\n".join(lines))
    return _code_block(code if lines else None, chunk.info, chunk.opens)


def _raw_lines(source: str) -> list[str]:
    """Lines of raw text, cut before it is made safe, so that odd line ends cannot shift them."""
    lines = [line.removesuffix("\r") for line in source.split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    return lines


def _unindent(line: str, indent: int) -> str:
    taken = min(indent, len(line) - len(line.lstrip(" ")))
    return line[taken:]


def _code_block(
    code: str | None, info: str, label: bool, first: tuple[Lead, ...] = (), rest: tuple[Lead, ...] = ()
) -> list[Block]:
    """Lines of code under the name of their language; a list's mark stands before the first of them only."""
    pad = Lead(" ", "code-block")
    rows = code_rows(code, info) if code is not None else []
    for row in rows:
        row.lead = row.rest = (*rest, pad)
    if label and info:
        name = Lead(safe_line(info, 40), "code-label")
        return [Row("", lead=(*first, pad, name), base="code-block", copied=""), *rows]
    if not rows:
        return [Row("", lead=(*first, pad), base="code-block")]
    rows[0].lead = (*first, pad)
    return list(rows)


# -- tables --------------------------------------------------------------------------------------


def _cell(text: str) -> Cell:
    """A cell's text with its inline markup; line ends (`<br>` stays literal) cannot occur."""
    if _MARKUP.search(text) is None:
        # Most cells; while a table grows all of them are read again with every row.
        return Cell(text)
    clean: Callable[[str], str] | None = safe_prose if "&" in text else None
    tokens = _parser().parseInline(text, {})
    content = inline(tokens[0].children or () if tokens else (), clean)
    return Cell(content.text.replace("\n", " "), content.spans, content.links)


def _align(cell: str) -> Align:
    cell = cell.strip()
    if cell.endswith(":"):
        return "center" if cell.startswith(":") else "right"
    return "left"


@lru_cache(maxsize=64)
def _head(source: str) -> tuple[Shape, list[str]]:
    """The shape of a table as its first chunk has it, and the columns' names."""
    table = _read_table(_table_lines(source))
    return shape_of(table), [cell.text for cell in table.rows[0]]


def _table_lines(source: str) -> list[str]:
    return [safe_prose(line).replace("\n", " ") for line in _raw_lines(source)]


def _read_table(lines: list[str]) -> Table:
    aligns: list[Align] = [_align(cell) for cell in delimiter_cells(lines[1])]
    rows = [[_cell(text) for text in row_cells(line, len(aligns))] for line in (lines[0], *lines[2:])]
    return Table(rows, aligns)


def _table_chunk(chunk: Chunk) -> list[Block]:
    lines = _table_lines(chunk.source)
    if chunk.opens:
        return [_read_table(lines)]
    shape, names = _head(chunk.head)
    rows = [[_cell(text) for text in row_cells(line, len(names))] for line in lines]
    return [Table(rows, shape.aligns, header=False, shape=shape, names=names)] if rows else []


# -- everything else -----------------------------------------------------------------------------


class _List:
    """A list we are inside of."""

    __slots__ = ("number",)

    def __init__(self, number: int | None) -> None:
        self.number = number
        """The next item's number; None for bullets."""


class BlockReader:
    """Reads the block tokens of one prose chunk."""

    def __init__(
        self, tokens: list[Token], source: str, clean: Callable[[str], str] | None, ordinal: int | None
    ) -> None:
        self._tokens = tokens
        self._lines = source.split("\n")
        self._clean = clean
        self._ordinal = ordinal
        self._out: list[Block] = []
        self._lead: list[tuple[Lead, Lead]] = []
        """Decoration of the containers we are in: for the first line (then used up) and the rest."""
        self._fresh: list[bool] = []
        """Whether each container's first decoration is still to be drawn."""
        self._lists: list[_List] = []
        self._apart = False
        """Whether the block before always has an empty row after it."""
        self._spaced = -1
        """The source line before which space was last considered."""
        self.tops: list[Top] = []
        """Where in what was read each block begins; rows are still places in it."""
        self.gaps: set[int] = set()
        """Which of it are empty rows between blocks."""

    @property
    def line_count(self) -> int:
        """Lines of the safe source."""
        return len(self._lines)

    def read(self) -> list[Block]:
        """The rows."""
        index = 0
        while index < len(self._tokens):
            token = self._tokens[index]
            if token.level == 0 and token.nesting >= 0:
                self._top(token)
            index = self._block(index)
        return self._out

    def _top(self, token: Token) -> None:
        code = token.content if token.type in ("fence", "code_block") else None
        line = token.map[0] if token.map else 0
        info = token.info.strip().split(" ")[0]
        self.tops.append(Top(token.type, line, len(self._out), 0, code, info))

    def _code_in_list(self, token: Token, listed: Top) -> None:
        """Code inside a list stands by itself too; the list goes on below it."""
        self._top(token)
        self._code(token)
        line = token.map[1] if token.map else 0
        self.tops.append(Top(listed.type, line, len(self._out), 0))

    def _leads(self) -> tuple[tuple[Lead, ...], tuple[Lead, ...]]:
        first = tuple(
            lead[0] if fresh else lead[1] for lead, fresh in zip(self._lead, self._fresh, strict=True)
        )
        rest = tuple(lead[1] for lead in self._lead)
        self._fresh = [False] * len(self._fresh)
        return first, rest

    def _space(self, token: Token) -> None:
        """An empty row before a block where the source has one, and around blocks that stand apart."""
        start = token.map[0] if token.map else 0
        apart = token.type in _APART and not self._lead
        if not self._out or start == self._spaced:
            # A list item and its first paragraph start on the same line.
            self._spaced = start
            self._apart = apart
            return
        self._spaced = start
        blank = start > 0 and not self._lines[start - 1].strip(" \t>")
        if apart or self._apart or blank:
            self.gaps.add(len(self._out))
            bars = tuple(lead[1] for lead, fresh in zip(self._lead, self._fresh, strict=True) if not fresh)
            while bars and not bars[-1].text.strip():
                bars = bars[:-1]
            self._out.append(Row("", lead=bars))
        self._apart = apart

    def _block(self, index: int) -> int:
        token = self._tokens[index]
        kind = token.type
        if kind in ("paragraph_open", "heading_open"):
            self._space(token)
            self._text(self._tokens[index + 1], token)
            return index + 3
        if kind in ("fence", "code_block"):
            if self._lists and self.tops[-1].type.endswith("list_open"):
                self._code_in_list(token, self.tops[-1])
            else:
                self._code(token)
        elif kind == "hr":
            self._space(token)
            first, _ = self._leads()
            self._out.append(Row("", lead=(*first, Lead("─" * 24, "line")), copied="---"))
        elif kind == "table_open":
            return self._table(index)
        elif kind == "bullet_list_open":
            self._lists.append(_List(None))
        elif kind == "ordered_list_open":
            start = int(token.attrs.get("start", 1))
            if self._ordinal is not None and not self._lists:
                start, self._ordinal = self._ordinal, None
            self._lists.append(_List(start))
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
        elif kind == "list_item_open":
            self._item(token)
        elif kind == "blockquote_open":
            self._space(token)
            self._lead.append((Lead("▎ ", "quote-bar"), Lead("▎ ", "quote-bar")))
            self._fresh.append(True)
        elif kind in ("list_item_close", "blockquote_close"):
            if self._fresh[-1]:
                # An empty item still shows its bullet.
                first, rest = self._leads()
                self._out.append(Row("", lead=first, rest=rest))
            self._lead.pop()
            self._fresh.pop()
        return index + 1

    def _code(self, token: Token) -> None:
        self._space(token)
        first, rest = self._leads()
        code = token.content.removesuffix("\n")
        self._out.extend(_code_block(code, token.info.strip().split(" ")[0], True, first, rest))

    def _item(self, token: Token) -> None:
        self._space(token)
        current = self._lists[-1]
        if current.number is None:
            bullet = _BULLETS[min(sum(1 for one in self._lists if one.number is None), len(_BULLETS)) - 1]
            text = f"{bullet} "
        else:
            text = f"{current.number}. ".rjust(3)
            current.number += 1
        self._lead.append((Lead(text, "bullet"), Lead(" " * len(text), "")))
        self._fresh.append(True)

    def _text(self, content: Token, opening: Token) -> None:
        found = inline(content.children or (), self._clean)
        base = ""
        if opening.type == "heading_open":
            base = "heading"
        elif any(lead[1].style == "quote-bar" for lead in self._lead):
            base = "quote"
        in_item = bool(self._fresh) and self._fresh[-1] and bool(self._lists)
        task = _TASK.match(found.text) if in_item else None
        if task is not None:
            found = without_start(found, task.end())
            mark = "☐ " if task[1] == " " else "☑ "
            self._lead[-1] = (Lead(mark, "bullet"), Lead("  ", ""))
        for line in split_lines(found):
            first, rest = self._leads()
            spans = line.spans
            if opening.tag == "h1" and line.text:
                spans = [Span(0, len(line.text), "heading-top"), *spans]
            text = line.text
            if "\t" in text:
                text = text.replace("\t", " ")
            marks = "".join(lead.text for lead in first)
            self._out.append(Row(text, spans, line.links, first, rest, base, copied=with_marks(marks, text)))

    def _table(self, index: int) -> int:
        """A table inside a list or a quote; those at the top have chunks of their own."""
        token = self._tokens[index]
        self._space(token)
        first, _ = self._leads()
        start, end = token.map or (0, 0)
        lines = [line.strip(" \t>") for line in self._lines[start:end]]
        table = _read_table([line for line in lines if line])
        table.lead = first
        self._out.append(table)
        while self._tokens[index].type != "table_close":
            index += 1
        return index + 1


def plain_rows(text: str, *, base: str = "") -> list[Block]:
    """Text as it is: every line a row, nothing interpreted. `text` must be safe."""
    blocks: list[Block] = []
    for line in text.split("\n"):
        shown = expand_tabs(line)
        links = [Link(start, end, shown[start:end]) for start, end in addresses(shown)]
        spans = [Span(link.start, link.end, "link") for link in links]
        blocks.append(Row(shown, spans, links, base=base, copied=line if shown != line else None))
    return blocks

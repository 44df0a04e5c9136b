"""A tool's arguments and result as pieces that can be drawn one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from kai_tui.conversation.safe_text import safe_code, safe_line, safe_prose
from kai_tui.ui.transcript.renderers.plain import pieces
from kai_tui.ui.transcript.rows import Align, Block, Cell, Lead, Link, Row, Shape, Table

if TYPE_CHECKING:
    from kai_tui.ui.transcript.items import Item
    from kai_tui.ui.transcript.pieces import Kind, Piece

_LANGUAGES = {
    "sql": "sql", "sql_query": "sql", "query": "sql", "script": "sql", "code": "python", "source_code": "python",
}  # fmt: skip
"""Arguments whose text is code (keboola-tools.md §4)."""
_MASK = "••••••••"
_ROWS = 40
"""Table rows in one piece."""
FIRST_ROWS = 20
"""Rows of a longer table that an opened card shows at first."""
MOST_ROWS = 2_000
"""Rows it shows at most; the viewer shows all."""
MEASURED = 200
"""Rows that decide how wide the columns are, also when fewer are drawn."""


@dataclass(slots=True)
class Detail:
    """A piece of an opened card."""

    kind: Literal["label", "code", "text", "error", "table", "link", "more"]
    text: str = ""
    href: str = ""
    """Where a link leads; raw."""
    language: str = ""
    rows: Sequence[Sequence[str]] = field(default_factory=list[list[str]])
    """Of a table; the first is the header when `opens`."""
    opens: bool = False
    columns: Sequence[str] = ()
    shape: Shape | None = None
    hidden: int = 0
    """Rows that are not drawn and stand behind this."""
    goes_on: bool = False
    """Whether it is a later piece of the text before it."""
    named: bool = False
    """Whether a label is a word of the call (an argument's name), not one of ours."""
    whole: str = ""
    """The source of a text that is in several pieces, at the first of them. Raw."""

    @property
    def lines(self) -> int:
        """Source lines, for the cap."""
        return len(self.rows) if self.kind == "table" else self.text.count("\n") + 1

    def blocks(self) -> list[Block]:
        """Its rows."""
        from kai_tui.ui.transcript.code import code_rows
        from kai_tui.ui.transcript.markdown import plain_rows

        if self.kind in ("label", "more"):
            findable = None if self.named else 0
            return [Row(self.text, base="muted", lead=(_INDENT,), rest=(_INDENT,), findable=findable)]
        if self.kind == "link":
            link = Link(0, len(self.text), self.href)
            mark, rest = Lead("↗ ", "muted"), Lead("  ", "")
            return [Row(self.text, base="link", links=[link], lead=(_INDENT, mark), rest=(_INDENT, rest))]
        if self.kind == "table":
            return [self._table()]
        if self.kind == "code":
            blocks: list[Block] = list(code_rows(self.text, self.language))
            margin = Lead(" ", "code-block")
        else:
            blocks = plain_rows(self.text, base="error" if self.kind == "error" else "")
            margin = Lead("", "")
        for block in blocks:
            if isinstance(block, Row):
                block.lead = block.rest = (_INDENT, margin)
        return blocks

    def _table(self) -> Table:
        rows = [[Cell(safe_line(value)) for value in row] for row in self.rows]
        aligns: list[Align] = ["left"] * len(self.columns)
        return Table(
            rows,
            aligns,
            header=self.opens,
            shape=self.shape,
            names=list(self.columns),
            lead=(_INDENT,),
            data=True,
        )


_INDENT = Lead("  ", "")
_KINDS: dict[str, Kind] = {
    "label": "label", "code": "code", "text": "text", "error": "text", "table": "table", "link": "links",
    "more": "more",
}  # fmt: skip


def card_pieces(items: Sequence[Item], index: int) -> Sequence[Piece]:
    """What the cursor stops at in an item of an opened card: its line, then each block of what it shows."""
    from kai_tui.ui.transcript.pieces import Piece, belongs

    def piece(at: int) -> Piece:
        item = items[at]
        detail = item.content
        if not isinstance(detail, Detail):
            # A card's line, and the lines right below it.
            return Piece("card", goes_on=at > 0)
        kind = _KINDS[detail.kind]
        text = "\n".join("\t".join(row) for row in detail.rows) + "\n" if kind == "table" else detail.whole
        if kind in ("links", "label", "more"):
            text = f"{detail.href or detail.text}\n"
        start = item.base - item.unit.base
        return Piece(kind, start=start, goes_on=detail.goes_on, text=text, language=detail.language)

    found = piece(index)
    if index and not found.goes_on:
        before = piece(index - 1)
        found = found._replace(goes_on=belongs(before, found) or before.kind == found.kind == "links")
    return (found,)


def masked(value: Any, depth: int = 0) -> Any:
    """A copy in which the values of `#keys` are hidden unless they are encrypted (keboola-tools.md §2)."""
    if depth > 50:
        return value
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, Any]", value)
        return {
            key: _MASK
            if isinstance(key, str) and key.startswith("#") and not _encrypted(item)
            else masked(item, depth + 1)
            for key, item in mapping.items()
        }
    if isinstance(value, list):
        return [masked(item, depth + 1) for item in cast("list[Any]", value)]
    return value


def _encrypted(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("KBC::")


def pretty(value: Any) -> str:
    """JSON over several lines; raw text."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    except (ValueError, TypeError, RecursionError):
        return "(nested too deep to show)"


def argument_details(value: Any) -> Iterator[Detail]:
    """All arguments in full: texts with several lines and code as blocks, the rest as JSON."""
    value = masked(value)
    if not isinstance(value, Mapping):
        text = value if isinstance(value, str) else pretty(value)
        yield from _pieces("code", text, "" if isinstance(value, str) else "json")
        return
    plain: dict[str, Any] = {}
    for key, item in cast("Mapping[str, Any]", value).items():
        if isinstance(item, str) and ("\n" in item or (key in _LANGUAGES and len(item) > 40)):
            if plain:
                yield from _pieces("code", pretty(plain), "json")
                plain = {}
            yield Detail("label", safe_line(str(key), 80), named=True)
            yield from _pieces("code", item, _LANGUAGES.get(key, ""))
        else:
            plain[str(key)] = item
    if plain:
        yield from _pieces("code", pretty(plain), "json")


def _pieces(kind: Literal["code", "text", "error"], raw: str, language: str = "") -> Iterator[Detail]:
    safe = safe_code(raw) if kind == "code" else safe_prose(raw)
    for number, piece in enumerate(pieces(safe.strip("\n"))):
        whole = "" if number else raw.strip("\n")
        yield Detail(kind, piece, language=language, goes_on=number > 0, whole=whole)


def text_details(kind: Literal["code", "text", "error"], raw: str, language: str = "") -> Iterator[Detail]:
    """A text result or an error."""
    yield from _pieces(kind, raw, language)


def table_details(
    columns: Sequence[str], rows: Sequence[Sequence[str]], most: int | None = None, count: int | None = 0
) -> Iterator[Detail]:
    """A table in pieces whose columns stand below each other.

    `most`: rows that are drawn of a long one (None: all); then how many more there are is said. `count`: rows of the
    whole table when `rows` are only its first, None when nobody counted them.
    """
    from kai_tui.ui.transcript.table_shape import column_shape

    names = [safe_line(name) for name in columns]
    drawn = len(rows) if most is None or len(rows) <= max(most, _ROWS) else most
    measured = [_padded(row, len(columns)) for row in rows[: max(min(drawn, MOST_ROWS), MEASURED)]]
    shape = column_shape(names, [[safe_line(row[index]) for row in measured] for index in range(len(names))])
    for start in range(0, max(1, drawn), _ROWS):
        part = [_padded(row, len(columns)) for row in rows[start : min(start + _ROWS, drawn)]]
        detail = Detail("table", opens=start == 0, columns=names, shape=shape)
        detail.rows = [list(columns), *part] if start == 0 else part
        detail.goes_on = start > 0
        yield detail
    hidden = None if count is None else max(count, len(rows)) - drawn
    if hidden is None or hidden > 0:
        from kai_tui.ui.transcript.renderers.status import key_of

        words = "more rows" if hidden is None else "1 more row" if hidden == 1 else f"{hidden:,} more rows"
        keys = f"{key_of('browse')}, t opens the whole table"
        yield Detail("more", f"… {words} · {keys}", hidden=hidden or 1)


def _padded(row: Sequence[str], count: int) -> list[str]:
    """A row with exactly `count` cells; what is too much stays in the last one."""
    values = [str(value) for value in row]
    if len(values) > count > 0:
        return [*values[: count - 1], " | ".join(values[count - 1 :])]
    return values + [""] * (count - len(values))

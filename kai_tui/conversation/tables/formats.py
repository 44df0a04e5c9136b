"""Tables written out for other programs. Cells are data: they are written as they are.

A spreadsheet runs cells that begin with `=`, `+`, `-` or `@`. Who writes a file may have them prefixed with `'`
(`without_formulas`); nothing does that by itself, since every other program would read wrong data. Numbers such as
`-5` are not among them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias, get_args

from kai_tui.conversation.tables.blank import BLANK
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.inline_text import plain_text
from kai_tui.conversation.tables.kinds import TRUE, column, kinds
from kai_tui.conversation.tables.moments import moments
from kai_tui.conversation.tables.written_numbers import NumberForm, number_form

Format: TypeAlias = Literal["csv", "json", "parquet-ready csv", "tsv", "markdown"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
ENDINGS: Final[Mapping[Format, str]] = {
    "csv": ".csv", "json": ".json", "parquet-ready csv": ".csv", "tsv": ".tsv", "markdown": ".md",
}  # fmt: skip
SLICE: Final = 2_000
"""Rows written between two breaths."""

_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_SAFE_NUMBER: Final = re.compile(r"[-+]?[\d.,\s\u00a0\u202f’']*\d\s?%?|[-–—]")
_TSV_QUOTED: Final = re.compile(r"[\t\n\r\"]")
_JSON_TEXT: Final = json.JSONEncoder(ensure_ascii=False).encode
_NAME: Final = re.compile(r"\W+", re.ASCII)
_LOSSLESS: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")
_ESCAPED: Final = {ord(sign): f"\\{sign}" for sign in "\\`*_~!<&"} | {ord("["): "&#91;", ord("]"): "&#93;"}
r"""Brackets as entities: models write formulas as `\[`, so a backslash before them stays where tables are read."""


def as_tsv(table: DataTable) -> str:
    """For the clipboard: spreadsheets paste it into cells. Tabs, line ends and quotes in a cell are quoted."""
    return "".join(tsv_parts(table))


def as_csv(table: DataTable) -> str:
    """RFC 4180 with `\\n` as the line end: what Python's, DuckDB's and Keboola's readers read back as it is."""
    return "".join(csv_parts(table))


def as_json(table: DataTable) -> str:
    """A list of objects, one a line. See `json_parts`."""
    return "".join(json_parts(table))


def as_markdown(table: DataTable) -> str:
    """A markdown table that reads back as the same cells; line ends become `<br>`."""
    return "".join(markdown_parts(table))


def as_parquet_ready_csv(table: DataTable) -> str:
    """CSV for a program that gives every column a type. See `parquet_ready_parts`."""
    return "".join(parquet_ready_parts(table))


def written(table: DataTable, how: Format) -> Iterator[str]:
    """The table in a format, a few thousand rows at a time: 100,000 rows never stand in memory twice, and a thread
    that writes them lets others run in between."""
    writers: Mapping[Format, Callable[[DataTable], Iterator[str]]] = {
        "csv": csv_parts,
        "json": json_parts,
        "parquet-ready csv": parquet_ready_parts,
        "tsv": tsv_parts,
        "markdown": markdown_parts,
    }
    return writers[how](table)


def _slices(table: DataTable) -> Iterator[Sequence[tuple[str, ...]]]:
    for start in range(0, len(table.rows), SLICE):
        yield table.rows[start : start + SLICE]


def csv_parts(table: DataTable) -> Iterator[str]:
    """The pieces of `as_csv`."""
    yield _csv([table.columns])
    for rows in _slices(table):
        yield _csv(rows)


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(rows)
    text = out.getvalue()
    if "\r" not in text:
        return text
    # The writer leaves a lone carriage return unquoted, and a reader takes it for a line end.
    out = io.StringIO(newline="")
    writer, quoting = (
        csv.writer(out, lineterminator="\n"),
        csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL),
    )
    for row in rows:
        (quoting if any("\r" in cell for cell in row) else writer).writerow(row)
    return out.getvalue()


def tsv_parts(table: DataTable) -> Iterator[str]:
    """The pieces of `as_tsv`."""
    yield _tsv_row(table.columns)
    for rows in _slices(table):
        yield "".join(map(_tsv_row, rows))


def _tsv_row(row: Sequence[str]) -> str:
    line = "\t".join(row)
    if '"' in line or "\n" in line or "\r" in line or line.count("\t") != len(row) - 1:
        line = "\t".join(
            '"' + cell.replace('"', '""') + '"' if _TSV_QUOTED.search(cell) else cell for cell in row
        )
    return line + "\n"


def json_parts(table: DataTable) -> Iterator[str]:
    """The pieces of `as_json`.

    A column becomes JSON numbers only where every filled cell is one as it stands and a float holds it (`1.50` stays
    `1.50`; `1,234`, `00123` and long ids stay text), `true` and `false` only where all are. Empty cells of such
    columns are null, of others "". A name that comes twice gets a number.
    """
    names = [json.dumps(name, ensure_ascii=False) for name in unlike(table.columns)]
    makers = [_json_maker(column(table, index)) for index in range(len(names))]
    yield "["
    first = True
    for rows in _slices(table):
        lines = [
            "{"
            + ", ".join(
                [f"{name}: {make(cell)}" for name, make, cell in zip(names, makers, row, strict=True)]
            )
            + "}"
            for row in rows
        ]
        yield ("\n" if first else ",\n") + ",\n".join(lines)
        first = False
    yield "\n]\n"


def _json_plain(cell: str) -> str:
    return cell or "null"


def _json_maker(cells: Sequence[str]) -> Callable[[str], str]:
    distinct = set(cells) - {""}
    if not distinct:
        return _JSON_TEXT
    if distinct <= {"true", "false"} or all(map(_keeps, distinct)):
        return _json_plain
    return _JSON_TEXT


def _keeps(cell: str) -> bool:
    """Whether a reader who makes a float of it loses nothing."""
    return _LOSSLESS.fullmatch(cell) is not None and len(cell.lstrip("-").replace(".", "")) <= 15


def markdown_parts(table: DataTable) -> Iterator[str]:
    """The pieces of `as_markdown`; numbers stand at the right."""
    right = [kind in ("integer", "decimal") for kind in kinds(table)]
    yield _markdown_row(table.columns)
    yield "|" + "|".join(" ---: " if each else " --- " for each in right) + "|\n"
    for rows in _slices(table):
        yield "".join(map(_markdown_row, rows))


def _markdown_row(row: Sequence[str]) -> str:
    return "| " + " | ".join(map(_markdown_cell, row)) + " |\n"


def _markdown_cell(cell: str) -> str:
    if plain_text(cell) != cell:
        cell = cell.translate(_ESCAPED)
    return cell.replace("|", "\\|").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br>")


def parquet_ready_parts(table: DataTable) -> Iterator[str]:
    """The pieces of `as_parquet_ready_csv`: every column reads as one type.

    Names are letters, digits and `_`, each once. Numbers are plain (no groups, no unit), dates and timestamps ISO 8601
    (one without a zone stays without), booleans `true` and `false`; what is not there is an empty cell without quotes.
    Text is always in quotes, an empty one too, so that `"00123"` is no number.
    """
    makers: list[Callable[[str], str]] = []
    for index, kind in enumerate(kinds(table)):
        makers.append(_typed(kind, column(table, index)))
    names = [_NAME.sub("_", name).strip("_") or "column" for name in table.columns]
    names = [f"_{name}" if name[0].isdigit() else name for name in names]
    yield ",".join(unlike(names, between="_")) + "\n"
    for rows in _slices(table):
        yield "".join(
            ",".join([make(cell) for make, cell in zip(makers, row, strict=True)]) + "\n" for row in rows
        )


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _typed(kind: Kind, cells: Sequence[str]) -> Callable[[str], str]:
    if kind in ("integer", "decimal"):
        form = number_form(cells)
        assert form is not None
        return lambda cell: _plain_number(form, cell)
    if kind in ("date", "timestamp"):
        return lambda cell: _iso(cell, kind)
    if kind == "boolean":
        return lambda cell: "" if cell in BLANK else "true" if cell.casefold() in TRUE else "false"
    return _quoted


def _plain_number(form: NumberForm, cell: str) -> str:
    if cell in BLANK:
        return ""
    return cell if form.style == "plain" else form.bare(cell)


def _iso(cell: str, kind: Kind) -> str:
    moment = moments([cell])[0]
    if moment is None:
        return ""
    if kind == "date":
        return moment.date().isoformat()
    zoned = re.search(r"(?:Z|UTC|[-+]\d\d(?::?\d\d)?)$", cell[10:])
    return (moment if zoned else moment.replace(tzinfo=None)).isoformat()


def unlike(names: Sequence[str], *, between: str = " ") -> list[str]:
    """The names, those that came before with a number: name, name 2."""
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        number, candidate = 1, name
        while candidate in taken:
            number += 1
            candidate = f"{name}{between}{number}"
        taken.add(candidate)
        found.append(candidate)
    return found


def formulas(table: DataTable) -> int:
    """How many cells a spreadsheet would run."""
    return sum(_is_formula(cell) for row in (table.columns, *table.rows) for cell in row)


def _is_formula(cell: str) -> bool:
    return cell[:1] in "=+-@\t\r" and cell != "" and _SAFE_NUMBER.fullmatch(cell) is None


def without_formulas(table: DataTable) -> DataTable:
    """The same with `'` before every cell a spreadsheet would run."""
    return DataTable(
        tuple(map(_harmless, table.columns)),
        [tuple(map(_harmless, row)) for row in table.rows],
        table.title,
    )


def _harmless(cell: str) -> str:
    return f"'{cell}" if _is_formula(cell) else cell

"""Tables written out: what is read back is what was there."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.formats import (
    FORMATS,
    as_csv,
    as_json,
    as_markdown,
    as_parquet_ready_csv,
    as_tsv,
    formulas,
    unlike,
    without_formulas,
    written,
)
from kai_tui.conversation.tables.reading import table_of_markdown
from tests.hostile_cases import hostile_cases
from tests.some import examples, for_all

_CELL = st.text(st.characters(codec="utf-8"), max_size=10) | st.sampled_from(
    [
        "",
        "a,b",
        'say "x"',
        "two\nlines",
        "cr\rhere",
        "\r\n",
        "tab\there",
        "00123",
        "1.50",
        "-5",
        "true",
        "=1+1",
        "|",
        "\\",
    ]
)


@st.composite
def _tables(draw: st.DrawFn, cell: st.SearchStrategy[str] = _CELL) -> DataTable:
    count = draw(st.integers(1, 4))
    row = st.tuples(*[cell] * count)
    return DataTable(draw(row), draw(st.lists(row, max_size=6)))


@given(_tables())
@examples(500)
def test_csv_reads_back_as_the_same_cells(table: DataTable) -> None:
    rows = list(csv.reader(io.StringIO(as_csv(table), newline="")))
    assert [tuple(row) for row in rows] == [table.columns, *table.rows]


@given(_tables())
@examples(500)
def test_tsv_reads_back_as_the_same_cells(table: DataTable) -> None:
    rows = list(csv.reader(io.StringIO(as_tsv(table), newline=""), delimiter="\t"))
    expected = [table.columns, *table.rows]
    # A row of one empty cell is an empty line, in every spreadsheet too.
    assert [tuple(row) or ("",) for row in rows] == expected


@given(_tables())
@examples(500)
def test_json_has_every_cell(table: DataTable) -> None:
    found = json.loads(as_json(table))
    names = unlike(table.columns)
    for row, each in zip(table.rows, found, strict=True):
        assert list(each) == names
        for cell, value in zip(row, each.values(), strict=True):
            if isinstance(value, str):
                assert value == cell
            elif value is None:
                assert cell == ""
            elif isinstance(value, bool):
                assert json.dumps(value) == cell
            else:
                assert float(cell) == value


_MARKED = st.text("ab *_~`[]()!<>\\&;.|x1-", max_size=10).map(str.strip)


@given(_tables(_MARKED))
@examples(1_000)
def test_markdown_reads_back_as_the_same_cells(table: DataTable) -> None:
    found = table_of_markdown(as_markdown(table))
    assert found is not None
    assert found.columns == table.columns
    assert list(found.rows) == list(table.rows)


def test_markdown_is_left_as_readable_as_it_can_be() -> None:
    table = DataTable(("bucket_id", "Sum"), [("in.c-main", "5"), ("**x**", "12"), ("a\nb", "")])
    assert as_markdown(table) == (
        "| bucket_id | Sum |\n| --- | ---: |\n| in.c-main | 5 |\n| \\*\\*x\\*\\* | 12 |\n| a<br>b |  |\n"
    )


def test_json_numbers_are_numbers_only_where_that_loses_nothing() -> None:
    table = DataTable(
        ("n", "price", "id", "long", "grouped", "ok", "gap", "gap"),
        [
            ("1", "1.50", "00123", "12345678901234567890", "1,234", "true", "", ""),
            ("", "-0.1", "5", "1", "5", "false", "", "x"),
        ],
    )
    assert json.loads(as_json(table)) == [
        {
            "n": 1, "price": 1.5, "id": "00123", "long": "12345678901234567890", "grouped": "1,234", "ok": True,
            "gap": "", "gap 2": "",
        },
        {"n": None, "price": -0.1, "id": "5", "long": "1", "grouped": "5", "ok": False, "gap": "", "gap 2": "x"},
    ]  # fmt: skip
    assert '"price": 1.50' in as_json(table)


def test_parquet_ready_csv_has_one_type_in_every_column() -> None:
    table = DataTable(
        ("Order ID", "Total ($)", "Total ($)", "day", "at", "ok", "2nd", ""),
        [
            ("00123", "$1,234.50", "—", "31.12.2026", "2026-01-01 10:00:00", "yes", 'a "b"', ""),
            ("00124", "$5", "7", "2026-01-02", "2026-01-01T10:00:00.5+02:00", "no", "", "x"),
        ],
    )
    assert as_parquet_ready_csv(table) == (
        "Order_ID,Total,Total_2,day,at,ok,_2nd,column\n"
        '"00123",1234.50,,2026-12-31,2026-01-01T10:00:00,true,"a ""b""",""\n'
        '"00124",5,7,2026-01-02,2026-01-01T10:00:00.500000+02:00,false,"","x"\n'
    )


@given(_tables())
@examples(300)
def test_parquet_ready_csv_has_all_rows_and_each_name_once(table: DataTable) -> None:
    rows = list(csv.reader(io.StringIO(as_parquet_ready_csv(table), newline="")))
    assert len(rows) == len(table.rows) + 1
    assert len(set(rows[0])) == len(table.columns)
    assert all(name.replace("_", "a").isalnum() and name.isascii() for name in rows[0])


def test_formulas_are_counted_and_prefixed_only_when_asked_for() -> None:
    table = DataTable(("a", "b"), [("=cmd()", "-5"), ("+1", "@x"), ("-2+3", "- 5 %"), ("—", "-")])
    assert formulas(table) == 3
    assert "=cmd()" in as_csv(table)
    assert "'" not in as_csv(table)
    safe = without_formulas(table)
    assert list(safe.rows) == [("'=cmd()", "-5"), ("+1", "'@x"), ("'-2+3", "- 5 %"), ("—", "-")]
    assert formulas(safe) == 0


@for_all(hostile_cases())
def test_hostile_cells_survive_every_format(case: Any) -> None:
    text: str = case.text[:100_000]  # the reader's own bound on a field
    table = DataTable((text, text), [(text, "1"), ("", text)], text)
    for how in FORMATS:
        assert "".join(written(table, how))
    rows = list(csv.reader(io.StringIO(as_csv(table), newline="")))
    assert [tuple(row) for row in rows] == [table.columns, *table.rows]
    assert [each[text] for each in json.loads(as_json(table))] == [text, ""]


def test_the_pieces_are_the_whole() -> None:
    table = DataTable(("n",), [(str(n),) for n in range(4_500)])
    assert "".join(written(table, "csv")) == as_csv(table)
    assert len(json.loads("".join(written(table, "json")))) == 4_500
    assert as_json(DataTable(("n",), [])) == "[\n]\n"

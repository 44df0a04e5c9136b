"""Tables read from markdown and from tools' answers."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kai_tui.conversation.tables.inline_text import plain_text
from kai_tui.conversation.tables.reading import table_of_markdown, table_of_result
from tests.hostile_cases import hostile_cases
from tests.some import examples, for_all


def test_a_markdown_table_is_read_as_a_reader_sees_it() -> None:
    table = table_of_markdown(
        "Here it is:\n\n"
        "| **Region** | `a` | Sum |\n"
        "|:--|:-:|--:|\n"
        "| [West](https://example.com/w) | x \\| y | **41,200** |\n"
        "| snake_case_name | `c|d` | |\n"
        "\nAnd more."
    )
    assert table is not None
    assert table.columns == ("Region", "a", "Sum")
    assert list(table.rows) == [("West", "x | y", "41,200"), ("snake_case_name", "c|d", "")]


def test_a_break_in_a_cell_is_a_line_end() -> None:
    table = table_of_markdown("a | b\n--- | ---\n1<br>2 | <br/>")
    assert table is not None
    assert list(table.rows) == [("1\n2", "\n")]


@pytest.mark.parametrize(
    "source",
    ["- one\n  | a | b |\n  |---|---|\n  | 1 | 2 |", "> | a | b |\n> |---|---|\n> | 1 | 2 |\n> end", "1. | a | b |\n   |---|---|\n   | 1 | 2 |"],
)  # fmt: skip
def test_a_table_in_a_list_or_a_quote_is_read(source: str) -> None:
    table = table_of_markdown(source)
    assert table is not None
    assert (table.columns, list(table.rows)) == (("a", "b"), [("1", "2")])


@pytest.mark.parametrize("source", ["", "just text", "| a | b |", "a\n---\nb", "| a | b |\n| --- |\n| 1 |"])
def test_what_is_no_table_is_none(source: str) -> None:
    assert table_of_markdown(source) is None


def test_csv_of_a_query_keeps_its_cells_and_its_name() -> None:
    rows = [("id", "name"), ("00123", 'say "hi", twice'), ("2", "two\nlines")]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    answer = {"query_name": "Orders by region", "csv_data": out.getvalue()}
    for output in (answer, json.dumps(answer), {"content": [{"type": "text", "text": json.dumps(answer)}]}):
        table = table_of_result(output)
        assert table is not None
        assert (table.columns, list(table.rows)) == (rows[0], rows[1:])
        assert table.title == "Orders by region"


def test_a_row_that_is_too_long_keeps_every_cell_apart() -> None:
    table = table_of_result({"csv_data": "a,b\n1\n1,2,3\n"})
    assert table is not None
    assert table.columns == ("a", "b", "")
    assert list(table.rows) == [("1", "", ""), ("1", "2", "3")]


def test_a_list_of_objects_is_a_table_also_with_values_inside_values() -> None:
    table = table_of_result(
        {"tables": [{"id": 1, "ok": True}, {"id": None, "more": {"a": [1]}}], "links": []}
    )
    assert table is not None
    assert table.title == "tables"
    assert table.columns == ("id", "ok", "more")
    assert list(table.rows) == [("1", "true", ""), ("", "", '{"a": [1]}')]


def test_toon_is_a_table() -> None:
    table = table_of_result('buckets[2]{id,name}:\n  in.c-crm,CRM\n  in.c-web,"Web, shop"\n')
    assert table is not None
    assert table.title == "buckets"
    assert list(table.rows) == [("in.c-crm", "CRM"), ("in.c-web", "Web, shop")]


@pytest.mark.parametrize(
    "output",
    [None, "", "words", 5, [], {}, [1, 2], {"isError": True, "content": [{"text": "a | b\n--|--\n1 | 2"}]}],
)
def test_answers_without_a_table_have_none(output: Any) -> None:
    assert table_of_result(output) is None


# -- the same text as the transcript draws ----------------------------------------------------------


def _drawn(source: str) -> str:
    """A cell's text as the transcript draws it, unfiltered."""
    from kai_tui.ui.transcript.inline import inline
    from kai_tui.ui.transcript.markdown import _parser  # pyright: ignore[reportPrivateUsage]

    tokens = _parser().parseInline(source, {})
    return inline(tokens[0].children or ()).text if tokens else ""


@pytest.mark.parametrize(
    "source",
    [
        "**a**", "*a*b*", "**a*b**c*", "***a***", "a**b**c", "snake_case_name", "_a_b_", "__a__", "~~a~~", "~a~", "~~~a~~~",
        "2*3*4", "2 * 3 * 4", "`a|b`", "``a`b``", "`a", "` a `", r"\*a\*", r"\[x\]", r"\(x\)", "[a](b)", "[a](<b c>)",
        '[a](b "t")', "[a](javascript:x)", "![a](b)", "![](b)", "[![a](b)](c)", "[a [b](c) d](e)", "[a]", "[a][b]",
        "<https://a.b>", "<a@b.c>", "<b>x</b>", "&amp;", "&#65;", "&nbsp;x", "&nope;", "*a [b*](c)", "[a](b(c)d)", "a ]( b",
        "[**a**](b)", "*a`*`*", "**a", "a*", "€*5*", "*(a)*b", "!*a*", "[a](b", "\\", "a\\b", "![a*b*](c)", "_a*b_c*",
    ],
)  # fmt: skip
def test_inline_markup_is_read_as_the_transcript_draws_it(source: str) -> None:
    assert plain_text(source) == _drawn(source)


@given(st.text("ab *_~`[]()!<>\\&;.|x", max_size=14).map(str.strip))
@examples(2_000)
def test_any_markup_is_read_as_the_transcript_draws_it(source: str) -> None:
    assert plain_text(source) == _drawn(source)


@given(st.text("ab 1.,:/-|()#+=\"'@$%^{}é日\u00a0", max_size=12).map(lambda text: " ".join(text.split())))
@examples(1_000)
def test_a_cell_without_markup_is_what_parsing_it_would_give(source: str) -> None:
    from kai_tui.ui.transcript.markdown import _cell  # pyright: ignore[reportPrivateUsage]

    assert _cell(source).text == _drawn(source)


def test_html_stays_literal() -> None:
    assert MarkdownIt("commonmark", {"html": False}).renderInline("<b>") == "&lt;b&gt;"
    assert plain_text("<b>") == "<b>"


@for_all(hostile_cases())
def test_hostile_text_is_read_and_never_fails(case: Any) -> None:
    text = case.text
    cell = text.replace("\n", " ").replace("|", "\\|")[:2_000]
    table_of_markdown(f"| a | b |\n| --- | --- |\n| {cell} | 1 |")
    table_of_result({"csv_data": f"a,b\n{text},1\n"})
    table = table_of_result([{"a": text}])
    assert table is not None
    assert list(table.rows) == [(text,)]


@pytest.mark.some(6)
@pytest.mark.parametrize(
    "piece",
    [
        "*a ",
        "*a_ ",
        "` ",
        "[",
        "[a](",
        "![a](b",
        "<a:",
        "&a",
        "\\",
        "~~a",
        "|",
        "-|",
        ":-",
        " >",
        "  ",
        "(",
        "_",
    ],
)
def test_no_text_makes_reading_take_more_than_its_length(piece: str) -> None:
    """A bound that only a quadratic step breaks."""
    from time import process_time

    started = process_time()
    pattern = piece * 30_000
    plain_text(pattern)
    table_of_markdown(f"| a | b |\n|---{pattern}x\n|---|---|\n| {pattern} | 1 |")
    assert process_time() - started < 3

"""TOON as the MCP server's listing tools write it (keboola-tools.md §3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.messages import Message
from kai_tui.conversation.reviews.review import ObjectRef, Wanted
from kai_tui.conversation.seen_values import seen_values
from kai_tui.conversation.toon import NotToon, decode_toon

TABLES = """\
tables[2]:
  - id: in.c-crm.customers
    name: customers
    description: "One row each, with \\"quotes\\" and\\nlines"
    rows_count: 310
    primary_key[1]: customer_id
    columns[2]{name,description,nullable}:
      customer_id,"",false
      name,"First, last",true
  - columns[1]{name}:
      x
    id: in.c-crm.bare
    empty:
    none[0]:
links[1]{type,title,url}:
  ui-detail,All tables,"https://connection.keboola.com/admin"
bucket_counts:
  total: 2
  share: 0.5
"""
AS_JSON: Any = {
    "tables": [
        {
            "id": "in.c-crm.customers",
            "name": "customers",
            "description": 'One row each, with "quotes" and\nlines',
            "rows_count": 310,
            "primary_key": ["customer_id"],
            "columns": [
                {"name": "customer_id", "description": "", "nullable": False},
                {"name": "name", "description": "First, last", "nullable": True},
            ],
        },
        {"columns": [{"name": "x"}], "id": "in.c-crm.bare", "empty": {}, "none": []},
    ],
    "links": [{"type": "ui-detail", "title": "All tables", "url": "https://connection.keboola.com/admin"}],
    "bucket_counts": {"total": 2, "share": 0.5},
}


def test_an_answer_of_a_listing_tool() -> None:
    assert decode_toon(TABLES) == AS_JSON
    assert decode_toon(TABLES.replace("\n", "\r\n")) == AS_JSON
    # Older writers put the rows of an item's first field where its other fields are.
    assert decode_toon(TABLES.replace("      x\n", "    x\n")) == AS_JSON


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[2]{id,name}:\n  1,a\n  2,b", [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]),
        ("[3]: a,2,null", ["a", 2, None]),
        ("[#2|]: a,b|c", ["a,b", "c"]),
        ("x[2\t]{a\tb}:\n  1\t2\n  3\t4", {"x": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}),
        (
            "x[2]:\n  - [2]: 1,2\n  - plain words: no, not quite",
            {"x": [[1, 2], {"plain words": "no, not quite"}]},
        ),
        ('x[2]:\n  - a\n  - "b: c"', {"x": ["a", "b: c"]}),
        ('"odd key": 1\nid: "007"\nversion: 007', {"odd key": 1, "id": "007", "version": "007"}),
        ("x[1]:\n  -", {"x": [{}]}),
        ("a: b: c", {"a": "b: c"}),
        ("a:\n  b:\n    c: 1", {"a": {"b": {"c": 1}}}),
    ],
)
def test_other_forms(text: str, value: Any) -> None:
    assert decode_toon(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  a: 1",
        "Just words.",
        "# A heading\n\nAnd prose.",
        "x[2]{a}:\n  1",
        "x[1]{a}:\n  1\n  2",
        "x[1]{a,b}:\n  1",
        "x[1]{a,a}:\n  1,2",
        "x[2]: 1",
        'x: "open',
        'x: "a" b',
        "x[1]{a}: 1",
        "x[1]{a,b{c}}:\n  1,2",
        "a: 1\na: 2",
        "a: 1\n    b: 2",
        "x[1]:\n  no item",
        "x[999999]:",
        "a:\n" + "".join(f"{'  ' * depth}a:\n" for depth in range(1, 60)),
    ],
)
def test_what_is_something_else_is_not_guessed_at(text: str) -> None:
    with pytest.raises(NotToon):
        decode_toon(text)


@given(st.text(alphabet='ab:,-[]{}2"\\ \n|#', max_size=60))
def test_odd_texts_are_refused_or_read_and_break_nothing(text: str) -> None:
    try:
        assert isinstance(decode_toon(text), dict | list)
    except NotToon:
        pass


def test_what_a_listing_showed_is_known_to_the_chat() -> None:
    part = {"type": "tool-get_tables", "toolCallId": "c", "state": "output-available", "input": {}}
    wrapped = {"content": [{"type": "text", "text": TABLES}]}
    for output in (TABLES, wrapped):
        message = Message.from_wire({"id": "m", "role": "assistant", "parts": [part | {"output": output}]})
        column = Wanted("description", ObjectRef("column", "in.c-crm.customers.name"))
        assert seen_values([message], [column])[column].value == "First, last"

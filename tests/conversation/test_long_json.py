"""A long JSON object read row by row: nothing else than reading it at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation import long_json
from kai_tui.conversation.json_text import MAX_DEPTH, BadJson
from kai_tui.conversation.long_json import read_rows
from tests.conversation.test_json_text import JSON


def read(content: bytes, window: int) -> tuple[dict[str, Any], list[Any], int]:
    rows: list[Any] = []
    pauses: list[None] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_json, "_WINDOW", window)
        patch.setattr(long_json, "_PAUSE", 20)
        head = read_rows(content, "rows", rows.append, lambda: pauses.append(None))
    return head, rows, len(pauses)


@given(
    st.dictionaries(st.text(max_size=5).filter("rows".__ne__), JSON, max_size=3),
    st.lists(JSON, max_size=5),
    st.booleans(),
    st.sampled_from([None, 2]),
    st.integers(1, 40),
)
def test_it_finds_what_reading_it_at_once_finds(
    others: dict[str, Any], rows: list[Any], last: bool, indent: int | None, window: int
) -> None:
    value = {**others, "rows": rows} if last else {"rows": rows, **others}
    text = json.dumps(value, indent=indent, ensure_ascii=last).encode("utf-8", "surrogatepass")
    try:
        text.decode()
    except UnicodeDecodeError:
        text = json.dumps(value, indent=indent).encode()
    assert read(text, window)[:2] == (others, rows)


@pytest.mark.parametrize(
    "text",
    ['{"rows":[1,2', '{"rows":[1 2]}', '{"rows":[],"rows":[]}', '{"rows":[NaN]}', '{"rows":{}}', "[]", "", '{"rows":[]} x',
     '{"rows":[1,]}', '{,"rows":[]}', '{"a" 1}', '{1:2}', '{"rows":[' + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "]}",
     '{"rows":["' + "[" * 99_999],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadJson):
        read(text.encode(), 7)
    with pytest.raises(BadJson):
        read(b'{"rows":["\xff"]}', 7)


def test_others_get_their_turn() -> None:
    _, rows, pauses = read(json.dumps({"rows": ["x" * 30] * 50}).encode(), 64)
    assert len(rows) == pauses == 50


def test_a_number_at_the_edge_of_what_is_looked_at_is_whole() -> None:
    assert read(b'{"rows":[12345,67],"a":890}', 3)[:2] == ({"a": 890}, [12345, 67])

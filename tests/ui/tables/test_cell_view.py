"""A cell that is JSON, laid out: easier to read, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.tables.cell_view import laid_out

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=4) | st.dictionaries(st.text(), VALUES, max_size=4), st.booleans())
def test_it_is_laid_out_as_python_does(value: object, ascii_only: bool) -> None:
    assert laid_out(json.dumps(value, ensure_ascii=ascii_only)) == json.dumps(
        value, ensure_ascii=False, indent=2
    )


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ('{"sum": 1.10}', '"sum": 1.10'),
        ('{"id": 12345678901234567890.123}', "12345678901234567890.123"),
        ('{"a": 1, "a": 2}', '"a": 1,\n  "a": 2'),
        ("[1E5, -0.0]", "1E5,\n  -0.0"),
    ],
)
def test_what_is_shown_and_copied_is_what_stands_in_the_cell(raw: str, kept: str) -> None:
    shown = laid_out(raw)
    assert shown is not None
    assert kept in shown


@pytest.mark.parametrize("raw", ["", "text", '{"a": 1', '["a" "b"]', '{"a"}', "{" * 2000])
def test_what_is_no_json_is_shown_as_it_is(raw: str) -> None:
    assert laid_out(raw) is None

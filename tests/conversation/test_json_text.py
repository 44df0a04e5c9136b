"""JSON from strangers (reliability.md T19), and JSON that is still being written (kai.md §7)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.growing_text import GrowingText
from kai_tui.conversation.json_text import MAX_DEPTH, BadJson, copy_json, decode_json
from kai_tui.conversation.partial_json import UNREADABLE, PartialJson, read_partial_json
from tests.fixture_cases import cases

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        '{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1),
        "9" * 5_000,
        "NaN",
        '{"type":"text-delta","delta":NaN}',
        "-Infinity",
        "1e999",
        "",
        " ",
        '{"a":1} {',
        '{"a"',
        "'a'",
        '"\x01"',
        b"\xff\xfe{}",
        b'{"a": "\xc3"}',
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_nobody_should_have_to_read_is_one_kind_of_error(text: str | bytes) -> None:
    with pytest.raises(BadJson):
        decode_json(text)


def test_what_can_be_read_is_read() -> None:
    assert decode_json(' \n{"a": [1, 2.5, -0, null]}\r\n\t') == {"a": [1, 2.5, 0, None]}
    assert decode_json(b'\xef\xbb\xbf"\xc5\x99"') == "ř"
    assert decode_json('"\\ud83d"') == "\ud83d"
    assert decode_json('"\\ud83d\\udc0e"') == "🐎"
    assert decode_json("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert decode_json(json.dumps([[]] * 1000)) == [[]] * 1000
    assert decode_json('"' + "[" * 1000 + '"') == "[" * 1000
    assert decode_json("9007199254740993") == 9007199254740993


@given(JSON)
def test_reads_what_json_writes_and_copies_it(value: Any) -> None:
    assert decode_json(json.dumps(value)) == value
    before = copy.deepcopy(value)
    copied = copy_json(value)
    assert copied == value
    if isinstance(copied, list):
        copied.append("more")
    elif isinstance(copied, dict):
        copied["more"] = 1
    assert value == before


@given(st.text() | st.binary())
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    try:
        decode_json(text)
    except BadJson:
        pass


@pytest.mark.parametrize("path", cases("ai-sdk", "partial-json.json"), ids=str)
def test_unfinished_json_reads_as_in_the_sdk(path: Any) -> None:
    recorded = json.loads(path.read_text("utf-8"))
    assert len(recorded) > 200
    for case in recorded:
        expected = case.get("value", UNREADABLE)
        assert read_partial_json(case["text"]) == expected, case
        growing = PartialJson()
        for character in case["text"]:
            growing.append(character)
            growing.value()
        assert growing.value() == expected, case
        assert growing.text == case["text"]


@given(JSON, st.data())
def test_unfinished_json_never_fails_and_ends_whole(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    at = data.draw(st.integers(0, len(text)))
    growing = PartialJson(text[:at])
    beginning = growing.value()
    if isinstance(value, dict):
        assert beginning is UNREADABLE or isinstance(beginning, dict)
        assert beginning is UNREADABLE or set(beginning) <= set(value)
    growing.append(text[at:])
    assert growing.value() == value


@given(st.text(alphabet='{}[]",:\\u0aef tn-.1 ', max_size=60))
def test_any_unfinished_text_is_read_or_not(text: str) -> None:
    growing = PartialJson()
    for character in text:
        growing.append(character)
    assert growing.value() == read_partial_json(text) or growing.value() is UNREADABLE


def test_a_long_input_is_read_once_however_often_it_is_looked_at() -> None:
    text = json.dumps({"source_code": "x = 1\n" * 5_000})
    growing = PartialJson()
    for at in range(0, len(text), 4):
        growing.append(text[at : at + 4])
        if at % 1000 == 0:
            growing.value()
    assert growing.value() == json.loads(text)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=()), max_size=6)))
def test_growing_text_is_the_pieces_joined(pieces: list[str]) -> None:
    text = GrowingText()
    seen = ""
    for piece in pieces:
        text.append(piece)
        seen += text.since(len(seen))
        assert seen == text.text
        assert len(text) == len(seen)
    joined = "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    assert text.raw == joined
    assert not text.text or not "\ud800" <= text.text[-1] <= "\udbff"

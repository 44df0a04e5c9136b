"""Inputs as people edit them: what they see, what is sent and what the server reads is the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.edited_input import (
    LONGEST_INPUT,
    NotSendable,
    check,
    field_text,
    fields,
    json_to_edit,
    path_words,
    read_field,
    read_input,
    replaced,
)
from kai_tui.conversation.exact_text import is_ordinary
from kai_tui.conversation.input_changes import LONGEST_REASON, changes, correction, same
from kai_tui.conversation.json_text import BadJson, decode_typed
from tests.some import examples

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_INPUTS = st.dictionaries(_TEXT, _VALUES, max_size=5)

UPDATE = {
    "updates": [
        {"item_id": "in.c-crm.customers", "description": "People\nwho buy"},
        {"item_id": "in.c-crm.orders", "description": ""},
    ],
    "dry_run": False,
    "limit": 5,
    "tags": ["a", "b"],
    "nothing": None,
}


def test_every_value_is_a_field_of_its_kind() -> None:
    assert [(field.name, field.kind) for field in fields(UPDATE)] == [
        ("updates[0].item_id", "text"),
        ("updates[0].description", "text"),
        ("updates[1].item_id", "text"),
        ("updates[1].description", "text"),
        ("dry_run", "yes or no"),
        ("limit", "number"),
        ("tags", "JSON"),
        ("nothing", "JSON"),
    ]


def test_thousands_of_values_are_edited_by_argument() -> None:
    many = {"rows": [{"n": number} for number in range(5000)], "name": "x"}
    assert [(field.name, field.kind) for field in fields(many)] == [("rows", "JSON"), ("name", "text")]


@given(_INPUTS)
@examples(200)
def test_a_field_left_alone_is_what_it_was(given_input: dict[str, Any]) -> None:
    for field in fields(given_input):
        assert same(read_field(field, field_text(field)), field.value)
        assert same(replaced(given_input, field.path, field.value), given_input)


@given(_INPUTS)
@examples(200)
def test_json_left_alone_is_what_it_was_and_hides_nothing(given_input: dict[str, Any]) -> None:
    text = json_to_edit(given_input)
    assert same(read_input(text), given_input)
    assert all(character == "\n" or is_ordinary(character) for character in text)


@given(_INPUTS)
@examples(100)
def test_no_editor_shows_a_character_that_hides(given_input: dict[str, Any]) -> None:
    for field in fields(given_input):
        assert all(each in "\n\t" or is_ordinary(each) for each in field_text(field))


@given(_INPUTS, _INPUTS)
@examples(200)
def test_nothing_changed_means_the_same_and_the_other_way_round(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert (changes(one, other) == []) == same(one, other)
    assert changes(one, json.loads(json.dumps(one))) == []


@pytest.mark.parametrize(
    "text", ["a\u202eb", "a\r\nb", "a\x1b[31m", "a\u2028b", "Z" + "\u0301" * 9, "\ufeffx", "a\u00a0b"]
)
def test_a_text_that_hides_something_is_edited_with_escapes(text: str) -> None:
    (field,) = fields({"name": text})
    assert field.kind == "escaped text"
    assert field_text(field).startswith('"')
    assert "\\" in field_text(field)
    assert read_field(field, field_text(field)) == text
    with pytest.raises(NotSendable, match="between quotes"):
        read_field(field, "5")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Nothing stands here"),
        ("[1]", "names and values"),
        ('{"a": 1, "a": 2}', '"a" comes more than once'),
        ('{"a": {"b": 1, "b": 1}}', '"b" comes more than once'),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": -Infinity}', "-Infinity is no JSON"),
        ('{"a": 1e999}', "number too large"),
        ('{"a": 9007199254740993}', "beyond 2^53"),
        ('{"a": -9007199254740993}', "beyond 2^53"),
        ('{"a": ' + "9" * 6000 + "}", "999999999999…99999999 is a whole number beyond 2^53"),
        ('{"a": "\\ud800"}', "U+D800 in a is half a character"),
        ('{"\\ud800": 1}', "half a character"),
        ('{\n  "a": ,\n}', "Line 2, column 8"),
        ('\n\n{"a": 1} x', "Line 3, column 10"),
        ('{"a":' * 300 + "1" + "}" * 300, "nested too deeply"),
        ("[" * 100_000, "."),
        ('{"a": "' + "x" * LONGEST_INPUT + '"}', "characters more than the 500,000"),
    ],
)
def test_what_readers_could_read_differently_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(NotSendable) as error:
        read_input(text)
    assert words.lower() in str(error.value).lower()
    assert str(error.value).endswith((".", "{}."))


def test_a_number_nobody_touched_is_refused_too_when_the_server_would_read_another_one() -> None:
    with pytest.raises(NotSendable, match=r"list\[1\] is a whole number beyond 2\^53"):
        check({"list": [1, 2**60]})


def test_typed_json_is_bad_json_for_everyone() -> None:
    with pytest.raises(BadJson):
        decode_typed('{"a": 1, "a": 1}')
    assert decode_typed(' {"a": 9007199254740992} ') == {"a": 2**53}


@pytest.mark.parametrize(
    ("value", "text", "words"),
    [
        (5, "five", "Line 1"),
        (5, '"5"', "This is a number"),
        (5, "true", "This is a number"),
        (5, "90071992547409930", "beyond 2"),
        (True, "1", "true or false"),
        (True, "yes", "Line 1"),
        ("x", "half \ud83d", "half a character"),
    ],
)
def test_a_value_stays_of_its_kind(value: object, text: str, words: str) -> None:
    (field,) = fields({"it": value})
    with pytest.raises(NotSendable, match=words):
        read_field(field, text)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("a", 0, "b"), "a[0].b"),
        (("#token",), "#token"),
        (("a", "b.c"), 'a["b.c"]'),
        (("a b",), '["a b"]'),
        (("", 1), '[""][1]'),
        (("in\u202e",), '["in\\u202e"]'),
    ],
)
def test_a_place_in_words_cannot_be_read_as_another(path: tuple[str | int, ...], words: str) -> None:
    assert path_words(path) == words


def test_changes_are_told_place_by_place() -> None:
    after = {**UPDATE, "limit": 5.0, "tags": ["b"], "new": {"a": 1}}
    del after["nothing"]
    after["updates"] = [UPDATE["updates"][0], {"item_id": "in.c-crm.orders", "description": "Sales"}]
    assert [change.words(40) for change in changes(UPDATE, after)] == [
        'updates[1].description: "" → "Sales"',
        "limit: 5 → 5.0",
        'tags[0]: "a" removed',
        'new: {"a": 1} added',
        "nothing: null removed",
    ]


def test_what_is_written_down_of_a_change_holds_no_secret_and_no_megabyte() -> None:
    before = {"parameters": {"#password": "hunter2", "#key": "KBC::abc", "text": "x" * 900}}
    after = {
        "parameters": {"#password": "hunter3", "#key": "KBC::abd", "text": "y", "more": {"#p": "hunter4"}}
    }
    told = "\n".join(change.words(60) for change in changes(before, after))
    assert "hunter" not in told
    assert "KBC::abc" in told
    assert "x" * 60 + "…" not in told.replace('"', "")
    assert "(902 characters)" in told
    assert [change.secret for change in changes(before, after)] == [True, False, False, True]


def test_a_correction_is_the_whole_input_when_it_is_short() -> None:
    said = correction("create_bucket", {"name": "a"}, {"name": "b\u202e", "stage": "in"})
    assert said == (
        'Not with this input. Call create_bucket again with exactly this input: {"name": "b\\u202e", "stage": "in"}'
    )


def test_a_correction_of_a_large_input_says_what_changes() -> None:
    before = {"sql": "x" * 9000, "name": "a", "gone": 1, "#password": "hunter2"}
    after = {"sql": "x" * 9000, "name": "b", "#password": "hunter2", "new": [1]}
    assert correction("update", before, after) == (
        "Not with this input. Call update again with the same input except for this:\n"
        '- set name = "b"\n- add new = [1]\n- remove gone'
    )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"a": 1}, {"a": 1}, "Nothing is changed"),
        ({"a": "x"}, {"a": "y" * LONGEST_REASON}, "a reason 2,000 at most"),
        ({"#a": "x"}, {"#a": "y"}, "secret cannot go into a reason"),
        ({}, {"auth": {"#a": "y"}}, "secret cannot go into a reason"),
    ],
)
def test_a_correction_that_cannot_be_said_is_not(before: Any, after: Any, words: str) -> None:
    with pytest.raises(NotSendable, match=words):
        correction("tool", before, after)


def test_an_unchanged_secret_is_not_repeated_in_a_correction() -> None:
    said = correction("t", {"#a": "hunter2", "b": 1}, {"#a": "hunter2", "b": 2})
    assert "hunter2" not in said
    assert "set b = 2" in said

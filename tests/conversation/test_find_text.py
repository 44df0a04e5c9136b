"""What a query finds in a text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.find_text import Matcher
from tests.some import examples

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("two", "Two tables, two rows", ["Two", "two"]),
        ("Two", "Two tables, two rows", ["Two"]),
        ("PŘÍLIŠ", "Příliš žluťoučký", []),
        ("příliš", "PŘÍLIŠ žluťoučký Příliš", ["PŘÍLIŠ", "Příliš"]),
        ("strasse", "Die Straße und die STRASSE", ["Straße", "STRASSE"]),
        ("straße", "Die Strasse", ["Strasse"]),
        ("売上", "先月の売上は売上高", ["売上", "売上"]),
        ("abc", "ＡＢＣ abc", ["ＡＢＣ", "abc"]),
        ("ガ", "ｶﾞ ガ", ["ｶﾞ", "ガ"]),
        ("é", "e\u0301te été", ["e\u0301", "é", "é"]),
        ("in.c-shop.orders", "SELECT * FROM in.c-shop.orders;", ["in.c-shop.orders"]),
        ("in.c", "inxc in.c", ["in.c"]),
        ("aa", "aaaa", ["aa", "aa"]),
        ("(x", "f(x)", ["(x"]),
        ("s", "ß", ["ß"]),
        ("", "abc", []),
        ("  ", "a  b", []),
        ("a b", "a b", ["a b"]),
    ],
)
def test_what_people_mean(query: str, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in Matcher(query).find(text)] == found


@examples(300)
@given(TEXT, TEXT, TEXT)
def test_what_stands_there_is_found(before: str, query: str, after: str) -> None:
    if not query.strip():
        return
    spans = Matcher(query).find(before + "\n" + query + "\n" + after)
    at = len(before) + 1
    assert any(start <= at < end or start >= at for start, end in spans)


@examples(300)
@given(st.text("sSßﬁfi\u0301eé", max_size=3), st.text("sSßﬁfi\u0301eé"))
def test_spans_are_in_order_and_in_the_text(query: str, text: str) -> None:
    last = 0
    for start, end in Matcher(query).find(text):
        assert last <= start < end <= len(text)
        last = end


@examples(300)
@given(TEXT, st.integers(0, 40), st.integers(1, 10))
def test_a_query_narrows_what_it_goes_on_from(text: str, start: int, size: int) -> None:
    query = text[start : start + size]
    longer = text[start : start + size + 1]
    first, second = Matcher(query), Matcher(longer)
    if second.narrows(first) and second.find(text):
        assert first.find(text)


def test_a_capital_narrows_but_a_small_letter_does_not_widen_back() -> None:
    assert Matcher("abC").narrows(Matcher("ab"))
    assert not Matcher("abcd").narrows(Matcher("aBc"))
    assert not Matcher("b").narrows(Matcher("ab"))
    assert not Matcher("a").narrows(Matcher(""))


@examples(300)
@given(TEXT, st.integers(0, 40), st.integers(1, 10))
def test_no_text_that_holds_it_is_passed_over(text: str, start: int, size: int) -> None:
    query = text[start : start + size]
    for source in (text, text.swapcase(), f"*{text}* and `{text}`"):
        for wire in (source, json.dumps(source, ensure_ascii=False)):
            raw = json.dumps({"text": wire}, ensure_ascii=False).encode("utf-8", "surrogatepass")
            if Matcher(query).find(source):
                assert Matcher(query).may_be_in(raw)


def test_markup_between_and_inside_words_does_not_hide_them() -> None:
    raw = json.dumps({"text": "**Two** ta_bl_es in `in.c-shop`\\_x"}).encode()
    for query in ("two tables", "in.c-shop_x", "Two"):
        assert Matcher(query).may_be_in(raw)
    for odd in ("a\u202eb", "a\x1bb", "a" + "\u0301" * 12, "a" + " " * 300 + "b"):
        assert Matcher("u+202e").may_be_in(json.dumps(odd, ensure_ascii=False).encode()), odd
    assert not Matcher("three").may_be_in(raw)
    assert not Matcher("two chairs").may_be_in(raw)

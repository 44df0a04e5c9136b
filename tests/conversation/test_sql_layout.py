"""SQL laid out anew says the same: strings, comments and tokens are those that were there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.sql_layout import LONGEST, NotLaidOut, is_sql, laid_out, same_tokens
from tests.some import examples

ORDERS = (
    "select region, sum(amount) as total from orders o join shops s on s.id = o.shop_id "
    "where status <> 'not  delivered' group by region having sum(amount) >= 10 order by total desc limit 5"
)


def test_every_clause_gets_a_line_and_nothing_else_changes() -> None:
    made = laid_out(ORDERS)
    lines = [line.strip() for line in made.split("\n")]
    for clause in ("from orders o", "join shops s on s.id = o.shop_id", "where status <> 'not  delivered'"):
        assert clause in lines
    assert made.split() == ORDERS.split()
    assert laid_out(made) == made


@pytest.mark.parametrize(
    "code",
    [
        "select 'it''s  ok' -- a  note\nfrom t",
        "select /* two\n  lines */ a from t; delete from u where x = 1",
        'select "odd  name", `other  name` from t',
        "select $$ body  of $$ as f",
        "with a as (select 1) select * from a union all select 2",
        "select a <= b, c != d, e::text, f->>'k' from t",
        "SELECT DATE '2024-01-01', x'ff' FROM t",
    ],
)
def test_what_has_strings_and_comments_stays_the_same(code: str) -> None:
    assert same_tokens(code, laid_out(code))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select 'a  b'", "select 'a b'"),
        ("select 1 -- note\nfrom t", "select 1 -- note from t"),
        ('select "a  b"', 'select "a b"'),
        ("select `a  b`", "select `a\nb`"),
        ("select a b", "select ab"),
        ("select a <= b", "select a < = b"),
        ("select a", "SELECT a"),
        ("select /* a  b */ 1", "select /* a b */ 1"),
        ("select $$ a  b $$", "select $$ a b $$"),
        # In one dialect or the other this is another string.
        (r"select 'it\'s  x', 'y'", r"select 'it\'s x', 'y'"),
        ("select 1 # a\nfrom t", "select 1 # a from t"),
        ("select [a  b]", "select [a b]"),
        ("select '''a'  b'''", "select '''a' b'''"),
    ],
)
def test_a_changed_text_is_seen_in_every_dialect(one: str, other: str) -> None:
    assert not same_tokens(one, other)


@examples(200)
@given(
    st.lists(
        st.sampled_from(
            ["select", "a", "from", "t", "'x  y'", '"q  r"', "--", "\n", "/*", "*/", "'", '"', "`", "(", ")", ",", ";",
             "\\", "#", "$$", "[", "]", "  ", "case", "when", "then", "end", "=", "and", "or", "1", "'''"]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_whatever_comes_it_is_the_same_or_refused(words: list[str]) -> None:
    code = " ".join(words)
    try:
        made = laid_out(code)
    except NotLaidOut:
        return
    assert same_tokens(code, made)
    assert "".join(made.split()) == "".join(code.split())


def test_too_much_is_refused_with_a_sentence() -> None:
    with pytest.raises(NotLaidOut, match=r"too long.*\.$"):
        laid_out("select 1 " * LONGEST)
    with pytest.raises(NotLaidOut):
        laid_out("select " + "(" * 5_000 + "1" + ")" * 5_000)


def test_what_is_taken_for_sql() -> None:
    assert is_sql("anything", "sql")
    assert is_sql("anything", "PostgreSQL")
    assert is_sql("-- orders\nselect 1", "")
    assert is_sql("/* a */ WITH x AS (SELECT 1) SELECT 1", "")
    assert not is_sql("select 1", "python")
    assert not is_sql("Selected rows", "")
    assert not is_sql("", "")

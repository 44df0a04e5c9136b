"""What a few typed characters mean among many names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.completion.fuzzy import fit
from tests.some import examples


def best(query: str, *names: str) -> str:
    fits = [(found.score, name) for name in names if (found := fit(query, name)) is not None]
    return max(fits)[1]


@pytest.mark.parametrize(
    ("query", "wanted", "others"),
    [
        ("new", "new", ["renew", "unnew"]),
        ("cust", "in.c-crm.customers", ["in.c-accounts"]),
        ("crmcust", "in.c-crm.customers", ["in.c-crm.accounts", "out.c-customers"]),
        ("CRM", "in.c-crm", ["in.c-cream-moon"]),
        ("orders", "out.c-reports.orders", ["in.c-order-details"]),
        ("vd", "vote down", ["revoked"]),
    ],
)
def test_the_name_that_is_meant_comes_first(query: str, wanted: str, others: list[str]) -> None:
    assert best(query, *others, wanted) == wanted


@pytest.mark.parametrize(("query", "name"), [("abc", "acb"), ("x", ""), ("zz", "z"), ("in.x", "in.c")])
def test_a_missing_letter_fits_nothing(query: str, name: str) -> None:
    assert fit(query, name) is None


def test_an_empty_query_fits_all_alike() -> None:
    assert fit("", "a") == fit("", "anything") == (0.0, ())


@examples(200)
@given(st.text(max_size=8), st.text(max_size=30))
def test_the_marked_characters_are_those_typed(query: str, name: str) -> None:
    found = fit(query, name)
    if found is not None:
        assert len(found.places) == len(query.lower()) or not query
        assert list(found.places) == sorted(set(found.places))
        if len(name.lower()) == len(name):
            assert "".join(name[place].lower() for place in found.places) == query.lower()

"""Moments of the server in the user's own days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.services.local_dates import has_passed, moment, months_come_first, short_day

TODAY = date(2026, 11, 21)
NEW_YORK = timezone(timedelta(hours=-5))
PRAGUE = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "zone", "month_first", "words"),
    [
        ("2026-12-01T00:00:00.000Z", PRAGUE, False, "1 Dec"),
        ("2026-12-01T00:00:00.000Z", PRAGUE, True, "Dec 1"),
        ("2026-12-01T00:00:00.000Z", NEW_YORK, True, "Nov 30"),
        ("2026-12-01", NEW_YORK, False, "1 Dec"),
        ("2027-01-01T00:00:00Z", UTC, False, "1 Jan"),
        ("2028-01-01T00:00:00Z", UTC, False, "1 Jan 2028"),
        ("2028-01-01T00:00:00Z", UTC, True, "Jan 1, 2028"),
    ],
)
def test_a_day_in_the_users_zone_and_order(text, zone, month_first, words) -> None:
    assert short_day(text, today=TODAY, zone=zone, month_first=month_first) == words


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "soon",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-13-45T99:00:00Z",
        "9" * 5000,
        "\x1b[2J",
    ],
)
def test_junk_is_no_day(junk: str) -> None:
    assert short_day(junk, today=TODAY, zone=NEW_YORK) == ""
    assert moment(junk) is None
    assert not has_passed(junk, datetime.now(UTC))


@given(
    st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[Z+-]?[\d:]{0,6}", fullmatch=True)
)
def test_no_text_of_a_server_breaks_it(text: str) -> None:
    short_day(text)
    has_passed(text, datetime.now(UTC))


def test_a_moment_without_a_zone_is_utc() -> None:
    assert moment("2026-12-01T00:00:00") == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("environ", "first"),
    [
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_TIME": "en_GB.UTF-8"}, False),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "en_US.UTF-8"}, True),
        ({"LANG": "cs_CZ.UTF-8"}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "ja_JP.UTF-8"}, True),
        ({}, False),
    ],
)
def test_the_order_of_day_and_month_is_that_of_the_locale(environ: dict[str, str], first: bool) -> None:
    assert months_come_first(environ) is first

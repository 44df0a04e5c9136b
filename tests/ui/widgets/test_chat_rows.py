from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from kai_tui.backends.base import ChatSummary
from kai_tui.ui.widgets.chat_rows import ChatRows

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def chat(id: str, when: str, title: str = "") -> ChatSummary:
    return ChatSummary(id, title or id, created_at=when)


def shown(rows: ChatRows) -> list[str]:
    result = []
    for line in range(len(rows.lines)):
        header, there = rows.header_at(line), rows.chat_at(line)
        assert (header is None) != (there is None)
        result.append(f"# {header}" if there is None else there.id)
    return result


def test_days_have_headers() -> None:
    rows = ChatRows(
        [
            chat("a", "2026-11-21T11:00:00.000Z"),
            chat("b", "2026-11-21T00:00:00Z"),
            chat("c", "2026-11-20T23:59:59.999Z"),
            chat("d", "2026-11-18T10:00:00+00:00"),
            chat("e", "2026-11-14T10:00:00Z"),
            chat("f", "2026-01-02T10:00:00Z"),
            chat("g", "2025-12-31T10:00:00Z"),
        ],
        NOW,
    )
    assert shown(rows) == [
        *("# Today", "a", "b", "# Yesterday", "c", "# Wednesday", "d"),
        *("# 14 November", "e", "# 2 January", "f", "# 31 December 2025", "g"),
    ]


def test_days_are_those_of_the_users_time_zone() -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=ZoneInfo("Europe/Prague"))
    rows = ChatRows([chat("a", "2026-11-20T23:30:00Z"), chat("b", "2026-11-20T22:30:00Z")], now)
    assert shown(rows) == ["# Today", "a", "# Yesterday", "b"]


def test_odd_time_stamps_do_no_harm() -> None:
    rows = ChatRows(
        [
            chat("none", ""),
            chat("future", "2031-01-01T00:00:00Z"),
            chat("junk", "soon"),
            chat("naive", "2026-11-21T01:00:00"),
            chat("offset", "2026-11-21T01:00:00+05:00"),
            chat("out of order", "2026-11-21T08:00:00Z"),
            chat("first year", "0001-01-01T00:00:00Z"),
        ],
        datetime(2026, 11, 21, 12, 0, tzinfo=timezone(timedelta(hours=-11))),
    )
    assert shown(rows)[:3] == ["# Earlier", "none", "# Today"]
    assert [line for line in shown(rows) if not line.startswith("#")] == [
        *("none", "future", "junk", "naive", "offset", "out of order", "first year"),
    ]


def test_updated_counts_before_created() -> None:
    rows = ChatRows([ChatSummary("a", "a", "2026-11-01T00:00:00Z", "2026-11-21T08:00:00Z")], NOW)
    assert shown(rows) == ["# Today", "a"]


def test_filter_finds_every_word_whatever_its_case() -> None:
    rows = ChatRows(
        [chat("1", "", "Orders by Region"), chat("2", "", "Straße orders"), chat("3", "", "Flows")], NOW
    )
    rows.filter("ORD")
    assert shown(rows) == ["# Earlier", "1", "2"]
    rows.filter("ord reg")
    assert shown(rows) == ["# Earlier", "1"]
    rows.filter("STRASSE")
    assert shown(rows) == ["# Earlier", "2"]
    rows.filter("zzz")
    assert (shown(rows), rows.count) == ([], 0)
    rows.filter("  ")
    assert rows.count == 3


@pytest.mark.parametrize("needles", [["o", "or", "or f"], ["f", "fl o", "o"], ["a b", "a bc", "a"]])
def test_narrowing_finds_what_a_fresh_filter_finds(needles: list[str]) -> None:
    chats = [chat(str(i), "", title) for i, title in enumerate(["flow orders", "or", "abc a", "a b", "bca"])]
    narrowed = ChatRows(chats, NOW)
    for needle in needles:
        narrowed.filter(needle)
        fresh = ChatRows(chats, NOW)
        fresh.filter(needle)
        assert shown(narrowed) == shown(fresh)


def test_lines_of_chats_and_the_nearest_one() -> None:
    rows = ChatRows([chat("a", "2026-11-21T08:00:00Z"), chat("b", "2026-11-20T08:00:00Z")], NOW)
    assert (rows.line_of("a"), rows.line_of("b"), rows.line_of("c")) == (1, 3, None)
    assert (rows.nearest(0), rows.nearest(2), rows.nearest(2, -1), rows.nearest(99)) == (1, 3, 1, 3)
    assert ChatRows([], NOW).nearest(0) is None


def test_fifty_thousand_rows_cost_milliseconds() -> None:
    chats = [
        chat(str(i), (NOW - timedelta(minutes=17 * i)).isoformat().replace("+00:00", ".5Z"), f"Chat {i}")
        for i in range(50_000)
    ]
    start = time.process_time()
    rows = ChatRows(chats, NOW)
    rows.line_of("49999")
    rows.filter("4")
    rows.filter("44")
    # About 50 ms on a slow core; the bound is for a loaded one.
    assert time.process_time() - start < 0.5

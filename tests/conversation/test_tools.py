"""What tools do, are called, are about, and answered (protocols/keboola-tools.md)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.tool_results import (
    ErrorResult,
    JsonResult,
    Link,
    TableResult,
    TextResult,
    result_links,
    result_size,
    result_view,
)
from kai_tui.conversation.tools import MARKS, headline, risk, title


def test_risks() -> None:
    assert risk("get_tables") == "reads"
    assert risk("create_config") == "creates"
    assert risk("update_descriptions") == "changes"
    assert risk("delete_everything") == "unknown"
    assert risk("") == "unknown"


def test_the_servers_own_mark_wins_where_it_says_read_only() -> None:
    assert risk("delete_everything", read_only=True) == "reads"
    assert risk("run_job", read_only=True) == "reads"
    assert risk("get_tables", read_only=False) == "unknown"
    assert risk("create_config", read_only=False) == "creates"


@pytest.mark.parametrize("name", MARKS)
def test_names_agree_with_marks(name: str) -> None:
    """A slip in the table would hide a write."""
    writes = re.match("(update|create|add|modify|delete|deploy|run_job|link)", name)
    assert (MARKS[name] == "R") is (writes is None)


def test_titles() -> None:
    assert title("update_descriptions") == "Update descriptions"
    assert title("create_sql_transformation") == "Create SQL transformation"
    assert title("getTableDetails") == "Get table details"
    assert title("create_oauth_url") == "Create OAuth URL"
    assert title("kebab-case.tool") == "Kebab case tool"
    assert title("") == ""
    assert title("___") == "___"


@pytest.mark.parametrize(
    ("name", "input", "expected"),
    [
        ("query_data", {"query_name": "Deals", "sql_query": "SELECT 1\nFROM t"}, "SELECT 1\nFROM t"),
        (
            "update_descriptions",
            {"updates": [{"item_id": "in.c-a", "description": "x"}, {"item_id": "in.c-a.t"}, "odd", {}]},
            "in.c-a, in.c-a.t, odd",
        ),
        ("run_job", {"component_id": "keboola.ex-x", "configuration_id": 12}, "keboola.ex-x / 12"),
        ("create_config", {"description": "long", "name": "My config"}, "My config"),
        ("create_flow", {"name": "Nightly", "phases": []}, "Nightly"),
        ("update_flow", {"change_description": "why", "configuration_id": "7"}, "7"),
        ("deploy_data_app", {"action": "stop", "configuration_id": "9"}, "stop / 9"),
        ("get_tables", {"bucket_ids": ["in.c-a", "in.c-b"], "table_ids": []}, "in.c-a, in.c-b"),
        ("get_project_info", {}, ""),
        ("whatever", {"justification": "because", "#token": "s", "n": 3, "what": "this"}, "this"),
        ("whatever", {"long": "x" * 500}, ""),
        ("whatever", "plain", "plain"),
        ("whatever", ["x"], ""),
        ("whatever", None, ""),
    ],
)
def test_headlines(name: str, input: Any, expected: str) -> None:
    assert headline(name, input) == expected


CSV = '"stage","n"\n"won","1204"\n"a ""b""\nc","2"\n'
TABLE = TableResult(("stage", "n"), (("won", "1204"), ('a "b"\nc', "2")), {"query_name": "Deals"})


@pytest.mark.parametrize(
    ("output", "view", "size"),
    [
        ({"query_name": "Deals", "csv_data": CSV}, TABLE, "2 rows"),
        ({"content": [{"type": "text", "text": "plain"}]}, TextResult("plain"), "5 B"),
        (
            {"content": [{"type": "text", "text": "ignored"}], "structuredContent": {"csv_data": "a\n1\n"}},
            TableResult(("a",), (("1",),)),
            "1 row",
        ),
        (
            {"content": [{"type": "text", "text": '{"tables": [{"id": "t", "rows": 4, "x": null}], "links": []}'}]},
            TableResult(("id", "rows", "x"), (("t", "4", ""),), {"links": []}),
            "1 table",
        ),
        ({"content": [{"type": "text", "text": "no such table"}], "isError": True}, ErrorResult("no such table"), None),
        ({"isError": True, "structuredContent": {"message": "gone"}}, ErrorResult("gone"), None),
        ({"_declined": True, "message": "User declined."}, ErrorResult("User declined."), None),
        ({"data_apps": [{"a": {}}, {"a": {}}]}, JsonResult({"data_apps": [{"a": {}}, {"a": {}}]}), "2 data apps"),
        ([{"component_id": "x", "score": 0.5, "links": []}], TableResult(("component_id", "score"), (("x", "0.5"),)), "1 item"),
        ({"csv_data": "", "message": "none"}, TableResult((), (), {"message": "none"}), "0 rows"),
        ("tables[2]:\n  id: a", TextResult("tables[2]:\n  id: a"), "2 tables"),
        ("jobs[1]{id,status}:\n  1,success", TextResult("jobs[1]{id,status}:\n  1,success"), "1 job"),
        ("x" * 1234, TextResult("x" * 1234), "1.2 KB"),
        ("{broken", TextResult("{broken"), "7 B"),
        (None, TextResult(""), None),
        ("", TextResult(""), None),
        (7, JsonResult(7), None),
        ([], JsonResult([]), "0 items"),
        ({"text": "docs", "source_urls": ["u"]}, JsonResult({"text": "docs", "source_urls": ["u"]}), "1 source url"),
    ],
    ids=lambda value: "",
)  # fmt: skip
def test_results(output: Any, view: Any, size: str | None) -> None:
    assert result_view(output) == view
    assert result_size(output) == size


def test_links() -> None:
    links = [{"type": "docs", "title": "Flows", "url": "https://x"}, {"url": "https://y"}, {"title": "z"}, 3]
    assert result_links({"links": links}) == [Link("Flows", "https://x"), Link("https://y", "https://y")]
    assert result_links({"links": "x"}) == []
    assert result_links(None) == []


KEYS = st.sampled_from(
    [
        "content",
        "structuredContent",
        "isError",
        "csv_data",
        "links",
        "_declined",
        "message",
        "type",
        "text",
        "x",
    ]
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just('"a\n"b"c'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from([*MARKS, "x"]), ODD)
def test_nothing_odd_fails(name: str, value: Any) -> None:
    assert isinstance(headline(name, value), str)
    assert result_view(value) is not None
    assert result_size(value) is None or result_size(value)
    assert isinstance(result_links(value), list)


@given(st.text())
def test_any_name_has_a_title_and_a_risk(name: str) -> None:
    assert isinstance(title(name), str)
    assert risk(name) in ("reads", "creates", "changes", "unknown")

"""What a chat showed of the present values a question is about (keboola-tools.md §3, §4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.messages import Message
from kai_tui.conversation.reviews.review import ObjectKind, ObjectRef, Present, Wanted
from kai_tui.conversation.seen_values import MOST_CALLS, seen_values
from kai_tui.conversation.tools import MARKS

CRM = {"component_id": "ex.crm", "configuration_id": "17", "name": "CRM", "description": "Daily",
       "parameters": {"a": 1}, "storage": {}, "version": 3}  # fmt: skip


def call(
    tool: str, output: Any = None, given: Any = None, *, state: str = "output-available", id: str = "c"
) -> Any:
    part = {"type": f"tool-{tool}", "toolCallId": id, "state": state, "input": given or {}}
    return part | ({"output": output} if state == "output-available" else {})


def chat(*calls: Any, created: str = "") -> list[Message]:
    """One message per call, the oldest first."""
    extra = {"createdAt": created} if created else {}
    return [
        Message.from_wire({"id": f"m{number}", "role": "assistant", "parts": [each], **extra})
        for number, each in enumerate(calls)
    ]


def wish(what: Any, kind: ObjectKind, object_id: str) -> Wanted:
    return Wanted(what, ObjectRef(kind, object_id))


def seen(messages: list[Message], what: Any, kind: ObjectKind, object_id: str) -> Any:
    wanted = wish(what, kind, object_id)
    found = seen_values(messages, [wanted]).get(wanted)
    return found.value if found is not None else None


TABLES = {"tables": [
    {"id": "in.c-crm.t", "description": "Rows", "columns": [
        {"name": "id"}, {"name": "name", "description": "Full name"}]},
    {"id": "in.c-crm.bare", "columns": [{"name": "x"}]},
], "links": []}  # fmt: skip


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: value,
        json.dumps,
        lambda value: {"content": [{"type": "text", "text": json.dumps(value)}]},
        lambda value: {"content": [], "structuredContent": value},
        lambda value: value | {"_toolName": "get_tables"},
    ],
)
def test_descriptions_in_whatever_shape_an_answer_comes(wrap: Any) -> None:
    messages = chat(call("get_tables", wrap(TABLES)))
    assert seen(messages, "description", "table", "in.c-crm.t") == "Rows"
    assert seen(messages, "description", "column", "in.c-crm.t.name") == "Full name"
    assert seen(messages, "description", "column", "in.c-crm.t.id") == ""


def test_what_an_answer_does_not_say_is_not_known() -> None:
    messages = chat(call("get_tables", TABLES), call("get_buckets", {"buckets": [{"id": "in.c-crm"}]}))
    assert seen(messages, "description", "column", "in.c-crm.bare.x") is None
    assert seen(messages, "description", "column", "in.c-crm.bare.y") is None
    assert seen(messages, "description", "table", "in.c-crm.other") is None
    assert seen(messages, "description", "bucket", "in.c-crm") is None
    # Others of the same answer have theirs: this one is empty.
    assert seen(messages, "description", "table", "in.c-crm.bare") == ""


def test_the_project_and_buckets() -> None:
    messages = chat(
        call("get_project_info", {"project_description": "A shop"}),
        call("get_buckets", {"buckets": [{"id": "in.c-crm", "description": "The CRM"}]}),
    )
    assert seen(messages, "description", "project", "") == "A shop"
    assert seen(messages, "description", "bucket", "in.c-crm") == "The CRM"


@pytest.mark.parametrize(
    "answer",
    [
        {"configs": [CRM | {"links": []}]},
        CRM,
        [CRM],
        {"configs": [{"component": {"component_id": "ex.crm"}, "links": [],
                      "configuration_root": {k: v for k, v in CRM.items() if k != "component_id"}}]},
        {"componentId": "ex.crm", "id": "17", "name": "CRM", "description": "Daily", "version": 3,
         "configuration": {"parameters": {"a": 1}, "storage": {}}},
    ],
)  # fmt: skip
def test_a_configuration(answer: Any) -> None:
    messages = chat(call("get_configs", answer))
    value = seen(messages, "configuration", "configuration", "ex.crm/17")
    assert {name: value[name] for name in CRM} == CRM
    assert "links" not in value
    assert seen(messages, "configuration", "configuration", "/17") == value
    assert seen(messages, "configuration", "configuration", "ex.other/17") is None
    assert seen(messages, "configuration", "configuration", "ex.crm/18") is None
    assert seen(messages, "description", "configuration", "ex.crm/17") == "Daily"


def test_a_list_of_configurations_shows_their_descriptions_only() -> None:
    short = {"component_id": "ex.crm", "configuration_id": "17", "name": "CRM", "description": "Daily"}
    messages = chat(call("get_configs", {"configs": [short]}))
    assert seen(messages, "description", "configuration", "ex.crm/17") == "Daily"
    assert seen(messages, "configuration", "configuration", "ex.crm/17") is None


def test_rows_of_a_configuration() -> None:
    rows = [
        {"configuration_row_id": "r1", "component_id": "ex.crm", "name": "orders", "parameters": {"t": 1}}
    ]
    messages = chat(
        call("get_configs", {"configs": [{"configuration_root": CRM, "configuration_rows": rows}]})
    )
    assert seen(messages, "configuration", "configuration row", "ex.crm/17/r1") == {
        "id": "r1", "name": "orders", "parameters": {"t": 1},
    }  # fmt: skip
    assert seen(messages, "configuration", "configuration", "ex.crm/17")["rows"][0]["id"] == "r1"
    assert seen(messages, "configuration", "configuration row", "ex.crm/17/r2") is None


def test_a_flow_and_the_source_of_an_app() -> None:
    flow = {
        "component_id": "keboola.flow",
        "configuration_id": "5",
        "name": "F",
        "phases": [{"id": 1}],
        "tasks": [],
    }
    app = {
        "component_id": "keboola.data-apps",
        "configuration_id": "9",
        "parameters": {"script": ["import a", "b"]},
    }
    messages = chat(call("get_flows", {"flows": [flow]}), call("get_data_apps", {"data_apps": [app]}))
    assert seen(messages, "configuration", "flow", "keboola.flow/5")["phases"] == [{"id": 1}]
    assert seen(messages, "source", "data app", "9") == "import a\nb"


JOB = {"id": 7, "status": "error", "componentId": "ex.crm", "configId": "17", "isFinished": True,
       "startTime": "2026-01-01T00:00:00Z", "durationSeconds": 4, "result": {"message": "No"}}  # fmt: skip


def test_the_last_jobs() -> None:
    messages = chat(call("get_jobs", {"jobs": [JOB, JOB | {"configId": "18"}]}, {"component_id": "ex.crm"}))
    assert seen(messages, "jobs", "configuration", "ex.crm/17") == [
        {"id": "7", "status": "error", "finished": True, "created": "", "started": "2026-01-01T00:00:00Z",
         "ended": "", "seconds": 4.0, "message": "No", "url": ""}
    ]  # fmt: skip
    assert seen(messages, "jobs", "configuration", "ex.other/17") is None


@pytest.mark.parametrize(
    "given",
    [
        {"job_ids": ["7"]},
        {"status": "error"},
        {"offset": 5},
        {"sort_order": "asc"},
        {"sort_by": "durationSeconds"},
    ],
)
def test_some_jobs_are_not_the_last_ones(given: Any) -> None:
    assert seen(chat(call("get_jobs", {"jobs": [JOB]}, given)), "jobs", "configuration", "ex.crm/17") is None


# What came after


def test_the_newest_answer_counts() -> None:
    old, new = ({"project_description": text} for text in ("old", "new"))
    messages = chat(call("get_project_info", old), call("get_project_info", new))
    assert seen(messages, "description", "project", "") == "new"


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("update_descriptions", {"updates": [{"item_id": "in.c-crm.t", "description": "x"}]}),
        ("update_descriptions", {"updates": json.dumps([{"item_id": "in.c-crm.t"}])}),
        ("a_tool_of_tomorrow", {}),
    ],
)
@pytest.mark.parametrize(
    "state", ["output-available", "output-error", "input-available", "approval-responded"]
)
def test_what_a_later_call_may_have_changed_is_not_known(tool: str, given: Any, state: str) -> None:
    messages = chat(call("get_tables", TABLES), call(tool, {}, given, state=state))
    assert seen(messages, "description", "table", "in.c-crm.t") is None


@pytest.mark.parametrize(
    ("tool", "given", "state"),
    [
        ("update_descriptions", {"updates": [{"item_id": "in.c-crm.other"}]}, "output-available"),
        ("update_descriptions", {"updates": [{"item_id": "in.c-crm.t"}]}, "output-denied"),
        ("update_descriptions", {"updates": [{"item_id": "in.c-crm.t"}]}, "approval-requested"),
        ("create_bucket", {"name": "in.c-crm.t"}, "output-available"),
        ("run_job", {"component_id": "ex.crm", "configuration_id": "17"}, "output-available"),
        ("update_project_description", {"description": "in.c-crm.t"}, "output-available"),
        ("get_jobs", {}, "output-error"),
    ],
)
def test_what_a_later_call_did_not_touch_stands(tool: str, given: Any, state: str) -> None:
    messages = chat(call("get_tables", TABLES), call(tool, {}, given, state=state))
    assert seen(messages, "description", "table", "in.c-crm.t") == "Rows"


def test_a_run_makes_the_last_jobs_unknown_and_a_change_the_configuration() -> None:
    messages = chat(
        call("get_configs", CRM),
        call("get_jobs", {"jobs": [JOB]}),
        call("run_job", {}, {"configuration_id": "18"}),
        call("update_config", {}, {"componentId": "ex.crm", "configurationId": "17"}, state="output-error"),
    )
    assert seen(messages, "jobs", "configuration", "ex.crm/17") is None
    assert seen(messages, "configuration", "configuration", "ex.crm/17") is None


def test_a_read_after_the_change_is_the_present() -> None:
    after = {"tables": [{"id": "in.c-crm.t", "description": "New"}]}
    update = call("update_descriptions", {}, {"updates": [{"item_id": "in.c-crm.t"}]})
    messages = chat(call("get_tables", TABLES), update, call("get_tables", after))
    assert seen(messages, "description", "table", "in.c-crm.t") == "New"


def test_the_call_that_is_asked_about_changes_nothing_yet() -> None:
    update = call(
        "update_descriptions", None, {"updates": [{"item_id": "in.c-crm.t"}]}, state="input-available", id="q"
    )
    messages = chat(call("get_tables", TABLES), update)
    wanted = wish("description", "table", "in.c-crm.t")
    assert seen_values(messages, [wanted], besides="q")[wanted].value == "Rows"
    assert seen_values(messages, [wanted]) == {}


def test_answers_that_failed_show_nothing() -> None:
    for answer in ({"isError": True, "structuredContent": TABLES}, TABLES | {"_declined": True}):
        assert seen(chat(call("get_tables", answer)), "description", "table", "in.c-crm.t") is None
    assert (
        seen(chat(call("get_tables", TABLES) | {"preliminary": True}), "description", "table", "in.c-crm.t")
        is None
    )


# When


def test_when_it_was_seen() -> None:
    wanted = wish("description", "project", "")
    said = {"project_description": "A shop"}

    def at(messages: list[Message], when: Any = None) -> float | None:
        return seen_values(messages, [wanted], when=when)[wanted].seen

    created = "2026-01-02T03:04:05.000Z"
    assert at(chat(call("get_project_info", said))) is None
    assert at(chat(call("get_project_info", said), created=created)) == 1767323045.0
    stamped = said | {"_timestamp": "2026-01-02T03:04:06Z"}
    assert at(chat(call("get_project_info", stamped), created=created)) == 1767323046.0
    assert at(chat(call("get_project_info", stamped), created=created), lambda _m, _i: 5.0) == 5.0
    for odd in ("yesterday", 7, "9" * 50, ""):
        assert at(chat(call("get_project_info", said | {"_timestamp": odd}))) is None


def test_the_source_is_said() -> None:
    wanted = wish("description", "project", "")
    found = seen_values(chat(call("get_project_info", {"project_description": "x"})), [wanted])
    assert found == {wanted: Present("x", "chat", None)}


# Odd and large


def test_only_so_many_calls_are_looked_at() -> None:
    messages = chat(
        call("get_project_info", {"project_description": "x"}), *[call("docs_query", "text")] * MOST_CALLS
    )
    assert seen(messages, "description", "project", "") is None


def test_what_was_said_long_ago_is_not_dug_out_of_megabytes() -> None:
    big = json.dumps({"tables": [{"id": "other", "description": "x" * 2_000_000}]})
    messages = chat(call("get_tables", TABLES), *[call("get_tables", big)] * 4)
    assert seen(messages, "description", "table", "in.c-crm.t") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["tables", "configs", "configuration_root", "configuration_rows", "rows", "id", "columns",
                         "name", "description", "jobs", "result", "parameters", "script", "component",
                         "configuration", "configId", "content", "text", "structuredContent", "updates"]),
        inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*MARKS, "other"]),
            json_values,
            json_values,
            st.sampled_from(["output-available", "output-error", "input-available", "odd"]),
        ),
        max_size=6,
    )
)
def test_nothing_odd_breaks_it(calls: list[tuple[str, Any, Any, str]]) -> None:
    messages = chat(*(call(tool, out, given, state=state) for tool, out, given, state in calls))
    wanted = [
        wish(what, kind, object_id)
        for what in ("description", "configuration", "jobs", "source", "preview")
        for kind in ("project", "bucket", "table", "column", "configuration", "configuration row", "flow", "data app",
                     "other")
        for object_id in ("", "id", "a/b", "a/b/c", "/")
    ]  # fmt: skip
    for found in seen_values(messages, wanted).values():  # type: ignore[arg-type]
        assert found.source == "chat"

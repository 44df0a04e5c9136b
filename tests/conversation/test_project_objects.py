"""Objects that tool results of a chat showed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.messages import Message
from kai_tui.conversation.project_objects import ProjectObject, joined, seen_objects
from tests.some import examples


def chat(*outputs: Any) -> list[Message]:
    """One message per answer, the oldest first."""
    part = {"type": "tool-get_tables", "toolCallId": "c", "state": "output-available", "input": {}}
    return [
        Message.from_wire({"id": f"m{number}", "role": "assistant", "parts": [{**part, "output": each}]})
        for number, each in enumerate(outputs)
    ]


def test_buckets_tables_and_configurations_are_found_newest_first() -> None:
    old = {"buckets": [{"id": "in.c-crm", "display_name": "CRM", "data_size_bytes": 4}]}
    new = {
        "tables": [{"id": "in.c-crm.a", "name": "a", "rows_count": 3, "columns": [{"name": "id"}]}],
        "configs": [{"component_id": "keboola.flow", "configuration_id": "17", "name": "Daily"}],
    }
    text = {"content": [{"type": "text", "text": json.dumps(new)}]}
    assert seen_objects(chat(old, text)) == [
        ProjectObject("table", "in.c-crm.a", "a", 3, None),
        ProjectObject("flow", "keboola.flow/17", "Daily"),
        ProjectObject("bucket", "in.c-crm", "CRM", None, 4),
    ]


def test_what_is_no_plain_id_is_not_offered() -> None:
    odd = [
        {"id": "in.c-a.b c"},
        {"id": "in.c-\u202ex"},
        {"id": 5},
        {"component_id": "a b", "configuration_id": "1"},
    ]
    assert seen_objects(chat({"tables": odd}, odd, "text", None, {"isError": True, "id": "in.c-a"})) == []


def test_objects_are_joined_once_with_what_each_list_knows() -> None:
    one = ProjectObject("table", "in.c-a.b", "", None, 5)
    two = ProjectObject("table", "in.c-a.b", "b", 7, None)
    assert joined([one], [two]) == [ProjectObject("table", "in.c-a.b", "b", 7, 5)]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["in.c-a", "in.c-a.b"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "tables", "name", "component_id", "configuration_id", "rows_count"]), inner
        )
    ),
    max_leaves=20,
)


@examples(150)
@given(JSON)
def test_no_shape_of_an_answer_fails(output: Any) -> None:
    for each in seen_objects(chat(output)):
        assert each.id
        assert isinstance(each.name, str)

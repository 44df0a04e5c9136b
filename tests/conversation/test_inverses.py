"""Messages that would undo a call: exact where it is known what was there, honest where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.inverses import Inverse, NoInverse, changed_since, fenced, inverse, values_before
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.reviews.objects import PROJECT, configuration, storage_item
from kai_tui.conversation.reviews.review import Present, Presents, Wanted
from kai_tui.conversation.tools import MARKS
from tests.conversation.test_tools import ODD
from tests.ui.transcript.chat_source import answer, tool

TABLE = "in.c-crm.customers"
CONFIG = {
    "component_id": "keboola.ex-db-mysql",
    "configuration_id": "4101",
    "name": "Shop",
    "description": "Loads the shop",
    "version": 4,
    "is_disabled": False,
    "parameters": {
        "db": {"host": "old.example", "#password": "plain"},
        "tables": ["a", "b"],
        "sql": "SELECT 1\nFROM x",
    },
    "storage": {},
}
WHERE = Wanted("configuration", configuration("keboola.ex-db-mysql", "4101"))
IDS = {
    "component_id": "keboola.ex-db-mysql",
    "configuration_id": "4101",
    "change_description": "Other host",
}


def call(name: str, given: Any, output: Any = None, state: str = "output-available", **more: Any) -> ToolPart:
    part = answer(tool(name, state, input=given, output=output, **more)).parts[0]
    assert isinstance(part, ToolPart)
    return part


def known(**texts: str) -> Presents:
    return {
        Wanted("description", storage_item(item.replace("__", "."))): Present(text, "chat")
        for item, text in texts.items()
    }


def described(*items: str, results: Any = None) -> ToolPart:
    updates = [{"item_id": item, "description": f"New {item}"} for item in items]
    return call("update_descriptions", {"updates": updates}, {"results": results or []})


def undone(part: ToolPart, before: Presents) -> Inverse:
    found = inverse(part, before)
    assert isinstance(found, Inverse), found
    return found


def why_not(part: ToolPart, before: Presents | None = None) -> str:
    found = inverse(part, before or {})
    assert isinstance(found, NoInverse), found
    return found.why


def test_a_description_goes_back_to_exactly_the_text_it_had() -> None:
    before = {Wanted("description", storage_item(TABLE)): Present("Old\ntext with ``` in it", "chat")}
    assert undone(described(TABLE), before) == Inverse(
        "Please undo your change: set the description of table in.c-crm.customers back to exactly this text:\n\n"
        "````\nOld\ntext with ``` in it\n````"
    )


def test_a_description_that_was_not_there_is_removed() -> None:
    before = {Wanted("description", storage_item(TABLE)): Present("", "project")}
    assert "set it to an empty text" in undone(described(TABLE), before).message


def test_several_descriptions_without_those_that_failed_or_are_not_known() -> None:
    part = described(
        "in.c-a", "in.c-b", "in.c-c", "in.c-d", results=[{"item_id": "in.c-b", "success": False}]
    )
    before = {
        Wanted("description", storage_item("in.c-a")): Present("A", "chat"),
        Wanted("description", storage_item("in.c-b")): Present("B", "chat"),
        Wanted("description", storage_item("in.c-c")): Present("", "chat"),
    }
    found = undone(part, before)
    assert found.message == (
        "Please undo your change: set these 2 descriptions back to exactly these texts.\n\n"
        "bucket in.c-a:\n```\nA\n```\n\n"
        "bucket in.c-c: an empty text, there was none"
    )
    assert found.cautions == ("Not put back, because their texts before are not known here: in.c-d.",)


def test_a_description_nobody_saw_is_not_made_up() -> None:
    assert "not known" in why_not(described(TABLE))
    same = {Wanted("description", storage_item(TABLE)): Present(f"New {TABLE}", "chat")}
    assert "the same before" in why_not(described(TABLE), same)


def test_the_description_of_the_project() -> None:
    part = call("update_project_description", {"description": "New"})
    before = {Wanted("description", PROJECT): Present("Old", "chat")}
    assert undone(part, before).message.endswith("the project back to exactly this text:\n\n```\nOld\n```")


def test_a_configuration_goes_back_place_by_place() -> None:
    part = call(
        "update_config",
        {
            **IDS,
            "name": "Shop 2",
            "parameter_updates": [
                {"op": "set", "path": "db.host", "value": "new.example"},
                {"op": "set", "path": "db.port", "value": 1},
                {"op": "list_append", "path": "tables", "value": "c"},
                {"op": "str_replace", "path": "sql", "search_for": "1", "replace_with": "2"},
            ],
        },
        {"version": 5, "configuration_id": "4101"},
    )
    assert undone(part, {WHERE: Present(CONFIG, "project")}) == Inverse(
        "Please undo your change: bring configuration 4101 of keboola.ex-db-mysql back as it was in version 4. "
        "Change exactly this and nothing else:\n\n"
        '- set name back to "Shop"\n'
        '- set parameters.db.host back to "old.example"\n'
        "- remove parameters.db.port\n"
        '- set parameters.tables back to ["a", "b"]\n'
        "- set parameters.sql back to exactly this text:\n\n```\nSELECT 1\nFROM x\n```\n"
    )


def test_a_configuration_nobody_saw_goes_back_to_its_version() -> None:
    found = undone(call("update_config", IDS, {"version": 5}), {})
    assert "configuration 4101 of keboola.ex-db-mysql back as it was in version 4" in found.message
    assert "say so and change nothing" in found.message
    assert "not known here" in found.cautions[0]
    assert "not known" in why_not(call("update_config", IDS, {}))
    assert "not known" in why_not(call("update_config", IDS, {"version": 1}))


def test_what_is_not_known_is_left_to_the_version_or_said() -> None:
    given = {**IDS, "name": "Shop 2", "variables": [], "is_disabled": True}
    found = undone(call("update_config", given, {"version": 5}), {WHERE: Present(CONFIG, "chat")})
    assert "- enable it again\n- bring the variables back as in version 4" in found.message
    without = {key: value for key, value in CONFIG.items() if key != "version"}
    found = undone(call("update_config", given, {}), {WHERE: Present(without, "chat")})
    assert found.cautions == (
        "Not undone by this message, because it is not known what it was: the variables.",
    )


def test_a_secret_is_in_no_message() -> None:
    changes = [{"op": "set", "path": "db.#password", "value": "other"}]
    part = call("update_config", {**IDS, "parameter_updates": changes}, {"version": 5})
    found = undone(part, {WHERE: Present(CONFIG, "project")})
    assert "plain" not in found.message
    assert "other" not in found.message
    assert any("Secrets" in each for each in found.cautions)
    storage = call("update_config", {**IDS, "storage": {"#x": "new"}}, {})
    with_secret = {**CONFIG, "version": None, "storage": {"#x": "hidden"}}
    assert "Secrets" in why_not(storage, {WHERE: Present(with_secret, "project")})


def test_a_flow_gets_its_lists_back_and_a_transformation_its_blocks() -> None:
    flow = {"name": "Daily", "phases": [{"id": 1}], "tasks": [{"id": 2}], "version": 7}
    ref = configuration("keboola.flow", "9")
    given = {"configuration_id": "9", "flow_type": "keboola.flow", "tasks": [], "change_description": "x"}
    found = undone(
        call("update_flow", given, {"version": 8}), {Wanted("configuration", ref): Present(flow, "chat")}
    )
    assert '- set tasks back to [{"id": 2}]' in found.message
    assert "phases" not in found.message
    code = {"parameters": {"blocks": [{"name": "A", "codes": [{"name": "c", "script": ["SELECT 1"]}]}]}}
    given = {"configuration_id": "8", "parameter_updates": [{"op": "remove_block", "block_id": "b0"}]}
    found = undone(
        call("update_sql_transformation", given, {"version": 3}),
        {Wanted("configuration", configuration("x", "8")): Present(code, "chat")},
    )
    assert found.message.startswith(
        "Please undo your change: bring transformation 8 back as it was in version 2."
    )
    assert '- set blocks back to [{"name": "A"' in found.message


def test_an_app_gets_its_source_back_and_what_is_too_long_is_left_to_the_web_interface() -> None:
    given = {"configuration_id": "5", "name": "App", "source_code": "print(2)"}
    ref = configuration("keboola.data-apps", "5")
    part = call("modify_streamlit_data_app", given, {"response": "updated"})
    found = undone(part, {Wanted("source", ref): Present("print(1)", "project")})
    assert "set its source back to exactly this:\n\n```python\nprint(1)\n```" in found.message
    long = {Wanted("source", ref): Present("x" * 100_000, "project")}
    assert "too long" in why_not(part, long)


def test_a_stopped_app_is_deployed_again() -> None:
    part = call("deploy_data_app", {"action": "stop", "configuration_id": "5"}, {"state": "stopped"})
    assert undone(part, {}).message == "Please undo your change: deploy the data app 5 again."
    started = call("deploy_data_app", {"action": "deploy", "configuration_id": "5"}, {"state": "running"})
    assert "not known" in why_not(started)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (call("get_tables", {}, {"tables": []}), "only looked"),
        (call("create_bucket", {"name": "b"}, {"id": "in.c-b"}), "no tool that deletes"),
        (call("create_config", {}, {"version": 1}), "no tool that deletes"),
        (call("modify_streamlit_data_app", {"name": "new"}, {}), "no tool that deletes"),
        (call("run_job", {}, {"id": "1"}), "cannot be undone"),
        (call("launch_rocket", {}, {}), "How to undo launch_rocket is not known"),
        (call("update_config", IDS, state="output-error", errorText="x"), "failed"),
        (call("update_config", IDS, {"isError": True}), "failed"),
        (call("update_config", IDS, state="output-denied"), "denied"),
        (call("update_config", IDS, {"_declined": True}), "denied"),
        (call("update_config", IDS, state="input-available"), "not ended"),
        (
            call("update_config", IDS, state="approval-responded", approval={"id": "a", "approved": False}),
            "denied",
        ),
    ],
)
def test_why_there_is_nothing_to_undo(part: ToolPart, words: str) -> None:
    assert words in why_not(part)


def test_what_was_there_before_is_read_from_what_the_chat_showed_before_the_call() -> None:
    def looked(text: str) -> dict[str, Any]:
        tables = [{"id": TABLE, "description": text}]
        return tool("get_tables", input={"table_ids": [TABLE]}, output={"tables": tables})

    updates = [{"item_id": TABLE, "description": "New"}]
    message = answer(
        looked("Old"),
        tool("update_descriptions", input={"updates": updates}, output={"results": []}),
        looked("New"),
    )
    part = message.parts[1]
    assert isinstance(part, ToolPart)
    messages = [Message.user("u", "Hi"), message]
    assert [each.value for each in values_before(messages, part).values()] == ["Old"]
    assert not changed_since(messages, part)
    later = answer(tool("update_descriptions", input={"updates": updates}, output={"results": []}), id="a2")
    assert changed_since([*messages, later], part)
    other = [{"item_id": "in.c-x", "description": "New"}]
    later = answer(tool("update_descriptions", input={"updates": other}, output={"results": []}), id="a2")
    assert not changed_since([*messages, later], part)
    assert values_before([], part) == {}


@given(st.text())
def test_marks_around_a_text_do_not_occur_in_it(text: str) -> None:
    marks = fenced(text).split("\n", 1)[0]
    assert marks not in text
    assert fenced(text) == f"{marks}\n{text}\n{marks}"


@given(st.sampled_from([*MARKS, "x"]), ODD, ODD, ODD)
def test_nothing_odd_fails(name: str, given: Any, output: Any, value: Any) -> None:
    part = call(name, given, output)
    before = {WHERE: Present(value, "chat"), Wanted("description", PROJECT): Present(value, "chat")}
    found = inverse(part, before)
    assert (found.message if isinstance(found, Inverse) else found.why).strip()
    values_before([answer(tool(name, input=given, output=output))], part)

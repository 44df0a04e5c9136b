"""Where a call's answer says one can look at what it changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.changed_places import places, seen_places
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.tool_results import Link
from tests.conversation.test_tools import ODD
from tests.ui.transcript.chat_source import answer, tool

CONFIG = {"type": "ui-detail", "title": "Configuration: Shop", "url": "https://stack.test/config/1"}
ALL = {"type": "ui-dashboard", "title": "All configurations", "url": "https://stack.test/configs"}
HELP = {"type": "docs", "title": "Help", "url": "https://help.test/x"}


def call(tool: str, output: Any, state: str = "output-available", **more: Any) -> ToolPart:
    return ToolPart({"type": f"tool-{tool}", "toolCallId": "c", "state": state, "output": output, **more})


def test_what_was_changed_comes_before_the_overview_and_documentation_not_at_all() -> None:
    found = places(call("update_config", {"version": 3, "links": [ALL, HELP, CONFIG, CONFIG]}))
    assert found == [Link(CONFIG["title"], CONFIG["url"]), Link(ALL["title"], ALL["url"])]


def test_a_job_and_an_app_have_addresses_beside_their_links() -> None:
    job = {"id": "7", "status": "created", "url": "https://stack.test/queue/7", "links": []}
    assert places(call("run_job", job)) == [Link("Open it", job["url"])]
    app = {"state": "running", "deployment_info": {"version": 2, "url": "https://app.test"}, "links": []}
    assert places(call("deploy_data_app", app)) == [Link("Open it", "https://app.test")]


def test_the_address_to_authorize_is_the_whole_answer() -> None:
    assert places(call("create_oauth_url", " https://oauth.test/a?b=1\n")) == [
        Link("Authorize", "https://oauth.test/a?b=1")
    ]
    assert places(call("update_project_description", "https://x.test")) == []


def test_an_address_that_holds_a_secret_is_no_link() -> None:
    secret = "https://user:token@git.test/app.git"
    output = {"git_clone_url": secret, "secret": "s", "data_app": {"git_clone_url": secret}, "links": []}
    assert places(call("create_python_js_data_app_git_credential", output)) == []


@pytest.mark.parametrize(
    "part",
    [
        call("get_configs", {"links": [CONFIG]}),
        call("update_config", {"links": [CONFIG]}, preliminary=True),
        call("update_config", {"links": [CONFIG]}, state="output-error"),
        call("update_config", {"isError": True, "structuredContent": {"links": [CONFIG]}}),
        call("update_config", {"_declined": True, "links": [CONFIG]}),
        call("update_config", {"links": [{"url": "javascript:alert(1)"}, {"url": 5}, "x"]}),
    ],
    ids=["read", "not done", "failed", "failed inside", "declined", "no addresses"],
)
def test_nothing_is_linked_where_nothing_was_changed(part: ToolPart) -> None:
    assert places(part) == []


@given(st.sampled_from(["update_config", "run_job", "create_oauth_url", "x"]), ODD)
def test_nothing_odd_fails(tool: str, output: Any) -> None:
    assert all(link.title and link.url for link in places(call(tool, output)))


def looked(tool_name: str, *links: dict[str, str]) -> Message:
    return answer(tool(tool_name, input={}, output={"links": list(links)}))


def test_descriptions_lead_to_where_the_chat_led_before() -> None:
    base = "https://stack.test/admin/projects/1/branch/5/"
    table = {"type": "ui-detail", "title": "Table: t", "url": f"{base}storage/in.c-x/table/t"}
    bucket = {"type": "ui-detail", "title": "Bucket: x", "url": f"{base}storage/in.c-x/"}
    project = {"type": "ui-dashboard", "title": "Dashboard", "url": f"{base}dashboard"}
    messages = [
        looked("get_tables", {**table, "title": "older"}),
        looked("get_tables", {**table, "url": f"{base}storage/in.c-x/table/t2"}, table),
        looked("get_buckets", bucket),
        looked("get_project_info", project),
        looked("docs_query", {**bucket, "title": "no look"}),
    ]

    def of(*items: object) -> list[str]:
        updates = [{"item_id": item, "description": "d"} for item in items]
        part = call("update_descriptions", {"results": []}, input={"updates": updates})
        return [link.title for link in seen_places(messages, part)]

    assert of("in.c-x.t") == ["Table: t"]
    assert of("in.c-x", "in.c-x.t.column", "in.c-x.t") == ["Bucket: x", "Table: t"]
    assert of("in.c-other", 5, None) == []
    part = call("update_project_description", None, input={"description": "d"})
    assert [link.title for link in seen_places(messages, part)] == ["Dashboard"]
    assert seen_places(messages, call("update_config", {}, input={})) == []


@given(ODD, ODD)
def test_nothing_odd_fails_among_earlier_answers(given_input: Any, output: Any) -> None:
    part = call("update_descriptions", output, input=given_input)
    seen_places([answer(tool("get_tables", input={}, output=output))], part)
    updates = call("update_descriptions", output, input={"updates": given_input})
    seen_places([answer(tool("get_tables", input={}, output={"links": output}))], updates)

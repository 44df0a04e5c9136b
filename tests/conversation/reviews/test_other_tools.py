"""Reviews of the tools that stand alone, and of unknown ones."""

import pytest

from kai_tui.conversation.reviews.review import Code, ObjectRef
from kai_tui.conversation.reviews.reviewing import review, wanted
from kai_tui.conversation.tools import MARKS
from tests.conversation.reviews.seen import codes, grids, words


def test_a_sign_in_link_only_makes_a_link() -> None:
    seen = review("create_oauth_url", {"component_id": "keboola.ex-gmail", "config_id": "3"})
    assert seen.sentence == "Make a sign-in link for configuration 3 of keboola.ex-gmail"
    assert seen.effects == ("creates",)
    assert seen.objects == (ObjectRef("configuration", "keboola.ex-gmail/3"),)
    assert "Only makes a link." in words(seen)


def test_a_shared_bucket_says_from_where_to_where() -> None:
    given = {
        "source_project_id": 9,
        "source_bucket_id": "out.c-hr",
        "target_bucket_name": "hr",
        "target_stage": "in",
    }
    seen = review("link_shared_bucket", given)
    assert seen.sentence == "Link the shared bucket out.c-hr of project 9 as in.c-hr"
    assert seen.effects == ("creates",)
    assert seen.objects[0] == ObjectRef("bucket", "in.c-hr")
    assert ("from project", "9") in grids(seen)["Link"].rows


def test_a_query_shows_its_sql_and_reads_unless_it_does_not() -> None:
    seen = review("query_data", {"sql_query": "SELECT 1", "query_name": "One"})
    assert (seen.sentence, seen.effects) == ("Query data: One", ("reads",))
    assert codes(seen) == [Code("One", "SELECT 1", "sql")]
    assert not seen.writes
    bad = review("query_data", {"sql_query": "DROP TABLE x", "query_name": "One"}, read_only=True)
    assert bad.effects == ("destroys",)
    assert bad.to_type == "query_data"


def test_credentials_are_explained() -> None:
    seen = review(
        "request_credentials", {"component_id": "c", "configuration_id": "1", "fields": ["#password"]}
    )
    assert seen.sentence == "Ask you for credentials"
    assert seen.effects == ("unknown",)
    assert "deny" in seen.cautions[0]
    assert seen.objects == (ObjectRef("configuration", "c/1"),)


def test_the_web_is_outside() -> None:
    page = review("fetch_website", {"url": "https://e.example/?d=1"}, read_only=True)
    assert page.sentence == "Fetch the web page “https://e.example/?d=1”"
    assert (page.effects, len(page.cautions)) == (("reads",), 1)
    words_ = review("search_internet", {"query": "secret plans"})
    assert words_.sentence == "Search the internet for “secret plans”"
    assert words_.effects == ("unknown",)


def test_making_a_bucket_names_it() -> None:
    seen = review("create_bucket", {"name": "c-hr", "stage": "out", "description": "People"})
    assert (seen.sentence, seen.effects) == ("Create bucket out.c-hr", ("creates",))
    assert seen.objects == (ObjectRef("bucket", "out.c-hr"),)


def test_an_unknown_tool_shows_all_it_was_given() -> None:
    given = {"customer_id": 7, "sql": "SELECT 1;\nDROP TABLE x", "#key": "hunter2", "deep": {"a": [1, None]}}
    seen = review("adjust_ledger", given)
    assert seen.sentence == "Adjust ledger: customer 7"
    assert (seen.effects, seen.writes) == (("unknown",), True)
    assert codes(seen)[0].language == "json"
    assert '"deep": {' in codes(seen)[0].text
    assert "hunter2" not in repr(seen)
    assert codes(seen)[1] == Code("sql", "SELECT 1;\nDROP TABLE x", "sql")
    assert seen.cautions == (
        "Holds a secret in plain text: #key. It is hidden in this view, not in what is sent.",
        "DROP TABLE x: gone once this SQL runs.",
    )


def test_the_servers_words_for_a_tool_are_used_and_its_mark_believed_for_unknown_ones() -> None:
    seen = review("peek", {"id": "x"}, read_only=True, title_given="Peek into the books")
    assert seen.sentence.startswith("Peek into the books")
    assert seen.effects == ("reads",)
    assert review("peek", {}, read_only=False).effects == ("unknown",)


@pytest.mark.parametrize("read_only", [None, False, True])
@pytest.mark.parametrize("tool", ["delete_bucket", "dropTable", "kbc__remove-config", "purge"])
def test_what_calls_itself_deleting_destroys_whatever_the_server_says(
    tool: str, read_only: bool | None
) -> None:
    seen = review(tool, {"bucket_id": "in.c-crm"}, read_only=read_only)
    assert seen.effects[0] == "destroys"
    assert seen.objects == (ObjectRef("bucket", "in.c-crm"),)
    assert seen.to_type == "in.c-crm"
    assert any("says otherwise" in caution for caution in seen.cautions) == (read_only is True)


@pytest.mark.parametrize("tool", [name for name, mark in MARKS.items() if mark != "R"])
def test_no_mark_of_the_server_makes_a_known_writer_harmless(tool: str) -> None:
    seen = review(tool, {}, read_only=True)
    assert seen.writes
    assert "The server says that this tool only reads; its name says otherwise." in seen.cautions


@pytest.mark.parametrize(
    "tool", [name for name, mark in MARKS.items() if mark == "R" and name != "run_sync_action"]
)
def test_reading_tools_read(tool: str) -> None:
    assert review(tool, {"table_ids": ["in.c-a.b"]}).effects == ("reads",)
    assert review(tool, {}, read_only=False).effects == ("unknown",)
    assert list(wanted(tool, {"table_ids": ["in.c-a.b"]})) == []


@pytest.mark.parametrize("input", [None, "", "text", 5, [1, 2], True])
def test_what_is_no_object_is_shown_whole(input: object) -> None:
    seen = review("update_config", input)
    assert seen.sentence
    assert seen.effects == ("changes",)
    if input not in (None, ""):
        assert codes(seen)[0].title == "Input"


def test_a_name_nobody_can_type_is_replaced_by_the_tools() -> None:
    assert review("delete_bucket", {"bucket_id": "in.c-\u202eevil"}).to_type == "delete_bucket"
    assert review("delete_thing", {}).to_type == "delete_thing"


@pytest.mark.parametrize(
    ("tool", "given", "sentence", "effect", "of"),
    [
        (
            "start_job",
            {"component_id": "c", "configuration_id": "1"},
            "Run configuration 1 of c",
            "runs",
            "c/1",
        ),
        (
            "update_component_root_configuration",
            {"component_id": "c", "configuration_id": "1", "parameters": {}},
            "Change configuration 1 of c",
            "changes",
            "c/1",
        ),
        (
            "update_component_row_configuration",
            {"component_id": "c", "configuration_id": "1", "configuration_row_id": "2", "parameters": {}},
            "Change row 2 of configuration 1 of c",
            "changes",
            "c/1/2",
        ),
        (
            "update_table_description",
            {"table_id": "in.c-a.b", "description": "d"},
            "Update the description of table in.c-a.b",
            "changes",
            "in.c-a.b",
        ),
        (
            "update_column_description",
            {"table_id": "in.c-a.b", "column_name": "id", "description": "d"},
            "Update the description of column in.c-a.b.id",
            "changes",
            "in.c-a.b.id",
        ),
        (
            "update_bucket_description",
            {"bucket_id": "in.c-a", "description": "d"},
            "Update the description of bucket in.c-a",
            "changes",
            "in.c-a",
        ),
    ],
)
def test_older_names_mean_the_tools_of_today(
    tool: str, given: dict[str, object], sentence: str, effect: str, of: str
) -> None:
    seen = review(tool, given)
    assert (seen.sentence, seen.effects[0], seen.objects[0].id) == (sentence, effect, of)
    assert len(seen.objects) == 1


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("update_config", {"component_id": "c", "configuration_id": "1"}),
        ("update_flow", {"configuration_id": "1", "flow_type": "keboola.flow"}),
        ("update_sql_transformation", {"configuration_id": "1", "parameter_updates": []}),
        ("update_descriptions", {"updates": []}),
    ],
)
def test_an_update_without_a_change_says_so(tool: str, given: dict[str, object]) -> None:
    assert "It does not say what is to be changed." in words(review(tool, given))
    assert words(review(tool, {**given, "is_disabled": True, "x": 1})) == (
        "Not known to this program, but sent along:"
        if tool != "update_descriptions"
        else "It does not say what is to be changed.\nNot known to this program, but sent along:"
    )


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("update_config", {"component_id": "c/1", "configuration_id": "2"}),
        ("update_config", {"component_id": "c", "configuration_id": "1/2"}),
        ("update_config_row", {"component_id": "c", "configuration_id": "1/2", "configuration_row_id": "3"}),
        ("update_flow", {"flow_type": "keboola.flow/1", "configuration_id": "2"}),
    ],
)
def test_ids_with_slashes_are_never_taken_for_another_thing(tool: str, given: dict[str, object]) -> None:
    seen = review(tool, given)
    assert [ref.kind for ref in seen.objects] == ["other"]
    assert any(caution.startswith("An id with a slash in it") for caution in seen.cautions)

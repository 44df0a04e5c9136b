"""Reviews of SQL transformations."""

from typing import Any

import pytest

from kai_tui.conversation.reviews.review import Code, ObjectRef, Present, TextChange, Wanted, Words
from kai_tui.conversation.reviews.reviewing import review, wanted
from tests.conversation.reviews.seen import codes, grids, known, texts, words

CONFIG = ObjectRef("configuration", "/900")
NOW = {
    "name": "Revenue",
    "configuration": {
        "parameters": {
            "blocks": [
                {
                    "name": "Prepare",
                    "codes": [
                        {"name": "Clean", "script": ["DELETE FROM t;", "SELECT 1;"]},
                        {"name": "Join", "script": ["SELECT orders FROM a;"]},
                    ],
                },
                {"name": "Report", "codes": [{"name": "Sum", "script": ["SELECT sum(orders) FROM b;"]}]},
            ]
        }
    },
}
CALLED = Words("It is called “Revenue”.", "quiet")
ORIGIN = Present(None, "project", 1.0)


def update(*operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "change_description": "why",
        "configuration_id": "900",
        "parameter_updates": list(operations),
        **more,
    }


def test_a_new_transformation_shows_every_block_and_what_it_takes_away() -> None:
    given = {
        "name": "Revenue",
        "description": "Per day",
        "sql_code_blocks": [
            {"name": "Clean", "script": "-- DROP TABLE a\nDELETE FROM t;"},
            {"name": "Sum", "script": "SELECT 1"},
        ],
        "created_table_names": ["revenue"],
    }
    seen = review("create_sql_transformation", given)
    assert seen.sentence == "Create SQL transformation “Revenue” with 2 SQL blocks"
    assert seen.effects == ("creates",)
    assert codes(seen) == [
        Code("Description", "Per day"),
        Code("Clean", "-- DROP TABLE a\nDELETE FROM t;", "sql", "good"),
        Code("Sum", "SELECT 1", "sql", "good"),
    ]
    assert grids(seen)["Tables it makes"].rows == [("revenue",)]
    assert seen.cautions == ("DELETE without WHERE: all rows of t.",)


def test_changes_are_worked_out_on_the_present_sql() -> None:
    given = update(
        {"op": "set_code", "block_id": "b0", "code_id": "b0.c0", "script": "SELECT 2;"},
        {
            "op": "add_script",
            "block_id": "b0",
            "code_id": "b0.c1",
            "script": "DROP TABLE x;",
            "position": "end",
        },
        {"op": "str_replace", "search_for": "orders", "replace_with": "visits"},
        {
            "op": "add_block",
            "block": {"name": "First", "codes": [{"name": "New", "script": "SELECT 3"}]},
            "position": "start",
        },
        {
            "op": "add_code",
            "block_id": "b1",
            "code": {"name": "More", "script": "SELECT 4"},
            "position": "end",
        },
        {"op": "rename_block", "block_id": "b1", "block_name": "Reports"},
    )
    seen = review("update_sql_transformation", given, presents=known(CONFIG, configuration=NOW))
    assert seen.sentence == "Change SQL transformation 900"
    assert (seen.effects, seen.objects, seen.reason) == (("changes",), (CONFIG,), "why")
    assert list(seen.blocks) == [
        CALLED,
        Code("Added: First / New", "SELECT 3", "sql", "good"),
        TextChange("Prepare / Clean", "DELETE FROM t;\n\nSELECT 1;", "SELECT 2;", "sql", ORIGIN),
        TextChange(
            "Prepare / Join", "SELECT orders FROM a;", "SELECT visits FROM a;\nDROP TABLE x;", "sql", ORIGIN
        ),
        Words("Renames block “Report” to “Reports”."),
        TextChange(
            "Reports / Sum", "SELECT sum(orders) FROM b;", "SELECT sum(visits) FROM b;", "sql", ORIGIN
        ),
        Code("Added: Reports / More", "SELECT 4", "sql", "good"),
    ]
    assert seen.cautions == ("DROP TABLE x: gone once this SQL runs.",), "what was there before is not news"


def test_removing_shows_what_goes() -> None:
    given = update(
        {"op": "remove_code", "block_id": "b0", "code_id": "b0.c0"},
        {"op": "rename_code", "block_id": "b0", "code_id": "b0.c1", "code_name": "Joined"},
        {"op": "remove_block", "block_id": "b1"},
    )
    seen = review("update_sql_transformation", given, presents=known(CONFIG, configuration=NOW))
    assert codes(seen) == [
        Code("Removed: Prepare / Clean", "DELETE FROM t;\n\nSELECT 1;", "sql", "bad"),
        Code("Removed: Report / Sum", "SELECT sum(orders) FROM b;", "sql", "bad"),
    ]
    assert words(seen) == f"{CALLED.text}\nRenames code “Join” to “Joined”."


def test_without_the_present_sql_each_operation_is_listed() -> None:
    given = update(
        {"op": "set_code", "block_id": "b0", "code_id": "b0.c0", "script": "SELECT 2"},
        {
            "op": "add_script",
            "block_id": "b0",
            "code_id": "b0.c1",
            "script": "TRUNCATE TABLE x",
            "position": "start",
        },
        {"op": "add_block", "block": {"name": "New", "codes": []}, "position": "end"},
        {"op": "add_code", "block_id": "b1", "code": {"name": "C", "script": "SELECT 5"}, "position": "end"},
        {"op": "str_replace", "search_for": "a", "replace_with": "b"},
        {"op": "str_replace", "block_id": "b1", "search_for": "a", "replace_with": "b"},
        {"op": "remove_code", "block_id": "b0", "code_id": "b0.c2"},
        {"op": "rename_block", "block_id": "b1", "block_name": "R"},
        {"op": "paint", "colour": "red"},
    )
    seen = review("update_sql_transformation", given)
    assert list(seen.blocks) == [
        TextChange("b0.c0: all of its SQL", None, "SELECT 2", "sql"),
        Code("Added to b0.c1, at the start", "TRUNCATE TABLE x", "sql", "good"),
        Words("Adds the empty block “New” at the end.", "good"),
        Code("Added to b1, at the end: C", "SELECT 5", "sql", "good"),
        TextChange("Replaces text in all blocks", "a", "b", "sql"),
        TextChange("Replaces text in b1", "a", "b", "sql"),
        Words("Removes code b0.c2 with all of its SQL.", "bad"),
        Words("Renames block b1 to “R”."),
        Code("paint, not known", '{\n  "op": "paint",\n  "colour": "red"\n}', "json"),
    ]
    assert seen.cautions == ("TRUNCATE x: all of its rows are gone once this SQL runs.",)
    assert list(wanted("update_sql_transformation", given)) == [
        Wanted("configuration", CONFIG),
        Wanted("preview", CONFIG),
    ]


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ({"op": "remove_block", "block_id": "b7"}, "There is no block b7 now."),
        ({"op": "set_code", "block_id": "b0", "code_id": "b1.c0"}, "There is no code b1.c0 in block b0 now."),
        ({"op": "str_replace", "search_for": "zzz", "replace_with": ""}, "is nowhere in there now."),
        ({"op": "str_replace", "search_for": "", "replace_with": "x"}, "The text to replace is empty."),
        ({}, "An operation without a name is not known."),
    ],
)
def test_what_cannot_be_worked_out_says_why(operation: dict[str, Any], why: str) -> None:
    seen = review("update_sql_transformation", update(operation), presents=known(CONFIG, configuration=NOW))
    assert why in words(seen)
    assert "What comes out cannot be shown, only what is asked for:" in words(seen)
    assert len(seen.blocks) == 3


def test_the_servers_preview_is_shown_code_by_code() -> None:
    def blocks(*names: tuple[str, str]) -> dict[str, Any]:
        return {
            "parameters": {"blocks": [{"name": "B", "codes": [{"name": n, "script": s} for n, s in names]}]}
        }

    preview = {
        "originalConfig": blocks(("one", "SELECT 1"), ("two", "SELECT 2"), ("old", "SELECT 7")),
        "updatedConfig": blocks(
            ("one", "SELECT 1"), ("two", "SELECT 3"), ("new", "SELECT 7"), ("more", "SELECT 8")
        ),
        "isValid": True,
    }
    presents = known(CONFIG, configuration=NOW) | {Wanted("preview", CONFIG): Present(preview, "preview")}
    seen = review("update_sql_transformation", update({"op": "any"}), presents=presents)
    assert list(seen.blocks) == [
        CALLED,
        TextChange("B / two", "SELECT 2", "SELECT 3", "sql", Present(None, "preview")),
        Words("Renames code “old” to “new”."),
        Code("Added: B / more", "SELECT 8", "sql", "good"),
    ]


def test_the_rest_of_an_update_is_shown_too() -> None:
    given = update(name="Revenue 2", storage={"output": {"tables": []}}, variables=[], folder="")
    seen = review("update_sql_transformation", given, presents=known(CONFIG, configuration=NOW))
    assert [(text.title, text.before, text.after) for text in texts(seen)] == [
        ("Name", "Revenue", "Revenue 2")
    ]
    assert "Removes all variables." in seen.cautions
    assert any(caution.startswith("Replaces all of storage") for caution in seen.cautions)

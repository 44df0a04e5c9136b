"""Whatever a call looks like, its review says what it may do and never fails."""

import json
from time import perf_counter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kai_tui.conversation.reviews.review import ObjectRef, Present, Review, Wanted
from kai_tui.conversation.reviews.reviewing import review, wanted
from kai_tui.conversation.tools import MARKS
from tests.some import examples

NAMES = [
    *MARKS,
    "request_credentials",
    "fetch_website",
    "search_internet",
    "delete_bucket",
    "no_such_tool",
    "",
]
WORDS = st.sampled_from(
    [
        "updates",
        "item_id",
        "description",
        "component_id",
        "configuration_id",
        "configurationId",
        "parameter_updates",
        "op",
        "set",
        "remove",
        "path",
        "value",
        "storage",
        "input",
        "output",
        "tables",
        "source",
        "destination",
        "phases",
        "tasks",
        "id",
        "name",
        "phase",
        "dependsOn",
        "next",
        "task",
        "schedules",
        "cronTab",
        "parameters",
        "blocks",
        "codes",
        "script",
        "block_id",
        "code_id",
        "position",
        "start",
        "search_for",
        "replace_with",
        "sql_code_blocks",
        "#secret",
        "configuration_row_ids",
        "rows",
        "action",
        "stop",
        "mode",
        "authentication_type",
        "no-auth",
        "source_code",
        "variables",
        "b0",
        "b0.c0",
        "configuration",
        "originalConfig",
        "updatedConfig",
        "isValid",
        "goto",
        "condition",
        "operands",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | WORDS
    | st.sampled_from(
        ["", "DROP TABLE x", "a.b[0]", "$..x", "[1]", '{"op": "set"}', "*/5 * * * *", "\ud800"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)


def sound(seen: Review) -> None:
    assert seen.sentence
    assert seen.effects
    assert isinstance(hash(seen.objects), int)
    assert bool(seen.to_type) == (seen.effects[0] in ("destroys", "deploys"))
    assert all(isinstance(caution, str) for caution in seen.cautions)


@examples(400)
@given(st.sampled_from(NAMES), VALUES, st.sampled_from([None, True, False]), st.lists(VALUES, max_size=2))
@example("update_config", {"parameter_updates": [{"op": "set", "path": "*", "value": {1: 2}}]}, None, [])
@example("update_config", None, None, [])
def test_nothing_makes_it_fail(tool: str, input: Any, read_only: bool | None, values: list[Any]) -> None:
    wishes = list(wanted(tool, input))
    sound(review(tool, input, read_only=read_only))
    for value in values:
        presents = {wish: Present(value, "chat") for wish in wishes}
        sound(review(tool, input, read_only=read_only, presents=presents))


@examples(200)
@given(VALUES, VALUES)
@example([False], [0])
@example({"#a": 1}, {"#a": True})
def test_a_difference_is_never_passed_over(before: Any, after: Any) -> None:
    config = ObjectRef("configuration", "c/1")
    now, then = (
        {"parameters": {"at": before}},
        {"parameters": {"at": after}, "component_id": "c", "configuration_id": "1"},
    )
    seen = review("update_config", then, presents={Wanted("configuration", config): Present(now, "chat")})
    if json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True):
        assert "stay as they are" not in repr(seen.blocks)
        assert len(seen.blocks) > 0


@pytest.mark.some(4)
@pytest.mark.parametrize("tool", NAMES)
def test_a_deep_or_wide_input_is_no_trouble(tool: str) -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    sound(review(tool, {"updates": deep, "parameters": {"a": deep}, "phases": deep}))
    sound(
        review(
            tool, {"parameters": {f"k{i}": i for i in range(3000)}, "tasks": [{"id": i} for i in range(3000)]}
        )
    )


@pytest.mark.some(3)
@pytest.mark.parametrize("piece", ["\n", "\n\t", '["', "a.", "[0]", "from a", "@a\n", "aB", "select ", "*/"])
def test_long_texts_take_no_longer_than_their_length(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    operations = [
        {"op": "set", "path": text, "value": text},
        {"op": "str_replace", "path": "q", "search_for": text},
    ]
    given = {
        "component_id": text,
        "configuration_id": text,
        "parameters": {"query": text, text: text},
        "parameter_updates": operations,
        "schedules": [{"action": "add", "cronTab": text}],
        text: text,
    }
    begin = perf_counter()
    for tool in ("create_config", "update_config", "modify_flow", "update_sql_transformation", "unknown"):
        sound(review(tool, given))
    assert perf_counter() - begin < 20, "it grows faster than the text"


def test_a_heading_stays_a_heading() -> None:
    seen = review("create_config", {"name": "x" * 5000, "component_id": "c"})
    assert len(seen.sentence) < 300
    assert seen.sentence.endswith("… (5,028 characters)")

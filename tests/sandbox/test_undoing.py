"""The assistant of the sandbox puts back exactly what an undo message says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.inverses import Inverse, inverse
from kai_tui.conversation.reviews.objects import storage_item
from kai_tui.conversation.reviews.review import Present, Wanted
from kai_tui.sandbox.assistant import begin
from kai_tui.sandbox.assistant.script import Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.parameters import apply_operations
from tests.conversation.test_inverses import CONFIG, IDS, WHERE, call, described

PLAIN = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\r"), min_size=1)


def first(message: str) -> Step:
    return next(begin(Talk(message)))


def asked(found: Any) -> tuple[str, dict[str, Any]]:
    assert isinstance(found, Inverse), found
    [said] = first(found.message).calls
    return said.tool, dict(said.input)


@given(PLAIN)
def test_a_description_comes_back_letter_by_letter(old: str) -> None:
    before = {Wanted("description", storage_item("in.c-crm.customers")): Present(old, "chat")}
    name, given = asked(inverse(described("in.c-crm.customers"), before))
    assert name == "update_descriptions"
    assert given == {"updates": [{"item_id": "in.c-crm.customers", "description": old}]}


@given(
    st.lists(
        st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\r")),
        min_size=2,
        max_size=4,
    )
)
def test_several_come_back_in_one_call(texts: list[str]) -> None:
    items = [f"in.c-b{number}.t" for number in range(len(texts))]
    before = {
        Wanted("description", storage_item(item)): Present(text, "chat")
        for item, text in zip(items, texts, strict=True)
    }
    name, given = asked(inverse(described(*items), before))
    assert name == "update_descriptions"
    assert [each["description"] for each in given["updates"]] == texts


def test_a_description_that_was_not_there_becomes_empty_again() -> None:
    before = {Wanted("description", storage_item("in.c-crm")): Present("", "chat")}
    assert asked(inverse(described("in.c-crm"), before))[1] == {
        "updates": [{"item_id": "in.c-crm", "description": ""}]
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3), st.sampled_from("abc"), VALUES)
def test_parameters_come_back_as_they_were(old: dict[str, Any], key: str, value: Any) -> None:
    operation = {"op": "set", "path": key, "value": value}
    part = call("update_config", {**IDS, "parameter_updates": [operation]}, {"version": 5})
    found = inverse(part, {WHERE: Present({**CONFIG, "parameters": old}, "project")})
    new = apply_operations(old, [operation])
    if isinstance(found, Inverse):
        name, given = asked(found)
        assert name == "update_config"
        assert given["configuration_id"] == "4101"
        assert apply_operations(new, given["parameter_updates"]) == old
    else:
        assert new == old


def test_names_and_appended_items_come_back() -> None:
    operations = [{"op": "list_append", "path": "tables", "value": each} for each in "cd"]
    part = call("update_config", {**IDS, "name": "Shop 2", "parameter_updates": operations}, {"version": 5})
    _, given = asked(inverse(part, {WHERE: Present(CONFIG, "project")}))
    assert given["name"] == "Shop"
    new = apply_operations(CONFIG["parameters"], operations)
    assert apply_operations(new, given["parameter_updates"]) == CONFIG["parameters"]


@pytest.mark.parametrize(
    "text",
    [
        "Undo that",
        "Please undo your change: bring configuration 4101 of x back as it was in version 4. If you cannot see what it "
        "was, say so and change nothing.",
        "Please undo your change: bring configuration 4101 back. Change exactly this and nothing else:\n\n- dance",
        "Please undo your change: whatever",
    ],
)
def test_what_it_cannot_know_it_does_not_change(text: str) -> None:
    step = first(text)
    assert step.calls == ()
    assert "Nothing was changed" in step.text

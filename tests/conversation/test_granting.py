"""What may be allowed for a while, and which calls that covers."""

from __future__ import annotations

import json

import pytest

from kai_tui.conversation.clear_input import nothing_hides, why_not_approvable
from kai_tui.conversation.granting import covers, covers_all, object_of, why_never
from kai_tui.conversation.reviews.review import ObjectKind, ObjectRef, Review
from kai_tui.conversation.safe_text import Pairs
from tests.hostile_cases import HostileCase, each_case

TABLE = ObjectRef("table", "in.c-crm.customers")


def made(*effects, **more) -> Review:
    return Review("Do it", effects or ("changes",), **more)


@pytest.mark.parametrize("effect", ["destroys", "deploys", "unknown"])
def test_what_destroys_deploys_or_is_unknown_is_never_allowed(effect) -> None:
    assert why_never("update_config", {}, True, made("changes", effect)) is not None
    assert why_never("update_config", {}, True, made(effect)) is not None


@pytest.mark.parametrize("effect", ["reads", "creates", "changes", "runs", "costs"])
def test_other_effects_may_be_allowed(effect) -> None:
    assert why_never("update_config", {"a": 1}, True, made(effect)) is None


@pytest.mark.parametrize(
    "name",
    [
        "delete_python_js_data_app_draft",
        "deploy_data_app",
        "dropTable",
        "bucket.remove",
        "create_python_js_data_app_git_credential",
        "create_oauth_url",
        "request_credentials",
    ],
)
def test_names_that_say_so_are_a_second_wall(name: str) -> None:
    assert why_never(name, {}, True, made("changes")) is not None


def test_what_wants_a_name_to_be_typed_is_never_allowed() -> None:
    assert why_never("update_config", {}, True, made(to_type="x")) is not None


def test_a_tool_that_asks_is_never_answered_by_a_rule() -> None:
    assert why_never("ask_user", {"questions": [{"id": "a"}]}, True, made("reads")) is not None


@pytest.mark.parametrize(
    ("value", "has_input"),
    [
        (None, False),
        ("text", True),
        ([1], True),
        (Pairs([("a", 1), ("a", 2)]), True),
        ({"a": Pairs([("b", 1), ("b", 2)])}, True),
        ({"name": "rep\u200borts"}, True),
        ({"na\u202eme": "reports"}, True),
        ({"id": 2**53 + 1}, True),
        ({"path": "\u0430dmin"}, True),
    ],
)
def test_what_hides_or_cannot_be_approved_is_never_allowed(value: object, has_input: bool) -> None:
    assert why_never("update_config", value, has_input, made()) is not None
    assert not nothing_hides("update_config", value, has_input)


def test_a_tool_name_that_hides_something_is_never_allowed() -> None:
    assert why_never("update\u200b_config", {}, True, made()) is not None


def test_the_dialogs_reasons_are_the_same() -> None:
    assert why_not_approvable({"a": 1}, True) is None
    assert "not received" in (why_not_approvable({}, False) or "")
    assert "names and values" in (why_not_approvable([], True) or "")
    assert "more than once" in (why_not_approvable(Pairs([("a", 1), ("a", 2)]), True) or "")


@each_case("approval-args")
def test_no_hostile_input_of_the_corpus_is_allowed_by_a_rule(case: HostileCase) -> None:
    tool = case.fields.get("tool", "update_config")
    if "args" in case.fields:
        given = case.fields["args"]
    else:
        given = json.loads(case.fields["raw_args"], object_pairs_hook=Pairs)
    if case.must_flag:
        assert why_never(tool, given, True, made()) is not None
    elif case.is_false_alarm:
        assert why_never("update_config", given, True, made()) is None


@pytest.mark.parametrize(
    ("kind", "id", "inside"),
    [
        ("table", "in.c-crm.customers", True),
        ("column", "in.c-crm.customers.email", True),
        ("table", "in.c-crm.customers2", False),
        ("column", "in.c-crm.customers2.email", False),
        ("bucket", "in.c-crm", False),
        ("configuration", "in.c-crm.customers", False),
    ],
)
def test_a_table_covers_itself_and_its_columns(kind: ObjectKind, id: str, inside: bool) -> None:
    assert covers(TABLE, ObjectRef(kind, id)) is inside


def test_a_configuration_covers_its_rows_and_a_bucket_its_tables() -> None:
    assert covers(ObjectRef("configuration", "c/1"), ObjectRef("configuration row", "c/1/2"))
    assert not covers(ObjectRef("configuration", "c/1"), ObjectRef("configuration row", "c/12/2"))
    assert covers(ObjectRef("bucket", "in.c-crm"), TABLE)
    assert not covers(ObjectRef("bucket", ""), ObjectRef("table", ".x"))


def test_a_call_that_touches_something_else_as_well_is_not_covered() -> None:
    both = made(objects=(TABLE, ObjectRef("table", "in.c-crm.orders")))
    assert not covers_all(TABLE, both)
    assert object_of(both) is None
    assert not covers_all(TABLE, made())
    column = ObjectRef("column", "in.c-crm.customers.email")
    assert object_of(made(objects=(column, TABLE))) == TABLE


def test_a_name_does_not_make_another_object() -> None:
    assert covers(ObjectRef("table", "t", name="old"), ObjectRef("table", "t", name="new"))

"""Reviews of new descriptions."""

from kai_tui.conversation.reviews.review import ObjectRef, Present, TextChange, Wanted
from kai_tui.conversation.reviews.reviewing import review, wanted

TABLE = ObjectRef("table", "in.c-crm.customers")
ONE = {
    "updates": [{"item_id": "in.c-crm.customers", "description": "Who buys"}],
    "justification": "asked for",
}


def test_one_description_is_named_in_the_sentence_and_compared() -> None:
    presents = {Wanted("description", TABLE): Present("Who bought", "chat", 5.0)}
    seen = review("update_descriptions", ONE, presents=presents)
    assert seen.sentence == "Update the description of table in.c-crm.customers"
    assert (seen.effects, seen.objects, seen.reason) == (("changes",), (TABLE,), "asked for")
    assert seen.blocks == (
        TextChange("table in.c-crm.customers", "Who bought", "Who buys", "", Present(None, "chat", 5.0)),
    )


def test_without_a_present_value_the_new_text_stands_alone() -> None:
    seen = review("update_descriptions", ONE)
    assert seen.blocks == (TextChange("table in.c-crm.customers", None, "Who buys"),)
    assert wanted("update_descriptions", ONE) == [Wanted("description", TABLE)]


def test_a_table_known_to_have_none_is_compared_with_nothing() -> None:
    seen = review(
        "update_descriptions", ONE, presents={Wanted("description", TABLE): Present(None, "project")}
    )
    block = seen.blocks[0]
    assert isinstance(block, TextChange)
    assert block.before == ""


def test_every_kind_of_item_is_told_apart_and_all_are_objects() -> None:
    items = ["in.c-crm", "in.c-crm.customers", "out.c-x.t.col", "out.c-x.t.other", "odd"]
    seen = review(
        "update_descriptions", {"updates": [{"itemId": item, "description": "d"} for item in items]}
    )
    assert seen.sentence == "Update the descriptions of 1 bucket, 1 table, 2 columns and 1 item"
    assert [ref.kind for ref in seen.objects] == ["bucket", "table", "column", "column", "other"]
    assert [ref.id for ref in seen.objects] == items


def test_emptying_and_saying_it_twice_are_pointed_out() -> None:
    updates = [{"item_id": "in.c-crm", "description": " "}, {"item_id": "in.c-crm", "description": "d"}]
    seen = review("update_descriptions", {"updates": updates})
    assert seen.cautions == (
        "The description of bucket in.c-crm is emptied.",
        "More than one description for in.c-crm: the last one stays.",
    )


def test_items_that_are_not_understood_are_not_passed_over() -> None:
    seen = review(
        "update_descriptions", {"updates": [ONE["updates"][0], "in.c-secret", {"description": "x"}]}
    )
    assert ObjectRef("other", "updates, not understood") in seen.objects
    assert "Not as expected: updates, item_id. Look at all arguments." in seen.cautions


def test_the_projects_description_is_compared() -> None:
    project = ObjectRef("project", "")
    presents = {Wanted("description", project): Present("Old", "project", 1.0)}
    seen = review("update_project_description", {"description": "New"}, presents=presents)
    assert seen.sentence == "Update the description of the project"
    assert (seen.effects, seen.objects) == (("changes",), (project,))
    assert seen.blocks == (TextChange("project", "Old", "New", "", Present(None, "project", 1.0)),)
    alone = review("update_project_description", {"description": "New"})
    assert alone.blocks == (TextChange("project", None, "New"),)

"""What a review says will be there is what is there afterwards, and what the project's own preview says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kai_tui.conversation.reviews.review import PathChange, PathChanges, Present, Review, TextChange, Wanted
from kai_tui.conversation.reviews.reviewing import review, wanted
from kai_tui.sandbox import configs, previews, stored, workplace
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.tools import TOOLS


@pytest.fixture
def project() -> Iterator[Project]:
    opened = Project.open(":memory:", clock=lambda: datetime(2026, 5, 4, 12, tzinfo=UTC))
    yield opened
    opened.close()


def update(key: tuple[str, str], *operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    ids = {"component_id": key[0], "configuration_id": key[1], "change_description": "why"}
    return {**ids, "parameter_updates": list(operations), **more}


def presents(project: Project, given: dict[str, Any], *, preview: bool) -> dict[Wanted, Present]:
    found: dict[Wanted, Present] = {}
    for each in wanted("update_config", given):
        if each.what == "configuration" and not preview:
            component, config = each.of.id.split("/")
            now = configs.config(project, (component, config))
            assert now is not None
            found[each] = Present(stored.shown(now), "project")
        elif each.what == "preview" and preview:
            found[each] = Present(previews.preview(project, "update_config", given), "preview")
    return found


def said(seen: Review) -> list[PathChange | tuple[str, str | None, str]]:
    found: list[PathChange | tuple[str, str | None, str]] = []
    for block in seen.blocks:
        if isinstance(block, PathChanges):
            found.extend(block.changes)
        elif isinstance(block, TextChange):
            found.append((block.title, block.before, block.after))
    return found


CASES: list[tuple[dict[str, Any], ...]] = [
    ({"op": "set", "path": "new.deep.place", "value": [1]},),
    ({"op": "set", "path": "$.first", "value": "x"}, {"op": "remove", "path": "first"}),
    (
        {"op": "set", "path": "list", "value": [1, {"a": 2}]},
        {"op": "list_append", "path": "list", "value": 3},
    ),
    (
        {"op": "set", "path": "list", "value": [{"a": "bb"}]},
        {"op": "set", "path": "list[0].a", "value": "cc"},
    ),
    (
        {"op": "set", "path": "t", "value": "aXbX"},
        {"op": "str_replace", "path": "t", "search_for": "X", "replace_with": "Y"},
    ),
    ({"op": "set", "path": 'odd["a b"]', "value": True},),
]


@pytest.mark.parametrize("operations", CASES)
@pytest.mark.parametrize("key", [workplace.CRM])
def test_worked_out_here_previewed_there_and_carried_out_are_one(
    project: Project, key: tuple[str, str], operations: tuple[dict[str, Any], ...]
) -> None:
    given = update(key, *operations, name="Another name")
    here = review("update_config", given, presents=presents(project, given, preview=False))
    there = review("update_config", given, presents=presents(project, given, preview=True))
    assert said(here) == said(there)
    assert ("Name", (configs.config(project, key) or {})["name"], "Another name") in said(here)

    before = configs.config(project, key)
    assert TOOLS["update_config"].problem(given) is None
    TOOLS["update_config"].run(project, given)
    after = configs.config(project, key)
    assert before is not None
    assert after is not None
    whole = review(
        "update_config",
        update(key, parameters=after["parameters"]) | {"parameter_updates": None},
        presents={each: Present(before, "chat") for each in wanted("update_config", given)[:1]},
    )
    assert said(whole) == [each for each in said(here) if not isinstance(each, tuple) or each[0] != "Name"]


def test_what_the_project_would_refuse_is_not_shown_as_if_it_worked(project: Project) -> None:
    given = update(workplace.CRM, {"op": "remove", "path": "no.such.place"})
    for preview in (False, True):
        seen = review("update_config", given, presents=presents(project, given, preview=preview))
        assert [change.known for change in said(seen) if isinstance(change, PathChange)] == [False]

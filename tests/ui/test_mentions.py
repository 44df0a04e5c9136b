"""`@` in the prompt: names of the project are completed, and nothing that is typed is ever changed unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import ServerFailed
from kai_tui.conversation.project_objects import ProjectObject
from kai_tui.ui.app import KaiApp
from kai_tui.ui.completion.objects import Searched, found_objects, mention
from kai_tui.ui.widgets.popover import Popover
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_choices_with_sandbox import app_of
from tests.ui.test_slash_commands import ready, sent, shown, type_at_once

ROWS = [
    ProjectObject("bucket", "in.c-crm", "CRM"),
    ProjectObject("table", "in.c-crm.customers", "customers", 96),
    ProjectObject("table", "out.c-reporting.customer_value", "customer_value", 5),
    ProjectObject("flow", "keboola.flow/5002", "Monday report \x1b[2J\u202e"),
]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("@", (0, "")),
        ("what of @cust", (8, "cust")),
        ("(@in.c", (1, "in.c")),
        ("a@b", None),
        ("me@example.com", None),
        ("@a b", None),
        ("@a@b", None),
        ("x @", (2, "")),
        ("@" + "x" * 90, None),
    ],
)
def test_where_a_mention_stands(before: str, found: object) -> None:
    assert mention(before) == found


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("cust", "in.c-crm.customers"),
        ("crmcus", "in.c-crm.customers"),
        ("report", "out.c-reporting.customer_value"),
        ("Monday", "keboola.flow/5002"),
        ("CRM", "in.c-crm"),
    ],
)
def test_the_object_that_is_meant_comes_first(word: str, first: str) -> None:
    assert found_objects(word, Searched.of(ROWS))[0][0].id == first


def test_an_id_that_cannot_stand_in_a_message_is_not_offered() -> None:
    odd = [ProjectObject("table", "in.c-a.\u202eb"), ProjectObject("flow", "a/b c")]
    assert Searched.of(odd).objects == []


async def test_names_of_the_sandboxs_project_are_completed_by_their_exact_ids(tmp_path: Path) -> None:
    app = app_of(tmp_path, "agent")
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"what is in @cust")
        await until(pilot, lambda: "in.c-crm.customers" in shown(app))
        assert "rows" in shown(app)
        assert "the project, read just now" in str(screen.query_one(Popover).border_title)
        await pilot.press("enter")
        assert composer.text == "what is in in.c-crm.customers"
        assert not shown(app)
        assert sent(screen) == []
        await pilot.press("ctrl+z")
        assert composer.text == "what is in @cust"
        await pilot.press("ctrl+y", "enter")
        await until(pilot, lambda: sent(screen) == ["what is in in.c-crm.customers"])


class Stack:
    error: Exception | None = None

    async def objects(self) -> list[ProjectObject]:
        if self.error is not None:
            raise self.error
        return ROWS


class WithProject(ScriptedBackend):
    stack: Stack | None = None

    @property
    def project(self):
        return self.stack


def with_project(home: Path, error: Exception | None = None) -> KaiApp:
    backend = WithProject()
    backend.stack = Stack()
    backend.stack.error = error
    return app_for(home, backend)


async def test_escape_keeps_it_shut_for_that_word_only(tmp_path: Path) -> None:
    app = with_project(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        _, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"see @cu")
        await until(pilot, lambda: "in.c-crm.customers" in shown(app))
        await pilot.press("escape", "s", "t")
        assert not shown(app)
        assert composer.text == "see @cust"
        await type_at_once(app, pilot, *" and @cu")
        await until(pilot, lambda: "in.c-crm.customers" in shown(app))
        await pilot.press("down", "tab")
        assert composer.text == "see @cust and out.c-reporting.customer_value"


@pytest.mark.some(2)
@pytest.mark.parametrize("text", ["me@example.com", "meet @ noon", "@nobody-here-xyz", "a @"])
async def test_addresses_and_plain_signs_are_sent_as_they_were_typed(tmp_path: Path, text: str) -> None:
    app = with_project(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *text)
        await until(pilot, lambda: composer.text == text)
        if text.endswith("@"):
            await pilot.press("escape")
        await pilot.press("enter")
        await until(pilot, lambda: sent(screen) == [text])


async def test_hostile_names_are_made_safe_and_a_failing_project_is_silent(tmp_path: Path) -> None:
    app = with_project(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await type_at_once(app, pilot, *"@flow")
        await until(pilot, lambda: "keboola.flow/5002" in shown(app))
        assert "\x1b" not in shown(app)
        assert "\u202e" not in shown(app)


async def test_a_project_that_cannot_be_read_and_a_system_without_one_offer_nothing(tmp_path: Path) -> None:
    app = with_project(tmp_path, ServerFailed("It broke."))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen, composer = await ready(app, pilot)
        await type_at_once(app, pilot, *"@cust")
        await until(pilot, lambda: screen.workspace.objects._asking is not None)
        await until(pilot, lambda: screen.workspace.objects._asking.done())
        assert not shown(app)
        assert composer.text == "@cust"
        assert not list(app._notifications)

"""What destroys or deploys on the main branch asks for the object's name, letter by letter."""

from __future__ import annotations

import pytest
from textual import events

from kai_tui.services.approval_service import Approval, Decision
from kai_tui.ui.modals.typed_name import TypedName
from tests.ui.fakes import approval
from tests.ui.test_approval_dialog import asked

NAME = "01h-draft"


def grave(**changes: object) -> Approval:
    return approval(
        **{
            "tool_name": "delete_python_js_data_app_draft",
            "title": "Delete python js data app draft",
            "input": {"configuration_id": NAME},
        }
        | changes
    )


async def test_approve_is_off_until_the_name_was_typed() -> None:
    async with asked(grave()) as desk:
        await desk.arm()
        assert f"Type  {NAME}  to be able to approve" in desk.text
        assert "this takes effect on MAIN" in (desk.dialog.why_not() or "")
        await desk.press("right", "enter")
        assert desk.open
        await desk.arm()
        await desk.press(*NAME)
        assert desk.dialog.guard.armed, "writing the name is no stray key"
        assert desk.dialog.chosen == "deny", "and moves nothing"
        assert desk.dialog.why_not() is None
        await desk.press("right", "enter")
        assert await desk.answered() == Decision(approved=True)


async def test_enter_behind_the_name_still_denies() -> None:
    async with asked(grave()) as desk:
        await desk.arm()
        await desk.press(*NAME, "enter")
        assert await desk.answered() == Decision(approved=False)


@pytest.mark.some(2)
@pytest.mark.parametrize("typed", ["01h-draf", "01h-draftx", "01H-draft", " 01h-draft", "yes"])
async def test_what_is_not_the_name_approves_nothing(typed: str) -> None:
    async with asked(grave()) as desk:
        await desk.arm()
        await desk.press(*["space" if key == " " else key for key in typed])
        await desk.press("right", "enter")
        assert desk.open


async def test_a_name_can_be_mended() -> None:
    async with asked(grave()) as desk:
        await desk.arm()
        await desk.press(*"01h-drx", "backspace", *"aft")
        assert desk.dialog.why_not() is None


async def test_a_pasted_name_does_not_count() -> None:
    async with asked(grave()) as desk:
        await desk.arm()
        desk.app.post_message(events.Paste(NAME))
        await desk.pilot.pause()
        await desk.arm()
        assert desk.dialog.why_not() is not None


async def test_what_is_typed_in_the_grace_is_not_taken_for_the_name() -> None:
    async with asked(grave()) as desk:
        await desk.press(*NAME)
        await desk.arm()
        assert desk.dialog.why_not() is not None


async def test_a_name_typed_faster_than_fingers_does_not_approve_by_its_end() -> None:
    async with asked(grave()) as desk:
        await desk.arm()
        await desk.press(*NAME, "right", "enter", pause=0.001)
        await desk.pass_time(0.2)
        assert desk.open


@pytest.mark.parametrize("branch", ["fix-crm (4711)", "main (4711)"])
async def test_a_development_branch_asks_for_no_name(branch: str) -> None:
    async with asked(grave(branch=branch)) as desk:
        await desk.arm()
        assert "to be able to approve" not in desk.text
        assert "MAIN" not in desk.text
        assert desk.dialog.why_not() is None


async def test_where_nobody_knows_of_branches_it_is_asked_too() -> None:
    async with asked(grave(branch="")) as desk:
        await desk.arm()
        assert f"Type  {NAME}  to be able to approve" in desk.text


async def test_what_only_changes_asks_for_no_name() -> None:
    async with asked() as desk:
        await desk.arm()
        assert "to be able to approve" not in desk.text


def test_what_cannot_be_seen_in_a_name_is_shown() -> None:
    name = TypedName("a\u202eb")
    assert "⟨U+202E⟩" in name.shown(hears=True).plain
    assert "\u202e" not in name.shown(hears=True).plain

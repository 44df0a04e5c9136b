"""What is there now comes late into an open question: nothing that is read moves, what is new is read again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kai_tui.conversation.reviews.review import ObjectRef, Present, Wanted
from kai_tui.services.approval_service import Approval
from kai_tui.services.present_values import Known, Look
from kai_tui.ui.modals.allow import AllowDialog
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.approval_panes import TWO_PANES
from kai_tui.ui.modals.argument_view import ArgumentView
from tests.ui.fakes import Clock, approval, until
from tests.ui.test_approval_dialog import NOTHING, Desk, Host

TABLE = Wanted("description", ObjectRef("table", "in.c-crm.customers"))
NOW = 1_000_000.0


def describe(text: str, **changes: object) -> Approval:
    updates = [{"item_id": "in.c-crm.customers", "description": text}]
    return approval(
        **{"tool_name": "update_descriptions", "title": "Update descriptions", "input": {"updates": updates}}
        | changes
    )


def known(text: str, **changes: object) -> Known:
    return Known({TABLE: Present(text, "project", NOW - 180)}, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def asked(
    question: Approval, at_once: Known, size: tuple[int, int] = (140, 45)
) -> AsyncIterator[tuple[Desk, Look]]:
    app, clock = Host(), Clock()
    stopped: list[Look] = []
    look = Look(at_once, stopped.append)
    async with app.run_test(size=size) as pilot:
        dialog = ApprovalDialog(question, clock=clock, stamp=lambda event: clock(), wall=lambda: NOW)
        dialog.follow(lambda asked: look)

        def answered(result: object) -> None:
            app.answer = result

        app.push_screen(dialog, answered)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        await pilot.pause()
        desk = Desk(app, pilot, dialog, clock)
        yield desk, look
        if app.answer is NOTHING:
            dialog.finish(None)
            await until(pilot, lambda: app.screen is not dialog)
        await until(pilot, lambda: stopped == [look])


async def test_a_value_that_is_known_at_once_is_shown_as_a_difference_with_its_age() -> None:
    async with asked(describe("One row per customer."), known("One row per order.")) as (desk, _):
        await desk.arm()
        assert "- One row per order." in desk.text
        assert "+ One row per customer." in desk.text
        assert "before: read from the project, 3 min ago" in desk.text


async def test_a_value_that_comes_late_disarms_and_has_to_be_read() -> None:
    async with asked(describe("One row per customer."), Known(looking=True)) as (desk, look):
        await desk.arm()
        assert "looking at the project…" in desk.text
        await desk.press("right")
        look.tell(known("One row per order."))
        await until(desk.pilot, lambda: "- One row per order." in desk.text)
        assert "looking at the project" not in desk.text
        assert not desk.dialog.guard.armed
        assert desk.dialog.chosen == "deny"
        await desk.press("enter")
        assert desk.open
        await desk.arm()
        await desk.press("right", "enter")
        assert await desk.answered() != NOTHING


async def test_what_is_looked_for_in_vain_is_said_and_moves_nothing() -> None:
    async with asked(describe("One row per customer."), Known(looking=True)) as (desk, look):
        await desk.arm()
        before = desk.text.splitlines()
        place = next(at for at, line in enumerate(before) if "One row per customer." in line)
        look.tell(Known(note="The project cannot be looked at: no answer.\x1b[2J"))
        await until(desk.pilot, lambda: "no answer." in desk.text)
        assert "One row per customer." in desk.text.splitlines()[place]
        assert "⟨U+001B⟩" in desk.text


async def test_what_is_read_stays_where_it_is() -> None:
    """Twenty lines that become longer above what is on screen push nothing away."""
    text = "\n".join(f"line {number}" for number in range(120))
    late = "\n".join(f"line {number}" for number in range(120) if number % 7)
    async with asked(describe(text), Known(looking=True), (80, 24)) as (desk, look):
        await desk.arm()
        await desk.press("pagedown", "pagedown", "pagedown")
        await desk.pass_time(0.2)
        top = desk.dialog.panes.query_one(ArgumentView)
        read = top._lines[round(top.scroll_offset.y)].text
        assert read.startswith("line ")
        look.tell(known(late))
        await until(desk.pilot, lambda: "+ line" in desk.text)
        assert top._lines[round(top.scroll_offset.y)].text == read
        assert not desk.dialog.panes.end_seen


async def test_an_end_that_was_seen_has_to_be_seen_again_when_it_changes() -> None:
    text = "\n".join(f"line {number}" for number in range(120))
    async with asked(describe(text), Known(looking=True), (80, 24)) as (desk, look):
        await desk.arm()
        await desk.press("end")
        await desk.pass_time(0.2)
        await until(desk.pilot, lambda: desk.dialog.why_not() is None)
        await desk.press("home")
        look.tell(known("something else"))
        await until(desk.pilot, lambda: "- something else" in desk.text)
        await desk.arm()
        assert "last line" in (desk.dialog.why_not() or "")
        await desk.press("right", "enter")
        assert desk.open


async def test_both_panes_have_to_be_read() -> None:
    """The change is short and what is sent is long: the end of both must have been on screen."""
    question = describe("short", input={"updates": [], "notes": [f"note {n}" for n in range(100)]})
    async with asked(question, Known(), (TWO_PANES, 40)) as (desk, _):
        await desk.arm()
        assert "What changes" in desk.text
        assert "Exactly what is sent" in desk.text
        assert "last line" in (desk.dialog.why_not() or "")
        await desk.press("end")
        await desk.pass_time(0.2)
        await until(desk.pilot, lambda: desk.dialog.why_not() is None)


async def test_news_without_a_difference_disturbs_nobody() -> None:
    async with asked(describe("One row per customer."), known("x", looking=True)) as (desk, look):
        await desk.arm()
        look.tell(known("x"))
        await until(desk.pilot, lambda: "looking at the project" not in desk.text)
        assert desk.dialog.guard.armed


async def test_news_for_a_question_that_is_gone_are_heard_in_peace() -> None:
    async with asked(describe("One row per customer."), Known(looking=True)) as (desk, look):
        await desk.arm()
        await desk.dialog.query("*").remove()
        desk.dialog._known(known("x"))
        assert look.known.looking


async def test_what_comes_while_another_dialog_covers_the_question_was_not_on_screen() -> None:
    """A danger that is found late is not approved with "allow for a while", nor by a yes afterwards, unread."""
    text = "\n".join(f"line {number}" for number in range(120))
    async with asked(describe(text), Known(looking=True), (80, 24)) as (desk, look):
        await desk.arm()
        await desk.press("end")
        await desk.pass_time(0.2)
        await until(desk.pilot, lambda: desk.dialog.why_not() is None)
        await desk.press("right", "right", "right")
        assert desk.dialog.chosen == "allow"
        await desk.press("enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, AllowDialog))
        over = desk.app.screen
        assert isinstance(over, AllowDialog)
        late = "\n".join(f"line {number} is gone" for number in range(120))
        look.tell(known(late))
        for _ in range(12):
            desk.clock.now += 0.1
            desk.dialog.beat()
            over.beat()
            await desk.pilot.pause(0)
        assert over.guard.armed
        assert over.why_not() is None
        for key in ("right", "enter"):
            desk.clock.now += 0.1
            desk.dialog.beat()
            over.beat()
            await desk.pilot.press(key)
        await until(desk.pilot, lambda: desk.app.screen is desk.dialog or desk.app.answer is not NOTHING)
        assert desk.app.answer is NOTHING
        assert "something new stands above" in (desk.dialog.why_not() or "")
        await desk.arm()
        await desk.press("right", "enter")
        assert desk.open
        await desk.press("home", "end")
        await desk.pass_time(0.2)
        await until(desk.pilot, lambda: desk.dialog.why_not() is None)


async def test_who_stands_at_the_end_goes_back_up_for_what_came_above_it() -> None:
    """The end on screen is not enough: what is new has to have been on screen, too."""
    text = "\n".join(f"line {number}" for number in range(120))
    async with asked(describe(text), Known(looking=True), (80, 24)) as (desk, look):
        await desk.arm()
        await desk.press("end")
        await desk.pass_time(0.2)
        await until(desk.pilot, lambda: desk.dialog.why_not() is None)
        look.tell(known("\n".join(f"line {number}" for number in range(1, 120))))
        await until(desk.pilot, lambda: not desk.dialog.guard.armed)
        await desk.arm()
        assert "something new stands above" in (desk.dialog.why_not() or "")
        await desk.press("right", "enter")
        assert desk.open
        await desk.press("home")
        await desk.pass_time(0.2)
        await until(desk.pilot, lambda: "+ line 0" in desk.text)
        await desk.press("end")
        await desk.pass_time(0.2)
        await until(desk.pilot, lambda: desk.dialog.why_not() is None)

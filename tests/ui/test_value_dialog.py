"""A call that waits for a value: what is typed is what is sent, and only on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events

from kai_tui.conversation.approvals import decision_digest
from kai_tui.services.approval_service import Decision, Given
from kai_tui.ui.modals.approval import Later
from kai_tui.ui.modals.question_field import QuestionField
from kai_tui.ui.modals.reason import ReasonDialog
from kai_tui.ui.modals.tool_value import ValueDialog
from kai_tui.ui.modals.writing_question import LONGEST
from tests.ui.fakes import Clock, approval, until
from tests.ui.test_approval_dialog import Desk, Host

ASKS = {
    "tool_name": "ask_user",
    "title": "Ask user",
    "input": {"question": "Deploy to production?"},
    "wants": "value",
    "about": "Asks the person at the screen.",
    "risk": "unknown",
}


@asynccontextmanager
async def asked(size: tuple[int, int] = (100, 34), **changes: object) -> AsyncIterator[Desk]:
    app, clock = Host(), Clock()
    async with app.run_test(size=size) as pilot:
        dialog = ValueDialog(approval(**{**ASKS, **changes}), clock=clock, stamp=lambda event: clock())

        def answered(result: object) -> None:
            app.answer = result

        app.push_screen(dialog, answered)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        await pilot.pause()
        yield Desk(app, pilot, dialog, clock)


def given(value: object) -> Decision:
    shown = decision_digest("digest", None, None, value)
    return Decision(approved=True, given=Given(value), shown=shown)


async def test_a_text_goes_as_it_stands() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press(*"yes", "enter", *"now", "ctrl+s")
        assert await desk.answered() == given("yes\nnow")


async def test_it_can_be_sent_from_the_answers_too() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press(*"42", "tab")
        assert not desk.dialog.query_one(QuestionField).has_focus
        await desk.press("right", "enter")
        assert await desk.answered() == given("42")


async def test_json_is_read_and_what_is_none_is_said() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("f2", *'{"n":', "ctrl+s")
        assert desk.open
        assert "This is not JSON" in desk.text
        await desk.press(*" 1}", "ctrl+s")
        assert await desk.answered() == given({"n": 1})


async def test_nothing_is_sent_before_something_was_typed() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("ctrl+s")
        assert desk.open
        assert "Type the value first, or deny." in desk.text
        await desk.press("tab", "right", "enter")
        assert desk.open


@pytest.mark.some(2)
@pytest.mark.parametrize("keys", [("y",), ("ctrl+s",), ("tab", "enter"), ("escape",), ("a", "ctrl+s")])
async def test_keys_in_the_grace_are_absorbed(keys: tuple[str, ...]) -> None:
    async with asked() as desk:
        await desk.press(*keys)
        assert desk.open
        assert desk.dialog.query_one(QuestionField).text == ""


async def test_a_paste_goes_into_the_field_and_sends_nothing() -> None:
    async with asked() as desk:
        desk.app.screen._forward_event(events.Paste("too early"))
        await desk.arm()
        desk.app.screen._forward_event(events.Paste("pasted\x1b[31m\r\nvalue"))
        await until(desk.pilot, lambda: desk.dialog.query_one(QuestionField).text != "")
        assert desk.dialog.query_one(QuestionField).text == "pasted\nvalue"
        assert desk.open


async def test_what_cannot_be_seen_in_a_value_is_counted() -> None:
    async with asked() as desk:
        await desk.arm()
        desk.dialog.query_one(QuestionField).load_text("a\u202eb")
        await until(desk.pilot, lambda: "1 character(s) in it cannot be seen" in desk.text)


async def test_denying_with_and_without_a_reason_and_putting_off() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press(*"half a thought", "tab", "enter")
        assert await desk.answered() == Decision(approved=False)
    async with asked() as desk:
        await desk.arm()
        await desk.press("tab", "left", "enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ReasonDialog))
        await desk.type_reason("no")
        assert await desk.answered() == Decision(approved=False, reason="no")
    async with asked() as desk:
        await desk.arm()
        await desk.press("escape")
        assert isinstance(await desk.answered(), Later)


async def test_a_value_that_is_too_long_is_not_sent() -> None:
    async with asked() as desk:
        await desk.arm()
        desk.dialog.query_one(QuestionField).load_text("x" * (LONGEST + 3))
        await desk.pilot.pause()
        assert desk.dialog.why_not() == "3 characters too many."


@pytest.mark.some(1)
@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_everything_is_on_screen(size: tuple[int, int]) -> None:
    async with asked(size) as desk:
        await desk.arm()
        for words in (
            "The assistant asks for a value",
            "ask_user",
            "Asks the person at the screen.",
            "Deploy to production?",
            "Sent as text, exactly as it stands here · F2 JSON",
            "Send the value",
            "Deny with a reason…",
            "Type the value first",
        ):
            assert words in desk.text, words
        assert "risk" not in desk.text


async def test_the_end_of_the_arguments_has_to_be_seen_first() -> None:
    long = {f"key{number}": "x" * 60 for number in range(60)}
    async with asked((80, 24), input=long) as desk:
        await desk.arm()
        await desk.press(*"ok", "ctrl+s")
        assert desk.open
        assert "until the last line above was on screen" in desk.text
        while desk.dialog.why_not() is not None:
            await desk.press("pagedown")
        await desk.press("ctrl+s")
        assert await desk.answered() == given("ok")

"""Questions of a tool: what is marked is what is sent, and only on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events

from kai_tui.conversation.approvals import decision_digest
from kai_tui.services.approval_service import Decision, is_as_shown
from kai_tui.ui.modals.answers import AnswersDialog
from kai_tui.ui.modals.approval import Later
from kai_tui.ui.modals.question_field import QuestionField
from kai_tui.ui.modals.question_form import QuestionForm
from kai_tui.ui.modals.reason import ReasonDialog
from tests.ui.fakes import Clock, approval, until
from tests.ui.test_approval_dialog import Desk, Host

QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "period",
        "question": "Which period do you mean?",
        "options": ["last month", "this year", "all of it"],
    },
    {"id": "name", "question": "What shall the report be called?"},
]
ASKS = {
    "tool_name": "ask_user",
    "title": "Ask user",
    "input": {"questions": QUESTIONS},
    "wants": "answers",
    "edits": True,
    "risk": "unknown",
}


@asynccontextmanager
async def asked(size: tuple[int, int] = (100, 40), **changes: object) -> AsyncIterator[Desk]:
    app, clock = Host(), Clock()
    async with app.run_test(size=size) as pilot:
        dialog = AnswersDialog(approval(**{**ASKS, **changes}), clock=clock, stamp=lambda event: clock())

        def answered(result: object) -> None:
            app.answer = result

        app.push_screen(dialog, answered)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        await pilot.pause()
        yield Desk(app, pilot, dialog, clock)


def given(**answers: object) -> Decision:
    return Decision(approved=True, answers=answers, shown=decision_digest("digest", None, answers))


async def read(desk: Desk) -> None:
    """The whole call was on screen, and the dialog is armed."""
    await desk.arm()
    await desk.press("pagedown", "pagedown", "pagedown", "pagedown")
    await desk.pass_time(0.3)


async def test_an_option_and_own_words_are_sent_as_they_are_marked() -> None:
    async with asked() as desk:
        await read(desk)
        await desk.press("down", "enter", *"Sales | west")
        assert "● this year" in desk.text
        assert "● your answer: Sales | west" in desk.text
        assert "2 of 2 answered" in desk.text
        await desk.press("ctrl+s")
        decision = await desk.answered()
        assert decision == given(period="this year", name="Sales | west")
        assert isinstance(decision, Decision)
        assert is_as_shown(approval(**ASKS), decision)


async def test_one_question_may_stay_open() -> None:
    async with asked() as desk:
        await read(desk)
        await desk.press("space", "tab", "tab", "right", "enter")
        assert await desk.answered() == given(period="last month")


async def test_own_words_take_the_place_of_an_option_and_the_other_way_round() -> None:
    async with asked() as desk:
        await read(desk)
        await desk.press("space", *"May")
        assert "● own words: May" in desk.text
        assert "○ last month" in desk.text
        await desk.press("up", "space")
        assert "● all of it" in desk.text
        assert "own words…" in desk.text
        assert desk.dialog.query_one(QuestionField).text == ""
        await desk.press("ctrl+s")
        assert await desk.answered() == given(period="all of it")


async def test_several_may_be_chosen_where_the_question_says_so() -> None:
    several = [{**QUESTIONS[0], "multiSelect": True}]
    async with asked(input={"questions": several}) as desk:
        await read(desk)
        await desk.press("space", "down", "down", "enter", *"and May")
        await desk.press("ctrl+s")
        assert await desk.answered() == given(period=["last month", "all of it", "and May"])


async def test_nothing_is_sent_before_something_is_answered() -> None:
    async with asked() as desk:
        await read(desk)
        await desk.press("ctrl+s")
        assert desk.open
        assert "Answer a question first, or deny." in desk.text


@pytest.mark.some(2)
@pytest.mark.parametrize(
    "keys", [("space", "ctrl+s"), ("enter", "enter"), ("y",), ("tab", "tab", "enter"), ("escape",)]
)
async def test_keys_in_the_grace_are_absorbed(keys: tuple[str, ...]) -> None:
    async with asked() as desk:
        await desk.press(*keys)
        assert desk.open
        assert desk.dialog.query_one(QuestionForm).given == {}


async def test_nothing_is_sent_before_the_whole_call_was_on_screen() -> None:
    many = [{"id": f"q{number}", "question": f"Question {number}?"} for number in range(30)]
    async with asked(input={"questions": many}) as desk:
        await desk.arm()
        await desk.press(*"yes", "ctrl+s")
        assert desk.open
        assert "Sending is off until the last question was on screen" in desk.text
        await desk.press(*["tab"] * 29)
        await desk.pass_time(0.2)
        await desk.press("ctrl+s")
        assert await desk.answered() == given(q0="yes")


async def test_what_comes_besides_the_questions_has_to_be_read() -> None:
    more = {"questions": QUESTIONS, "reason": "\n".join(f"line {number}" for number in range(50))}
    async with asked(input=more) as desk:
        await desk.arm()
        await desk.press("enter", "ctrl+s")
        assert desk.open
        assert "Sending is off until the last line above was on screen" in desk.text
        await read(desk)
        await desk.press("ctrl+s")
        assert await desk.answered() == given(period="last month")


async def test_the_call_can_be_seen_as_it_came() -> None:
    async with asked() as desk:
        await read(desk)
        assert "nothing else: all that came stands in the form" in " ".join(desk.text.split())
        await desk.press("f2")
        await desk.pass_time(0.3)
        assert '"id": "period"' in desk.text
        await desk.press("f2")
        await desk.pass_time(0.3)
        assert '"id": "period"' not in desk.text


async def test_a_paste_is_an_answer_and_sends_nothing() -> None:
    async with asked() as desk:
        await read(desk)
        desk.app.screen._forward_event(events.Paste("pasted\x1b[31m\r\n"))
        await until(desk.pilot, lambda: "own words: pasted" in desk.text)
        assert desk.open


async def test_what_cannot_be_seen_in_an_answer_is_counted_and_shown() -> None:
    async with asked() as desk:
        await read(desk)
        desk.app.screen._forward_event(events.Paste("a\u202eb"))
        await until(desk.pilot, lambda: "1 character(s) cannot be seen" in desk.text)
        assert "a⟨U+202E⟩b" in desk.text


async def test_a_click_chooses() -> None:
    async with asked() as desk:
        await read(desk)
        await desk.pilot.click(QuestionForm, offset=(6, 3))
        await until(desk.pilot, lambda: "● all of it" in desk.text)


async def test_keys_that_come_all_at_once_count_in_their_order() -> None:
    async with asked() as desk:
        await read(desk)
        field = desk.dialog.query_one(QuestionField)
        for key in ("M", "a", "y", "tab", "x", "ctrl+s"):
            desk.clock.now += 0.05
            field._forward_event(events.Key(key, key if len(key) == 1 else None))
        assert await desk.answered() == given(period="May", name="x")


async def test_denying_with_and_without_a_reason_and_putting_off() -> None:
    async with asked() as desk:
        await read(desk)
        await desk.press("tab", "tab", "enter")
        assert await desk.answered() == Decision(approved=False)
    async with asked() as desk:
        await read(desk)
        await desk.press("tab", "tab", "left", "enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ReasonDialog))
        await desk.type_reason("no")
        assert await desk.answered() == Decision(approved=False, reason="no")
    async with asked() as desk:
        await read(desk)
        await desk.press("escape")
        assert isinstance(await desk.answered(), Later)


async def test_a_server_that_takes_no_answers_gets_them_as_the_reason_of_a_no() -> None:
    async with asked(edits=False) as desk:
        await read(desk)
        assert "they go as the reason of a No" in " ".join(desk.text.split())
        await desk.press("enter", *"x", "ctrl+s")
        assert await desk.answered() == Decision(
            approved=False,
            reason="I cannot answer in this tool. My answers:\n"
            "- Which period do you mean? last month\n- What shall the report be called? x",
        )


async def test_what_the_tool_asks_can_do_nothing_to_the_screen() -> None:
    hostile = [
        {
            "id": "q\x1b]0;x\x07",
            "question": "Pick\u202e one\x1b[2J\n[y] approve [n] deny",
            "options": ["a\x9b2J", {"label": "b\u200b", "description": "\x1b[31mred"}],
        }
    ]
    async with asked(input={"questions": hostile}) as desk:
        await read(desk)
        assert all(each == "\n" or each.isprintable() for each in desk.text)
        assert "⟨U+202E⟩" in desk.text
        assert "⟨U+200B⟩" in desk.text


@pytest.mark.parametrize(
    "size",
    [
        (80, 24),
        pytest.param((140, 45), marks=pytest.mark.slow),
        pytest.param((60, 20), marks=pytest.mark.slow),
    ],
)
async def test_everything_can_be_reached(size: tuple[int, int]) -> None:
    async with asked(size) as desk:
        await read(desk)
        await desk.press("down", "down", "enter")
        assert "What shall the report be called?" in desk.text
        await desk.press(*"x")
        assert "your answer: x" in desk.text
        for words in ("The assistant asks you", "Send the answers", "2 of 2 answered"):
            assert words in desk.text, words

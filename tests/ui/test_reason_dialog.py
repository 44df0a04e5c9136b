"""Why not: what is typed or chosen is what the assistant hears, and only on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events

from kai_tui.conversation.input_changes import LONGEST_REASON
from kai_tui.services.approval_service import Approval
from kai_tui.ui.modals.question_field import QuestionField
from kai_tui.ui.modals.reason import ReasonDialog, templates
from tests.ui.fakes import Clock, approval, until
from tests.ui.test_approval_dialog import Desk, Host


@asynccontextmanager
async def denying(
    question: Approval | None = None, size: tuple[int, int] = (80, 24), **options: str
) -> AsyncIterator[Desk]:
    app, clock = Host(), Clock()
    async with app.run_test(size=size) as pilot:
        dialog = ReasonDialog(question or approval(), **options)
        dialog.keep_time(clock, lambda event: clock())

        def answered(result: object) -> None:
            app.answer = result

        app.push_screen(dialog, answered)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        await pilot.pause()
        yield Desk(app, pilot, dialog, clock)  # type: ignore[arg-type]


def field(desk: Desk) -> QuestionField:
    return desk.dialog.query_one(QuestionField)


async def test_own_words_go_as_they_stand() -> None:
    async with denying() as desk:
        await desk.arm()
        await desk.press(*"not yet", "enter")
        assert await desk.answered() == "not yet"


async def test_it_names_what_is_denied_as_the_question_does() -> None:
    async with denying() as desk:
        assert "Create bucket out.c-reports" in desk.text


async def test_words_typed_in_the_grace_are_kept_and_only_delay_the_sending() -> None:
    async with denying() as desk:
        await desk.press(*"no no", "enter")
        assert desk.open
        assert field(desk).text == "no no"
        assert "A moment" in desk.text
        await desk.arm()
        await desk.press("enter")
        assert await desk.answered() == "no no"


async def test_a_paste_that_the_terminal_does_not_mark_sends_nothing() -> None:
    async with denying() as desk:
        await desk.arm()
        await desk.press(*"pasted", "enter", *"line", "enter", pause=0.001)
        assert desk.open
        assert field(desk).text == "pastedline"


async def test_a_paste_goes_into_the_field_and_sends_nothing() -> None:
    async with denying() as desk:
        await desk.arm()
        field(desk)._forward_event(events.Paste("two\x1b[31m\nlines\r\n"))
        await until(desk.pilot, lambda: field(desk).text != "")
        assert desk.open
        await desk.press("enter")
        assert await desk.answered() == "two\nlines"


async def test_nothing_is_no_reason() -> None:
    async with denying() as desk:
        await desk.arm()
        await desk.press("enter", "space", "enter")
        assert desk.open
        assert "Write a reason, or choose one with Tab." in desk.text


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("tabs", "words"),
    [
        (1, "Wrong object: not reports. Ask me which one I mean."),
        (2, "This would change the main branch."),
        (3, "Show me first what would be there before and after"),
        (5, "Wrong object: not reports."),
    ],
)
async def test_a_template_is_chosen_with_tab_and_sent_as_it_stands(tabs: int, words: str) -> None:
    async with denying() as desk:
        await desk.arm()
        await desk.press(*["tab"] * tabs)
        stood = field(desk).text
        assert words in stood
        await desk.press("enter")
        assert await desk.answered() == stood


async def test_own_words_stay_behind_another_template() -> None:
    async with denying() as desk:
        await desk.arm()
        await desk.press("tab", *" I mean sales.", "tab", "tab", "tab", "tab")
        assert field(desk).text == "Wrong object: not reports. Ask me which one I mean. I mean sales."
        await desk.press("shift+tab")
        assert field(desk).text == "I mean sales."


async def test_a_template_that_was_rewritten_is_ones_own() -> None:
    async with denying() as desk:
        await desk.arm()
        await desk.press("tab", "home", *"No: ")
        stood = field(desk).text
        assert stood.startswith("No: Wrong object")
        await desk.press("shift+tab")
        assert field(desk).text.endswith(stood)


def test_the_branch_is_named_and_left_out_where_there_is_none() -> None:
    def texts(branch: str) -> str:
        return " ".join(each.text for each in templates(approval(branch=branch)))

    assert "this is feature 7" in texts("feature 7")
    assert "main branch" in texts("main")
    assert "branch" not in texts("")


def test_what_templates_quote_is_safe() -> None:
    hostile = approval(input={"name": "in.c-\u202etset\x1b]0;x\x07" + "y" * 500}, branch="b\u202ex")
    for each in templates(hostile):
        assert "\u202e" not in each.text
        assert "\x1b" not in each.text
        assert len(each.text) < 200


async def test_keys_the_field_has_not_taken_yet_go_with_the_reason() -> None:
    async with denying() as desk:
        await desk.arm()
        for key in "now":
            desk.clock.now += 0.05
            field(desk)._forward_event(events.Key(key, key))
        desk.clock.now += 0.05
        field(desk)._forward_event(events.Key("enter", "\r"))
        assert await desk.answered() == "now"


async def test_escape_and_too_many_characters_send_nothing() -> None:
    async with denying() as desk:
        await desk.arm()
        field(desk).load_text("x" * (LONGEST_REASON + 1))
        await desk.press("enter")
        assert desk.open
        assert "1 character too many" in desk.text
        await desk.press("escape")
        assert await desk.answered() is None


async def test_a_click_sends_only_when_it_was_begun_after_the_grace() -> None:
    async with denying() as desk:
        await desk.press(*"no")
        await desk.pilot.click("#send")
        assert desk.open
        await desk.arm()
        await desk.pilot.click("#template-1")
        await until(desk.pilot, lambda: field(desk).text.endswith("mean. no"))
        await desk.pass_time(0.1)
        await desk.pilot.click("#send")
        assert str(await desk.answered()).endswith("Ask me which one I mean. no")


async def test_a_long_title_pushes_nothing_out_of_sight() -> None:
    async with denying(approval(title="Very " * 100 + "long")) as desk:
        await desk.arm()
        for words in ("The assistant hears this", "Show me first", "Deny with this", "Esc back"):
            assert words in desk.text, words


async def test_what_cannot_be_seen_is_counted() -> None:
    async with denying() as desk:
        await desk.arm()
        field(desk).load_text("a\u202eb")
        await until(desk.pilot, lambda: "1 character(s) in it cannot be seen" in desk.text)


async def test_a_lost_connection_or_focus_takes_the_arming_back() -> None:
    async with denying() as desk:
        await desk.arm()
        await desk.press(*"no")
        desk.dialog.disarm()
        await desk.press("enter")
        assert desk.open


@pytest.mark.some(2)
@pytest.mark.parametrize("size", [(30, 6), (40, 12), (80, 24), (140, 45), (200, 60)])
async def test_it_can_be_written_and_sent_in_every_window(size: tuple[int, int]) -> None:
    async with denying(size=size) as desk:
        await desk.arm()
        await desk.press(*"because")
        assert "because" in desk.text
        assert "Enter denies" in desk.text.replace("\n", " ")
        await desk.press("enter")
        assert await desk.answered() == "because"

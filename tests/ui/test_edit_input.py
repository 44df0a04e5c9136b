"""Changing what a call is asked with: nothing goes but what was shown once more, whole, after the grace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events

from kai_tui.conversation.approvals import decision_digest
from kai_tui.conversation.reviews.reviewing import review
from kai_tui.services.approval_service import Approval, ApprovalService, Decision
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.edit_input import EditInput
from kai_tui.ui.modals.input_rows import InputRows
from kai_tui.ui.modals.question_field import QuestionField
from kai_tui.ui.modals.reason import ReasonDialog
from kai_tui.ui.modals.send_edited import SendEdited
from tests.hostile_cases import HostileCase, each_case
from tests.ui.fakes import Clock, approval, arm, pass_time, until
from tests.ui.test_approval_dialog import NOTHING, Desk, Host

INPUT = {"name": "reports", "stage": "out", "force": False, "limit": 5, "tags": ["a", "b"]}


class Editing(Desk):
    """The dialog, and the one over it."""

    async def press(self, *keys: str, pause: float = 0.1) -> None:
        for key in keys:
            self.clock.now += pause
            screen: Any = self.app.screen
            if hasattr(screen, "beat"):
                screen.beat()
            await self.pilot.press(key)

    @property
    def field(self) -> QuestionField:
        return self.dialog.query_one(QuestionField)

    async def look(self) -> SendEdited:
        """On to what would be sent, not armed yet."""
        await self.press("ctrl+s")
        await until(self.pilot, lambda: isinstance(self.app.screen, SendEdited))
        screen = self.app.screen
        assert isinstance(screen, SendEdited)
        await until(self.pilot, lambda: screen.is_mounted)
        return screen

    async def send(self) -> None:
        screen = await self.look()
        await arm(self.pilot, screen, self.clock)
        await self.press("end")
        await pass_time(self.pilot, screen, self.clock, 0.3)
        await self.press("right", "enter")


@asynccontextmanager
async def editing(
    size: tuple[int, int] = (100, 34), question: Approval | None = None, **changes: object
) -> AsyncIterator[Editing]:
    app, clock = Host(), Clock()
    asked = question or approval(**{"input": INPUT, "edits": True, **changes})
    async with app.run_test(size=size) as pilot:
        dialog = EditInput(asked, review(asked.tool_name, asked.input, title_given=asked.title))
        dialog.keep_time(clock, lambda event: clock())

        def answered(result: object) -> None:
            app.answer = result

        app.push_screen(dialog, answered)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        await pilot.pause()
        yield Editing(app, pilot, dialog, clock)  # type: ignore[arg-type]


def edited(**changes: object) -> Decision:
    value = {**INPUT, **changes}
    return Decision(approved=True, updated_input=value, shown=decision_digest("digest", value, None))


async def test_a_changed_value_is_sent_as_it_was_shown() -> None:
    async with editing() as desk:
        await desk.press("tab", *"side")
        assert "● 1 changed: stage" in desk.text
        assert 'it was "out"' in desk.text
        await desk.send()
        decision = await desk.answered()
        assert decision == edited(stage="outside")
        assert isinstance(decision, Decision)
        assert ApprovalService().decide(approval(), decision) is False, "nobody asked"


async def test_the_service_takes_what_the_dialog_made() -> None:
    question = approval(input=INPUT, edits=True)
    taken: list[Decision] = []
    service = ApprovalService()
    service.ask(question, lambda _, decision: taken.append(decision))
    async with editing(question=question) as desk:
        await desk.press(*"2")
        await desk.send()
        decision = await desk.answered()
        assert isinstance(decision, Decision)
        assert service.decide(question, decision)
    assert [each.updated_input for each in taken] == [{**INPUT, "name": "reports2"}]


async def test_nothing_is_sent_before_the_grace_of_what_would_be_sent() -> None:
    async with editing() as desk:
        await desk.press(*"x")
        await desk.look()
        await desk.press("right", "enter", "enter", "enter")
        assert desk.app.answer is NOTHING
        assert isinstance(desk.app.screen, SendEdited)


async def test_nothing_is_sent_before_its_end_was_on_screen() -> None:
    long = {"sql": "\n".join(f"line {number}" for number in range(300)), "name": "x"}
    async with editing(input=long) as desk:
        await desk.press("tab", *"y")
        screen = await desk.look()
        await arm(desk.pilot, screen, desk.clock)
        await desk.press("right", "enter")
        assert desk.app.answer is NOTHING
        await desk.press("end")
        await pass_time(desk.pilot, screen, desk.clock, 0.3)
        await desk.press("enter")
        value = {**long, "name": "xy"}
        shown = decision_digest("digest", value, None)
        assert await desk.answered() == Decision(approved=True, updated_input=value, shown=shown)


async def test_enter_alone_goes_back_to_editing_and_keeps_what_was_typed() -> None:
    async with editing() as desk:
        await desk.press(*"x")
        screen = await desk.look()
        await arm(desk.pilot, screen, desk.clock)
        await desk.press("enter")
        await until(desk.pilot, lambda: desk.app.screen is desk.dialog)
        assert desk.field.text == "reportsx"
        assert desk.app.answer is NOTHING


async def test_what_would_be_sent_is_shown_whole_with_what_changed() -> None:
    async with editing() as desk:
        await desk.press(*"-2026", "tab", "tab", "space")
        screen = await desk.look()
        await arm(desk.pilot, screen, desk.clock)
        shown = desk.text
        await desk.press("end")
        shown += desk.text
        for words in (
            "This is what would be sent",
            "You changed name, force",
            '"reports-2026"',
            '"out"',
            "true",
            "Approve with changes",
            "Back to editing",
        ):
            assert words in shown, words


async def test_unchanged_is_a_plain_yes_only_when_the_user_says_so() -> None:
    async with editing() as desk:
        await desk.press(*"x", "backspace")
        assert "Nothing is changed yet." in desk.text
        screen = await desk.look()
        await arm(desk.pilot, screen, desk.clock)
        assert "Nothing is changed: this is the input as it was asked." in desk.text
        assert "Approve as asked" in desk.text
        await desk.press("end")
        await pass_time(desk.pilot, screen, desk.clock, 0.3)
        await desk.press("right", "enter")
        assert await desk.answered() == Decision(approved=True)


@pytest.mark.some(3)
@pytest.mark.parametrize(
    ("tabs", "keys", "value"),
    [
        (0, ["backspace"] * 7, {"name": ""}),
        (0, ["enter", *"two"], {"name": "reports\ntwo"}),
        (2, ["space"], {"force": True}),
        (2, ["space", "space", "left"], {"force": True}),
        (3, ["backspace", *"7.5"], {"limit": 7.5}),
        (3, [*"0"], {"limit": 50}),
    ],
)
async def test_values_keep_their_kind(tabs: int, keys: list[str], value: dict[str, Any]) -> None:
    async with editing() as desk:
        await desk.press(*["tab"] * tabs, *keys)
        await desk.send()
        assert await desk.answered() == edited(**value)


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("tabs", "keys", "words"),
    [
        (3, ["x"], "Line 1, column 2"),
        (3, ["backspace"], "Expecting value"),
        (3, [*"0000000000000000"], "beyond 2^53"),
        (4, [*"x"], "Line "),
    ],
)
async def test_what_is_no_value_is_said_and_nothing_goes_on(tabs: int, keys: list[str], words: str) -> None:
    async with editing() as desk:
        await desk.press(*["tab"] * tabs, *keys)
        assert words in desk.text
        await desk.press("tab", "ctrl+s")
        assert desk.open, "still editing"
        assert words in desk.text, "it is shown again"
        assert "Cannot be sent as it stands" in desk.text


async def test_all_of_it_as_json() -> None:
    async with editing(input={"name": "a"}) as desk:
        await desk.press("f2")
        assert desk.field.text == '{\n  "name": "a"\n}'
        desk.field.load_text('{"name": "b", "more": [1, {"x": null}]}')
        await desk.pilot.pause()
        await desk.press("f2")
        assert [row.field.name for row in desk.dialog.query_one(InputRows).rows] == [
            "name",
            "more[0]",
            "more[1].x",
        ]
        assert "● 2 changed" in desk.text
        await desk.send()
        value = {"name": "b", "more": [1, {"x": None}]}
        shown = decision_digest("digest", value, None)
        assert await desk.answered() == Decision(approved=True, updated_input=value, shown=shown)


@pytest.mark.some(3)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', '"a" comes more than once'),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": 12345678901234567890}', "beyond 2^53"),
        ('{"a": "\\ud800"}', "half a character"),
        ("[]", "names and values"),
        ('{"a": }', "Line 1, column 7"),
        ("", "Nothing stands here"),
    ],
)
async def test_json_that_others_would_read_differently_goes_nowhere(text: str, words: str) -> None:
    async with editing() as desk:
        await desk.press("f2")
        desk.field.load_text(text)
        await desk.pilot.pause()
        await desk.press("ctrl+s")
        assert desk.open
        assert words in desk.text
        await desk.press("f2")
        assert desk.field.text == text, "what was typed stays"


async def test_a_number_nobody_touched_is_not_sent_when_it_would_change() -> None:
    async with editing(input={"id": 2**60, "name": "x"}) as desk:
        await desk.press(*"y", "ctrl+s")
        assert desk.open
        assert "id is a whole number beyond 2^53" in desk.text


async def test_a_server_without_edits_gets_a_no_with_the_corrected_input() -> None:
    async with editing(edits=False) as desk:
        assert "This server cannot be given another input" in desk.text
        await desk.press(*"2", "ctrl+s")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ReasonDialog))
        dialog = desk.app.screen
        assert isinstance(dialog, ReasonDialog)
        await desk.press("enter")
        assert desk.app.answer is NOTHING, "not armed yet"
        await arm(desk.pilot, dialog, desk.clock)
        stood = dialog.query_one(QuestionField).text
        assert '"name": "reports2", "stage": "out"' in stood
        await desk.press("enter")
        assert await desk.answered() == Decision(approved=False, reason=stood)


async def test_a_correction_too_long_for_a_reason_is_said_before_anything_is_sent() -> None:
    async with editing(edits=False) as desk:
        desk.field.load_text("y" * 3000)
        await desk.pilot.pause()
        await desk.press("ctrl+s")
        assert desk.open
        assert "and a reason 2,000 at most" in " ".join(desk.text.split())


async def test_unchanged_there_is_nothing_to_correct() -> None:
    async with editing(edits=False) as desk:
        await desk.press("ctrl+s")
        assert desk.open
        assert "nothing to correct" in desk.text


async def test_a_secret_is_shown_and_changed_only_on_request() -> None:
    async with editing(input={"#password": "hunter2", "name": "x"}) as desk:
        assert "hunter2" not in desk.text
        await desk.press("shift+tab", *"zz")
        assert "Nothing is changed yet" in desk.text
        await desk.press("f3")
        assert "hunter2" in desk.text
        await desk.press(*"3")
        assert "hunter23" in desk.field.text
        await desk.press("tab")
        assert "hunter2" not in desk.text
        assert "● 1 changed" in desk.text


async def test_leaving_asks_only_when_something_is_changed() -> None:
    async with editing() as desk:
        await desk.press("escape")
        assert await desk.answered() is None
    async with editing() as desk:
        await desk.press(*"x", "escape")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, Confirm))
        await desk.pilot.press("enter")
        await until(desk.pilot, lambda: desk.app.screen is desk.dialog)
        assert desk.field.text == "reportsx"
        await desk.press("escape")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, Confirm))
        await desk.pilot.press("right", "enter")
        assert await desk.answered() is None


async def test_a_question_that_is_gone_sends_nothing_more() -> None:
    async with editing() as desk:
        await desk.press(*"x")
        dialog = desk.dialog
        assert isinstance(dialog, EditInput)
        dialog.lapse()
        await desk.press("ctrl+s")
        assert desk.open
        assert "no longer open" in desk.text
        await desk.press("escape")
        assert await desk.answered() is None


async def test_a_question_that_goes_while_it_is_looked_at_sends_nothing() -> None:
    async with editing() as desk:
        await desk.press(*"x")
        screen = await desk.look()
        await arm(desk.pilot, screen, desk.clock)
        dialog = desk.dialog
        assert isinstance(dialog, EditInput)
        dialog.lapse()
        await until(desk.pilot, lambda: desk.app.screen is dialog)
        await desk.press("right", "enter", "ctrl+s")
        assert desk.app.answer is NOTHING


async def test_keys_that_come_all_at_once_count_in_their_order() -> None:
    async with editing() as desk:
        for key, character in (
            ("x", "x"),
            ("tab", "\t"),
            ("y", "y"),
            ("f2", None),
        ):
            desk.field._forward_event(events.Key(key, character))
        await until(desk.pilot, lambda: desk.field.text.startswith("{"))
        for wanted in ('"name": "reportsx"', '"stage": "outy"'):
            assert wanted in desk.field.text


async def test_a_paste_goes_into_the_value() -> None:
    async with editing() as desk:
        desk.field._forward_event(events.Paste("\x1b[31mred\r\n"))
        await until(desk.pilot, lambda: "red" in desk.field.text)
        assert desk.field.text == "reportsred\n"
        assert desk.open


async def test_it_begins_at_what_is_said_and_not_at_an_id() -> None:
    update = {"updates": [{"item_id": "in.c-crm.customers", "description": "People"}]}
    async with editing(input=update) as desk:
        assert desk.field.text == "People"
    async with editing(input={"configuration_id": "1", "component_id": "2"}) as desk:
        assert desk.field.text == "1"


async def test_a_click_goes_to_a_value() -> None:
    async with editing() as desk:
        await desk.pilot.click(InputRows, offset=(4, 1))
        await until(desk.pilot, lambda: desk.field.text == "out")


async def test_thousands_of_values_and_a_megabyte_stay_quick_to_open() -> None:
    many = {"rows": [{"n": number} for number in range(1500)], "blob": "x" * 1_000_000, "name": "a"}
    async with editing(input=many) as desk:
        await desk.press("shift+tab")
        assert desk.field.text == "a"
        await desk.press("shift+tab")
        assert desk.field.read_only
        assert "1,000,000 characters are too many to be edited here" in desk.text
        await desk.press("f2")
        assert "too long to be edited in one piece" in desk.text
        await desk.press("f2")
        assert desk.open


@pytest.mark.slow
@each_case("approval-args")
async def test_the_hostile_corpus_stays_visible_and_unchanged_while_it_is_edited(case: HostileCase) -> None:
    given = case.fields.get("args")
    if not isinstance(given, dict) or not given:
        pytest.skip("no arguments to edit")
    async with editing((80, 24), input=given, tool_name=str(case.fields.get("tool", "x"))) as desk:
        dialog = desk.dialog
        assert isinstance(dialog, EditInput)
        for _ in dialog.values.fields[:20]:
            assert all(each in "\n\t" or each.isprintable() for each in desk.field.text)
            assert all(each == "\n" or each.isprintable() for each in desk.text)
            await desk.press("tab")
        assert not dialog.values.changed
        await desk.press("f2")
        assert all(each == "\n" or each.isprintable() for each in desk.field.text)
        await desk.press("f2")
        assert not dialog.values.changed, "what was not touched is what was asked"


_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "size",
    [(30, 6), (80, 24), *(pytest.param(size, marks=_SLOW) for size in ((40, 14), (140, 45), (200, 60)))],
)
async def test_a_value_can_be_edited_in_every_window(size: tuple[int, int]) -> None:
    async with editing(size) as desk:
        await desk.press("tab", *"side")
        assert "outside" in desk.text
        assert "1 changed" in desk.text
        await desk.press("tab", "tab", *"x")
        assert "Line 1" in desk.text


async def test_from_the_question_to_the_answer() -> None:
    app, clock = Host(), Clock()
    question = approval(input=INPUT, edits=True)
    async with app.run_test(size=(100, 34)) as pilot:
        dialog = ApprovalDialog(question, clock=clock, stamp=lambda event: clock())

        def answered(result: object) -> None:
            app.answer = result

        app.push_screen(dialog, answered)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        desk = Editing(app, pilot, dialog, clock)
        await arm(pilot, dialog, clock)
        await desk.press("right", "right", "enter")
        await until(pilot, lambda: isinstance(app.screen, EditInput) and app.screen.is_mounted)
        await desk.press(*"2", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, SendEdited) and app.screen.is_mounted)
        screen = app.screen
        assert isinstance(screen, SendEdited)
        await arm(pilot, screen, clock)
        await desk.press("end")
        await pass_time(pilot, screen, clock, 0.3)
        await desk.press("right", "enter")
        assert await desk.answered() == edited(name="reports2")


@asynccontextmanager
async def from_the_question(question: Approval) -> AsyncIterator[tuple[Editing, ApprovalDialog]]:
    """The question is open, and above it the dialog in which its input is edited."""
    app, clock = Host(), Clock()
    async with app.run_test(size=(100, 40)) as pilot:
        dialog = ApprovalDialog(question, clock=clock, stamp=lambda event: clock())
        app.push_screen(dialog)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        dialog.edit()
        await until(pilot, lambda: isinstance(app.screen, EditInput) and app.screen.is_mounted)
        yield Editing(app, pilot, app.screen, clock), dialog  # type: ignore[arg-type]


async def test_what_a_rule_forbids_cannot_be_approved_with_changes_either() -> None:
    async with from_the_question(approval(input=INPUT, edits=True)) as (desk, question):
        await desk.press(*"2")
        screen = await desk.look()
        question.know_rules("This chat is read-only.", ())
        await arm(desk.pilot, screen, desk.clock)
        await desk.press("end", "right", "enter")
        assert desk.app.screen is screen
        assert "This chat is read-only." in desk.text


async def test_a_new_connection_disarms_what_stands_above_the_question() -> None:
    async with from_the_question(approval(input=INPUT, edits=True)) as (desk, question):
        await desk.press(*"2")
        screen = await desk.look()
        await arm(desk.pilot, screen, desk.clock)
        assert screen.guard.armed
        question.disarm()
        assert not screen.guard.armed


async def test_what_needs_a_typed_name_needs_it_with_changes_too() -> None:
    question = approval(
        tool_name="delete_python_js_data_app_draft", input={"configuration_id": "draft-1"}, edits=True
    )
    async with from_the_question(question) as (desk, _):
        await desk.press("backspace", *"2")
        screen = await desk.look()
        await arm(desk.pilot, screen, desk.clock)
        await desk.press("end")
        await pass_time(desk.pilot, screen, desk.clock, 0.3)
        await desk.press("right", "enter")
        assert desk.app.screen is screen, "the name of what is meant now was not typed"
        await desk.press(*"draft-1")
        await desk.press("right", "enter")
        assert desk.app.screen is screen, "that is the other one"
        await desk.press(*["backspace"] * 7, *"draft-2", "right", "enter")
        await until(desk.pilot, lambda: desk.app.screen is not screen)

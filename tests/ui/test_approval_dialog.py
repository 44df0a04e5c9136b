"""The dialog before a change: no stray key, click or paste approves; everything is shown (A1-A4)."""

from __future__ import annotations

import random
import string
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from kai_tui.conversation.reviews.review import Review
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.grants import GrantTerms
from kai_tui.ui.modals.approval import ApprovalDialog, Later
from kai_tui.ui.modals.argument_view import ArgumentView, fold
from kai_tui.ui.modals.guarded import Guarded
from kai_tui.ui.modals.reason import ReasonDialog
from kai_tui.ui.themes import THEMES
from tests.ui.fakes import Clock, approval, arm, pass_time, until

NOTHING = object()


class Host(App[None]):
    """Any screen the dialog may come over, with a field that has the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: object = NOTHING
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "kai-dark"

    def compose(self) -> ComposeResult:
        yield Input(id="field")


class Desk:
    def __init__(self, app: Host, pilot: Pilot[None], dialog: ApprovalDialog, clock: Clock) -> None:
        self.app, self.pilot, self.dialog, self.clock = app, pilot, dialog, clock

    async def press(self, *keys: str, pause: float = 0.1) -> None:
        for key in keys:
            self.clock.now += pause
            self.dialog.beat()
            await self.pilot.press(key)

    async def arm(self) -> None:
        await arm(self.pilot, self.dialog, self.clock)

    async def type_reason(self, words: str) -> None:
        """In the dialog for a reason: type it and send it after the grace."""
        dialog = self.app.screen
        assert isinstance(dialog, ReasonDialog)
        await arm(self.pilot, dialog, self.clock)
        for key in (*words, "enter"):
            self.clock.now += 0.1
            dialog.beat()
            await self.pilot.press(key)

    async def pass_time(self, seconds: float) -> None:
        await pass_time(self.pilot, self.dialog, self.clock, seconds)

    async def answered(self) -> object:
        await until(self.pilot, lambda: self.app.answer is not NOTHING)
        return self.app.answer

    @property
    def open(self) -> bool:
        return self.app.answer is NOTHING and self.app.screen is self.dialog

    @property
    def text(self) -> str:
        return "\n".join(
            "".join(segment.text for segment in strip)
            for strip in self.app.screen._compositor.render_strips()
        )


@asynccontextmanager
async def asked(
    question: Approval | None = None,
    size: tuple[int, int] = (100, 34),
    *,
    notifications: bool = False,
    **options: object,
) -> AsyncIterator[Desk]:
    app, clock = Host(), Clock()
    async with app.run_test(size=size, notifications=notifications) as pilot:
        dialog = ApprovalDialog(
            question or approval(),
            clock=clock,
            stamp=lambda event: clock(),
            **options,  # type: ignore[arg-type]
        )

        def answered(result: object) -> None:
            app.answer = result

        app.push_screen(dialog, answered)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        await pilot.pause()
        yield Desk(app, pilot, dialog, clock)


async def test_two_keys_approve_after_half_a_second_of_quiet() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("right", "enter")
        assert await desk.answered() == Decision(approved=True)


async def test_enter_alone_denies() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("enter")
        assert await desk.answered() == Decision(approved=False)


@pytest.mark.some(2)
@pytest.mark.parametrize("keys", [("enter",), ("right", "enter"), ("tab", "enter"), ("escape",), ("y",)])
async def test_keys_in_the_grace_are_absorbed(keys: tuple[str, ...]) -> None:
    async with asked() as desk:
        await desk.press(*keys)
        assert desk.open
        assert desk.dialog.chosen == "deny"
        assert desk.app.query_one("#field", Input).value == ""


async def test_steady_typing_never_arms_and_reaches_no_other_widget() -> None:
    async with asked() as desk:
        await desk.press(*"yes approve it", "enter", "right", "enter", pause=0.3)
        assert desk.open
        assert not desk.dialog.guard.armed
        assert desk.app.query_one("#field", Input).value == ""


@pytest.mark.some(3)
@pytest.mark.parametrize("key", ["y", "a", "space", "1", "Y", "ctrl+y", "f1", "delete"])
async def test_no_other_key_approves_when_armed(key: str) -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press(key, "enter")
        assert desk.open
        assert not desk.dialog.guard.armed


async def test_a_letter_after_the_move_takes_it_back() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("right", "x", "enter")
        assert desk.open
        assert desk.dialog.chosen == "deny"


async def test_no_typing_but_a_move_and_enter_approves() -> None:
    """P1: whatever is typed without a move, Enter at its end does not approve."""
    chance = random.Random(7)
    keys = [
        *string.ascii_letters,
        *string.digits,
        "space",
        "up",
        "down",
        "home",
        "end",
        "f1",
        "ctrl+a",
        "delete",
    ]
    async with asked() as desk:
        for _ in range(30):
            await desk.arm()
            for key in chance.choices(keys, k=chance.randint(1, 6)):
                desk.clock.now += chance.uniform(0.005, 0.6)
                desk.dialog.beat()
                desk.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await desk.pilot.pause(0)
            assert desk.open
            assert desk.dialog.chosen == "deny"


async def test_a_paste_never_approves() -> None:
    async with asked() as desk:
        await desk.arm()
        desk.app.post_message(events.Paste("\x1b[C\r\n" + string.printable))
        await desk.pilot.pause()
        assert desk.open
        assert not desk.dialog.guard.armed


@pytest.mark.some(2)
@pytest.mark.parametrize(
    "keys",
    [("tab", "enter", "x"), ("x", "tab", "enter"), ("tab", "tab", "enter"), ("tab", "enter", "tab", "enter")],
)
async def test_keys_faster_than_fingers_never_approve(keys: tuple[str, ...]) -> None:
    """A paste in a terminal that does not mark pastes comes as keys."""
    async with asked() as desk:
        await desk.arm()
        await desk.press(*keys, pause=0.001)
        await desk.pass_time(0.2)
        assert desk.open


async def test_a_move_and_enter_that_stand_alone_approve_once_however_fast() -> None:
    """Enters that follow at once are the same press: one question, one decision (scenario-double-press)."""
    async with asked() as desk:
        await desk.arm()
        await desk.press("tab", "enter", "enter", "enter", pause=0.001)
        assert desk.open
        await desk.pass_time(0.2)
        assert await desk.answered() == Decision(approved=True)


async def test_left_from_deny_leads_to_the_reason_not_to_approve() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("left")
        assert desk.dialog.chosen == "reason"


async def test_deny_with_a_reason() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("left", "enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ReasonDialog))
        await desk.type_reason("use the old one")
        assert await desk.answered() == Decision(approved=False, reason="use the old one")


async def test_leaving_the_reason_comes_back_disarmed() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("left", "enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ReasonDialog))
        await desk.pilot.press("escape")
        await until(desk.pilot, lambda: desk.app.screen is desk.dialog)
        assert not desk.dialog.guard.armed
        assert desk.dialog.chosen == "deny"


async def test_escape_decides_later() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("escape")
        assert await desk.answered() == Later()


class FakeDialog(Guarded[object]):
    """Stands in for a dialog that the question opens; answers as the test says."""

    def __init__(self, approval: Approval, review: Review) -> None:
        super().__init__(name="fake")
        self.asked = approval, review

    def tell(self) -> None:
        pass

    def hear_key(self, event: events.Key, when: float) -> None:
        if event.key == "escape":
            self.finish(None)


@pytest.fixture
def further_dialogs(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, dialog in (("edit_input", "EditInput"), ("allow", "AllowDialog")):
        fake = ModuleType(f"kai_tui.ui.modals.{module}")
        setattr(fake, dialog, FakeDialog)
        monkeypatch.setitem(sys.modules, fake.__name__, fake)


@pytest.mark.usefixtures("further_dialogs")
@pytest.mark.parametrize(
    ("moves", "result"),
    [
        (2, Decision(approved=True, updated_input={"name": "other"}, shown="digest")),
        (3, Decision(approved=True, grant=GrantTerms("create_bucket", calls=5))),
    ],
)
async def test_a_further_dialog_answers_for_the_question(moves: int, result: Decision) -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press(*["right"] * moves, "enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, FakeDialog))
        fake = desk.app.screen
        assert isinstance(fake, FakeDialog)
        assert fake.asked == (desk.dialog.approval, desk.dialog.review)
        fake.finish(result.grant or result)
        assert await desk.answered() == result


@pytest.mark.usefixtures("further_dialogs")
@pytest.mark.parametrize("moves", [2, 3])
async def test_leaving_a_further_dialog_comes_back_disarmed(moves: int) -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press(*["right"] * moves, "enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, FakeDialog))
        await desk.pilot.press("escape")
        await until(desk.pilot, lambda: desk.app.screen is desk.dialog)
        assert desk.open
        assert not desk.dialog.guard.armed
        assert desk.dialog.chosen == "deny"


@pytest.mark.usefixtures("further_dialogs")
async def test_nothing_is_allowed_for_a_while_before_all_of_it_was_on_screen() -> None:
    question = approval(input={"sql": "\n".join(f"line {number}" for number in range(200))})
    async with asked(question) as desk:
        await desk.arm()
        await desk.press("right", "right", "right", "enter")
        assert desk.open
        await desk.press("end")
        await desk.pass_time(0.3)
        await desk.press("enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, FakeDialog))


@pytest.mark.usefixtures("further_dialogs")
async def test_only_what_makes_sense_is_offered() -> None:
    async with asked() as desk:
        assert list(desk.dialog.answers) == ["deny", "approve", "edit", "allow", "reason"]
    async with asked(approval(tool_name="drop_it_all")) as desk:
        assert "allow" not in desk.dialog.answers, "what nobody knows is asked about every time"
        assert "Allow for a while" not in desk.text
    async with asked(approval(input={})) as desk:
        assert "edit" not in desk.dialog.answers, "there is nothing to change"
    async with asked(approval(input=["a"])) as desk:
        assert list(desk.dialog.answers) == ["deny", "approve", "reason"]


@pytest.mark.some(1)
@pytest.mark.usefixtures("further_dialogs")
@pytest.mark.parametrize("size", [(40, 20), (60, 20), (80, 24), (140, 45)])
async def test_every_answer_has_room(size: tuple[int, int]) -> None:
    async with asked(size=size) as desk:
        await desk.arm()
        for words in ("Deny", "Approve", "Edit…", "Allow", "eason…"):
            assert words in desk.text, words


async def test_a_click_before_the_arming_does_nothing() -> None:
    async with asked() as desk:
        await desk.pass_time(0.3)
        await desk.pilot.click("#answer-approve")
        assert desk.open
        assert not desk.dialog.guard.armed


async def test_a_click_when_armed_approves() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.pilot.click("#answer-approve")
        assert await desk.answered() == Decision(approved=True)


async def test_a_double_click_that_began_elsewhere_does_not_pass_through() -> None:
    async with asked() as desk:
        await desk.pilot.click("#answer-approve", times=3)
        assert desk.open
        assert not desk.dialog.guard.armed


async def test_a_resize_disarms() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.pilot.resize_terminal(90, 30)
        assert not desk.dialog.guard.armed
        await desk.press("right", "enter")
        assert desk.open


async def test_losing_the_focus_of_the_terminal_disarms() -> None:
    async with asked() as desk:
        await desk.arm()
        desk.app.app_focus = False
        await desk.pilot.pause()
        assert not desk.dialog.guard.armed


async def test_the_state_is_said_in_words() -> None:
    async with asked() as desk:
        assert "Reading time" in desk.text
        await desk.arm()
        await desk.pilot.pause()
        assert "Ready: → then Enter approves" in desk.text


async def test_approve_is_off_until_the_last_line_was_on_screen() -> None:
    question = approval(input={"sql": "\n".join(f"line {number}" for number in range(200))})
    async with asked(question) as desk:
        await desk.arm()
        await desk.press("right", "enter")
        assert desk.open
        assert "last line" in (desk.dialog.why_not() or "")
        await desk.press("end")
        await desk.pass_time(0.3)
        await desk.press("enter")
        assert await desk.answered() == Decision(approved=True)


async def test_everything_is_shown() -> None:
    question = approval(
        tool_name="mend_bucket",
        title="Create a bucket",
        input={"name": "re\u202eports", "sql": "DROP TABLE x", "empty": "", "many": list(range(3))},
    )
    async with asked(question) as desk:
        await desk.arm()
        shown = desk.text
        for words in (
            "Create a bucket",
            "mend_bucket",
            "My project",
            "branch  MAIN ",
            "connection.test",
            "Orders",
            "unknown tool",
            "4 arguments: name, sql, empty, many",
            "DROP TABLE x",
            "⟨U+202E⟩",
            "1 hidden character",
        ):
            assert words in shown, words


async def test_no_arguments_are_said_to_be_none() -> None:
    async with asked(approval(input={})) as desk:
        await desk.arm()
        assert "no arguments" in desk.text
        assert desk.dialog.why_not() is None


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("question", "words"),
    [
        (approval(input=None, has_input=False), "not received"),
        (approval(input=None), "not names and values"),
        (approval(input=["a"]), "not names and values"),
        (approval(input="text"), "not names and values"),
    ],
)
async def test_what_is_no_object_cannot_be_approved(question: Approval, words: str) -> None:
    async with asked(question) as desk:
        await desk.arm()
        assert words in (desk.dialog.why_not() or "")
        await desk.press("right", "enter")
        assert desk.open
        await desk.press("left", "enter")
        assert await desk.answered() == Decision(approved=False)


async def test_a_window_too_small_can_only_deny() -> None:
    async with asked(size=(36, 10)) as desk:
        await desk.arm()
        assert "Too small" in (desk.dialog.why_not() or "")
        await desk.press("right", "enter")
        assert desk.open


async def test_a_withdrawn_question_closes_without_an_answer() -> None:
    async with asked() as desk:
        await desk.arm()
        desk.dialog.withdraw()
        assert await desk.answered() is None


async def test_what_happens_while_it_goes_away_is_heard_in_peace() -> None:
    """Its widgets go before it does; the pulse, the connection and the queue speak to it until the end."""
    async with asked() as desk:
        await desk.arm()
        await desk.dialog.query("*").remove()
        assert desk.dialog.is_attached
        desk.dialog.on_resize()
        desk.dialog.beat()
        desk.dialog.disarm()
        desk.dialog.set_position(2, 3)


async def test_a_withdrawn_question_under_its_reason_closes_too() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("left", "enter")
        await until(desk.pilot, lambda: isinstance(desk.app.screen, ReasonDialog))
        desk.dialog.withdraw()
        await desk.type_reason("x")
        assert isinstance(desk.app.screen, ReasonDialog)
        assert "no longer open" in desk.text
        await desk.pilot.press("escape")
        assert await desk.answered() is None


async def test_a_changed_question_says_so() -> None:
    async with asked(changed=True, position=1, total=2) as desk:
        assert "changed since you saw it" in desk.text
        assert "1 of 2" in desk.text


async def test_a_megabyte_is_shown_whole() -> None:
    question = approval(input={"blob": "x" * 1_000_000})
    async with asked(question) as desk:
        await desk.arm()
        view = desk.dialog.query_one(ArgumentView)
        assert view.line_count * view.size.width > 1_000_000
        assert not view.end_seen


@pytest.mark.parametrize("text", ["", "abc", "a" * 100, "日本語" * 20, "a\nb\n\nc", "x" * 9 + "日"])
def test_folding_loses_nothing(text: str) -> None:
    lines = fold(text, 10)
    assert "".join(lines) == text.replace("\n", "")


@pytest.mark.some(2)
@pytest.mark.parametrize("second", ["right", "tab", "left", "f4", "f3"])
async def test_a_burst_leaves_no_mark_behind_for_a_later_enter(second: str) -> None:
    """Keys that came together were no choice: after a pause, Enter denies as if none had been pressed."""
    async with asked(total=2) as desk:
        await desk.arm()
        await desk.press("right")
        assert desk.dialog.chosen == "approve"
        await desk.press(second, pause=0.001)
        assert desk.dialog.chosen == "deny"
        await desk.arm()
        await desk.press("enter")
        assert await desk.answered() == Decision(approved=False)


async def test_a_key_that_was_pressed_before_a_stall_takes_the_mark_back() -> None:
    async with asked() as desk:
        await desk.arm()
        await desk.press("right")
        desk.clock.now += 2  # no beat meanwhile
        await desk.pilot.press("tab")
        assert desk.dialog.chosen == "deny"


@pytest.mark.parametrize(("size", "covers"), [((80, 24), True), ((160, 60), False)])
async def test_while_a_toast_lies_over_it_nothing_is_seen_and_approve_is_off(
    size: tuple[int, int], covers: bool
) -> None:
    async with asked(size=size, notifications=True) as desk:
        await desk.arm()
        desk.app.notify("Your answer arrived.\nMore is said.", timeout=60, markup=False)
        await until(desk.pilot, lambda: bool(desk.dialog.query("Toast")))
        await until(desk.pilot, lambda: (desk.dialog.beat(), desk.dialog.panes.covered is covers)[1])
        assert (desk.dialog.why_not() is not None) is covers
        desk.app.clear_notifications()
        await until(desk.pilot, lambda: (desk.dialog.beat(), desk.dialog.why_not() is None)[1])

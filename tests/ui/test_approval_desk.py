"""One question at a time, over any screen, never in the middle of typing (A3, A9)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kai_tui.services.approval_service import Approval, ApprovalService, Decision
from kai_tui.services.grants import GrantTerms
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.allow import AllowDialog
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.help import HelpDialog
from kai_tui.ui.modals.inbox import InboxDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.composer import Composer
from tests.ui.fakes import Clock, app_for, approval, arm, until


class Decisions:
    """Asks questions of the app's queue and notes what was decided."""

    def __init__(self, app: KaiApp) -> None:
        self.app = app
        self.made: list[tuple[str, Decision]] = []

    @property
    def service(self) -> ApprovalService:
        assert self.app.workspace is not None
        return self.app.workspace.approvals

    def ask(self, call: str = "call-1", **changes: object) -> None:
        def decided(asked: Approval, decision: Decision) -> None:
            self.made.append((asked.tool_call_id, decision))

        self.service.ask(approval(tool_call_id=call, **changes), decided)


def words(app: KaiApp) -> str:
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
    )


def dialog_of(app: KaiApp) -> ApprovalDialog:
    assert isinstance(app.screen, ApprovalDialog)
    return app.screen


def showing(app: KaiApp, call: str = "call-1") -> Callable[[], bool]:
    return lambda: (
        isinstance(app.screen, ApprovalDialog)
        and app.screen.approval.tool_call_id == call
        and app.screen.is_mounted
    )


async def started(app: KaiApp, pilot) -> None:
    await until(pilot, lambda: isinstance(app.screen, ChatScreen) and isinstance(app.focused, Composer))
    workspace = app.workspace
    assert workspace is not None
    await until(pilot, lambda: workspace.connection.state == "connected")
    await pilot.pause()


async def test_a_question_opens_by_itself_and_the_answer_reaches_the_service(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        asked.ask()
        await until(pilot, showing(app))
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("right")
        clock.now += 0.2
        await pilot.press("enter")
        await until(pilot, lambda: asked.made == [("call-1", Decision(approved=True))])
        assert isinstance(app.screen, ChatScreen)


async def test_questions_come_one_after_the_other_each_with_its_own_grace(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        asked.ask("call-1")
        asked.ask("call-2")
        await until(pilot, showing(app))
        await until(pilot, lambda: "1 of 2" in words(app))
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("enter")
        await until(pilot, showing(app, "call-2"))
        assert not dialog_of(app).guard.armed
        await pilot.press("enter")
        await pilot.pause()
        assert asked.made == [("call-1", Decision(approved=False))]


async def test_a_question_waits_while_somebody_types(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        await pilot.press("h")
        asked = Decisions(app)
        asked.ask()
        await until(pilot, lambda: "opens when you pause" in words(app))
        assert isinstance(app.screen, ChatScreen)
        await pilot.press("i", "enter")
        assert isinstance(app.screen, ChatScreen)
        assert asked.made == []
        clock.now += 2
        app.desk.update()
        await until(pilot, showing(app))


async def test_put_off_it_waits_and_can_be_taken_up(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        asked.ask()
        await until(pilot, showing(app))
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await until(pilot, lambda: "“Orders” asks: Create a bucket" in words(app))
        assert "1 decision waits" in words(app)
        app.desk.update()
        await pilot.pause()
        assert isinstance(app.screen, ChatScreen)
        clock.now += 1
        await pilot.press("f3")
        await until(pilot, showing(app))
        assert asked.made == []


async def test_settled_elsewhere_it_closes(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34), notifications=True) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        asked.ask()
        await until(pilot, showing(app))
        asked.service.withdraw("chat", "call-1")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await until(pilot, lambda: "no longer open" in words(app))


async def test_a_question_that_changed_is_asked_anew(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        asked.ask()
        await until(pilot, showing(app))
        first = dialog_of(app)
        await arm(pilot, first, clock)
        asked.ask(digest="another", input={"name": "other"})
        await until(pilot, lambda: showing(app)() and app.screen is not first)
        await until(pilot, lambda: "changed since you saw it" in words(app))
        assert not dialog_of(app).guard.armed
        assert asked.made == []


async def test_it_opens_over_another_dialog(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        app.action_show_help()
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        asked = Decisions(app)
        asked.ask()
        await until(pilot, showing(app))
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        assert asked.made == [("call-1", Decision(approved=False))]


async def test_enter_pressed_twice_does_not_send_the_draft(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        prompt = app.screen.query_one(Composer)
        prompt.load("not finished")
        asked = Decisions(app)
        asked.ask()
        await until(pilot, showing(app))
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert prompt.text == "not finished"


async def test_leaving_the_account_closes_the_question(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        before = app.screen
        asked = Decisions(app)
        asked.ask()
        await until(pilot, showing(app))
        app.open_account(app.accounts.sandbox())
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen is not before)
        assert asked.made == []


async def test_a_change_of_the_connection_disarms(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        workspace = app.workspace
        assert workspace is not None
        Decisions(app).ask()
        await until(pilot, showing(app))
        await arm(pilot, dialog_of(app), clock)
        workspace.connect()
        await until(pilot, lambda: not dialog_of(app).guard.armed)


async def test_another_account_asks_although_a_dialog_of_the_last_one_held_questions_back(
    own_home: Path,
) -> None:
    """The screens of an account go without closing what stands on them."""
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        app.desk.hold(True)
        assert app.workspace is not None
        app.desk.watch(app.workspace.approvals)
        Decisions(app).ask()
        await until(pilot, showing(app))


async def test_what_a_rule_decided_in_the_same_message_is_said_and_goes_together(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(110, 40)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        asked.ask("first")
        await until(pilot, showing(app, "first"))
        await arm(pilot, dialog_of(app), clock)
        dialog_of(app).finish(Decision(True, grant=GrantTerms("create_bucket", minutes=10, calls=5)))
        await until(pilot, lambda: len(asked.made) == 1)
        asked.ask("allowed", together=True)
        asked.ask("asked", together=True, tool_name="frobnicate", title="Frobnicate", risk="unknown")
        await until(pilot, showing(app, "asked"))
        await until(
            pilot, lambda: "at most 5 calls: call 1 of 5." in " ".join(words(app).replace("│", " ").split())
        )
        assert "sent together with your answer" in words(app)
        assert len(asked.made) == 1
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("enter")
        await until(pilot, lambda: len(asked.made) == 3)
        assert {call: each.approved for call, each in asked.made[1:]} == {"asked": False, "allowed": True}


async def test_taken_back_beside_an_open_question_it_is_asked_and_the_open_one_disarmed(
    own_home: Path,
) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(110, 40)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        asked.ask("first")
        await until(pilot, showing(app, "first"))
        dialog_of(app).finish(Decision(True, grant=GrantTerms("create_bucket")))
        await until(pilot, lambda: len(asked.made) == 1)
        asked.ask("asked", together=True, tool_name="frobnicate", risk="unknown")
        asked.ask("allowed", together=True)
        await until(pilot, showing(app, "asked"))
        await until(pilot, lambda: "sent together with your answer" in words(app))
        await arm(pilot, dialog_of(app), clock)
        assert app.workspace is not None
        app.workspace.grants.revoke_all()
        await until(pilot, lambda: "1 of 2" in words(app))
        assert "sent together" not in words(app)
        assert not dialog_of(app).guard.armed


async def test_under_the_read_only_switch_a_question_asked_again_cannot_be_approved(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        assert app.workspace is not None
        session = app.workspace.chats.new_chat()
        session.switch_read_only(True)
        asked.ask(chat_id=session.chat_id, note="Your first answer did not arrive.")
        await until(pilot, showing(app))
        await arm(pilot, dialog_of(app), clock)
        assert "switched to read-only" in words(app)
        await pilot.press("right")
        clock.now += 0.2
        await pilot.press("enter")
        await pilot.pause()
        assert asked.made == []
        clock.now += 0.2
        await pilot.press("left")
        clock.now += 0.2
        await pilot.press("enter")
        await until(pilot, lambda: asked.made == [("call-1", Decision(approved=False))])


async def test_a_yes_the_switch_forbids_says_why_and_is_not_sent(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        assert app.workspace is not None
        session = app.workspace.chats.new_chat()
        session.switch_read_only(True)
        asked.ask(chat_id=session.chat_id, note="Your first answer did not arrive.")
        await until(pilot, showing(app))
        dialog_of(app).finish(Decision(True))
        await until(pilot, lambda: "switched to read-only" in words(app) and "Nothing was sent" in words(app))
        assert asked.made == []


async def test_what_waits_and_would_be_allowed_with_it_is_counted_before_it_is_given(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(110, 40)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        for call in ("first", "second", "third"):
            asked.ask(call, input={"name": call, "stage": "out"})
        asked.ask("odd", note="Your first answer did not arrive.")
        await until(pilot, showing(app, "first"))
        question = dialog_of(app)
        await arm(pilot, question, clock)
        for _ in range(question.answers.index("allow")):
            clock.now += 0.2
            await pilot.press("right")
        clock.now += 0.2
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AllowDialog) and app.screen.is_mounted)
        allowing = app.screen
        assert isinstance(allowing, AllowDialog)
        assert "unseen" not in words(app), "the others are about other buckets"
        await pilot.press("tab", "right", "up")
        await until(pilot, lambda: "2 questions that wait now are approved with it, unseen." in words(app))
        for _ in range(20):
            clock.now += 0.1
            allowing.beat()
            question.beat()
            await pilot.pause(0)
        await pilot.press("right")
        clock.now += 0.2
        await pilot.press("enter")
        await until(pilot, lambda: len(asked.made) == 3)
        assert [(call, each.by) for call, each in asked.made] == [
            ("first", "you"), ("second", "grant"), ("third", "grant"),
        ]  # fmt: skip
        clock.now += 2
        app.desk.update()
        await until(pilot, showing(app, "odd"))


async def test_several_questions_can_be_looked_at_one_after_the_other(tmp_path: Path) -> None:
    clock = Clock()
    app = app_for(tmp_path, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        for call in ("call-1", "call-2", "call-3"):
            asked.ask(call)
        await until(pilot, showing(app, "call-1"))
        await until(pilot, lambda: "1 of 3 · F4 next · F3 all of them" in words(app))
        await pilot.press("f4")
        assert showing(app, "call-1")(), "in the grace it is a stray key like any other"
        for call in ("call-2", "call-3", "call-1"):
            await arm(pilot, dialog_of(app), clock)
            await pilot.press("f4")
            await until(pilot, showing(app, call))
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, InboxDialog))
        assert asked.made == []
        assert len(asked.service.pending) == 3
        clock.now += 1
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))


async def test_a_single_question_has_no_next_one(tmp_path: Path) -> None:
    clock = Clock()
    app = app_for(tmp_path, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        Decisions(app).ask()
        await until(pilot, showing(app))
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("f4")
        assert showing(app)()
        assert not dialog_of(app).guard.armed


async def test_who_types_into_a_question_that_goes_away_is_not_asked_the_next_one_at_once(
    tmp_path: Path,
) -> None:
    clock = Clock()
    app = app_for(tmp_path, clock=clock)
    async with app.run_test(size=(100, 34)) as pilot:
        await started(app, pilot)
        asked = Decisions(app)
        asked.ask("call-1")
        await until(pilot, showing(app, "call-1"))
        await pilot.press("x")
        asked.service.withdraw("chat", "call-1", explained=True)
        asked.ask("call-2")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await until(pilot, lambda: app.desk.waits_for_typing)
        clock.now += 1.1
        app.desk.update()
        await until(pilot, showing(app, "call-2"))

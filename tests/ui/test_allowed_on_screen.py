"""What runs without a question and what never runs: on screen all the time, taken back with one key."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import ToolInfo
from kai_tui.services.approval_service import Decision
from kai_tui.services.grants import GrantTerms
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.status_bar import StatusBar
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import Clock, accounts_of, app_for, approval, arm, until
from tests.ui.test_approval_desk import Decisions, dialog_of, showing, started, words

TOOL = "create_bucket"


def bottom(app: KaiApp) -> str:
    screen = next(each for each in reversed(app.screen_stack) if isinstance(each, ChatScreen))
    bar = screen.query_one(StatusBar)
    return "".join(segment.text for segment in bar.render_line(0))


def allow(app: KaiApp, terms: GrantTerms) -> None:
    assert app.workspace is not None
    assert app.workspace.grants.give(approval(account_id="sandbox"), terms) is not None


async def test_the_status_bar_counts_down_and_names_the_key(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home)
    accounts_of(app).turn_clock = clock
    async with app.run_test(size=(140, 34)) as pilot:
        await started(app, pilot)
        assert "allowed" not in bottom(app)
        allow(app, GrantTerms(TOOL, minutes=10, calls=5))
        await until(pilot, lambda: "create_bucket allowed 10 min 00 s, 5 calls" in bottom(app))
        assert "Alt+Z take back" in bottom(app)
        clock.now += 61
        assert "create_bucket allowed 8 min 59 s, 5 calls" in bottom(app)
        assert app.screen.query_one(StatusBar).counting


@pytest.mark.parametrize("width", [60, 80])
async def test_in_a_narrow_window_it_is_said_all_the_same(own_home: Path, width: int) -> None:
    clock = Clock()
    app = app_for(own_home)
    accounts_of(app).turn_clock = clock
    async with app.run_test(size=(width, 24)) as pilot:
        await started(app, pilot)
        allow(app, GrantTerms(TOOL, minutes=10, calls=5))
        await until(pilot, lambda: "allowed 10 min 00 s" in bottom(app))


async def test_several_are_counted_and_one_without_an_end_has_no_clock(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(140, 34)) as pilot:
        await started(app, pilot)
        allow(app, GrantTerms(TOOL))
        await until(pilot, lambda: "create_bucket allowed" in bottom(app))
        assert not app.screen.query_one(StatusBar).counting
        assert app.workspace is not None
        other = approval(tool_name="update_config", risk="changes", account_id="sandbox")
        app.workspace.grants.give(other, GrantTerms("update_config", minutes=5))
        await until(pilot, lambda: "2 tools allowed" in bottom(app))


async def test_one_key_takes_all_back(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(140, 34), notifications=True) as pilot:
        await started(app, pilot)
        allow(app, GrantTerms(TOOL, minutes=10))
        allow(app, GrantTerms(TOOL, calls=3))
        await until(pilot, lambda: "create_bucket allowed" in bottom(app))
        await pilot.press("x", "alt+z")
        await until(pilot, lambda: "All you allowed (2 rules) is taken back" in words(app))
        assert "allowed" not in bottom(app)
        asked = Decisions(app)
        asked.ask(account_id="sandbox")
        await pilot.pause()
        assert asked.made == []


async def test_the_key_works_over_an_open_question_and_disarms_it(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(140, 40)) as pilot:
        await started(app, pilot)
        allow(app, GrantTerms(TOOL, minutes=10))
        asked = Decisions(app)
        asked.ask(tool_name="frobnicate", risk="unknown")
        await until(pilot, showing(app))
        await arm(pilot, dialog_of(app), clock)
        await pilot.press("alt+z")
        assert app.workspace is not None
        assert not app.workspace.grants.active
        assert isinstance(app.screen, ApprovalDialog)
        assert not dialog_of(app).guard.armed


async def test_that_it_ended_by_itself_is_told(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home)
    accounts_of(app).turn_clock = clock
    async with app.run_test(size=(140, 34), notifications=True) as pilot:
        await started(app, pilot)
        allow(app, GrantTerms(TOOL, minutes=10))
        await until(pilot, lambda: "create_bucket allowed" in bottom(app))
        clock.now += 601
        assert app.workspace is not None
        app.workspace.grants.look()
        await until(pilot, lambda: "its time is over" in words(app))
        assert "allowed" not in bottom(app)


async def test_a_sleep_ends_it_also_in_the_sandbox(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(140, 34), notifications=True) as pilot:
        await started(app, pilot)
        allow(app, GrantTerms(TOOL))
        app.sleep_watch._apart -= 600  # the clocks went apart
        app.look_at_clocks()
        await until(pilot, lambda: "the computer slept" in words(app))
        assert app.workspace is not None
        assert not app.workspace.grants.active


async def test_leaving_the_account_ends_it(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(100, 30)) as pilot:
        await started(app, pilot)
        allow(app, GrantTerms(TOOL))
        workspace = app.workspace
        assert workspace is not None
        app._open_account(workspace.account)
        await until(pilot, lambda: app.workspace is not workspace and not workspace.grants.active)
        assert app.workspace is not None
        assert not app.workspace.grants.active


async def test_the_read_only_switch_is_said_as_long_as_it_is_on(own_home: Path) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(110, 34), notifications=True) as pilot:
        await started(app, pilot)
        await pilot.press("alt+r")
        await until(pilot, lambda: "read-only: changes are denied" in bottom(app))
        assert "read-only switch on" in words(app)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "changes are denied" not in bottom(app))
        assert "read-only switch on" not in words(app)
        await pilot.press("alt+r")
        await until(pilot, lambda: "changes are denied" in bottom(app))
        await pilot.press("alt+r")
        await until(pilot, lambda: "The read-only switch is off" in words(app))
        assert "changes are denied" not in bottom(app)


async def test_switched_on_a_question_that_waits_is_denied_and_its_dialog_goes(own_home: Path) -> None:
    clock = Clock()
    app = app_for(own_home, clock=clock)
    async with app.run_test(size=(110, 34), notifications=True) as pilot:
        await started(app, pilot)
        chat = app.screen
        assert isinstance(chat, ChatScreen)
        asked = Decisions(app)
        await until(pilot, lambda: chat.session is not None)
        assert chat.session is not None
        asked.ask(chat_id=chat.session.chat_id)
        await until(pilot, showing(app))
        chat.action_toggle_read_only()
        await until(pilot, lambda: len(asked.made) == 1 and isinstance(app.screen, ChatScreen))
        call, decision = asked.made[0]
        assert (call, decision.approved, decision.by) == ("call-1", False, "read-only switch")
        assert "no longer open" not in words(app)
        assert isinstance(decision, Decision)


async def test_what_the_server_runs_unasked_the_switch_cannot_stop_and_that_is_said(own_home: Path) -> None:
    tools = [ToolInfo("get_tables", "", True), ToolInfo("create_bucket", "", False)]
    backend = ScriptedBackend(tool_list=tools, offers={"tool_permissions": True})
    backend.permissions_now = {"create_bucket": "always_allow", "get_tables": "always_allow"}
    app = app_for(own_home, backend)
    async with app.run_test(size=(120, 34), notifications=True) as pilot:
        await started(app, pilot)
        await pilot.press("alt+r")
        await until(pilot, lambda: "read-only, but create_bucket runs unasked" in bottom(app))
        assert "changes are denied" not in bottom(app)
        await until(pilot, lambda: "The read-only switch cannot" in " ".join(words(app).split()))
        assert app.workspace is not None
        app.workspace.offers.permissions.set("create_bucket", "always_ask")
        await until(pilot, lambda: "read-only: changes are denied" in bottom(app))

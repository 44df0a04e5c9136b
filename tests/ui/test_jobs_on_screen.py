"""A job from the yes in the dialog to its end on the card, over the built-in assistant."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.services.approval_service import Decision
from kai_tui.ui.screens.chat import ChatScreen
from tests.ui.fakes import until
from tests.ui.test_chat_screen import words
from tests.ui.test_choices_with_sandbox import app_of, ready


@pytest.mark.parametrize("flavour", ["agent", pytest.param("assistant", marks=pytest.mark.slow)])
async def test_a_started_job_is_followed_on_its_card_also_after_a_restart(
    tmp_path: Path, flavour: str
) -> None:
    app = app_of(tmp_path, flavour)
    async with app.run_test(size=(120, 45)) as pilot:
        screen = await ready(app, pilot)
        await pilot.press(*"Run the Load CRM job", "enter")
        approvals = screen.workspace.approvals
        await until(pilot, lambda: approvals.pending)
        approvals.decide(approvals.pending[0], Decision(True))
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and "Job 3" in words(app))
        session = screen.session
        assert session is not None
        await until(pilot, lambda: "✓ Job 3" in words(app) and "ended well after" in words(app), 30)
        await until(pilot, lambda: not session.turn.busy, 30)
        assert screen.workspace.jobs.following == 0
        assert screen._transcript.links_here() != []

    again = app_of(tmp_path, flavour)
    async with again.run_test(size=(120, 45)) as pilot:
        screen = await ready(again, pilot)
        await screen._open(session.chat_id)
        await until(pilot, lambda: "ended well after" in words(again))
        assert screen.workspace.jobs.following == 0

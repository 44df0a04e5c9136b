"""Edits, corrections and answers from the keys to the project, over the built-in assistant in both flavours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from kai_tui.services.account_service import AccountService
from kai_tui.services.chat_session import ChatSession
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.answers import AnswersDialog
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.edit_input import EditInput
from kai_tui.ui.modals.reason import ReasonDialog
from kai_tui.ui.modals.send_edited import SendEdited
from kai_tui.ui.widgets.composer import Composer
from tests.ui.fakes import Clock, arm, pass_time, until
from tests.ui.test_chat_screen import ready, words

BUCKET = "Create a bucket called reports"
Kind = TypeVar("Kind", bound=Screen[Any])


@dataclass
class User:
    """Somebody at the keys who reads before deciding."""

    app: KaiApp
    pilot: Pilot[object]
    clock: Clock
    session: ChatSession

    async def at(self, kind: type[Kind]) -> Kind:
        """The dialog of this kind is open, read to its end and armed."""
        await until(self.pilot, lambda: type(self.app.screen) is kind and self.app.screen.is_mounted)
        dialog: Any = self.app.screen
        await arm(self.pilot, dialog, self.clock)
        if isinstance(dialog, ApprovalDialog):
            await self.press("end")
            await pass_time(self.pilot, dialog, self.clock, 0.5)
        return dialog

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.clock.now += 0.1
            screen: Any = self.app.screen
            if hasattr(screen, "beat"):
                screen.beat()
            await self.pilot.press(key)

    async def choose(self, answer: str) -> None:
        """Move to one of the answers and take it."""
        dialog: Any = self.app.screen
        for _ in range(6):
            if dialog.chosen == answer:
                break
            await self.press("right")
        await self.press("enter")

    async def over(self) -> None:
        await until(self.pilot, lambda: self.session.turn.phase == "finished")


@asynccontextmanager
async def asking(
    home: Path, flavour: str, text: str, size: tuple[int, int] = (100, 40)
) -> AsyncIterator[User]:
    environ = {"KAI_TUI_HOME": str(home), "KAI_TUI_SANDBOX_PACE": "0", "KAI_SERVICE": flavour}
    clock = Clock()
    options = LaunchOptions(sandbox=True)
    app = KaiApp(AccountService(environ), options, clock=clock, stamp=lambda event: clock())
    async with app.run_test(size=size) as pilot:
        screen = await ready(app, pilot)
        app.screen.query_one(Composer).load(text)
        await pilot.press("enter")
        await until(pilot, lambda: screen.workspace.approvals.pending)
        clock.now += 2  # nobody types any more
        app.desk.update()
        session = screen.session
        assert session is not None
        yield User(app, pilot, clock, session)


async def test_an_edited_call_runs_as_it_was_edited(tmp_path: Path) -> None:
    async with asking(tmp_path, "agent", BUCKET) as user:
        await user.at(ApprovalDialog)
        await user.choose("edit")
        await user.at(EditInput)
        await user.press(*"-2026", "ctrl+s")
        await user.at(SendEdited)
        assert '"reports-2026"' in words(user.app)
        await user.choose("approve")
        await user.over()
        (call,) = user.session.messages[1].tool_calls()
        assert call.input["name"] == "reports-2026"
        assert call.output["id"].endswith("c-reports-2026")
        await until(user.pilot, lambda: "changed by you" in words(user.app))


async def test_where_nothing_can_be_edited_the_correction_is_the_reason_of_a_no(tmp_path: Path) -> None:
    async with asking(tmp_path, "assistant", BUCKET) as user:
        await user.at(ApprovalDialog)
        await user.choose("edit")
        await user.at(EditInput)
        assert "This server cannot be given another input" in words(user.app)
        await user.press(*"-2026", "ctrl+s")
        dialog = await user.at(ReasonDialog)
        reason = dialog.reason
        await user.press("enter")
        await user.over()
        (call,) = user.session.messages[1].tool_calls()
        assert call.state == "output-denied"
        assert '"name": "reports-2026"' in reason
        assert (call.approval or {})["reason"] == reason
        await until(user.pilot, lambda: "denied: Not with this input." in words(user.app))


@pytest.mark.some(1)
@pytest.mark.parametrize("flavour", ["agent", "assistant"])
async def test_what_a_tool_asks_is_answered(tmp_path: Path, flavour: str) -> None:
    async with asking(tmp_path, flavour, "/demo ask") as user:
        await user.at(AnswersDialog)
        await user.press("down", "enter", *"Sales", "ctrl+s")
        await user.over()
        (call,) = user.session.messages[1].tool_calls()
        if flavour == "agent":
            assert call.output == {"answers": {"period": "this year", "name": "Sales"}, "unanswered": []}
            assert user.session.noted(call) == "You answered it."
        else:
            assert call.state == "output-denied"
            assert "- Which period do you mean? this year" in (call.approval or {})["reason"]

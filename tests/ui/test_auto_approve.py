"""In the whole program, at every size: what a server says about approvals sends none (A10; t_auto_approve)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import Chat, ChatSummary
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.screens.chat import ChatScreen
from tests.hostile_cases import hostile_cases
from tests.services.scripted_backend import ScriptedBackend
from tests.services.test_auto_approve import CALL, FLAGS, INPUT, REQUEST, steps
from tests.ui.fakes import Clock, app_for, arm, until
from tests.ui.test_approval_desk import dialog_of

SIZES = [(30, 6), (80, 24), (200, 60)]


@pytest.mark.some(1)
@pytest.mark.parametrize("size", SIZES)
async def test_the_corpus_scenario_on_screen(own_home: Path, size: tuple[int, int]) -> None:
    (case,) = [each for each in hostile_cases("app") if each.name == "scenario-auto-approve-not-from-server"]
    said = [step["sse_event"] for step in case.fields["steps"]]
    clock = Clock()
    backend = ScriptedBackend(
        style="continuation",
        replies=[[*steps(CALL, *said, {**REQUEST, **FLAGS}), e.Finish("tool-calls")]],
        answers=[[e.Finish("stop")]],
    )
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        chat = app.screen
        assert isinstance(chat, ChatScreen)
        await until(
            pilot, lambda: chat.session is not None and chat.workspace.connection.state == "connected"
        )
        session = chat.session
        assert session is not None
        session.send("go")
        await until(pilot, lambda: isinstance(app.screen, ApprovalDialog) and app.screen.is_mounted)
        dialog = dialog_of(app)
        assert dialog.approval.input == INPUT
        for _ in range(30):
            clock.now += 0.1
            dialog.beat()
            await pilot.pause(0)
        assert case.expect["approvals_sent"] == len(backend.answered)
        # The server must have the request as it was asked, or it is not answered at all.
        message = session.messages[-1]
        backend.stored[session.chat_id] = Chat(
            ChatSummary(session.chat_id, "t"), [Message.from_wire(message.to_wire())]
        )
        await arm(pilot, dialog, clock)
        clock.now += 0.2
        await pilot.press("enter")
        await until(pilot, lambda: backend.answered)
        assert [each.approved for each in backend.answered[0]] == [False]

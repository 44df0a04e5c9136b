"""A new message while the assistant waits for a decision: the user says first what becomes of that."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kai_tui.backends.base import ApprovalStyle, Chat, ChatSummary
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.services.chat_session import ChatSession
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.pending_first import PendingFirst
from kai_tui.ui.screens.chat import ChatScreen
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import Clock, app_for, until
from tests.ui.test_chat_screen import composer, ready, reply, words

BOTH_STYLES = pytest.mark.parametrize("style", ["side-request", "continuation"])
EITHER_STYLE = pytest.mark.parametrize(
    "style", ["side-request", pytest.param("continuation", marks=pytest.mark.slow)]
)
"""What the screen does is the same for both; what is sent is tried with both in every run."""
CALL: list[Step] = [
    e.Start("answer"),
    e.ToolInputStart("w1", "create_[b]bucket", {}),
    e.ToolInputAvailable("w1", "create_[b]bucket", {"name": "x"}, {}),
]


def backend_of(style: ApprovalStyle) -> tuple[ScriptedBackend, asyncio.Event]:
    """A call that waits in either flavour's way; its rest comes when the gate opens."""
    gate = asyncio.Event()
    done: list[Step] = [e.ToolOutputAvailable("w1", {}, {}), e.Finish("stop")]
    if style == "side-request":
        return ScriptedBackend(replies=[[*CALL, gate, *done], reply("Next.")]), gate
    asking: list[Step] = [*CALL, e.ToolApprovalRequest("w1", "ap", {}), e.Finish("tool-calls")]
    return (
        ScriptedBackend(
            style=style, replies=[asking, reply("Next.")], answers=[[e.Start("answer"), gate, *done]]
        ),
        gate,
    )


async def waiting(app: KaiApp, pilot, clock: Clock, backend: ScriptedBackend) -> ChatSession:
    """A question was put off; a message is in the prompt."""
    screen = await ready(app, pilot)
    await pilot.press("x", "enter")
    session = screen.session
    assert session is not None
    await until(pilot, lambda: session.pending_calls())
    backend.stored[session.chat_id] = Chat(
        ChatSummary(session.chat_id, "t"),
        [Message.from_wire(each.to_wire()) for each in session.messages],
    )
    await pilot.press(*"more")
    await until(pilot, lambda: "The assistant asks" in words(app))
    assert isinstance(app.screen, ChatScreen)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, PendingFirst) and app.screen.focused)
    return session


@EITHER_STYLE
async def test_nothing_happens_before_the_user_says_what_first(own_home: Path, style: ApprovalStyle) -> None:
    backend, gate = backend_of(style)
    clock = Clock()
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, clock, backend)
        assert "Kai still waits for your decision" in words(app)
        assert "create_[b]bucket" in words(app)
        clock.now += 30  # however long they think, the question does not cover this dialog
        app.desk.update()
        await pilot.pause()
        assert isinstance(app.screen, PendingFirst)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) or app.desk.showing)
        assert [each.text for each in backend.posts] == ["x"]
        assert session.queue == []
        assert app.screen_stack[0].query_one("#composer").text == "more"  # type: ignore[attr-defined]
        gate.set()


@BOTH_STYLES
async def test_denying_sends_one_no_and_then_the_message(own_home: Path, style: ApprovalStyle) -> None:
    backend, gate = backend_of(style)
    clock = Clock()
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, clock, backend)
        await pilot.press("down", "enter", "enter")
        await until(pilot, lambda: backend.answered)
        gate.set()
        await until(pilot, lambda: len(backend.posts) == 2 and not session.turn.busy)
        assert [[(a.tool_call_id, a.approved) for a in each] for each in backend.answered] == [
            [("w1", False)]
        ]
        assert [each.text for each in backend.posts] == ["x", "more"]
        assert composer(app).text == ""


@EITHER_STYLE
async def test_keeping_lets_the_message_wait_behind_the_question(
    own_home: Path, style: ApprovalStyle
) -> None:
    backend, gate = backend_of(style)
    clock = Clock()
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, clock, backend)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and "queued: more" in words(app))
        assert session.pending_calls()
        clock.now += 30
        app.desk.update()
        await pilot.pause()
        assert isinstance(app.screen, ChatScreen)
        assert backend.answered == []
        assert len(backend.posts) == 1
        gate.set()


@EITHER_STYLE
async def test_answering_now_opens_the_question_and_the_message_goes_after(
    own_home: Path, style: ApprovalStyle
) -> None:
    backend, gate = backend_of(style)
    clock = Clock()
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, clock, backend)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ApprovalDialog))
        assert [each.text for each in session.queue] == ["more"]
        assert backend.answered == []
        gate.set()


async def test_a_question_settled_meanwhile_leaves_the_message_in_the_prompt(own_home: Path) -> None:
    backend, gate = backend_of("side-request")
    clock = Clock()
    app = app_for(own_home, backend, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        session = await waiting(app, pilot, clock, backend)
        gate.set()
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and not session.turn.busy)
        assert composer(app).text == "more"
        assert [each.text for each in backend.posts] == ["x"]
        await pilot.press("enter")
        await until(pilot, lambda: [each.text for each in backend.posts] == ["x", "more"])

"""Permissions in running chats, over the real sandbox: the next call goes by the newest ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kai_tui.backends.base import ToolInfo
from kai_tui.conversation import events as e
from kai_tui.services import call_questions
from kai_tui.services.account import SANDBOX
from kai_tui.services.account_service import AccountService
from kai_tui.services.approval_round import Place
from kai_tui.services.approval_service import ApprovalService
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.session_state import SessionTools
from kai_tui.services.session_tools import no_ledger
from kai_tui.services.workspace import Workspace
from tests.services.scripted_backend import ScriptedBackend, until
from tests.services.test_chat_session import CHAT, MemoryKeeper

BUCKET = "Create a bucket called reports"


def session_on(backend: ScriptedBackend) -> tuple[ChatSession, ApprovalService]:
    async def provide() -> ScriptedBackend:
        return backend

    approvals = ApprovalService()
    tools = SessionTools(
        provide, approvals, MemoryKeeper(), lambda: Place("My project", "kai.test", "main"), no_ledger()
    )
    return ChatSession(CHAT, tools), approvals


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    environ = {"KAI_TUI_HOME": str(tmp_path), "KAI_TUI_SANDBOX_PACE": "0"}
    made = AccountService(environ).open(SANDBOX)
    made.connect()
    await until(lambda: made.connection.state == "connected")
    await made.offers.permissions.load()
    yield made
    await made.aclose()


async def change(workspace: Workspace, name: str, permission) -> None:
    workspace.offers.permissions.set(name, permission)
    assert await workspace.offers.permissions.settled() == []


async def test_always_allowed_a_write_runs_without_a_question(workspace: Workspace) -> None:
    await change(workspace, "create_bucket", "always_allow")
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await until(lambda: session.turn.phase == "finished")
    assert not workspace.approvals.pending
    (call,) = [part for message in session.messages for part in message.tool_calls()]
    assert call.state == "output-available"


async def test_a_blocked_tool_is_not_asked_about_and_says_that_it_is_blocked(workspace: Workspace) -> None:
    await change(workspace, "create_bucket", "blocked")
    asked: list[object] = []
    workspace.approvals.observe(lambda *_: asked.extend(workspace.approvals.pending))
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await until(lambda: session.turn.phase == "finished")
    assert asked == []
    (call,) = [part for message in session.messages for part in message.tool_calls()]
    assert call.state == "output-error"
    assert call.error_text == "The tool create_bucket is blocked in your settings."


async def test_a_reading_tool_asks_when_it_always_asks(workspace: Workspace) -> None:
    await change(workspace, "get_buckets", "always_ask")
    session = workspace.chats.new_chat()
    session.send("/demo mixed")
    await until(lambda: "get_buckets" in {each.tool_name for each in workspace.approvals.pending})


async def test_a_change_holds_for_the_next_message_of_an_open_chat(workspace: Workspace) -> None:
    session = workspace.chats.new_chat()
    session.send("What tables do I have?")
    await until(lambda: session.turn.phase == "finished")
    await change(workspace, "create_bucket", "always_allow")
    session.send(BUCKET)
    await until(lambda: session.turn.phase == "finished" and len(session.messages) == 4)
    assert session.messages[-1].tool_calls()[0].state == "output-available"


def call(name: str) -> list:
    return [
        e.ToolInputStart("call", name, {}),
        e.ToolInputAvailable("call", name, {"name": "reports"}, {}),
    ]


@pytest.mark.parametrize(
    ("permission", "note"),
    [("always_allow", "silent"), ("blocked", "You blocked this tool")],
)
async def test_a_change_in_the_middle_of_a_turn_never_leaves_a_call_waiting_unseen(
    permission, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_questions, "SILENCE_SECONDS", 0.02)
    gate = asyncio.Event()
    never = asyncio.Event()
    backend = ScriptedBackend(
        replies=[
            [e.Start("a"), e.TextStart("t"), e.TextDelta("t", "Now"), gate, *call("create_bucket"), never]
        ],
        tool_list=[ToolInfo("create_bucket")],
    )
    session, approvals = session_on(backend)
    session.send("go")
    await until(lambda: session.turn.phase == "streaming")
    session.use_tools([ToolInfo("create_bucket", permission=permission)])
    gate.set()
    await until(lambda: approvals.pending)
    assert note in (approvals.pending[0].note or "")
    await session.aclose()


async def test_what_was_always_allowed_when_the_turn_began_is_not_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_questions, "SILENCE_SECONDS", 0.02)
    never = asyncio.Event()
    backend = ScriptedBackend(
        replies=[[e.Start("a"), *call("run_job"), never]],
        tool_list=[ToolInfo("run_job", permission="always_allow")],
    )
    session, approvals = session_on(backend)
    session.send("go")
    await until(lambda: session.messages and session.messages[-1].tool_calls())
    await asyncio.sleep(0.1)
    assert not approvals.pending
    await session.aclose()

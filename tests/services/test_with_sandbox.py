"""Whole conversations with the built-in assistant, in both flavours: services, wire, server, files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from kai_tui.conversation.messages import ToolPart
from kai_tui.services import session_asked_before
from kai_tui.services.account import SANDBOX
from kai_tui.services.account_service import AccountService
from kai_tui.services.approval_service import Decision
from kai_tui.services.changes import Notice
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.workspace import Workspace
from tests.services.scripted_backend import until

Flavour = Literal["agent", "assistant"]
FLAVOURS: tuple[Flavour, ...] = ("agent", "assistant")
BUCKET = "Create a bucket called reports"


@dataclass
class House:
    """One user's files, and the workspaces opened on them one after the other."""

    folder: Path
    flavour: Flavour
    opened: list[Workspace] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def enter(self, pace: float = 0.0) -> Workspace:
        """Start the program."""
        environ = {
            "KAI_TUI_HOME": str(self.folder),
            "KAI_SERVICE": self.flavour,
            "KAI_TUI_SANDBOX_PACE": str(pace),
        }
        workspace = AccountService(environ).open(SANDBOX)
        self.opened.append(workspace)
        workspace.connect()
        await until(lambda: workspace.connection.state == "connected", 20)
        return workspace

    def hear(self, session: ChatSession) -> None:
        session.observe(
            lambda change: self.said.append(change.sentence) if isinstance(change, Notice) else None
        )


@pytest.fixture(params=FLAVOURS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path, request.param)
    yield made
    for workspace in made.opened:
        await workspace.aclose()
    leaked = [t for t in asyncio.all_tasks() if t is not asyncio.current_task() and not t.done()]
    assert leaked == []


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished", 20)


async def asked(workspace: Workspace, count: int = 1) -> None:
    await until(lambda: len(workspace.approvals.pending) == count, 20)


def calls(session: ChatSession) -> list[ToolPart]:
    message = session.last_assistant_message
    return message.tool_calls() if message is not None else []


async def buckets(workspace: Workspace) -> str:
    """What the assistant says about the buckets there are."""
    session = workspace.chats.new_chat()
    session.send("What buckets do I have?")
    await over(session)
    return "".join(str(each.output) for each in calls(session)) + session.messages[-1].text


async def test_a_question_is_answered_and_the_chat_is_listed_under_its_name(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("What tables do I have?")
    await over(session)
    assert session.turn.reason == "stop"
    assert [m.role for m in session.messages] == ["user", "assistant"]
    assert all(each.state == "output-available" for each in calls(session))
    assert session.delivery(session.messages[0].id) == "sent"
    assert [row.title for row in workspace.history.rows] == [session.title]
    await workspace.history.refresh()
    assert [(row.id, row.title) for row in workspace.history.rows] == [(session.chat_id, session.title)]


async def test_a_write_happens_only_after_a_yes(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    approval = workspace.approvals.pending[0]
    assert approval.tool_name == "create_bucket"
    assert approval.input == calls(session)[0].input
    assert approval.risk == "creates"
    assert session.turn.phase == "waiting-for-approval"
    assert "reports" not in await buckets(workspace)
    assert workspace.approvals.decide(approval, Decision(True))
    await over(session)
    assert session.turn.reason == "stop"
    assert [each.state for each in calls(session)] == ["output-available"]
    assert "reports" in await buckets(workspace)
    # A second yes to the same question goes nowhere.
    assert not workspace.approvals.decide(approval, Decision(True))


async def test_a_denied_write_does_not_happen_and_the_reason_arrives(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(False, "call it monthly"))
    await over(session)
    state = calls(session)[0].state
    assert state == ("output-error" if house.flavour == "agent" else "output-denied")
    assert "call it monthly" in str(session.messages[-1].to_wire())
    assert session.decision(calls(session)[0]) is False
    quoted = workspace.chats.fork(session, session.messages[-1].id)
    assert quoted is not None
    assert "(tool create_bucket: denied by the user)" in quoted.quote
    assert "reports" not in await buckets(workspace)


async def test_two_writes_are_decided_each_for_itself(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("/demo writes")
    await asked(workspace, 2)
    first, second = workspace.approvals.pending
    workspace.approvals.decide(second, Decision(True))
    workspace.approvals.decide(first, Decision(False))
    await over(session)
    states = {each.tool_call_id: each.state for each in calls(session)}
    assert states[second.tool_call_id] == "output-available"
    assert states[first.tool_call_id] in ("output-denied", "output-error")
    assert "demo-bucket" not in await buckets(workspace)


async def test_one_decision_after_the_other(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("/demo chain")
    for tool in ("create_config", "run_job"):
        await asked(workspace)
        assert workspace.approvals.pending[0].tool_name == tool
        workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
        await until(lambda: not workspace.approvals.pending)
    await over(session)
    assert session.turn.reason == "stop"
    assert [each.state for each in calls(session)] == ["output-available", "output-available"]
    assert len(session.messages) == 2


async def test_two_chats_wait_at_once_and_do_not_mix(house: House) -> None:
    workspace = await house.enter()
    one, two = workspace.chats.new_chat(), workspace.chats.new_chat()
    one.send("Create a bucket called first")
    two.send("Create a bucket called second")
    await asked(workspace, 2)
    for each in workspace.approvals.pending:
        workspace.approvals.decide(each, Decision(each.chat_id == two.chat_id))
    await over(one)
    await over(two)
    there = await buckets(workspace)
    assert "second" in there
    assert "c-first" not in there


async def test_stopping_keeps_what_came_and_the_chat_goes_on(house: House) -> None:
    workspace = await house.enter(pace=0.1)
    session = workspace.chats.new_chat()
    session.send("/demo slow")
    await until(lambda: session.last_assistant_message is not None and session.messages[-1].text, 20)
    seen = session.messages[-1].text
    loop = asyncio.get_running_loop()
    before = loop.time()
    session.stop()
    assert loop.time() - before < 0.25
    assert session.turn.reason == "cancelled"
    assert session.messages[-1].text.startswith(seen)
    finish = session.messages[-1].finish
    assert finish is not None
    assert finish.reason == "cancelled"
    session.send("hello")
    await over(session)
    assert session.turn.reason == "stop"
    await workspace.aclose()

    again = await house.enter()
    reopened = await again.chats.open_chat(session.chat_id)
    finish = reopened.messages[1].finish
    assert reopened.messages[1].text.startswith(seen)
    assert finish is not None
    assert finish.reason == "cancelled"
    assert reopened.messages[3].finish is None or reopened.messages[3].finish.reason == "stop"


async def test_stopping_while_a_write_waits(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    house.hear(session)
    session.send(BUCKET)
    await asked(workspace)
    session.stop()
    if house.flavour == "agent":
        assert session.turn.reason == "cancelled"
        assert not workspace.approvals.pending
    else:
        assert any("Approve or deny" in each for each in house.said)
        workspace.approvals.decide(workspace.approvals.pending[0], Decision(False))
        await over(session)
    session.send("hello")
    await over(session)
    assert session.turn.reason == "stop"
    assert "reports" not in await buckets(workspace)


@pytest.mark.some(1)
async def test_stopping_right_after_a_yes_leaves_no_dead_chat(house: House) -> None:
    """At every moment after the yes: the chat can be written in, and the bucket is there at most once."""
    workspace = await house.enter()
    for steps in range(0, 60, 6):
        session = workspace.chats.new_chat()
        session.send(f"Create a bucket called stop-{steps}")
        await asked(workspace)
        workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
        for _ in range(steps):
            await asyncio.sleep(0)
        session.stop()
        session.send("hello")

        def ready(session: ChatSession = session) -> bool:
            for each in workspace.approvals.pending:
                workspace.approvals.decide(each, Decision(False))
            return session.turn.phase == "finished" and not session.queue and session.turn.reason == "stop"

        await until(ready, 20)
        assert session.messages[-1].role == "assistant"
        assert session.messages[-1].errors == [], steps


async def test_an_error_in_the_middle_keeps_the_half_and_marks_it(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("/demo error")
    await over(session)
    assert session.turn.reason == "error"
    assert session.messages[-1].text.startswith("This answer breaks off")
    assert session.messages[-1].errors
    await workspace.aclose()
    again = await house.enter()
    reopened = await again.chats.open_chat(session.chat_id)
    finish = reopened.messages[-1].finish
    assert finish is not None
    assert finish.reason == "error"


async def test_a_refused_message_is_kept_and_can_be_sent_later(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("/demo quota")
    await over(session)
    message_id = session.messages[0].id
    assert session.delivery(message_id) == "not-sent"
    await workspace.aclose()
    again = await house.enter()
    await until(lambda: again.history.rows, 10)
    reopened = await again.chats.open_chat(session.chat_id)
    assert reopened.delivery(message_id) == "not-sent"
    assert [m.text for m in reopened.messages] == ["/demo quota"]


@pytest.mark.some(2)
@pytest.mark.parametrize("yes", [True, False])
async def test_a_request_that_waits_is_asked_again_after_a_restart(
    house: House, yes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    shown = workspace.approvals.pending[0]
    await workspace.aclose()

    again = await house.enter()
    reopened = await again.chats.open_chat(session.chat_id)
    await asked(again)
    assert again.approvals.pending[0].input == shown.input
    assert again.approvals.pending[0].digest == shown.digest
    assert again.approvals.pending[0].asked_at == shown.asked_at
    if house.flavour == "agent":
        # The connection that waited is gone (kai.md §9.2): only the server knows whether it waits on.
        assert "if the server gave up waiting" in (again.approvals.pending[0].note or "")
        monkeypatch.setattr(session_asked_before, "RESULT_LOOKS", (0.05,) * 100)
        assert again.approvals.decide(again.approvals.pending[0], Decision(yes))
        await until(lambda: calls(reopened)[0].settled, 20)
        assert ("reports" in await buckets(again)) is yes
        return
    assert reopened.turn.phase == "waiting-for-approval"
    assert "read from the server again" in (again.approvals.pending[0].note or "")
    assert again.approvals.decide(again.approvals.pending[0], Decision(yes))
    await over(reopened)
    assert ("reports" in await buckets(again)) is yes
    reopened.send("hello")
    await over(reopened)
    assert reopened.turn.reason == "stop"


async def test_a_message_typed_while_a_write_waits_is_sent_after_it(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    session.send("hello")
    assert [each.text for each in session.queue] == ["hello"]
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await until(lambda: len(session.messages) == 4 and session.turn.phase == "finished", 20)
    assert [m.role for m in session.messages] == ["user", "assistant"] * 2
    assert session.messages[-1].errors == []


async def test_a_deleted_chat_is_gone_everywhere(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("needle-8813")
    await over(session)
    await workspace.save_draft(session.chat_id, "needle-8813 draft")
    await workspace.history.delete(session.chat_id)
    await workspace.history.refresh()
    assert list(workspace.history.rows) == []
    await workspace.aclose()
    for file in house.folder.rglob("*"):
        if file.is_file() and ".project." not in file.name:
            assert b"needle-8813" not in file.read_bytes(), file
    again = await house.enter()
    await until(lambda: not again.history.loading, 10)
    assert list(again.history.rows) == []


@pytest.mark.parametrize("text", ["/demo slow", BUCKET])
async def test_a_chat_deleted_while_it_works_stays_deleted(house: House, text: str) -> None:
    workspace = await house.enter(pace=0.0 if text == BUCKET else 0.1)
    session = workspace.chats.new_chat()
    session.send(text)
    await until(lambda: session.last_assistant_message is not None, 20)
    if text == BUCKET:
        await asked(workspace)
    await workspace.history.delete(session.chat_id)
    workspace.chats.forget(session.chat_id)
    assert not workspace.approvals.pending
    await workspace.history.refresh()
    assert list(workspace.history.rows) == []
    await workspace.aclose()
    again = await house.enter()
    await until(lambda: not again.history.loading, 10)
    assert list(again.history.rows) == []


async def test_votes_are_read_back(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("What tables do I have?")
    await over(session)
    message_id = session.messages[-1].id
    await session.vote(message_id, True)
    await session.vote(message_id, False)
    assert session.vote_of(message_id) is False
    await workspace.aclose()
    again = await house.enter()
    reopened = await again.chats.open_chat(session.chat_id)
    await until(lambda: reopened.vote_of(message_id) is False, 10)


@pytest.mark.some(2)
@pytest.mark.parametrize("text", ["/demo slow", BUCKET, "/demo long"])
async def test_leaving_in_the_middle_is_quick_and_loses_nothing(house: House, text: str) -> None:
    workspace = await house.enter(pace=0.1)
    session = workspace.chats.new_chat()
    session.send(text)
    await until(lambda: session.last_assistant_message is not None, 20)
    seen = session.messages[-1].text
    async with asyncio.timeout(3):
        await workspace.aclose()
    again = await house.enter()
    reopened = await again.chats.open_chat(session.chat_id)
    assert reopened.messages[0].text == text
    assert reopened.messages[1].text.startswith(seen)


async def test_the_same_words_twice_are_two_messages(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    for _ in range(2):
        session.send("hello")
        await over(session)
    chat = await (await workspace.backend()).chat(session.chat_id)
    assert [m.text for m in chat.messages if m.role == "user"] == ["hello", "hello"]
    assert [m.id for m in chat.messages] == [m.id for m in session.messages]


async def test_what_the_server_keeps_is_what_was_seen(house: House) -> None:
    """After a whole conversation the chat reads the same from the server as it stood on screen."""
    workspace = await house.enter()
    session = workspace.chats.new_chat()

    async def talk(text: str, decide: Callable[[], Awaitable[None]] | None = None) -> None:
        session.send(text)
        if decide is not None:
            await decide()
        await over(session)

    async def yes() -> None:
        await asked(workspace)
        workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
        await until(lambda: not session.turn.busy, 20)

    await talk("What tables do I have?")
    await talk(BUCKET, yes)
    await talk("/demo fail")
    await workspace.aclose()
    again = await house.enter()
    reopened = await again.chats.open_chat(session.chat_id)
    assert [m.to_wire()["parts"] for m in reopened.messages] == [
        m.to_wire()["parts"] for m in session.messages
    ]
    assert not again.approvals.pending

"""t_post_once, t_approval_once: whatever breaks, nothing reaches the server twice (P4, P5).

A user writes, decides, presses keys twice, stops, tries again and restarts the program, over a
connection that loses requests and answers. The server is the real sandbox over a real project.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from kai_tui.backends.base import NotFound
from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.server import create_app
from kai_tui.sandbox.transport import StreamingASGITransport
from kai_tui.services.account import SANDBOX
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import account_files, app_paths
from tests.services.faulty_transport import FaultyTransport
from tests.services.scripted_backend import until

Flavour = Literal["agent", "assistant"]
FLAVOURS: tuple[Flavour, ...] = ("agent", "assistant")
FAST = int(os.environ.get("KAI_TUI_FAULTS", "12"))
ALL = 500
STEPS = 14
TOKEN = "t"


@dataclass
class User:
    """One user's files and habits, and what reached the server of them."""

    folder: Path
    flavour: Flavour
    seed: int
    decided: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Decisions by call id and answer: how often the user really gave it."""
    delivered: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.project = Project.open(":memory:")
        self.app = create_app(self.project, service=self.flavour, token=TOKEN, pace=0)
        self.transport = self._transport()
        self.workspace = self._open()
        self.chat_id = ""

    def _transport(self) -> FaultyTransport:
        kept = self.transport.delivered if hasattr(self, "transport") else []
        store = self.app.state.desk.store
        return FaultyTransport(
            StreamingASGITransport(self.app),
            self.chance,
            has_message=lambda message_id: store.message_place(message_id) is not None,
            delivered=kept,
        )

    def _open(self) -> Workspace:
        transport = self.transport

        async def provide() -> KaiBackend:
            backend = KaiBackend(
                "https://sandbox.invalid",
                storage_url="https://sandbox.invalid",
                token=Secret(TOKEN),
                service=self.flavour,
                transport=transport,
            )
            backend._door._sleep = _at_once  # what is tried again is, but nobody waits for it
            return backend

        paths = app_paths({"KAI_TUI_HOME": str(self.folder)})
        return Workspace(SANDBOX, provide, DiskKeeper(account_files(paths, SANDBOX.id)))

    async def session(self) -> ChatSession:
        """The chat, opened as often as that takes."""
        sessions = self.workspace.chats.sessions
        if self.chat_id in sessions:
            return sessions[self.chat_id]
        for _ in range(50):
            try:
                return await self.workspace.chats.open_chat(self.chat_id)
            except Exception:
                continue
        raise AssertionError("the chat cannot be opened")

    async def live(self) -> None:
        """Some days of use, then everything works again."""
        session = self.workspace.chats.new_chat()
        self.chat_id = session.chat_id
        for number in range(4):
            session.send(f"Create a bucket called r{number}" if number % 2 else "/demo writes")
            for _ in range(STEPS):
                await self.act()
                session = await self.session()
                if not session.turn.busy and not unsent(session) and self.chance.random() < 0.7:
                    break
        self.transport.share = 0
        for _ in range(STEPS):
            session = await self.session()
            await until(lambda session=session: session.turn.phase != "sending")
            if not session.turn.busy and not unsent(session):
                break
            await self.act(restarts=False)

    async def act(self, *, restarts: bool = True) -> None:
        session = await self.session()
        if self.chance.random() < 0.8:
            await until(lambda: not session.turn.busy or self.waiting() or session.turn.phase == "sending")
        for _ in range(self.chance.choice((1, 3, 20, 60))):
            await asyncio.sleep(0)
        waiting = self.waiting()
        lost = unsent(session)
        what = self.chance.random()
        if waiting and what < 0.7:
            approval = self.chance.choice(waiting)
            yes = self.chance.random() < 0.7
            for _ in range(self.chance.choice((1, 2))):  # a key pressed twice is one decision
                if self.workspace.approvals.decide(approval, Decision(yes)):
                    self.decided[approval.tool_call_id, yes] += 1
        elif lost and what < 0.8:
            message_id = self.chance.choice(lost)
            for _ in range(self.chance.choice((1, 2))):
                session.retry(message_id)
        elif what > 0.95 and restarts:
            await self.restart()
        elif what > 0.85:
            session.stop()

    def waiting(self) -> list[Approval]:
        """What is asked in the chat."""
        return [each for each in self.workspace.approvals.pending if each.chat_id == self.chat_id]

    async def restart(self) -> None:
        """Leave and start again; half of the time nothing more is written after that moment."""
        old = self.workspace
        if self.chance.random() < 0.5:
            await old._keeper.aclose()
        await old.aclose()
        self.transport = self._transport()
        self.workspace = self._open()

    async def check(self) -> None:
        posts = [each for each in self.transport.delivered if each.method == "POST"]
        assert [each.body for each in posts if each.again] == []
        taken = Counter(
            each.body["message"]["id"]
            for each in posts
            if each.path == "/api/chat" and each.body["message"]["role"] == "user" and each.status == 200
        )
        assert all(count == 1 for count in taken.values()), taken
        answers: Counter[tuple[str, bool]] = Counter()
        for each in posts:
            if each.path.endswith("/approval"):
                answers[each.body["toolUseId"], each.body["approved"]] += 1
            elif each.body.get("message", {}).get("role") == "assistant":
                for part in each.body["message"]["parts"]:
                    if part.get("state") == "approval-responded":
                        answers[part["toolCallId"], part["approval"]["approved"]] += 1
        too_many = {call: count for call, count in answers.items() if count > self.decided[call]}
        assert not too_many, (too_many, self.decided)
        session = await self.session()
        try:
            chat = await (await self.workspace.backend()).chat(self.chat_id)
            there = {each.id for each in chat.messages}
        except NotFound:
            there = set[str]()
        for message in session.messages:
            if message.role == "user" and session.delivery(message.id) in (None, "sent"):
                assert message.id in there, "shown as sent, and the server does not have it"


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)


def unsent(session: ChatSession) -> list[str]:
    states = ("not-sent", "unsure")
    return [each.id for each in session.messages if session.delivery(each.id) in states]


async def run(folder: Path, flavour: Flavour, seed: int) -> None:
    user = User(folder / f"{flavour}-{seed}", flavour, seed)
    try:
        async with asyncio.timeout(60):
            await user.live()
            await user.check()
    except BaseException as error:
        error.add_note(f"{flavour}, seed {seed}")
        raise
    finally:
        await user.workspace.aclose()
        user.project.close()


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_nothing_is_sent_twice(tmp_path: Path, flavour: Flavour) -> None:
    for seed in range(FAST):
        await run(tmp_path, flavour, seed)


@pytest.mark.slow
@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_nothing_is_sent_twice_in_five_hundred_lives(tmp_path: Path, flavour: Flavour) -> None:
    for seed in range(FAST, ALL + FAST):
        await run(tmp_path, flavour, seed)

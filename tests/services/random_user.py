"""A user who does everything one can do in chats, in random order, over a connection that breaks in every way.

What they wished for is written down: how often a text was sent on purpose, how often one was taken back,
and which decisions were given. `test_sent_once.py` compares it with what reached the server.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.conversation.approvals import decision_digest
from kai_tui.conversation.json_text import copy_json
from kai_tui.conversation.messages import Message
from kai_tui.conversation.quoting import split_quote
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
STEPS = 14
PATIENCE = 80
"""How many things a user does until a chat has to be at rest, once everything works again."""
TOKEN = "t"


def words_of(text: str) -> str:
    """What the user wrote, without a quote in front of it."""
    return split_quote(text)[1]


@dataclass
class RandomUser:
    """One user's files, habits and wishes."""

    folder: Path
    flavour: Flavour
    seed: int
    decided: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Decisions by call id and answer: how often the user really gave it."""
    inputs: list[tuple[str, object]] = field(default_factory=list)
    """Changed inputs by call id, as they were approved."""
    wished: Counter[str] = field(default_factory=Counter)
    """How often each text was sent on purpose, as a message of its own."""
    given_up: Counter[str] = field(default_factory=Counter)
    """How often each text was taken back before it was sent."""
    history: list[str] = field(default_factory=list)
    """What the user did, for whoever looks for a mistake."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.project = Project.open(":memory:")
        self.app = create_app(self.project, service=self.flavour, token=TOKEN, pace=0)
        self.store = self.app.state.desk.store
        self.transport = self._transport()
        self.workspace = self._open()
        self.chats: list[str] = []
        self.chat_id = ""
        self.written = 0

    # The program

    def _transport(self) -> FaultyTransport:
        kept = self.transport.delivered if hasattr(self, "transport") else []
        return FaultyTransport(
            StreamingASGITransport(self.app),
            self.chance,
            has_message=lambda message_id: self.store.message_place(message_id) is not None,
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
        """The chat on screen, opened as often as that takes."""
        sessions = self.workspace.chats.sessions
        if self.chat_id not in sessions:
            for _ in range(50):
                try:
                    await self.workspace.chats.open_chat(self.chat_id)
                    break
                except Exception:
                    continue
            else:
                raise AssertionError("the chat cannot be opened")
        for chat_id, session in sessions.items():
            session.set_watched(chat_id == self.chat_id)
        return sessions[self.chat_id]

    def _show(self, session: ChatSession) -> None:
        self.chat_id = session.chat_id
        if self.chat_id not in self.chats:
            self.chats.append(self.chat_id)

    async def close(self) -> None:
        await self.workspace.aclose()
        self.project.close()

    # A life

    async def live(self) -> None:
        """Some days of use, then everything works again, and all that waits is seen to."""
        self._show(self.workspace.chats.new_chat())
        for _ in range(4):
            self.write(await self.session())
            for _ in range(STEPS):
                await self.act()
                session = await self.session()
                if at_rest(session) and self.chance.random() < 0.7:
                    break
        self.transport.share = 0
        for chat_id in list(self.chats):
            self.chat_id = chat_id
            await self.see_to_it()

    async def see_to_it(self) -> None:
        """Bring the chat on screen to rest."""
        for _ in range(PATIENCE):
            await asyncio.sleep(0)  # nothing below has to wait: what is due in the loop comes first
            session = await self.session()
            await until(lambda session=session: not session.turn.busy or self.waiting())
            if at_rest(session):
                return
            if self.waiting():
                await self.decide(session)
            elif lost := unsent(session):
                session.retry(lost[0])
                await until(lambda session=session: not session._lookups or session.turn.busy)
            else:
                session.resume_queue()
        raise AssertionError("the chat does not come to rest")

    async def act(self) -> None:
        """One thing a user does, at some moment."""
        session = await self.session()
        # The patient meet more faults, the hasty queue and interrupt more.
        if self.chance.random() < (0.75 if self.seed % 2 else 0.3):
            await until(lambda: not session.turn.busy or self.waiting())
        else:
            await asyncio.sleep(self.chance.choice((0, 0.001, 0.003, 0.01)))
        for _ in range(self.chance.choice((1, 3, 20, 60))):
            await asyncio.sleep(0)
        habits: list[tuple[float, Callable[[ChatSession], object]]] = [
            (5, lambda _: None),
            (1, self.write),
            (1, self.ask_again),
            (0.7, self.switch),
            (0.5, self.fork),
            (1, lambda session: session.stop()),
            (0.5, lambda session: session.look_again()),
            (0.3, lambda session: session.woke()),
            (0.7, self.restart),
        ]
        if self.waiting():
            habits.append((14, self.decide))
        if unsent(session):
            habits.append((7, self.retry))
        if session.queue:
            habits.append((4, self.change_queue))
        what = self.chance.choices([act for _, act in habits], [share for share, _ in habits])[0]
        self.history.append(f"{self.chat_id[:4]} {getattr(what, '__name__', what)} {session.turn.phase}")
        result = what(session)
        if asyncio.iscoroutine(result):
            await result

    # Habits

    def write(self, session: ChatSession) -> None:
        text = self.new_text()
        session.send(text)
        self.wished[text] += 1

    def new_text(self) -> str:
        self.written += 1
        return self.chance.choice(
            (
                f"/demo writes\n\n{self.written}",
                f"Create a bucket called r{self.written}",
                f"What tables do I have, {self.written}?",
            )
        )

    def retry(self, session: ChatSession) -> None:
        message_id = self.chance.choice(unsent(session))
        for _ in range(self.chance.choice((1, 2))):
            session.retry(message_id)

    def ask_again(self, session: ChatSession) -> None:
        last = session.last_question()
        if last is None:
            return
        words = self.new_text() if self.chance.random() < 0.5 else None
        for _ in range(self.chance.choice((1, 2))):  # two quick presses
            if not session.ask_again(last.message.id, words):
                continue
            if words is not None:
                self.wished[words] += 1
                self.given_up[last.words] += last.outcome == "not-sent"
            elif last.outcome != "not-sent":
                self.wished[last.words] += 1

    def switch(self, session: ChatSession) -> None:
        self.chat_id = self.chance.choice(self.chats)

    def fork(self, session: ChatSession) -> None:
        if len(self.chats) > 2:
            return
        at = self.chance.choice(session.messages) if session.messages else None
        forked = self.workspace.chats.fork(session, at.id) if at is not None else None
        if forked is not None:
            self._show(forked)
            self.write(forked)

    def change_queue(self, session: ChatSession) -> None:
        waiting = self.chance.choice(session.queue)
        what = self.chance.randrange(7)
        if what == 0:
            text = self.new_text()
            assert session.edit_queued(waiting.id, text)
            self.wished[text] += 1
            self.given_up[words_of(waiting.text)] += 1
        elif what == 1:
            removed = session.remove_queued(waiting.id)
            assert removed is not None
            if self.chance.random() < 0.5:
                session.put_back(*removed)
            else:
                self.given_up[words_of(waiting.text)] += 1
        elif what == 2:
            taken = session.take_newest()
            assert taken is not None
            self.given_up[words_of(taken)] += 1
        elif what == 3:
            session.move_queued(waiting.id, self.chance.choice((-1, 1)))
        elif what == 4:
            session.resume_queue()
        elif what == 5:
            holder = object()
            session.hold_queue(holder)
            asyncio.get_running_loop().call_soon(session.release_queue, holder)
        else:
            for _ in range(2):  # a key pressed twice
                session.send_next()

    async def decide(self, session: ChatSession) -> None:
        approval = self.chance.choice(self.waiting())
        yes = self.chance.random() < 0.7
        decision = Decision(yes)
        if (
            self.flavour == "agent"
            and yes
            and isinstance(approval.input, dict)
            and self.chance.random() < 0.3
        ):
            changed = {**copy_json(approval.input), "description": f"as user {self.seed} wants it"}
            shown = decision_digest(approval.digest, changed, None)
            decision = Decision(True, updated_input=changed, shown=shown)
        for _ in range(self.chance.choice((1, 2))):  # a key pressed twice is one decision
            if self.workspace.approvals.decide(approval, decision):
                self.decided[approval.tool_call_id, yes] += 1
                if decision.updated_input is not None:
                    self.inputs.append((approval.tool_call_id, decision.updated_input))
        await asyncio.sleep(0)

    def waiting(self) -> list[Approval]:
        """What is asked in the chat on screen."""
        return [each for each in self.workspace.approvals.pending if each.chat_id == self.chat_id]

    async def restart(self, session: ChatSession) -> None:
        """Leave and start again; half of the time nothing more is written after that moment."""
        old = self.workspace
        if self.chance.random() < 0.5:
            # What the user did is on disk a moment later: its writes stand in line behind each other.
            for _ in range(5):
                await asyncio.sleep(0)
            await old._keeper.draft("")
            self.transport.dead = True
            await old._keeper.aclose()
        await old.aclose()
        self.transport = self._transport()
        self.workspace = self._open()

    # What there is

    def on_server(self) -> list[str]:
        """What the user said, in all chats, as the server has it."""
        messages = (Message.from_wire(each) for chat in self.chats for each in self.store.messages(chat))
        return [words_of(each.text) for each in messages if each.role == "user"]


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)


def unsent(session: ChatSession) -> list[str]:
    """Messages that did not arrive, or of which that is not known."""
    states = ("not-sent", "unsure")
    return [each.id for each in session.messages if session.delivery(each.id) in states]


def at_rest(session: ChatSession) -> bool:
    """Whether nothing runs and nothing waits."""
    return not session.turn.busy and not unsent(session) and not session.queue

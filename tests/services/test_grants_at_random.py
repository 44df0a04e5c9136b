"""Random lives of a queue under rules: whatever comes in whatever order, no rule approves what it must not."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import pytest

from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.grants import GrantTerms
from tests.services.test_grants import TOOL, Story, question, rounds

LIVES = 40
STEPS = 200
TOOLS = (TOOL, "update_flow", "delete_python_js_data_app_draft", "frobnicate")
CHATS = ("one", "two")
INPUTS: tuple[object, ...] = (
    {"configuration_id": "7"},
    {"configuration_id": "8"},
    {"configuration_id": "7\u202e"},
    [1],
)


@dataclass
class Allowed:
    """What the user allowed, as the test keeps count of it."""

    terms: GrantTerms
    until: float
    ended: bool = False
    used: int = 0


class Life(Story):
    """A story whose every approval by rule is checked at the moment it goes out."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.allowed: list[Allowed] = []
        self.calls = 0
        self.seen: dict[tuple[str, str], object] = {}
        """Inputs by call; None for one that was asked about more than once."""
        self.trouble: list[str] = []
        self.by_rule = 0

    def new(self) -> None:
        self.calls += 1
        self.put(
            question(
                f"call-{self.calls}",
                chat_id=self.random.choice(CHATS),
                message_id=f"message-{self.random.randrange(3)}",
                tool_name=self.random.choice(TOOLS[:2] if self.random.random() < 0.7 else TOOLS),
                input=self.random.choice(INPUTS[:2] if self.random.random() < 0.8 else INPUTS),
                note="asked again" if self.random.random() < 0.1 else None,
                together=self.random.random() < 0.5,
            )
        )

    def put(self, asked: Approval) -> None:
        # The same once more before its answer went out is no news.
        same = asked.key in {each.key for each, _ in self.service.ruled(asked.chat_id)}
        same = same and self.seen[asked.key] == asked.input
        odd = (asked.key in self.seen and not same) or asked.note is not None
        self.seen[asked.key] = None if odd else asked.input
        self.service.ask(asked, self.decided_now)

    def again(self) -> None:
        waiting = [*self.service.pending, *(each for chat in CHATS for each, _ in self.service.ruled(chat))]
        if waiting:
            old = self.random.choice(waiting)
            self.put(question(
                old.tool_call_id, chat_id=old.chat_id, message_id=old.message_id, tool_name=old.tool_name,
                input=self.random.choice(INPUTS), together=old.together, digest=f"changed {self.random.random()}",
            ))  # fmt: skip

    def decided_now(self, asked: Approval, decision: Decision) -> None:
        if decision.by == "you" or not decision.approved:
            if decision.by == "grant":
                self.trouble.append("a grant denied something")
            return
        self.by_rule += 1
        fitting = [
            each
            for each in self.allowed
            if not each.ended
            and self.clock.now < each.until
            and each.terms.tool == asked.tool_name
            and each.terms.chat_id in (None, asked.chat_id)
        ]
        if not fitting:
            self.trouble.append(f"{asked} was approved, and nothing allowed it")
        if asked.chat_id in self.switched:
            self.trouble.append(f"{asked} was approved in a switched chat")
        if asked.tool_name not in TOOLS[:2] or asked.input not in INPUTS[:2]:
            self.trouble.append(f"{asked} must never be approved by a rule")
        if asked.note is not None or self.seen.get(asked.key) != asked.input:
            self.trouble.append(f"{asked} was asked about more than once")
        self.seen[asked.key] = None

    def answer(self) -> None:
        if not self.service.pending:
            return
        asked = self.random.choice(self.service.pending)
        if self.random.random() < 0.4:
            terms = GrantTerms(
                asked.tool_name,
                chat_id=self.random.choice((None, asked.chat_id)),
                minutes=self.random.choice((None, 1, 5)),
                calls=self.random.choice((None, 1, 3)),
            )
            allowed = Allowed(terms, self.clock.now + terms.minutes * 60 if terms.minutes else float("inf"))
            self.allowed.append(allowed)
            if not self.service.decide(asked, Decision(True, grant=terms)):
                allowed.ended = True
        else:
            self.service.decide(asked, Decision(self.random.random() < 0.5))

    def end_all(self, how: str) -> None:
        for each in self.allowed:
            each.ended = True
        if how == "revoke":
            self.grants.revoke_all()
        elif how == "sleep":
            self.wall.now += 3600
        else:
            self.grants.end(how)

    def switch(self) -> None:
        chat = self.random.choice(CHATS)
        self.switched ^= {chat}
        self.service.reconsider()

    async def live(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.trouble.append(str(context)))
        deeds = [self.new] * 6 + [self.answer] * 4 + [self.again, self.switch]
        for _ in range(STEPS):
            roll = self.random.random()
            if roll < 0.05:
                self.end_all(self.random.choice(("revoke", "sleep", "the connection was lost")))
            elif roll < 0.12:
                self.pass_time(self.random.choice((1, 61, 301)))
            elif roll < 0.15:
                self.service.withdraw(self.random.choice(CHATS))
            elif roll < 0.45:
                await asyncio.sleep(0)
            else:
                self.random.choice(deeds)()
        await rounds()
        limits = [each.terms.calls for each in self.allowed]
        if None not in limits and self.by_rule > sum(each or 0 for each in limits):
            self.trouble.append("more calls than were allowed")


@pytest.mark.parametrize("seed", range(LIVES))
async def test_no_rule_approves_what_it_must_not(seed: int) -> None:
    life = Life(seed)
    await life.live()
    assert not life.trouble, life.trouble


async def test_lives_are_full_of_rules() -> None:
    """The lives above prove something only when rules decide in them."""
    approved = 0
    for seed in range(LIVES):
        life = Life(seed)
        await life.live()
        approved += life.by_rule
    assert approved > LIVES

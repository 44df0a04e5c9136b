"""Random conversations with `aisdk/`, the same ones for the same seed: after each turn both sides say the same."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.peers.house import LIMIT, House, Talk
from tests.services.scripted_backend import until

pytestmark = pytest.mark.slow

QUIET = ("hello", "read", "progress", "reasoning", "sources", "multi-step", "unknown tool", "invalid input", "tool fails",
         "empty", "usage", "data", "surrogates", "error mid-stream", "error first", "length limit")  # fmt: skip
ASKING = ("write", "two writes", "read then write", "mixed step", "chain", "defaults", "dynamic write", "metadata",
          "write fails")  # fmt: skip
TURNS = 8


class Walk:
    """One user who does something else each time."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(f"walk {seed}")
        self.stopped = False
        """Something was stopped: the server may have more of that reply than stands here."""

    async def go(self) -> Talk:
        talk = await self.house.talk()
        for _ in range(TURNS):
            talk = await self.turn(talk)
            assert not talk.session.turn.busy
            assert not talk.session.queue
            if self.stopped:
                await until(lambda talk=talk: ids(talk.seen()) == ids(talk.persisted()), LIMIT)
            else:
                await talk.agrees()
        return talk

    async def turn(self, talk: Talk) -> Talk:
        what = self.chance.random()
        if what < 0.1:
            return await self.stop_in_the_middle(talk)
        if what < 0.2:
            return await self.restart(talk)
        talk.session.send(self.chance.choice(QUIET if what < 0.5 else ASKING))
        return await self.answer_all(talk)

    async def stop_in_the_middle(self, talk: Talk) -> Talk:
        talk.session.send("slow")
        wanted = f"word{self.chance.randint(0, 9)} "
        await until(lambda: wanted in talk.session.messages[-1].text, LIMIT)
        hung_up = talk.journal().hang_ups
        talk.session.stop()
        self.stopped = True
        await until(lambda: talk.journal().hang_ups == hung_up + 1, LIMIT)
        return talk

    async def restart(self, talk: Talk) -> Talk:
        """With a question open, where there is one."""
        if self.chance.random() < 0.5:
            await talk.asked("defaults")
        else:
            await talk.say("read")
        await talk.workspace.aclose()
        again = await self.house.enter()
        session = await again.chats.open_chat(talk.session.chat_id)
        return await self.answer_all(Talk(talk.peer, again, session))

    async def answer_all(self, talk: Talk) -> Talk:
        """Decide whatever is asked, in any order, until the turn is over."""
        while True:
            await until(lambda: not talk.session.turn.busy or talk.waiting, LIMIT)
            if not talk.waiting:
                return talk
            approval = self.chance.choice(talk.waiting)
            talk.decide(
                approval, self.chance.random() < 0.6, self.chance.choice((None, "no", "ünï \U0001f600"))
            )


def ids(messages: list[dict[str, object]]) -> list[object]:
    return [each["id"] for each in messages]


def assert_nothing_went_twice(talk: Talk) -> None:
    """Every wish once; every decision once."""
    journal = talk.journal()
    wishes = Counter(post["message"]["id"] for post in journal.posts if post["message"]["role"] == "user")
    assert set(wishes.values()) == {1}
    assert len(wishes) == sum(each.role == "user" for each in talk.session.messages)
    answered = Counter(each["toolUseId"] for each in journal.approvals)
    assert set(answered.values()) <= {1}
    decided = Counter(
        part["approval"]["id"]
        for post in journal.posts
        for part in post["message"]["parts"]
        if part.get("state") == "approval-responded"
    )
    assert set(decided.values()) <= {1}


@pytest.mark.parametrize("seed", range(12))
async def test_a_walk_with_kai_assistant(house: House, seed: int) -> None:
    assert_nothing_went_twice(await Walk(house, seed).go())


@pytest.mark.parametrize("seed", range(4))
async def test_a_walk_with_signed_requests(signing_house: House, seed: int) -> None:
    assert_nothing_went_twice(await Walk(signing_house, 100 + seed).go())


class AgentWalk(Walk):
    """A question does not outlive its stream."""

    async def restart(self, talk: Talk) -> Talk:
        await talk.say("read")  # a chat nothing was said in is not there
        await talk.workspace.aclose()
        again = await self.house.enter()
        return Talk(talk.peer, again, await again.chats.open_chat(talk.session.chat_id))


@pytest.mark.parametrize("seed", range(8))
async def test_a_walk_with_kai_agent(agent_house: House, seed: int) -> None:
    assert_nothing_went_twice(await AgentWalk(agent_house, seed).go())

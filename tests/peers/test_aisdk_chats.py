"""The list of chats, votes and deleting, against `aisdk/`: both rules a server's cursors may follow."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from kai_tui.backends.base import Outgoing
from tests.peers.conftest import living_in
from tests.peers.house import LIMIT, House
from tests.peers.node_peer import peer
from tests.services.scripted_backend import until

pytestmark = pytest.mark.slow

MANY = 123


@pytest.mark.parametrize("rule", ["template", "forward"])
async def test_every_chat_is_listed_once_and_in_order(tmp_path: Path, rule: str) -> None:
    with peer("--cursors", rule) as found:
        async with living_in(House(found, tmp_path)) as house:
            talk = await house.talk()
            backend = await talk.workspace.backend()
            made: list[str] = []
            for number in range(MANY):
                chat_id = str(uuid.uuid4())
                async for _ in backend.send(chat_id, Outgoing(str(uuid.uuid4()), f"number {number}")):
                    pass
                made.append(chat_id)
            history = talk.workspace.history
            await history.refresh()
            before = 0
            while before < len(history.rows):
                before = len(history.rows)
                await history.load_more()
            assert [row.id for row in history.rows] == made[::-1]
            queries = found.journal(made[0]).history
            assert all("starting_after" not in each or "ending_before" not in each for each in queries)
            # Once the rule is known, no page is asked for in the wrong way.
            wrong = "starting_after" if rule == "template" else "ending_before"
            assert sum(wrong in each for each in queries) <= 1


async def test_votes_are_kept_and_can_be_changed(house: House) -> None:
    talk = await house.talk()
    message = await talk.say("read")
    await talk.session.vote(message.id, True)
    await talk.session.vote(message.id, False)
    backend = await talk.workspace.backend()
    assert await backend.votes(talk.session.chat_id) == {message.id: False}
    await talk.workspace.aclose()
    again = await house.enter()
    reopened = await again.chats.open_chat(talk.session.chat_id)
    await until(lambda: reopened.vote_of(message.id) is False, LIMIT)


async def test_the_chat_is_named_by_the_server(house: House) -> None:
    talk = await house.talk()
    await talk.say("title")
    assert talk.session.title == "A name from the server"
    await talk.workspace.history.refresh()
    titles = {row.id: row.title for row in talk.workspace.history.rows}
    assert titles[talk.session.chat_id] == "A name from the server"


async def test_usage_adds_up(house: House) -> None:
    talk = await house.talk()
    await talk.say("usage")
    assert talk.session.turn.tokens == 126


async def test_a_deleted_chat_is_gone_on_both_sides(house: House) -> None:
    talk = await house.talk()
    await talk.say("read")
    await talk.workspace.history.delete(talk.session.chat_id)
    assert talk.session.chat_id not in str(talk.peer.get("/api/history?limit=1000"))
    await talk.workspace.history.refresh()
    assert talk.session.chat_id not in [row.id for row in talk.workspace.history.rows]


async def test_two_chats_stream_at_once_and_do_not_mix(house: House) -> None:
    one = await house.talk()
    other = type(one)(one.peer, one.workspace, one.workspace.chats.new_chat())
    await asyncio.gather(one.say("slow"), other.say("multi-step"))
    assert one.session.messages[-1].text.endswith("word299 ")
    await one.agrees()
    await other.agrees()

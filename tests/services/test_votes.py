"""Votes: shown at once, changed, taken back when refused; one request per answer at a time."""

from __future__ import annotations

import asyncio

import pytest

from kai_tui.backends.base import BackendError, ConnectionLost, NotFound
from kai_tui.services.votes import Votes
from tests.services.scripted_backend import ScriptedBackend, until


def book(backend: ScriptedBackend) -> tuple[Votes, list[str]]:
    changed: list[str] = []

    async def provide() -> ScriptedBackend:
        return backend

    return Votes("chat", provide, changed.append), changed


async def test_a_vote_is_shown_before_the_server_answers_and_can_be_changed() -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(vote_steps=[gate])
    votes, changed = book(backend)
    cast = asyncio.create_task(votes.cast("a", True))
    await until(lambda: backend.voted)
    assert votes.of("a") is True
    gate.set()
    assert await cast
    assert await votes.cast("a", False)
    assert votes.of("a") is False
    assert backend.voted == [("a", True), ("a", False)]
    assert changed == ["a", "a"]


async def test_the_same_vote_again_sends_nothing_also_while_it_is_on_its_way() -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(vote_steps=[gate])
    votes, _ = book(backend)
    cast = asyncio.create_task(votes.cast("a", True))
    await until(lambda: backend.voted)
    assert not await votes.cast("a", True)
    gate.set()
    await cast
    assert not await votes.cast("a", True)
    assert len(backend.voted) == 1


async def test_a_refused_vote_is_taken_back_to_what_stood_before() -> None:
    backend = ScriptedBackend(vote_steps=[NotFound("No."), None, NotFound("No.")])
    votes, changed = book(backend)
    with pytest.raises(NotFound):
        await votes.cast("a", True)
    assert votes.of("a") is None
    await votes.cast("a", False)
    with pytest.raises(NotFound):
        await votes.cast("a", True)
    assert votes.of("a") is False
    assert changed == ["a"] * 5


@pytest.mark.parametrize(("there", "taken"), [({"a": True}, True), ({}, False), ({"a": False}, False)])
async def test_a_vote_that_may_have_arrived_is_looked_up(there: dict[str, bool], taken: bool) -> None:
    backend = ScriptedBackend(vote_steps=[ConnectionLost("Gone.")], votes_there=there)
    votes, _ = book(backend)
    if taken:
        assert await votes.cast("a", True)
    else:
        with pytest.raises(BackendError):
            await votes.cast("a", True)
    assert votes.of("a") is there.get("a")


async def test_changing_ones_mind_quickly_ends_with_the_last_wish() -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(vote_steps=[gate])
    votes, _ = book(backend)
    first = asyncio.create_task(votes.cast("a", True))
    await until(lambda: backend.voted)
    backend.vote_steps[:] = []
    second = asyncio.create_task(votes.cast("a", False))
    await asyncio.sleep(0)
    third = asyncio.create_task(votes.cast("a", True))
    fourth = asyncio.create_task(votes.cast("a", False))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, second, third, fourth)
    assert votes.of("a") is False
    assert backend.voted[-1] == ("a", False)
    assert len(backend.voted) == 2


async def test_a_refusal_does_not_undo_a_later_wish() -> None:
    gate = asyncio.Event()

    class Refusing(ScriptedBackend):
        async def vote(self, chat_id: str, message_id: str, up: bool) -> None:
            self.voted.append((message_id, up))
            if up:
                await gate.wait()
                raise NotFound("No.")

    backend = Refusing()
    votes, _ = book(backend)
    first = asyncio.create_task(votes.cast("a", True))
    await until(lambda: backend.voted)
    second = asyncio.create_task(votes.cast("a", False))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, second)
    assert votes.of("a") is False
    assert backend.voted == [("a", True), ("a", False)]


async def test_votes_read_from_the_server_do_not_undo_what_was_voted_meanwhile() -> None:
    votes, changed = book(ScriptedBackend())
    await votes.cast("a", True)
    votes.take({"a": False, "b": False})
    assert (votes.of("a"), votes.of("b")) == (True, False)
    assert changed == ["a", "b"]
